/*
 * Asking the audit log, the same way for whoever asks: the names of the filters,
 * what their values may be, and the record that is made of the question itself.
 */
#ifndef AUDIT_FILTER_H
#define AUDIT_FILTER_H

#include <sys/types.h>

#include "audit/record.h"

enum {
    AUDIT_QUERY_LIMIT_MAX = 10000
};

/* What to look for; NULL and 0 mean "any". */
struct audit_filter {
    int64_t since_us;
    int64_t until_us; /* exclusive; 0: no end */
    const char *actor;
    const char *action;
    const char *outcome;
    const char *reason;
    const char *ticket;
    const char *session;
    uint64_t limit; /* newest first; 0: 100 */
};

/* "since", "until", "actor", ... "limit"; ended by NULL. */
extern const char *const audit_query_filters[];

/*
 * Set one filter. value is kept, not copied.
 *
 * MAUTH_INVALID    no such filter, or the value is not of its form; err->text
 *                  says what would be right
 */
MAUTH_MUST_USE enum mauth_rc audit_query_set(
    struct audit_filter *f, const char *name, const char *value, struct mauth_err *err);

/*
 * The record of a question, to be durable before its answer leaves. query is
 * written as in a URL ("actor=usr_...&limit=5", "" for all); request is NULL
 * where there is none.
 */
MAUTH_MUST_USE enum mauth_rc audit_query_entry(uid_t uid, const char *query,
    const char *client, const char *request, struct audit_entry **out,
    struct mauth_err *err);

#endif
