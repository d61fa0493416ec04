/* Algorithms, and the values of signatures. */
#include <openssl/bn.h>
#include <openssl/hmac.h>

#include "keys/der.h"
#include "tests/attack/attack.h"
#include "tickets/template.h"

#define MORE         "http://www.w3.org/2001/04/xmldsig-more#"
#define METHOD       "<ds:SignatureMethod Algorithm=\"" MORE
#define DIGEST       "http://www.w3.org/2001/04/xmlenc#sha256"
#define DIGEST_TAG   "<ds:DigestMethod Algorithm=\"" DIGEST "\">"
#define SIGVALUE     "<ds:SignatureValue>"
#define SIGVALUE_END "</ds:SignatureValue>"

/* The order of P-256 (SEC 2, 2.4.2). */
static const char order_hex[] =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

enum {
    R_AND_S = 32
};

/* r or s of a genuine signature, as numbers, replaced. */
enum number {
    AS_SIGNED,
    ZERO,
    ONE,
    ORDER,
    ORDER_PLUS_1,
    ORDER_MINUS_1,
    NEGATED, /* n - x: as good a signature, for s */
    ALL_ONES,
    HALF_PLUS_1, /* the first in the upper half */
};

#define R_S(r, s) ((r) << 4 | (s))

static void
number_of(BIGNUM *x, enum number which)
{
    BIGNUM *n = NULL;

    assert_true(BN_hex2bn(&n, order_hex));
    switch (which) {
    case AS_SIGNED: break;
    case ZERO: BN_zero(x); break;
    case ONE: assert_true(BN_one(x)); break;
    case ORDER: assert_non_null(BN_copy(x, n)); break;
    case ORDER_PLUS_1:
        assert_non_null(BN_copy(x, n));
        assert_true(BN_add_word(x, 1));
        break;
    case ORDER_MINUS_1:
        assert_non_null(BN_copy(x, n));
        assert_true(BN_sub_word(x, 1));
        break;
    case NEGATED: assert_true(BN_sub(x, n, x)); break;
    case ALL_ONES:
        BN_zero(x);
        assert_true(BN_set_bit(x, 256) && BN_sub_word(x, 1));
        break;
    case HALF_PLUS_1: assert_true(BN_rshift1(x, n) && BN_add_word(x, 1)); break;
    }
    BN_free(n);
}

static void
put_r_s(struct forgery *f, int which)
{
    uint8_t raw[KEY_SIGNATURE_MAX];
    BIGNUM *x;

    assert_int_equal(forgery_signature(f, raw), 2 * R_AND_S);
    for (int i = 0; i < 2; i++) {
        x = BN_bin2bn(raw + i * R_AND_S, R_AND_S, NULL);
        assert_non_null(x);
        number_of(x, (enum number)(i ? which & 15 : which >> 4));
        assert_int_equal(BN_bn2binpad(x, raw + i * R_AND_S, R_AND_S), R_AND_S);
        BN_free(x);
    }
    forgery_put(f, "SignatureValue", raw, 2 * R_AND_S);
}

/* Other forms of a genuine signature. */
enum shape {
    IN_DER,
    SWAPPED,
    WITHOUT_FIRST,
    WITHOUT_LAST,
    ZERO_IN_FRONT,
    ZERO_BEHIND,
    ZEROS_BEFORE_BOTH, /* 33 bytes each */
    HALF_OF_IT,
    TWICE,
    NO_BYTES,
    ONE_BYTE,
    ZEROS,
    ONES,
    FIRST_BIT,
    LAST_BIT,
    TOO_LONG, /* for any key: 513 bytes */
};

static size_t
reshape(uint8_t *raw, size_t len, enum shape shape)
{
    uint8_t old[KEY_SIGNATURE_MAX];

    memcpy(old, raw, len);
    switch (shape) {
    case IN_DER: assert_true(der_from_raw(old, raw, &len)); break;
    case SWAPPED:
        memcpy(raw, old + len / 2, len / 2);
        memcpy(raw + len / 2, old, len / 2);
        break;
    case WITHOUT_FIRST: memcpy(raw, old + 1, --len); break;
    case WITHOUT_LAST: len--; break;
    case ZERO_IN_FRONT:
        memcpy(raw + 1, old, len++);
        raw[0] = 0;
        break;
    case ZERO_BEHIND: raw[len++] = 0; break;
    case ZEROS_BEFORE_BOTH:
        memcpy(raw + 1, old, len / 2);
        memcpy(raw + 2 + len / 2, old + len / 2, len / 2);
        raw[0] = raw[1 + len / 2] = 0;
        len += 2;
        break;
    case HALF_OF_IT: len /= 2; break;
    case TWICE:
        memcpy(raw + len, old, len);
        len *= 2;
        break;
    case NO_BYTES: len = 0; break;
    case ONE_BYTE: len = 1; break;
    case ZEROS: memset(raw, 0, len); break;
    case ONES: memset(raw, 0xff, len); break;
    case FIRST_BIT: raw[0] ^= 0x80; break;
    case LAST_BIT: raw[len - 1] ^= 1; break;
    case TOO_LONG:
        memset(raw, 1, 513);
        len = 513;
        break;
    }
    return len;
}

