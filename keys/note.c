#include "keys/note.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/str.h"

enum {
    HASH_BYTES = 4,
    SIGNATURE_BYTES = 64,
    ED25519 = 0x01, /* C2SP signed-note: the signature type */
};

static const char DASH[] = "\xe2\x80\x94 "; /* em dash and a space */

/* A name has no white space and no '+', and here only printable ASCII. */
static bool
is_name(struct text name)
{
    if (name.len < 1 || name.len > NOTE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '+')
            return false;
    return true;
}

enum mauth_rc
note_verifier_make(const char *name, const uint8_t key[NOTE_KEY_BYTES],
    struct note_verifier *out, struct mauth_err *err)
{
    static const char middle[] = {'\n', ED25519};
    struct text pieces[3] = {
        text_of(name), {middle, sizeof(middle)}, {(const char *)key, NOTE_KEY_BYTES}};
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (!is_name(pieces[0]))
        return mauth_fail(err, MAUTH_MALFORMED, "verifier key: not a name for a key");
    rc = hash_sha256(pieces, 3, hash, err);
    if (rc)
        return rc;
    memcpy(out->name, name, pieces[0].len);
    memcpy(out->key, key, NOTE_KEY_BYTES);
    memcpy(out->hash, hash, HASH_BYTES);
    return MAUTH_OK;
}

enum mauth_rc
note_verifier_parse(
    const char *vkey, size_t len, struct note_verifier *out, struct mauth_err *err)
{
    struct text rest = {vkey, len}, name, hash;
    uint8_t typed[1 + NOTE_KEY_BYTES];
    char text[NOTE_NAME_MAX + 1], hex[2 * HASH_BYTES + 1];
    enum mauth_rc rc;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (!text_cut(&rest, '+', &name) || !text_cut(&rest, '+', &hash) ||
        !is_name(name) ||
        !b64_decode(B64_STD, rest.p, rest.len, typed, sizeof(typed), &n) ||
        n != sizeof(typed) || typed[0] != ED25519)
        return mauth_fail(err, MAUTH_MALFORMED,
            "verifier key: not NAME+HASH+KEY with an Ed25519 key");
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    rc = note_verifier_make(text, typed + 1, out, err);
    if (rc)
        return rc;
    str_hex(out->hash, HASH_BYTES, hex);
    if (text_is(hash, hex))
        return MAUTH_OK;
    memset(out, 0, sizeof(*out));
    return mauth_fail(err, MAUTH_MALFORMED,
        "verifier key: its hash does not fit its name and key; was it altered?");
}

void
note_verifier_format(const struct note_verifier *v, char out[NOTE_VKEY_MAX + 1])
{
    uint8_t typed[1 + NOTE_KEY_BYTES] = {ED25519};
    char hex[2 * HASH_BYTES + 1];
    struct buf b;

    memcpy(typed + 1, v->key, NOTE_KEY_BYTES);
    str_hex(v->hash, HASH_BYTES, hex);
    buf_init_fixed(&b, out, NOTE_VKEY_MAX);
    buf_str(&b, v->name);
    buf_str(&b, "+");
    buf_str(&b, hex);
    buf_str(&b, "+");
    b.len += b64_encode(B64_STD, typed, sizeof(typed), out + b.len);
    out[b.len] = '\0';
}

enum mauth_rc
note_fingerprint(const struct note_verifier *v, char out[NOTE_FINGERPRINT_LEN + 1],
    struct mauth_err *err)
{
    static const char kind[] = "SHA256:";
    char vkey[NOTE_VKEY_MAX + 1], b64[NOTE_FINGERPRINT_LEN];
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    note_verifier_format(v, vkey);
    rc = hash_bytes(vkey, strlen(vkey), hash, err);
    if (rc)
        return rc;
    b64_encode(B64_STD, hash, sizeof(hash), b64);
    memcpy(out, kind, sizeof(kind) - 1);
    memcpy(out + sizeof(kind) - 1, b64, NOTE_FINGERPRINT_LEN - (sizeof(kind) - 1));
    out[NOTE_FINGERPRINT_LEN] = '\0';
    return MAUTH_OK;
}

