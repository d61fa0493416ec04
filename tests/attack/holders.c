/* SubjectConfirmation: the key that a ticket is bound to, in its one encoding. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/b64.h"
#include "keys/der.h"
#include "tests/attack/attack.h"

#define SPKI        "RFC 5280 4.1.2.7"
#define CONFIRM     "SAML core 2.4.1.1"
#define HOK         "SAML HoK profile"
#define ONE_FORM    "docs/tickets.md: device keys"
#define CM          "urn:oasis:names:tc:SAML:2.0:cm:"
#define DATA_END    "</saml:SubjectConfirmationData>"
#define CONFIRM_END "</saml:SubjectConfirmation>"
#define DER_TAG \
    "<dsig11:DEREncodedKeyValue xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">"
#define DER_END   "</dsig11:DEREncodedKeyValue>"
#define INFO_END  "</ds:KeyInfo>" DATA_END
#define RECIPIENT "Recipient=\"" STORAGE "\""
#define UNTIL     "NotOnOrAfter=\"2026-11-22T10:10:00Z\""

/* The ticket is bound to this key, and the same bytes are proven. */
static void
bind_der(struct forgery *f, const void *der, size_t len)
{
    buf_rewind(&f->spki);
    buf_put(&f->spki, der, len);
    forgery_put(f, "DEREncodedKeyValue", der, len);
}

/* RSA keys, by the bits of their modulus and exponent. */
struct rsa_key {
    unsigned bits;
    uint32_t e;
    bool even; /* modulus */
};

static const struct rsa_key rsa_keys[] = {{2048, 65537, false}, {4096, 65537, false},
    {3072, 3 + 2, false}, {2048, UINT32_MAX, false}, {1024, 65537, false},
    {2047, 65537, false}, {4097, 65537, false}, {8192, 65537, false},
    {2048, 65536, false}, {2048, 1, false}, {2048, 3, false}};

enum {
    RSA_2048,
    RSA_4096,
    RSA_3072_E5,
    RSA_E_32_BITS,
    RSA_1024,
    RSA_2047,
    RSA_4097,
    RSA_8192,
    RSA_E_EVEN,
    RSA_E_1,
    RSA_E_3,
};

static void
rsa_der(const struct rsa_key *k, struct buf *out)
{
    uint8_t n[1025], e[4] = {(uint8_t)(k->e >> 24), (uint8_t)(k->e >> 16),
                         (uint8_t)(k->e >> 8), (uint8_t)k->e};
    size_t n_len = (k->bits + 7) / 8, skip = 0;

    memset(n, 0x5b, sizeof(n));
    n[0] = (uint8_t)(1U << ((k->bits - 1) % 8));
    while (!e[skip])
        skip++;
    der_make_rsa(n, n_len, e + skip, sizeof(e) - skip, out);
}

static void
bind_rsa(struct forgery *f, int which)
{
    struct buf der;

    buf_init(&der);
    rsa_der(&rsa_keys[which], &der);
    assert_true(buf_ok(&der));
    bind_der(f, der.data, der.len);
    buf_clear(&der);
}

/* An RSA key with a byte changed, in its DER; negative offsets count from the end. */
struct change {
    int at;
    uint8_t to;
};

/* 30 82 01 22 | 30 0d 06 09 OID... 05 00 | 03 82 01 0f 00 | 30 82 01 0a |
 * 02 82 01 01 00 n... | 02 03 01 00 01 */
static const struct change changes[] = {
    {0, 0x31},  /* a SET */
    {3, 0x21},  /* a length that is too short */
    {3, 0x23},  /* too long */
    {16, 0x0b}, /* another OID: sha256WithRSAEncryption */
    {17, 0x04}, /* parameters: an OCTET STRING */
    {18, 0x01}, /* NULL with content */
    {23, 0x01}, /* unused bits */
    {24, 0x31}, /* a SET of numbers */
    {32, 0x80}, /* a negative modulus */
    {-5, 0x03}, /* the exponent: a BIT STRING */
    {-3, 0x81}, /* the exponent: below zero */
    {-3, 0x00}, /* the exponent: zero in front of a small byte */
};

