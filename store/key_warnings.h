/*
 * What somebody should do about the service's own keys before it is too late: from 30
 * days before the authority's end, and before that of a signing key which nothing
 * follows. And when its end is near and the key that follows it does not sign yet: from
 * handover_s before it on, by when that should have been.
 */
#ifndef STORE_KEY_WARNINGS_H
#define STORE_KEY_WARNINGS_H

#include "base/buf.h"
#include "store/keystore.h"

enum {
    KEY_WARNING_DAYS = 30
};

/* Appends a sentence for each, ended by a newline; nothing: all is well. */
MAUTH_MUST_USE enum mauth_rc key_warnings(const struct keystore *keys, int64_t now_s,
    int64_t handover_s, struct buf *out, struct mauth_err *err);

/* The same, and before it a sentence for each key that should sign now and does not: its
 * token is away. */
MAUTH_MUST_USE enum mauth_rc key_warnings_all(const struct keystore *keys,
    int64_t now_s, int64_t handover_s, struct buf *out, struct mauth_err *err);

/* All of that as a JSON array of texts. */
MAUTH_MUST_USE enum mauth_rc key_warnings_json(const struct keystore *keys,
    int64_t now_s, int64_t handover_s, struct buf *out, struct mauth_err *err);

#endif
