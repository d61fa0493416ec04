#include "keys/key_certificate.h"

#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "keys/der.h"

enum {
    UTF8_STRING = 0x0c,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    SET = 0x31,
    EXTENSIONS = 0xa3, /* [3] */

    SERIAL = 8, /* bytes */
    TIME_DIGITS = 14
};

#define YEAR_2050_S INT64_C(2524608000) /* RFC 5280 4.1.2.5: from then on in full */

/* [0] { INTEGER 2 } */
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};

/* SEQUENCE { ecdsa-with-SHA256 }, SEQUENCE { sha256WithRSAEncryption, NULL } */
static const uint8_t ecdsa_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t rsa_sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};

/* SEQUENCE { SEQUENCE { keyUsage, TRUE, OCTET STRING { BIT STRING digitalSignature } } } */
static const uint8_t key_usage[] = {0x30, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d,
    0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80};

/* The content of one element goes into another, and is empty again. */
static void
move(struct buf *out, uint8_t tag, struct buf *content)
{
    der_put_element(out, tag, content);
    if (buf_ok(content))
        buf_rewind(content);
}

static void
put_algorithm(struct buf *out, const struct mauth_key *key)
{
    if (key_alg(key) == KEY_ECDSA_SHA256)
        buf_put(out, ecdsa_sha256, sizeof(ecdsa_sha256));
    else
        buf_put(out, rsa_sha256, sizeof(rsa_sha256));
}

/* The key's id as a number, its first bits set so that it is positive and not zero. */
static void
put_serial(struct buf *out, const struct mauth_key *key)
{
    const char *id = mauth_key_id(key);
    uint8_t serial[SERIAL] = {0};

    for (size_t i = 0; i < 2 * sizeof(serial); i++) {
        uint8_t digit = (uint8_t)(id[i] <= '9' ? id[i] - '0' : id[i] - 'a' + 10);

        serial[i / 2] = (uint8_t)(serial[i / 2] << 4 | digit);
    }
    serial[0] = (serial[0] & 0x7f) | 0x40;
    der_put_integer(out, serial, sizeof(serial));
}

static void
put_name(struct buf *out, const struct mauth_key *key, struct buf *a, struct buf *b)
{
    buf_str(a, mauth_key_id(key));
    buf_put(b, common_name, sizeof(common_name));
    move(b, UTF8_STRING, a);
    move(a, DER_SEQUENCE, b);
    move(b, SET, a);
    move(out, DER_SEQUENCE, b);
}

static void
put_time(struct buf *out, int64_t t_s, struct buf *a)
{
    bool is_short = t_s < YEAR_2050_S;
    char text[TIME_LEN + 1], digits[TIME_DIGITS];
    size_t n = 0;

    time_format(t_s, text);
    for (const char *c = text; *c && n < sizeof(digits); c++)
        if (*c >= '0' && *c <= '9')
            digits[n++] = *c;
    buf_put(a, digits + (is_short ? 2 : 0), n - (is_short ? 2 : 0));
    buf_u8(a, 'Z');
    move(out, is_short ? UTC_TIME : GENERALIZED_TIME, a);
}

/* What is signed (RFC 5280 4.1). */
static void
put_tbs(struct buf *out, const struct mauth_key *key, int64_t from_s, int64_t until_s)
{
    struct buf all, a, b;
    const uint8_t *spki;
    size_t len;

    buf_init(&all);
    buf_init(&a);
    buf_init(&b);
    buf_put(&all, version_3, sizeof(version_3));
    put_serial(&all, key);
    put_algorithm(&all, key);
    put_name(&all, key, &a, &b); /* the issuer */
    put_time(&b, from_s, &a);
    put_time(&b, until_s, &a);
    move(&all, DER_SEQUENCE, &b);
    put_name(&all, key, &a, &b); /* the subject */
    spki = mauth_key_spki(key, &len);
    buf_put(&all, spki, len);
    buf_put(&a, key_usage, sizeof(key_usage));
    move(&all, EXTENSIONS, &a);
    move(out, DER_SEQUENCE, &all);
    buf_clear(&b);
    buf_clear(&a);
    buf_clear(&all);
}

/* The signature as X.509 has it, behind the octet of unused bits. */
static enum mauth_rc
sign(const struct signer *signer, const struct buf *tbs, struct buf *out,
    struct mauth_err *err)
{
    const struct text all = buf_slice(tbs);
    uint8_t raw[KEY_SIGNATURE_MAX], der[DER_ECDSA_DER_MAX];
    size_t len;
    enum mauth_rc rc = signer_sign(signer, &all, 1, raw, &len, err);

    if (rc != MAUTH_OK)
        return rc;
    buf_u8(out, 0);
    if (key_alg(signer_key(signer)) != KEY_ECDSA_SHA256)
        buf_put(out, raw, len);
    else if (der_from_raw(raw, der, &len))
        buf_put(out, der, len);
    else
        return mauth_fail(err, MAUTH_INTERNAL, "certificate: no signature of P-256");
    return MAUTH_OK;
}

enum mauth_rc
key_certificate_make(const struct signer *signer, int64_t from_s, int64_t until_s,
    struct buf *out, struct mauth_err *err)
{
    const struct mauth_key *key = signer_key(signer);
    enum mauth_rc rc = MAUTH_NO_MEMORY;
    struct buf all, signature;

    if (from_s < 0 || from_s >= until_s || until_s > TIME_MAX_S)
        return mauth_fail(err, MAUTH_INVALID, "certificate: no window");
    buf_init(&all);
    buf_init(&signature);
    put_tbs(&all, key, from_s, until_s);
    if (buf_ok(&all))
        rc = sign(signer, &all, &signature, err);
    put_algorithm(&all, key);
    move(&all, DER_BIT_STRING, &signature);
    if (rc == MAUTH_OK)
        der_put_element(out, DER_SEQUENCE, &all);
    buf_clear(&signature);
    buf_clear(&all);
    if (rc == MAUTH_NO_MEMORY || (rc == MAUTH_OK && !buf_ok(out)))
        return mauth_fail(err, MAUTH_NO_MEMORY, "certificate: no memory");
    return rc;
}
