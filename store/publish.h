/* The trust file, made from what the store holds. */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include "keys/trust_place.h"
#include "store/keystore.h"

struct publish_options {
    const char *issuer;
    const char *path; /* replaced, readable by everyone */
    int64_t life_s;
    int64_t now_s;
};

/*
 * Take the next sequence number, state keys and audit head, sign, replace the
 * file. A number whose file could not be written is never used again.
 *
 * One thread at a time calls this for a store: otherwise a file could replace one
 * with a higher number. Fails as trust_write() does, and leaves the old file then.
 */
MAUTH_MUST_USE enum mauth_rc publish_trust(struct kv *kv, const struct keystore *keys,
    const struct publish_options *o, struct mauth_err *err);

/*
 * Then: put on record that this file lists the keys, with those of which none was known
 * to list them.
 */
MAUTH_MUST_USE enum mauth_rc publish_note_keys(struct kv *kv,
    const struct keystore *keys, const struct mauth_secret *seal,
    struct trust_place place, struct mauth_err *err);

#endif