enum {
    A_SET,
    SHORT_OUTER,
    LONG_OUTER,
    OTHER_OID,
    OTHER_PARAMETERS,
    LONG_NULL,
    UNUSED_BITS,
    SET_OF_NUMBERS,
    NEGATIVE_MODULUS,
    EXPONENT_NO_INTEGER,
    NEGATIVE_EXPONENT,
    PADDED_EXPONENT,
};

static void
bind_changed(struct forgery *f, int which)
{
    const struct change *c = &changes[which];
    struct buf der;

    buf_init(&der);
    rsa_der(&rsa_keys[RSA_2048], &der);
    der.data[c->at < 0 ? (int)der.len + c->at : c->at] = c->to;
    bind_der(f, der.data, der.len);
    buf_clear(&der);
}

/* Other encodings of the device's P-256 key. */
enum p256_form {
    COMPRESSED,
    HYBRID,
    EXPLICIT,
    OTHER_CURVE,
    NO_PARAMETERS,
    INFINITY_POINT,
    UNUSED_BIT,
    BYTE_BEHIND,
    BYTE_MISSING,
    OTHER_OID_EC,
    OFF_CURVE,
    RAW_POINT,
    IN_PEM,
    NO_KEY_BYTES,
};

/* By libcrypto: the same key with all parameters of its curve written out. */
static void
explicit_curve(const uint8_t *der, size_t len, struct buf *out)
{
    const uint8_t *p = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)len);
    unsigned char *made = NULL;
    int n;

    assert_non_null(key);
    assert_true(
        EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"));
    n = i2d_PUBKEY(key, &made);
    assert_true(n > DER_P256_LEN);
    buf_put(out, made, (size_t)n);
    OPENSSL_free(made);
    EVP_PKEY_free(key);
}

static void
compressed(const uint8_t *der, struct buf *out)
{
    static const uint8_t lengths[] = {0x30, 0x39};

    buf_put(out, lengths, 2);
    buf_put(out, der + 2, 22); /* algorithm, and the tag of the BIT STRING */
    buf_u8(out, 0x22);
    buf_u8(out, 0);
    buf_u8(out, der[DER_P256_LEN - 1] & 1 ? 3 : 2);
    buf_put(out, der + DER_P256_PREFIX, 32);
}

static void
without_parameters(const uint8_t *der, struct buf *out)
{
    buf_put(out, der, 13);
    buf_put(out, der + 23, DER_P256_LEN - 23);
    out->data[1] = (uint8_t)(out->data[1] - 10);
    out->data[3] = (uint8_t)(out->data[3] - 10);
}

static void
p256_der(const uint8_t *der, enum p256_form form, struct buf *out)
{
    static const uint8_t infinity[] = {0x30, 0x19, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
        0x01, 0x07, 0x03, 0x02, 0x00, 0x00};

    switch (form) {
    case COMPRESSED: compressed(der, out); return;
    case EXPLICIT: explicit_curve(der, DER_P256_LEN, out); return;
    case NO_PARAMETERS: without_parameters(der, out); return;
    case INFINITY_POINT: buf_put(out, infinity, sizeof(infinity)); return;
    case RAW_POINT: buf_put(out, der + DER_P256_PREFIX - 1, 65); return;
    case IN_PEM: buf_str(out, "-----BEGIN PUBLIC KEY-----"); return;
    case NO_KEY_BYTES: return;
    case HYBRID:
    case OTHER_CURVE:
    case UNUSED_BIT:
    case BYTE_BEHIND:
    case BYTE_MISSING:
    case OTHER_OID_EC:
    case OFF_CURVE: break;
    }
    buf_put(out, der, DER_P256_LEN);
    switch (form) {
    case HYBRID: out->data[26] = 6 | (der[DER_P256_LEN - 1] & 1); break;
    case OTHER_CURVE: out->data[22] = 6; break;
    case UNUSED_BIT: out->data[25] = 1; break;
    case BYTE_BEHIND: buf_u8(out, 0); break;
    case BYTE_MISSING: out->len--; break;
    case OTHER_OID_EC: out->data[12] = 0x0c; break;
    case OFF_CURVE: out->data[DER_P256_LEN - 1] ^= 1; break;
    default: break;
    }
}

