/* Keys and certificates of all kinds, made on the spot. */
#ifndef TESTS_IDENTITY_H
#define TESTS_IDENTITY_H

#include <stdbool.h>
#include <time.h>

#include <gnutls/x509.h>

#include "tests/unit/unit.h"

/* A key, and the certificate that it signs for itself. */
struct identity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
};

struct identity_kind {
    const char *name;
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
};

static const struct identity_kind identity_p256 = {
    "P-256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)};

static inline void
identity_sign(struct identity *i, time_t from, time_t until)
{
    static const unsigned char serial[] = {1};
    const bool ed25519 =
        gnutls_x509_privkey_get_pk_algorithm(i->key) == GNUTLS_PK_EDDSA_ED25519;
    const gnutls_digest_algorithm_t digest =
        ed25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;

    assert_int_equal(gnutls_x509_crt_init(&i->certificate), 0);
    gnutls_x509_crt_set_version(i->certificate, 3);
    gnutls_x509_crt_set_serial(i->certificate, serial, sizeof(serial));
    gnutls_x509_crt_set_dn(i->certificate, "CN=test", NULL);
    gnutls_x509_crt_set_activation_time(i->certificate, from);
    gnutls_x509_crt_set_expiration_time(i->certificate, until);
    assert_int_equal(gnutls_x509_crt_set_key(i->certificate, i->key), 0);
    assert_int_equal(
        gnutls_x509_crt_sign2(i->certificate, i->certificate, i->key, digest, 0), 0);
}

static inline void
identity_make(struct identity *i, const struct identity_kind *kind)
{
    assert_int_equal(gnutls_x509_privkey_init(&i->key), 0);
    assert_int_equal(
        gnutls_x509_privkey_generate(i->key, kind->algorithm, kind->bits, 0), 0);
    identity_sign(i, time(NULL) - 60, time(NULL) + 3600);
}

static inline void
identity_rename(const struct identity *i, const char *name)
{
    gnutls_x509_crt_set_dn(i->certificate, name, NULL);
    assert_int_equal(gnutls_x509_crt_sign2(
                         i->certificate, i->certificate, i->key, GNUTLS_DIG_SHA256, 0),
        0);
}

static inline void
identity_drop(struct identity *i)
{
    gnutls_x509_crt_deinit(i->certificate);
    gnutls_x509_privkey_deinit(i->key);
}

/* Asserts nothing, so that any thread may ask. */
static inline bool
identity_is(const gnutls_datum_t *der, const struct identity *i)
{
    gnutls_datum_t own;
    bool same;

    if (gnutls_x509_crt_export2(i->certificate, GNUTLS_X509_FMT_DER, &own) != 0)
        return false;
    same = der && der->size == own.size && memcmp(der->data, own.data, own.size) == 0;
    gnutls_free(own.data);
    return same;
}

#endif