static void
put_shape(struct forgery *f, int shape)
{
    uint8_t raw[2 * KEY_SIGNATURE_MAX + 2];
    size_t len = reshape(raw, forgery_signature(f, raw), (enum shape)shape);

    forgery_put(f, "SignatureValue", raw, len);
}

/*
 * HMAC over SignedInfo with what everybody knows, the public key, as its key; where
 * a verifier let the message choose, it would be right.
 */
static void
put_hmac(struct forgery *f, int cut_to)
{
    static const char end[] = "</ds:SignedInfo>";
    const struct mauth_key *key =
        signer_key(house_signer(f->house, f->base, KEY_ITS_OWN));
    uint8_t mac[EVP_MAX_MD_SIZE];
    const uint8_t *spki, *info, *behind;
    unsigned len;
    size_t n;
    struct buf b;

    forgery_rehash(f);
    info = memmem(f->xml.data, f->xml.len, "<ds:CanonicalizationMethod", 26);
    behind = memmem(f->xml.data, f->xml.len, end, strlen(end));
    assert_true(info && behind);
    buf_init(&b);
    buf_str(&b, TEMPLATE_SIGNED_INFO);
    buf_put(&b, info, (size_t)(behind - info) + strlen(end));
    spki = mauth_key_spki(key, &n);
    assert_non_null(HMAC(EVP_sha256(), spki, (int)n, b.data, b.len, mac, &len));
    buf_clear(&b);
    forgery_put(f, "SignatureValue", mac, cut_to ? (size_t)cut_to : len);
}

/* 64 or 256 bytes of HMAC, padded: so that its length does not give it away. */
static void
put_padded_hmac(struct forgery *f, int unused)
{
    uint8_t raw[KEY_SIGNATURE_MAX];
    size_t want = forgery_signature(f, raw), n;

    (void)unused;
    put_hmac(f, 0);
    n = forgery_signature(f, raw);
    memset(raw + n, 0, want - n);
    forgery_put(f, "SignatureValue", raw, want);
}

/* The last digit but for its unused bits: the same bytes, spelled otherwise. */
static void
leave_bits(struct forgery *f, int unused)
{
    char *end = memmem(f->xml.data, f->xml.len, "==" SIGVALUE_END, 4);

    (void)unused;
    assert_non_null(end);
    end[-1]++;
}

#define VALUE_FORM(n, t, m, a, ...)  MADE(AS_IS, n, t, m, a, FORM, __VA_ARGS__)
#define VALUE_WRONG(n, t, m, a, ...) MADE(AS_IS, n, t, m, a, SIGNATURE, __VA_ARGS__)
#define R_S_WRONG(n, t, r, s)        VALUE_WRONG(n, t, put_r_s, R_S(r, s), .on = P256)
#define P256_METHOD(uri)             "<ds:SignatureMethod Algorithm=\"" uri "\">"
#define OTHER_METHOD(n, t, uri) \
    MISMADE(n, t, METHOD "ecdsa-sha256\">", P256_METHOD(uri), FORM, .on = P256)
#define OTHER_RSA_METHOD(n, t, uri) \
    MISMADE(n, t, METHOD "rsa-sha256\">", P256_METHOD(uri), FORM, .on = RSA2048)
#define OTHER_DIGEST(n, t, uri) \
    MISMADE(n, t, DIGEST_TAG, "<ds:DigestMethod Algorithm=\"" uri "\">", FORM)

