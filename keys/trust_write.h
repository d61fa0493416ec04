/*
 * Writing a trust file (docs/trust-file.md): the root's delegation to an
 * authority, and the authority's statement with its list of revocations.
 * What these write, mauth_trust_parse() reads.
 */
#ifndef KEYS_TRUST_WRITE_H
#define KEYS_TRUST_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "keys/note.h"
#include "keys/trust.h"
#include <meshauth/err.h>

/* Which authority may sign trust, in which epoch and window; signed by the root. */
struct trust_delegation {
    const char *issuer;
    uint64_t epoch;
    const struct note_verifier *authority;
    int64_t from_s;
    int64_t until_s;
};

/* What the root is asked to sign, appended: meshauth-authority v1. */
void trust_write_request(const struct trust_delegation *d, struct buf *out);

MAUTH_MUST_USE enum mauth_rc trust_write_delegation(const struct trust_delegation *d,
    const struct note_verifier *root, const uint8_t root_seed[NOTE_KEY_BYTES],
    struct buf *out, struct mauth_err *err);

struct trust_statement {
    const char *issuer;
    uint64_t epoch;
    uint64_t sequence;
    int64_t issued_s;
    int64_t expires_s;
    uint64_t tree_size; /* the audit checkpoint */
    uint8_t tree_root[32];
    const struct trust_key *keys;
    size_t key_count;
    const char *const *revocations; /* whole lines without newline, in any order */
    size_t revocation_count;
};

/*
 * The whole file: the delegation (as trust_write_delegation wrote it), statement,
 * list, in which each line stands once. out is as it was when this fails.
 *
 * MAUTH_INVALID    no reader would take it: a value out of its bounds, or another
 *                  authority, issuer or epoch than the root's
 * MAUTH_EXPIRED    the delegation does not hold at issued_s
 * MAUTH_TOO_LARGE  over MAUTH_TRUST_MAX
 */
MAUTH_MUST_USE enum mauth_rc trust_write(struct text delegation,
    const struct trust_statement *s, const struct note_verifier *authority,
    const uint8_t authority_seed[NOTE_KEY_BYTES], struct buf *out,
    struct mauth_err *err);

#endif
