/* A service as it stands after `meshauth init`: a store with a signing key, and what
 * every endpoint works with. No HTTP, no providers. */
#ifndef TESTS_SERVICE_DIR_H
#define TESTS_SERVICE_DIR_H

#include "authsvc/own_keys.h"
#include "authsvc/service.h"
#include "tests/unit/golden.h"
#include "tests/unit/store_dir.h"

enum {
    SERVICE_FROM_S = 1800000000,
    SERVICE_UNTIL_S = SERVICE_FROM_S + 86400 /* of the signing key */
};

struct service_dir {
    struct store_dir store;
    struct config config;
    struct mauth_secret *seal;
    struct service service;
    struct mauth_key *device;
};

static inline enum mauth_rc
service_add_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {7};
    const struct keystore_key key = {
        TRUST_ACTIVE, SERVICE_FROM_S, SERVICE_UNTIL_S, "*", 0};
    const struct service_dir *d = arg;
    uint8_t der[4096];
    struct text pkcs8 = {
        (const char *)der, golden_der("signing-p256.pem", der, sizeof(der))};

    return keystore_key_add(txn, d->seal, &key, pkcs8, nonce, err);
}

static inline enum mauth_rc
service_add_authority(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {8};
    const struct service_dir *d = arg;
    struct keystore_authority a = {.epoch = 1, .delegation = text_of("delegation\n")};
    enum mauth_rc rc;

    assert_int_equal(
        note_secret_new("auth.mesh.example/authority", &a.seed, &a.verifier, NULL),
        MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/root", a.verifier.key, &a.root, NULL),
        MAUTH_OK);
    rc = keystore_authority_put(txn, d->seal, &a, nonce, err);
    mauth_secret_free(a.seed);
    return rc;
}

/* Reads the keys of the store again. */
static inline void
service_reload(struct service_dir *d)
{
    own_keys_close(d->service.keys);
    assert_int_equal(
        own_keys_open(d->store.kv, d->seal, &d->service.keys, NULL), MAUTH_OK);
}

/* Without a signing key: before service_add_key() has run. */
static inline void
service_make(struct service_dir *d, const char *store_options)
{
    static const uint8_t seal[KEYSTORE_SEAL_BYTES] = {3};

    memset(d, 0, sizeof(*d));
    store_make(&d->store, store_options);
    assert_int_equal(mauth_secret_new(seal, sizeof(seal), &d->seal, NULL), MAUTH_OK);
    d->device = golden_key("device.pub.pem");
    d->config.issuer.url = GOLDEN_ISSUER;
    d->config.tickets.identity_s = 3600;
    d->config.tickets.rights_s = 600;
    d->config.tickets.session_s = 2592000;
    d->service.config = &d->config;
    d->service.kv = d->store.kv;
    assert_int_equal(kv_write(d->store.kv, service_add_authority, d, NULL), MAUTH_OK);
    service_reload(d);
}

static inline void
service_make_with_key(struct service_dir *d, const char *store_options)
{
    service_make(d, store_options);
    assert_int_equal(kv_write(d->store.kv, service_add_key, d, NULL), MAUTH_OK);
    service_reload(d);
}

static inline void
service_remove(struct service_dir *d)
{
    own_keys_close(d->service.keys);
    mauth_secret_free(d->seal);
    mauth_key_free(d->device);
    store_remove(&d->store);
}

#endif
