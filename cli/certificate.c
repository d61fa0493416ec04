#include "cli/certificate.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/fail.h"
#include "base/secret.h"
#include "keys/signer.h"

enum {
    SEED = 32
};

/* PrivateKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 7). */
static const uint8_t ed25519_prefix[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
    0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

/* What the BIO holds, appended to out. The BIO wipes its own memory when freed. */
static enum mauth_rc
drain(BIO *bio, struct buf *out, struct mauth_err *err)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    if (len > 0)
        buf_put(out, data, (size_t)len);
    if (len <= 0 || !buf_ok(out))
        return mauth_fail(err, MAUTH_NO_MEMORY, "pem: no memory");
    return MAUTH_OK;
}

enum mauth_rc
pem_write(const char *label, struct text der, struct buf *out, struct mauth_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum mauth_rc rc;

    if (bio &&
        PEM_write_bio(bio, label, "", (const unsigned char *)der.p, (long)der.len) > 0)
        rc = drain(bio, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "pem: no memory");
    BIO_free(bio);
    return rc;
}

enum mauth_rc
pem_new_p256(struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf der;

    buf_init_secret(&der);
    rc = signer_generate(SIGNER_P256, &der, err);
    if (rc == MAUTH_OK)
        rc = pem_write(PEM_STRING_PKCS8INF, buf_slice(&der), out, err);
    buf_clear(&der);
    return rc;
}

enum mauth_rc
pem_from_seed(const uint8_t seed[SEED], struct buf *out, struct mauth_err *err)
{
    uint8_t der[sizeof(ed25519_prefix) + SEED];
    enum mauth_rc rc;

    memcpy(der, ed25519_prefix, sizeof(ed25519_prefix));
    memcpy(der + sizeof(ed25519_prefix), seed, SEED);
    rc = pem_write(
        PEM_STRING_PKCS8INF, (struct text){(const char *)der, sizeof(der)}, out, err);
    mauth_wipe(der, sizeof(der));
    return rc;
}

enum mauth_rc
pem_to_seed(struct text pem, struct mauth_secret **out, struct mauth_err *err)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    uint8_t seed[SEED];
    size_t len = sizeof(seed);
    enum mauth_rc rc;

    *out = NULL;
    if (key && EVP_PKEY_is_a(key, "ED25519") == 1 &&
        EVP_PKEY_get_raw_private_key(key, seed, &len) == 1)
        rc = mauth_secret_new(seed, len, out, err);
    else
        rc = mauth_fail(err, MAUTH_MALFORMED, "pem: no Ed25519 key");
    mauth_wipe(seed, sizeof(seed));
    EVP_PKEY_free(key);
    BIO_free(bio);
    return rc;
}

static bool
add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    bool ok;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = ext && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static bool
add_server_extensions(X509 *x, const struct certificate *c)
{
    char san[300];

    snprintf(san, sizeof(san), "%s:%s", c->is_address ? "IP" : "DNS", c->host);
    return add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, NID_subject_key_identifier, "hash") &&
           add_extension(x, NID_subject_alt_name, san);
}

static bool
add_names(X509 *x, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
               (const unsigned char *)common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x, name) == 1;
}

/* 64 random bits, positive and not zero (RFC 5280 4.1.2.2). */
static bool
set_serial(X509 *x)
{
    uint64_t serial;

    if (mauth_random(&serial, sizeof(serial), NULL) != MAUTH_OK)
        return false;
    serial = (serial & INT64_MAX) | 1;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) == 1;
}

static bool
fill_in(X509 *x, const struct certificate *c, EVP_PKEY *key)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           add_names(x, c->common_name) &&
           ASN1_TIME_set(X509_getm_notBefore(x), c->from_s) &&
           ASN1_TIME_set(X509_getm_notAfter(x), c->until_s) &&
           X509_set_pubkey(x, key) == 1 && (!c->host || add_server_extensions(x, c)) &&
           X509_sign(x, key, EVP_sha256()) > 0;
}

enum mauth_rc
certificate_self_sign(const struct certificate *c, struct text key_pem, struct buf *out,
    struct mauth_err *err)
{
    char passphrase[] = ""; /* ours have none; without this OpenSSL asks the terminal */
    BIO *in = BIO_new_mem_buf(key_pem.p, (int)key_pem.len);
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, passphrase) : NULL;
    X509 *x = X509_new();
    enum mauth_rc rc;

    if (!key)
        rc = mauth_fail(err, MAUTH_MALFORMED, "certificate: no private key in PEM");
    else if (!bio || !x || !fill_in(x, c, key) || PEM_write_bio_X509(bio, x) != 1)
        rc = mauth_fail(err, MAUTH_INTERNAL, "certificate: cannot be made");
    else
        rc = drain(bio, out, err);
    X509_free(x);
    EVP_PKEY_free(key);
    BIO_free(bio);
    BIO_free(in);
    return rc;
}
