/*
 * Asking the audit log, the same way for whoever asks: the names of the filters,
 * what their values may be, and the record that is made of the question itself.
 */
#ifndef STORE_AUDIT_QUERY_H
#define STORE_AUDIT_QUERY_H

#include <sys/types.h>

#include "store/audit.h"

enum {
    AUDIT_QUERY_LIMIT_MAX = 10000
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
