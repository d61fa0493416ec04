/*
 * What is asked of the audit log, the same way for whoever asks: the names of the filters,
 * what their values may be, and the record that is made of the question itself.
 */
#ifndef AUDIT_FILTER_H
#define AUDIT_FILTER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "audit/record.h"
#include "audit/terms.h"

enum {
    AUDIT_LIMIT_DEFAULT = 100,
    AUDIT_LIMIT_MAX = 10000,
    AUDIT_RULE_ROOM =
        2 * (AUDIT_FIELD_MAX + 3) + 1 /* each byte escaped, "..." and all */
};

/* NULL and 0 mean "any". A record fits when it has all of the values. */
struct audit_filter {
    int64_t since_us;
    int64_t until_us;                /* exclusive; 0: no end */
    const char *value[AUDIT_FIELDS]; /* as they stand in a record */
    char rule[AUDIT_RULE_ROOM];      /* the one that is escaped there */
    bool has_sequence;
    uint64_t sequence; /* of the one that is meant */
    bool oldest_first;
    bool has_after;
    uint64_t after; /* only what comes behind this sequence number, in that order */
    uint64_t limit; /* 0: AUDIT_LIMIT_DEFAULT */
    bool archive;   /* also what has left the store, by its archive */
    const atomic_bool *stop; /* NULL, or: who asks wants no more once it is true */
};

/* The fields, "since", "until", "sequence", "order", "after", "limit" and "archive"; ended
 * by NULL. */
extern const char *const audit_filter_names[];

/*
 * Set one filter. value is kept, not copied; f stays where it is, or is copied as long as
 * it stays.
 *
 * MAUTH_INVALID    no such filter, or the value is not of its form; err->text
 *                  says what would be right
 */
MAUTH_MUST_USE enum mauth_rc audit_filter_set(
    struct audit_filter *f, const char *name, const char *value, struct mauth_err *err);

/* Does this record fit? The limit and the place of the last answer are not looked at. */
bool audit_filter_fits(const struct audit_filter *f, const struct audit_terms *t);

/*
 * The record of a question, to be durable before its answer leaves: who has the actor,
 * the client and the request; query is written as in a URL ("actor=usr_...&limit=5", ""
 * for all), but for the rule that is asked for, which is as long as a rule may be (or
 * NULL).
 *
 * MAUTH_TOO_LARGE  the record could not hold all of it, and nobody hides what he asks
 */
MAUTH_MUST_USE enum mauth_rc audit_question_entry(const struct audit_record *who,
    const char *query, const char *rule, struct audit_entry **out,
    struct mauth_err *err);

#endif