static const struct attack list[] = {
    /* Algorithms. */
    OTHER_METHOD("no algorithm", "RFC 7515 alg none", ""),
    OTHER_METHOD("none", "RFC 7515 alg none", "none"),
    OTHER_METHOD("ecdsa-sha1", "SHA-1 is broken: shattered.io", MORE "ecdsa-sha1"),
    OTHER_METHOD("ecdsa-sha224", "RFC 6931 2.3.6", MORE "ecdsa-sha224"),
    OTHER_METHOD("ecdsa-sha384", "RFC 6931 2.3.6", MORE "ecdsa-sha384"),
    OTHER_METHOD("ecdsa-sha512", "RFC 6931 2.3.6", MORE "ecdsa-sha512"),
    OTHER_METHOD("ecdsa-sha256 in upper case", "RFC 3986 6.2.1", MORE "ECDSA-SHA256"),
    OTHER_METHOD(
        "ecdsa-sha256 of another name space", "RFC 6931", DS_NS "ecdsa-sha256"),
    OTHER_METHOD("ecdsa-sha256 and more", "RFC 6931", MORE "ecdsa-sha2561"),
    OTHER_METHOD("ecdsa-sha3-256", "RFC 9231 2.3.6",
        "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-256"),
    OTHER_METHOD("dsa-sha1", "XML-DSig 6.4.1", DS_NS "dsa-sha1"),
    OTHER_METHOD(
        "dsa-sha256", "XML-DSig 6.4.1", "http://www.w3.org/2009/xmldsig11#dsa-sha256"),
    OTHER_METHOD("eddsa-ed25519", "RFC 9231 2.3.12",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"),
    OTHER_METHOD("hmac-sha1", "CVE-2016-10555", DS_NS "hmac-sha1"),
    OTHER_METHOD("hmac-sha256", "CVE-2016-10555", MORE "hmac-sha256"),
    OTHER_RSA_METHOD("rsa-sha1", "SHA-1 is broken: shattered.io", DS_NS "rsa-sha1"),
    OTHER_RSA_METHOD("rsa-md5", "CVE-2004-2761", MORE "rsa-md5"),
    OTHER_RSA_METHOD("rsa-ripemd160", "RFC 6931 2.3.5", MORE "rsa-ripemd160"),
    OTHER_RSA_METHOD("rsa-sha384", "RFC 6931 2.3.3", MORE "rsa-sha384"),
    OTHER_RSA_METHOD("rsa-sha512", "RFC 6931 2.3.4", MORE "rsa-sha512"),
    OTHER_RSA_METHOD("rsa-pss", "RFC 6931 2.3.10",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
    MISMADE("rsa-sha256 for a P-256 key", "the algorithm is the key's",
        METHOD "ecdsa-sha256", METHOD "rsa-sha256", SIGNATURE, .on = P256),
    MISMADE("ecdsa-sha256 for an RSA key", "the algorithm is the key's",
        METHOD "rsa-sha256", METHOD "ecdsa-sha256", FORM, .on = RSA2048),
    MISMADE("ecdsa-sha256 for an RSA key, 64 bytes", "the algorithm is the key's",
        METHOD "rsa-sha256", METHOD "ecdsa-sha256", SIGNATURE, .on = RSA2048,
        .key = KEY_OTHER),
    MISMADE("SignatureMethod twice", "XML-DSig 4.4", "<ds:Reference ",
        P256_METHOD(MORE "ecdsa-sha256") "</ds:SignatureMethod>$0", FORM),
    MISMADE("a HMACOutputLength of 8 bits", "CVE-2009-0217", "</ds:SignatureMethod>",
        "<ds:HMACOutputLength>8</ds:HMACOutputLength>$0", FORM),
    MISMADE("a HMACOutputLength of 0 bits", "CVE-2013-2155", "</ds:SignatureMethod>",
        "<ds:HMACOutputLength>0</ds:HMACOutputLength>$0", FORM),
    MISMADE("parameters of RSA-PSS", "RFC 6931 2.3.9", "</ds:SignatureMethod>",
        "<RSAPSSParams></RSAPSSParams>$0", FORM),
    OTHER_DIGEST("digest: none", "XML-DSig 6.2", ""),
    OTHER_DIGEST("digest: md5", "CVE-2004-2761", MORE "md5"),
    OTHER_DIGEST("digest: sha1", "SHA-1 is broken: shattered.io", DS_NS "sha1"),
    OTHER_DIGEST("digest: sha224", "RFC 6931 2.1.2", MORE "sha224"),
    OTHER_DIGEST("digest: sha384", "RFC 6931 2.1.3", MORE "sha384"),
    OTHER_DIGEST(
        "digest: sha512", "XML-DSig 6.2.4", "http://www.w3.org/2001/04/xmlenc#sha512"),
    OTHER_DIGEST("digest: ripemd160", "XML-DSig 6.2",
        "http://www.w3.org/2001/04/xmlenc#ripemd160"),
    OTHER_DIGEST(
        "digest: sha256 of another name space", "XML-DSig 6.2", DS_NS "sha256"),
    MADE(AS_IS, "HMAC with the public key, under the genuine name", "CVE-2015-9235",
        put_padded_hmac, 0, SIGNATURE),
    MADE(AS_IS, "HMAC with the public key, as it is", "CVE-2015-9235", put_hmac, 0,
        FORM, .on = P256),
    MADE(AS_IS, "HMAC with the public key, for RSA", "CVE-2015-9235", put_hmac, 0,
        SIGNATURE, .on = RSA2048),
    MADE(AS_IS, "HMAC of one byte", "CVE-2009-0217", put_hmac, 1, SIGNATURE,
        .on = RSA2048),

    /* Values of ECDSA. */
    R_S_WRONG("r = s = 0", "CVE-2022-21449", ZERO, ZERO),
    R_S_WRONG("r = 0", "CVE-2022-21449", ZERO, AS_SIGNED),
    R_S_WRONG("s = 0", "CVE-2022-21449", AS_SIGNED, ZERO),
    R_S_WRONG("r = n", "FIPS 186-5 6.4.2", ORDER, AS_SIGNED),
    R_S_WRONG("s = n", "CVE-2022-21449", AS_SIGNED, ORDER),
    R_S_WRONG("r = s = n", "CVE-2022-21449", ORDER, ORDER),
    R_S_WRONG("r = n, s = 1", "Wycheproof", ORDER, ONE),
    R_S_WRONG("r = n + 1", "FIPS 186-5 6.4.2", ORDER_PLUS_1, AS_SIGNED),
    R_S_WRONG("s = n + 1", "FIPS 186-5 6.4.2", AS_SIGNED, ORDER_PLUS_1),
    R_S_WRONG("r = n - 1", "Wycheproof", ORDER_MINUS_1, AS_SIGNED),
    R_S_WRONG("s = n - 1", "Wycheproof", AS_SIGNED, ORDER_MINUS_1),
    R_S_WRONG("r = 1", "Wycheproof", ONE, AS_SIGNED),
    R_S_WRONG("s = 1", "Wycheproof", AS_SIGNED, ONE),
    R_S_WRONG("r = s = 1", "Wycheproof", ONE, ONE),
    R_S_WRONG("r = 0, s = 1", "Wycheproof", ZERO, ONE),
    R_S_WRONG("r = 2^256 - 1", "Wycheproof", ALL_ONES, AS_SIGNED),
    R_S_WRONG("s = 2^256 - 1", "Wycheproof", AS_SIGNED, ALL_ONES),
    R_S_WRONG(
        "s in the upper half: n - s", "BIP 62, CVE-2020-13822", AS_SIGNED, NEGATED),
    R_S_WRONG("r negated", "Wycheproof", NEGATED, AS_SIGNED),
    R_S_WRONG("s just in the upper half", "BIP 62", AS_SIGNED, HALF_PLUS_1),
    VALUE_WRONG("s and r", "byte order", put_shape, SWAPPED, .on = P256),
    VALUE_FORM("DER", "CVE-2020-14966", put_shape, IN_DER, .on = P256),
    VALUE_FORM("63 bytes, the first missing", "RFC 6931 2.3.6", put_shape,
        WITHOUT_FIRST, .on = P256),
    VALUE_FORM("63 bytes, the last missing", "RFC 6931 2.3.6", put_shape, WITHOUT_LAST,
        .on = P256),
    VALUE_FORM("65 bytes, a zero in front", "CVE-2020-13822", put_shape, ZERO_IN_FRONT,
        .on = P256),
    VALUE_FORM("65 bytes, a zero behind", "CVE-2020-13822", put_shape, ZERO_BEHIND,
        .on = P256),
    VALUE_FORM("66 bytes, a zero before each", "CVE-2020-14966", put_shape,
        ZEROS_BEFORE_BOTH, .on = P256),
    VALUE_FORM("32 bytes", "RFC 6931 2.3.6", put_shape, HALF_OF_IT, .on = P256),
    VALUE_FORM("128 bytes", "RFC 6931 2.3.6", put_shape, TWICE, .on = P256),
    VALUE_FORM("no bytes", "CVE-2022-21449", put_shape, NO_BYTES, .on = P256),
    VALUE_FORM("one byte", "RFC 6931 2.3.6", put_shape, ONE_BYTE, .on = P256),

    /* Values of RSA, whose length is the modulus'. */
    VALUE_WRONG("255 bytes, the first missing", "RFC 8017 8.2.2", put_shape,
        WITHOUT_FIRST, .on = RSA2048),
    VALUE_WRONG("255 bytes, the last missing", "RFC 8017 8.2.2", put_shape,
        WITHOUT_LAST, .on = RSA2048),
    VALUE_WRONG("257 bytes, a zero in front", "CVE-2020-14967", put_shape,
        ZERO_IN_FRONT, .on = RSA2048),
    VALUE_WRONG("257 bytes, a zero behind", "CVE-2018-16152", put_shape, ZERO_BEHIND,
        .on = RSA2048),
    VALUE_WRONG("128 bytes", "RFC 8017 8.2.2", put_shape, HALF_OF_IT, .on = RSA2048),
    VALUE_WRONG("512 bytes", "RFC 8017 8.2.2", put_shape, TWICE, .on = RSA2048),
    VALUE_WRONG("513 bytes", "RFC 8017 8.2.2", put_shape, TOO_LONG, .on = RSA2048),
    VALUE_WRONG("RSA: no bytes", "CVE-2016-9814", put_shape, NO_BYTES, .on = RSA2048),
    VALUE_WRONG("RSA: one byte", "RFC 8017 8.2.2", put_shape, ONE_BYTE, .on = RSA2048),
    VALUE_WRONG("RSA: 0", "RFC 8017 5.2.2", put_shape, ZEROS, .on = RSA2048),
    VALUE_WRONG(
        "RSA: above the modulus", "RFC 8017 5.2.2", put_shape, ONES, .on = RSA2048),

    /* Of both. */
    VALUE_WRONG("the first bit", "XML-DSig 3.2.2", put_shape, FIRST_BIT),
    VALUE_WRONG("the last bit", "XML-DSig 3.2.2", put_shape, LAST_BIT),

    /* base64 of the values. */
    FORGED("a line end in SignatureValue", "RFC 4648 3.1", SIGVALUE, "$0\n", FORM),
    FORGED(
        "a line end behind SignatureValue", "RFC 4648 3.1", SIGVALUE_END, "\n$0", FORM),
    FORGED("a carriage return in it", "XML 1.0 2.11", SIGVALUE, "$0\r\n", FORM),
    FORGED("&#13; in it", "xml-crypto &#13; form", SIGVALUE, "$0&#13;", FORM),
    FORGED("a blank in it", "RFC 4648 3.3", SIGVALUE, "$0 ", FORM),
    FORGED("no padding", "RFC 4648 3.2", "==" SIGVALUE_END, SIGVALUE_END, FORM),
    FORGED(
        "half the padding", "RFC 4648 3.2", "==" SIGVALUE_END, "=" SIGVALUE_END, FORM),
    FORGED("too much padding", "RFC 4648 3.3", "==" SIGVALUE_END, "====" SIGVALUE_END,
        FORM),
    FORGED("padding in front", "RFC 4648 3.3", SIGVALUE, "$0====", FORM),
    FORGED("only padding", "RFC 4648 3.3", SIGVALUE, "$0====</ds:SignatureValue><x>",
        FORM),
    VALUE_FORM("bits left over", "Base64 malleability in practice 2022", leave_bits, 0),
    FORGED("the URL alphabet", "RFC 4648 5", SIGVALUE, "$0-_-_", FORM),
    FORGED("a digit that is none", "RFC 4648 3.3", SIGVALUE, "$0*AAA", FORM),
    FORGED("data behind the padding", "RFC 4648 3.3", "==" SIGVALUE_END,
        "==AAAA" SIGVALUE_END, FORM),
    MADE(SIGNED, "a line end in DigestValue", "RFC 4648 3.1", NULL, 0, FORM,
        .after = {{"<ds:DigestValue>", "$0\n"}}),
    MADE(SIGNED, "DigestValue without padding", "RFC 4648 3.2", NULL, 0, FORM,
        .after = {{"=</ds:DigestValue>", "</ds:DigestValue>"}}),
};

const struct attack_group attacks_on_signatures = {
    "Algorithms and values of signatures", list, COUNT(list)};
