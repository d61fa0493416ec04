/*
 * Rules: who may do what (docs/rules.md). A rules file is compiled once and
 * asked often.
 *
 * Compiled rules are immutable: share them between threads freely.
 */
#ifndef MESHAUTH_RULES_H
#define MESHAUTH_RULES_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

struct mauth_rules;

enum {
    MAUTH_RULES_MAX = 65536,      /* bytes of a rules file */
    MAUTH_RULES_HASH_LEN = 32,    /* SHA-256 */
    MAUTH_RULES_ARGS_MAX = 4,     /* arguments of a fact or a question */
    MAUTH_RULES_LITERALS_MAX = 16 /* conditions of a rule */
};

/*
 * Compile a rules file.
 *
 *   text, len  the file, not kept after return
 *   out        on MAUTH_OK, rules that the caller frees; otherwise NULL
 *   err        "line 3, column 7, at "mebmer(U, F)": ..." and what would be right
 *
 * MAUTH_MALFORMED  not rules, or rules that could never do what they seem to
 * MAUTH_TOO_LARGE  the file, or a count in it, passes a bound
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_rules_compile(
    const char *text, size_t len, struct mauth_rules **out, struct mauth_err *err);

MAUTH_API void mauth_rules_free(struct mauth_rules *rules);

/* SHA-256 of the file; belongs to the rules. */
MAUTH_API const uint8_t *mauth_rules_hash(const struct mauth_rules *rules);

/* The `allow` and `grant` rules, numbered from 0 as they stand in the file. */
MAUTH_API size_t mauth_rules_count(const struct mauth_rules *rules);
/* A rule in one line, without comments; belongs to the rules. NULL: no such rule. */
MAUTH_API const char *mauth_rules_text(const struct mauth_rules *rules, size_t rule);
/* The line of the file on which it begins; 0: no such rule. */
MAUTH_API unsigned mauth_rules_line(const struct mauth_rules *rules, size_t rule);

#endif
