/*
 * The steps of compiling. rules_parse reads the text into rules; rules_check
 * decides what each name means, and refuses what could never do what it seems to.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/rules.h"
#include <meshauth/err.h>

/* Fills rules (its source is set) with clauses as they stand; names unresolved. */
MAUTH_MUST_USE enum mauth_rc rules_parse(
    struct mauth_rules *rules, struct mauth_err *err);

/* Sorts facts into tables; resolves names; sets bound, binds, key, sides. */
MAUTH_MUST_USE enum mauth_rc rules_check(
    struct mauth_rules *rules, struct mauth_err *err);

/* Refuses rules and facts that change nothing; after rules_check. */
MAUTH_MUST_USE enum mauth_rc rules_check_use(
    const struct mauth_rules *rules, struct mauth_err *err);

/* MAUTH_MALFORMED at this place of the source, by lex_fault. */
#define rules_fault(rules, at, err, ...) \
    lex_fault((rules)->source, (at), MAUTH_MALFORMED, (err), __VA_ARGS__)

#endif