static enum mauth_rc
check(struct text text, const struct note_verifier *v,
    const uint8_t signature[SIGNATURE_BYTES], struct mauth_err *err)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, v->key, NOTE_KEY_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ready, good;

    ERR_set_mark(); /* the queue of errors is our host's too */
    ready = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1;
    good = ready && EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES,
                        (const unsigned char *)text.p, text.len) == 1;
    ERR_pop_to_mark();
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    if (!ready)
        return mauth_fail(err, MAUTH_INTERNAL, "note: cannot check a signature");
    if (!good)
        return mauth_fail(err, MAUTH_UNTRUSTED, "note: not signed by %s", v->name);
    return MAUTH_OK;
}

bool
note_text(struct reader *r, struct text *text)
{
    const char *start = (const char *)r->p, *end;

    text->p = "";
    text->len = 0;
    end = r->left ? memmem(start, r->left, "\n\n", 2) : NULL;
    if (!end)
        return false;
    text->p = start;
    text->len = (size_t)(end - start) + 1;
    return reader_bytes(r, text->len + 1) != NULL;
}

enum mauth_rc
note_open(struct reader *r, const struct note_verifier *v, struct text *text,
    struct mauth_err *err)
{
    uint8_t raw[HASH_BYTES + SIGNATURE_BYTES];
    struct text line = {"", 0}, name = {"", 0};
    size_t n = 0;
    bool form;

    form = note_text(r, text);
    reader_expect(r, DASH, sizeof(DASH) - 1);
    line = reader_until(r, '\n');
    form = form && reader_ok(r) && text_cut(&line, ' ', &name) &&
           b64_decode(B64_STD, line.p, line.len, raw, sizeof(raw), &n) &&
           n == sizeof(raw);
    if (!form)
        return mauth_fail(err, MAUTH_MALFORMED,
            "note: not a text, an empty line and a signature line");
    if (!text_is(name, v->name) || memcmp(raw, v->hash, HASH_BYTES) != 0)
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "note: signed by another than %s", v->name);
    return check(*text, v, raw + HASH_BYTES, err);
}

enum mauth_rc
note_sign(struct text text, const struct note_verifier *v,
    const uint8_t seed[NOTE_KEY_BYTES], struct buf *out, struct mauth_err *err)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, NOTE_KEY_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t raw[HASH_BYTES + SIGNATURE_BYTES];
    size_t n = SIGNATURE_BYTES;
    char *line;
    bool ok;

    memcpy(raw, v->hash, HASH_BYTES);
    ok = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
         EVP_DigestSign(
             ctx, raw + HASH_BYTES, &n, (const unsigned char *)text.p, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "note: cannot sign");
    buf_text(out, text);
    buf_str(out, "\n");
    buf_str(out, DASH);
    buf_str(out, v->name);
    buf_str(out, " ");
    line = buf_space(out, b64_encoded_len(B64_STD, sizeof(raw)));
    if (line)
        b64_encode(B64_STD, raw, sizeof(raw), line);
    buf_str(out, "\n");
    if (!buf_ok(out))
        return mauth_fail(err, MAUTH_NO_MEMORY, "note: no memory");
    return MAUTH_OK;
}

enum mauth_rc
note_public(const uint8_t seed[NOTE_KEY_BYTES], uint8_t key[NOTE_KEY_BYTES],
    struct mauth_err *err)
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, NOTE_KEY_BYTES);
    size_t n = NOTE_KEY_BYTES;
    bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1;

    EVP_PKEY_free(pkey);
    if (!ok)
        return mauth_fail(err, MAUTH_INTERNAL, "note: no public half");
    return MAUTH_OK;
}

enum mauth_rc
note_generate(
    uint8_t seed[NOTE_KEY_BYTES], uint8_t key[NOTE_KEY_BYTES], struct mauth_err *err)
{
    enum mauth_rc rc = mauth_random(seed, NOTE_KEY_BYTES, err);

    return rc ? rc : note_public(seed, key, err);
}

enum mauth_rc
note_secret_new(const char *name, struct mauth_secret **seed, struct note_verifier *v,
    struct mauth_err *err)
{
    uint8_t raw[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES];
    enum mauth_rc rc = note_generate(raw, key, err);

    *seed = NULL;
    if (rc == MAUTH_OK)
        rc = note_verifier_make(name, key, v, err);
    if (rc == MAUTH_OK)
        rc = mauth_secret_new(raw, sizeof(raw), seed, err);
    mauth_wipe(raw, sizeof(raw));
    return rc;
}
