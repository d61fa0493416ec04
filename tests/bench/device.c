#include "tests/bench/device.h"

#include <stdio.h>

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static bool
fill_in(X509 *x, EVP_PKEY *key, size_t i)
{
    X509_NAME *name = X509_get_subject_name(x);
    char text[32];

    snprintf(text, sizeof(text), "device-%zu", i);
    return X509_set_version(x, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(x), (long)i + 1) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "19700101000000Z") == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") == 1 &&
           X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
           X509_sign(x, key, EVP_sha256()) > 0;
}

bool
device_present(SSL *ssl, size_t i)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    bool good = key && x && fill_in(x, key, i) && SSL_use_certificate(ssl, x) == 1 &&
                SSL_use_PrivateKey(ssl, key) == 1;

    X509_free(x); /* ssl has its own references */
    EVP_PKEY_free(key);
    return good;
}
