/*
 * A private key that signs tickets, behind a table of functions so that a
 * hardware token can stand in its place. Safe from any thread.
 */
#ifndef KEYS_SIGNER_H
#define KEYS_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "keys/key.h"
#include <meshauth/err.h>

struct signer;

struct signer_ops {
    /* Writes the raw signature (KEY_SIGNATURE_MAX at most) over the pieces. */
    enum mauth_rc (*sign)(void *state, const struct text *pieces, size_t count,
        uint8_t *out, size_t *len, struct mauth_err *err);
    /* Would it sign now? NULL: always. */
    enum mauth_rc (*ready)(void *state, struct mauth_err *err);
    void (*free)(void *state);
};

/* Takes over key and state, also when it fails. */
MAUTH_MUST_USE enum mauth_rc signer_new(const struct signer_ops *ops, void *state,
    struct mauth_key *key, struct signer **out, struct mauth_err *err);

/* Software key from unencrypted PKCS#8 DER; the bytes are not kept. */
MAUTH_MUST_USE enum mauth_rc signer_from_pkcs8(
    const void *der, size_t len, struct signer **out, struct mauth_err *err);

void signer_free(struct signer *s);

/* The public half; belongs to the signer. */
const struct mauth_key *signer_key(const struct signer *s);

MAUTH_MUST_USE enum mauth_rc signer_sign(const struct signer *s,
    const struct text *pieces, size_t count, uint8_t out[KEY_SIGNATURE_MAX],
    size_t *len, struct mauth_err *err);

/* MAUTH_UNAVAILABLE: it does not sign for now, such as a key in a token that is away; err
 * says why. */
MAUTH_MUST_USE enum mauth_rc signer_ready(
    const struct signer *s, struct mauth_err *err);

enum signer_kind {
    SIGNER_P256,
    SIGNER_RSA2048,
    SIGNER_RSA3072
};

/* "P-256", "RSA-2048", "RSA-3072". */
const char *signer_kind_name(enum signer_kind kind);
MAUTH_MUST_USE bool signer_kind_parse(struct text name, enum signer_kind *out);
/* Of a key that was made here; of longer RSA keys, as of the longest. */
enum signer_kind signer_kind_of(const struct mauth_key *key);

/* A new key of this kind as PKCS#8 DER, appended to a buffer that holds secrets. */
MAUTH_MUST_USE enum mauth_rc signer_generate(
    enum signer_kind kind, struct buf *pkcs8, struct mauth_err *err);

#endif