static void
bind_p256(struct forgery *f, int form)
{
    size_t len;
    const uint8_t *der = mauth_key_spki(f->house->device, &len);
    struct buf b;

    assert_int_equal(len, DER_P256_LEN);
    buf_init(&b);
    p256_der(der, (enum p256_form)form, &b);
    bind_der(f, b.data, b.len);
    buf_clear(&b);
}

#define KEYS(n, t, m, a, r, ...) \
    MADE(SIGNED, n, t, m, a, r, .on = RIGHTS | P256, __VA_ARGS__)

static const struct attack list[] = {
    /* Proof. */
    MADE(AS_IS, "no key proven", "RFC 7800 4", NULL, 0, NO_PROOF, .on = BOUND,
        .at.proof = NO_KEY),
    MADE(AS_IS, "another key proven", HOK, NULL, 0, HOLDER, .on = BOUND,
        .at.proof = OTHER_KEY),
    MADE(AS_IS, "the key but for its last byte", "CWE-697", NULL, 0, HOLDER,
        .on = BOUND, .at.proof = SHORT_KEY),
    MADE(AS_IS, "the key and a byte more", "CWE-697", NULL, 0, HOLDER, .on = BOUND,
        .at.proof = LONG_KEY),
    MADE(AS_IS, "a key of no bytes", "CWE-697", NULL, 0, HOLDER, .on = BOUND,
        .at.proof = EMPTY_KEY),
    MADE(AS_IS, "a bearer ticket where none is allowed", "RFC 6750 5.3", NULL, 0,
        NO_PROOF, .on = BEARER, .at.no_bearer = true),
    MADE(AS_IS, "a bearer ticket, with a key proven as well", "RFC 6750 5.3", NULL, 0,
        NO_PROOF, .on = BEARER, .at = {.no_bearer = true, .proof = OTHER_KEY}),
    MADE(AS_IS, "bound to a key of one's own, signature kept", HOK, bind_rsa, RSA_2048,
        SIGNATURE, .on = BOUND),
    MADE(REHASHED, "bound to a key of one's own, digest made to fit", HOK, bind_rsa,
        RSA_2048, SIGNATURE, .on = BOUND),

    /* RSA keys. */
    KEYS("RSA of 2048 bits", "control", bind_rsa, RSA_2048, NONE),
    KEYS("RSA of 4096 bits", "control", bind_rsa, RSA_4096, NONE),
    KEYS("RSA of 3072 bits, exponent 5", "control", bind_rsa, RSA_3072_E5, NONE),
    KEYS("RSA, an exponent of 32 bits", "control", bind_rsa, RSA_E_32_BITS, NONE),
    KEYS("RSA of 1024 bits", "NIST SP 800-57", bind_rsa, RSA_1024, FORM),
    KEYS("RSA of 2047 bits", ONE_FORM, bind_rsa, RSA_2047, FORM),
    KEYS("RSA of 4097 bits", ONE_FORM, bind_rsa, RSA_4097, FORM),
    KEYS("RSA of 8192 bits", "CVE-2023-3446", bind_rsa, RSA_8192, FORM),
    KEYS("RSA, an even exponent", "RFC 8017 3.1", bind_rsa, RSA_E_EVEN, FORM),
    KEYS("RSA, exponent 1", "CVE-2006-4339", bind_rsa, RSA_E_1, FORM),
    KEYS("RSA, exponent 3: two bits", ONE_FORM, bind_rsa, RSA_E_3, FORM),
    KEYS("RSA: a SET", SPKI, bind_changed, A_SET, FORM),
    KEYS("RSA: the outer length a byte short", SPKI, bind_changed, SHORT_OUTER, FORM),
    KEYS("RSA: the outer length a byte long", SPKI, bind_changed, LONG_OUTER, FORM),
    KEYS("RSA: another OID", "RFC 8017 A.1", bind_changed, OTHER_OID, FORM),
    KEYS("RSA: parameters that are not NULL", "RFC 8017 A.1", bind_changed,
        OTHER_PARAMETERS, FORM),
    KEYS("RSA: a NULL with content", "X.690 8.8", bind_changed, LONG_NULL, FORM),
    KEYS("RSA: unused bits", "X.690 8.6.2.2", bind_changed, UNUSED_BITS, FORM),
    KEYS("RSA: a SET of numbers", SPKI, bind_changed, SET_OF_NUMBERS, FORM),
    KEYS(
        "RSA: a modulus below zero", "X.690 8.3", bind_changed, NEGATIVE_MODULUS, FORM),
    KEYS("RSA: an exponent that is no INTEGER", "X.690 8.3", bind_changed,
        EXPONENT_NO_INTEGER, FORM),
    KEYS("RSA: an exponent below zero", "X.690 8.3", bind_changed, NEGATIVE_EXPONENT,
        FORM),
    KEYS("RSA: a zero too much before the exponent", "X.690 8.3.2", bind_changed,
        PADDED_EXPONENT, FORM),

    /* P-256 keys. */
    KEYS("P-256: a compressed point", "SEC 1 2.3.3", bind_p256, COMPRESSED, FORM),
    KEYS("P-256: a hybrid point", "X9.62 4.3.6", bind_p256, HYBRID, FORM),
    KEYS("P-256: the curve written out", "CVE-2020-0601", bind_p256, EXPLICIT, FORM),
    KEYS("P-256: another curve's name", "RFC 5480 2.1.1.1", bind_p256, OTHER_CURVE,
        FORM),
    KEYS("P-256: no parameters", "RFC 5480 2.1.1", bind_p256, NO_PARAMETERS, FORM),
    KEYS(
        "P-256: the point at infinity", "SEC 1 2.3.3", bind_p256, INFINITY_POINT, FORM),
    KEYS("P-256: an unused bit", "X.690 8.6.2.2", bind_p256, UNUSED_BIT, FORM),
    KEYS("P-256: a byte behind", SPKI, bind_p256, BYTE_BEHIND, FORM),
    KEYS("P-256: a byte missing", SPKI, bind_p256, BYTE_MISSING, FORM),
    KEYS("P-256: another algorithm", "RFC 5480 2.1.2", bind_p256, OTHER_OID_EC, FORM),
    /* By its bytes it is a key; nobody can have proven it. */
    KEYS("P-256: a point that is not on the curve", "CVE-2020-0601", bind_p256,
        OFF_CURVE, HOLDER, .at.proof = OTHER_KEY),
    KEYS("the point alone", SPKI, bind_p256, RAW_POINT, FORM),
    KEYS("PEM", "RFC 7468", bind_p256, IN_PEM, FORM),
    KEYS("no key", HOK, bind_p256, NO_KEY_BYTES, FORM),
    MISMADE(
        "a line end in the key", "RFC 4648 3.1", DER_TAG, "$0\n", FORM, .on = BOUND),
    MISMADE("the key without padding", "RFC 4648 3.2", "==" DER_END, DER_END, FORM,
        .on = BOUND),
    MISMADE("two keys", HOK, DER_END, "$0" DER_TAG "$P" DER_END, FORM, .on = BOUND),
    MISMADE("two KeyInfos", HOK, INFO_END,
        "</ds:KeyInfo><ds:KeyInfo xmlns:ds=\"" DS_NS "\"></ds:KeyInfo>" DATA_END, FORM,
        .on = BOUND),
    MISMADE("KeyName beside the key", HOK, DER_END, "$0<ds:KeyName>x</ds:KeyName>",
        FORM, .on = BOUND),
    MISMADE("X509Data for the key", HOK, DER_TAG,
        "<ds:X509Data><ds:X509Certificate>MIIB</ds:X509Certificate></ds:X509Data>$0",
        FORM, .on = BOUND),
    MISMADE("KeyValue for the key", HOK, DER_TAG, "<ds:KeyValue></ds:KeyValue>$0", FORM,
        .on = BOUND),

    /* Confirmations. */
    MISMADE("sender-vouches", "SAML profiles 3.2", CM "holder-of-key",
        CM "sender-vouches", FORM, .on = BOUND),
    MISMADE(
        "an unknown method", CONFIRM, CM "holder-of-key", "urn:x", FORM, .on = BOUND),
    MISMADE(
        "no Method", CONFIRM, " Method=\"" CM "holder-of-key\"", "", FORM, .on = BOUND),
    MISMADE("a key under bearer", CONFIRM, CM "holder-of-key", CM "bearer", FORM,
        .on = BOUND),
    MISMADE("holder-of-key without a key", CONFIRM, CM "bearer", CM "holder-of-key",
        FORM, .on = BEARER),
    MISMADE("two SubjectConfirmations: bearer second", CONFIRM, CONFIRM_END,
        "$0<saml:SubjectConfirmation Method=\"" CM "bearer\">" CONFIRM_END, FORM,
        .on = BOUND),
    MISMADE("two SubjectConfirmations: bearer first", CONFIRM,
        "<saml:SubjectConfirmation ",
        "<saml:SubjectConfirmation Method=\"" CM "bearer\">" CONFIRM_END "$0", FORM,
        .on = BOUND),
    MISMADE(
        "no SubjectConfirmation", CONFIRM, "<saml:SubjectConfirmation ", "<x ", FORM),
    MISMADE("no SubjectConfirmationData", CONFIRM, "<saml:SubjectConfirmationData",
        "<x", FORM),
    MISMADE("NameID in SubjectConfirmation", CONFIRM, "<saml:SubjectConfirmationData",
        "<saml:NameID>" BOB "</saml:NameID>$0", FORM),
    MISMADE("a Recipient with a key", "SAML core 2.4.1.2",
        "<saml:SubjectConfirmationData ",
        "<saml:SubjectConfirmationData " RECIPIENT " ", FORM, .on = BOUND),
    MISMADE("InResponseTo", "SAML core 2.4.1.2", "<saml:SubjectConfirmationData ",
        "<saml:SubjectConfirmationData InResponseTo=\"x\" ", FORM),
    MISMADE("Address", "SAML core 2.4.1.2", "<saml:SubjectConfirmationData ",
        "<saml:SubjectConfirmationData Address=\"127.0.0.1\" ", FORM),
    MISMADE("NotBefore of a bearer", "SAML profiles 4.1.4.2",
        "<saml:SubjectConfirmationData ",
        "<saml:SubjectConfirmationData NotBefore=\"2026-11-22T10:00:00Z\" ", FORM,
        .on = BEARER),
    MISMADE(
        "text in SubjectConfirmationData", "SAML core 2.4.1.2", DATA_END, "x$0", FORM),
    MISMADE("another Recipient", "docs/tickets.md: Subject", RECIPIENT,
        "Recipient=\"urn:meshauth:service:relay\"", FORM, .on = BEARER),
    MISMADE("a Recipient that is no URI", "docs/tickets.md: Subject", RECIPIENT,
        "Recipient=\"x\"", FORM, .on = BEARER),
    MISMADE("an empty Recipient", "docs/tickets.md: Subject", RECIPIENT,
        "Recipient=\"\"", FORM, .on = BEARER),
    MISMADE("no Recipient", "docs/tickets.md: Subject", " " RECIPIENT, "", FORM,
        .on = BEARER),
    MISMADE("the audience is not the Recipient", "docs/tickets.md: Subject",
        AUDIENCE(STORAGE), AUDIENCE("urn:meshauth:service:relay"), FORM, .on = BEARER),
    MISMADE("the bearer's end is earlier", "docs/tickets.md: Subject", UNTIL,
        "NotOnOrAfter=\"2026-11-22T10:09:00Z\"", FORM, .on = BEARER),
    MISMADE("the bearer's end is later", "docs/tickets.md: Subject", UNTIL,
        "NotOnOrAfter=\"2026-11-22T11:10:00Z\"", FORM, .on = BEARER),
    MISMADE("no end of a bearer", "docs/tickets.md: Subject", UNTIL " ", "", FORM,
        .on = BEARER),
};

const struct attack_group attacks_on_holders = {
    "Confirmation, holders and their keys", list, COUNT(list)};
