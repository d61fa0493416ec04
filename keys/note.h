/*
 * C2SP signed notes with Ed25519 (c2sp.org/signed-note): a text that ends with
 * a newline, an empty line, and one line "- NAME BASE64(hash || signature)"
 * that begins with an em dash. Ours carry exactly one signature.
 */
#ifndef KEYS_NOTE_H
#define KEYS_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include <meshauth/err.h>

enum {
    NOTE_NAME_MAX = 255,
    NOTE_KEY_BYTES = 32,
    NOTE_VKEY_MAX = NOTE_NAME_MAX + 1 + 8 + 1 + 44, /* "name+hash+base64" */
    NOTE_FINGERPRINT_LEN = 7 + 43,                  /* "SHA256:base64" */
};

struct note_verifier {
    char name[NOTE_NAME_MAX + 1];
    uint8_t key[NOTE_KEY_BYTES];
    uint8_t hash[4];
};

/* From "name+hash+base64(0x01 || key)"; the hash must fit. */
MAUTH_MUST_USE enum mauth_rc note_verifier_parse(
    const char *vkey, size_t len, struct note_verifier *out, struct mauth_err *err);

/* From a name (no white space, no '+') and the 32 bytes of an Ed25519 key. */
MAUTH_MUST_USE enum mauth_rc note_verifier_make(const char *name,
    const uint8_t key[NOTE_KEY_BYTES], struct note_verifier *out,
    struct mauth_err *err);

void note_verifier_format(const struct note_verifier *v, char out[NOTE_VKEY_MAX + 1]);

/*
 * What people compare when they are told of a verifier out of band: "SHA256:" and the
 * hash of what note_verifier_format() writes, in base64 without padding, as ssh does.
 */
MAUTH_MUST_USE enum mauth_rc note_fingerprint(const struct note_verifier *v,
    char out[NOTE_FINGERPRINT_LEN + 1], struct mauth_err *err);

/*
 * Read a signed note off the front of r. On success *text is the signed text
 * (with its last newline) inside r's bytes, and r stands behind the signature
 * line. MAUTH_UNTRUSTED when the name, the key hash or the signature is not v's.
 */
MAUTH_MUST_USE enum mauth_rc note_open(struct reader *r, const struct note_verifier *v,
    struct text *text, struct mauth_err *err);

/*
 * The text of a note alone, up to the first empty line (ours have none inside); r
 * stands before the signature line, which is not looked at. False when there is no
 * end to it. For notes that we made, or will open.
 */
MAUTH_MUST_USE bool note_text(struct reader *r, struct text *text);

/*
 * Append text and its signature line to out. seed is the private key, 32 bytes
 * (RFC 8032); v its verifier.
 */
MAUTH_MUST_USE enum mauth_rc note_sign(struct text text, const struct note_verifier *v,
    const uint8_t seed[NOTE_KEY_BYTES], struct buf *out, struct mauth_err *err);

/* A new seed, and its public half. */
MAUTH_MUST_USE enum mauth_rc note_generate(
    uint8_t seed[NOTE_KEY_BYTES], uint8_t key[NOTE_KEY_BYTES], struct mauth_err *err);
/* The same, with the seed in locked memory and the public half under a name. */
MAUTH_MUST_USE enum mauth_rc note_secret_new(const char *name,
    struct mauth_secret **seed, struct note_verifier *v, struct mauth_err *err);
/* The public half of a seed. */
MAUTH_MUST_USE enum mauth_rc note_public(const uint8_t seed[NOTE_KEY_BYTES],
    uint8_t key[NOTE_KEY_BYTES], struct mauth_err *err);

#endif
