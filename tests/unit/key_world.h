/* A store with signing keys, made and looked at in words: "active *". */
#ifndef TESTS_KEY_WORLD_H
#define TESTS_KEY_WORLD_H

#include <stdio.h>

#include "keys/signer.h"
#include "store/key_life.h"
#include "store/keystore.h"
#include "tests/unit/store_dir.h"

enum {
    KEY_FROM_S = 1000,
    KEY_UNTIL_S = 9000,
    KEY_LONGEST_S = 100
};

struct key_world {
    struct store_dir s;
    struct mauth_secret *seal;
    struct key_change change;
    struct keystore_key make;
    const struct mauth_key *public_half; /* of one in a token */
    char id[MAUTH_KEY_ID_LEN + 1];       /* of the last one made */
    const char *whom;
    bool changed;
    char state[64];
    uint64_t serial;
};

static inline enum mauth_rc
key_world_add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static uint8_t nonce[12];
    struct key_world *w = arg;
    struct signer *signer = NULL;
    struct buf der;
    enum mauth_rc rc;

    nonce[0]++;
    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_P256, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &signer, NULL), MAUTH_OK);
    snprintf(w->id, sizeof(w->id), "%s", mauth_key_id(signer_key(signer)));
    signer_free(signer);
    rc = keystore_key_add(
        txn, w->seal, &w->make, (struct text){(char *)der.data, der.len}, nonce, err);
    buf_clear(&der);
    return rc;
}

/* The id of a new key. */
static inline const char *
key_world_make(struct key_world *w, enum trust_state state, const char *audiences)
{
    static char ids[16][MAUTH_KEY_ID_LEN + 1];
    static size_t n;

    w->make = (struct keystore_key){state, KEY_FROM_S, KEY_UNTIL_S, audiences, 0};
    assert_int_equal(kv_write(w->s.kv, key_world_add, w, NULL), MAUTH_OK);
    n = (n + 1) % 16;
    memcpy(ids[n], w->id, sizeof(w->id));
    return ids[n];
}

/* A key whose private half lies in a token, which is away. */
static const char key_world_token[] =
    "pkcs11:token=t;object=o?module-path=/nowhere/m.so";

static inline enum mauth_rc
key_world_add_token(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static uint8_t nonce[12] = {[11] = 1};
    struct key_world *w = arg;
    const struct keystore_token token = {
        w->make, key_world_token, w->public_half, {"certificate", 11}};

    nonce[0]++;
    return keystore_token_add(txn, w->seal, &token, nonce, err);
}

/* Of some key the public half. */
static inline struct mauth_key *
key_world_public_half(void)
{
    struct mauth_key *key = NULL;
    struct signer *signer = NULL;
    const uint8_t *spki;
    struct buf der;
    size_t len;

    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_P256, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &signer, NULL), MAUTH_OK);
    spki = mauth_key_spki(signer_key(signer), &len);
    assert_int_equal(mauth_key_from_spki(spki, len, &key, NULL), MAUTH_OK);
    signer_free(signer);
    buf_clear(&der);
    return key;
}

/* Its id is w->id. */
static inline enum mauth_rc
key_world_make_in_token(struct key_world *w, const struct mauth_key *key)
{
    w->make =
        (struct keystore_key){TRUST_ACTIVE, KEY_FROM_S, KEY_UNTIL_S, "*", KEY_FROM_S};
    w->public_half = key;
    snprintf(w->id, sizeof(w->id), "%s", mauth_key_id(key));
    return kv_write(w->s.kv, key_world_add_token, w, NULL);
}

static inline enum mauth_rc
key_world_look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct key_world *w = arg;
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    rc = signing_key_find(txn, w->seal, w->whom, &k, err);
    if (rc == MAUTH_OK)
        snprintf(w->state, sizeof(w->state), "%s %lld %lld %s",
            trust_state_name(k.state), (long long)k.active_s, (long long)k.retires_s,
            k.pkcs8.len ? "whole" : "half");
    signing_key_clear(&k);
    return rc;
}

/* "active SINCE RETIRES whole|half", or "gone". */
static inline const char *
key_world_state(struct key_world *w, const char *id)
{
    w->whom = id;
    if (kv_read(w->s.kv, key_world_look, w, NULL) != MAUTH_OK)
        return "gone";
    return w->state;
}

static inline int
key_world_set_up(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {7};
    static struct key_world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.s, "?twice=1");
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &w.seal, NULL), MAUTH_OK);
    w.change.seal = w.seal;
    w.change.now_s = 2000;
    w.change.longest_s = KEY_LONGEST_S;
    *state = &w;
    return 0;
}

static inline int
key_world_tear_down(void **state)
{
    struct key_world *w = *state;

    mauth_secret_free(w->seal);
    store_remove(&w->s);
    return 0;
}

#endif
