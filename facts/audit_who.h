/*
 * The question to the audit log who had which right in a folder at some time, and by
 * which record. Opens transactions of its own, each short.
 */
#ifndef FACTS_AUDIT_WHO_H
#define FACTS_AUDIT_WHO_H

#include "base/id.h"
#include "store/audit_find.h"
#include <meshauth/rules.h>

struct audit_who {
    struct kv *kv;
    struct audit_index *index;       /* may be NULL: then it takes longer */
    const struct mauth_rules *rules; /* that are in force now; NULL: not known */
    const char *issuer;
    struct id folder;
    int64_t at_s;
    bool now;                /* at_s is now: all that has been */
    const atomic_bool *stop; /* as of struct audit_filter; or NULL */
};

/*
 * Writes the answer as one JSON object (docs/http.md). Rights are told if the rules that
 * are in force have been so since. Where the store does not have the folder's beginning any
 * more the archive is read too, which takes its time.
 *
 * MAUTH_UNAVAILABLE  a record on the way is damaged, or the store cannot be read
 * MAUTH_MALFORMED    a segment of the archive is damaged, or not of this log
 */
MAUTH_MUST_USE enum mauth_rc audit_who_write(
    const struct audit_who *w, struct buf *json, struct mauth_err *err);

#endif
