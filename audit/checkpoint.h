/*
 * Checkpoints of the audit log (c2sp.org/tlog-checkpoint): origin, size and root hash of
 * its tree, as a signed note.
 */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "base/buf.h"
#include "base/hash.h"
#include "keys/note.h"
#include <meshauth/err.h>

struct audit_checkpoint {
    uint64_t size;
    uint8_t root[HASH_LEN];
};

/* The origin of an issuer's log: its URL without "https://", and "/audit". */
void audit_checkpoint_origin(const char *issuer, struct buf *out);

/* Appends it, signed. */
MAUTH_MUST_USE enum mauth_rc audit_checkpoint_write(const char *issuer,
    const struct audit_checkpoint *c, const struct note_verifier *v,
    const uint8_t seed[NOTE_KEY_BYTES], struct buf *out, struct mauth_err *err);

/*
 * MAUTH_MALFORMED  no checkpoint, or more than one
 * MAUTH_UNTRUSTED  of another log, or not signed by v
 */
MAUTH_MUST_USE enum mauth_rc audit_checkpoint_read(struct text note, const char *issuer,
    const struct note_verifier *v, struct audit_checkpoint *out, struct mauth_err *err);

#endif
