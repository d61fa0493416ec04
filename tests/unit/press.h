/* A store from which a trust file can be published. */
#ifndef TESTS_PRESS_H
#define TESTS_PRESS_H

#include "keys/trust_write.h"
#include "store/publish.h"
#include "tests/unit/store_dir.h"

/* A service that may publish for https://a.example in epoch 3, from 1000 on. */
struct press {
    struct store_dir s;
    struct mauth_secret *seal, *root_seed;
    struct keystore_authority authority;
    struct buf delegation, pkcs8;
    char vkey[NOTE_VKEY_MAX + 1], path[96];
    struct keystore *keys;
    struct publish_options o;
    int64_t until_s;
};

static inline enum mauth_rc
press_put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[2][12] = {{1}, {2}};
    struct press *p = arg;
    struct keystore_key key = {TRUST_ACTIVE, 1000, p->until_s, "*", 0};
    struct text der = {(char *)p->pkcs8.data, p->pkcs8.len};
    enum mauth_rc rc;

    rc = keystore_authority_put(txn, p->seal, &p->authority, nonce[0], err);
    return rc ? rc : keystore_key_add(txn, p->seal, &key, der, nonce[1], err);
}

static inline enum mauth_rc
press_load(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return keystore_load(txn, p->seal, &p->keys, err);
}

static inline void
press_delegate(struct press *p)
{
    struct trust_delegation d = {
        "https://a.example", 3, &p->authority.verifier, 1000, p->until_s};
    struct keystore_authority *a = &p->authority;

    assert_int_equal(
        note_secret_new("a.example/authority", &a->seed, &a->verifier, NULL), MAUTH_OK);
    assert_int_equal(
        note_secret_new("a.example/root", &p->root_seed, &a->root, NULL), MAUTH_OK);
    note_verifier_format(&a->root, p->vkey);
    assert_int_equal(trust_write_delegation(&d, &a->root,
                         mauth_secret_bytes(p->root_seed), &p->delegation, NULL),
        MAUTH_OK);
    p->authority.epoch = 3;
    p->authority.delegation =
        (struct text){(char *)p->delegation.data, p->delegation.len};
}

static inline void
press_set_up_until(struct press *p, int64_t until_s)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {1};

    memset(p, 0, sizeof(*p));
    p->until_s = until_s;
    buf_init(&p->delegation);
    buf_init_secret(&p->pkcs8);
    store_make(&p->s, "?twice=1");
    snprintf(p->path, sizeof(p->path), "%s/trust", p->s.dir);
    p->o = (struct publish_options){"https://a.example", p->path, 3600, 1500};
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &p->seal, NULL), MAUTH_OK);
    assert_int_equal(signer_generate(SIGNER_P256, &p->pkcs8, NULL), MAUTH_OK);
    press_delegate(p);
    assert_int_equal(kv_write(p->s.kv, press_put, p, NULL), MAUTH_OK);
    assert_int_equal(kv_read(p->s.kv, press_load, p, NULL), MAUTH_OK);
}

/* The same authority in the next epoch, as the same root says, until until_s. */
static inline enum mauth_rc
press_renew(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {3};
    struct press *p = arg;
    struct keystore_authority a = p->authority;
    struct trust_delegation d = {
        "https://a.example", ++a.epoch, &a.verifier, 1000, p->until_s};
    struct buf note;
    enum mauth_rc rc;

    buf_init(&note);
    assert_int_equal(trust_write_delegation(
                         &d, &a.root, mauth_secret_bytes(p->root_seed), &note, NULL),
        MAUTH_OK);
    a.delegation = (struct text){(char *)note.data, note.len};
    rc = keystore_authority_put(txn, p->seal, &a, nonce, err);
    buf_clear(&note);
    return rc;
}

static inline void
press_set_up(struct press *p)
{
    press_set_up_until(p, 9000);
}

static inline void
press_tear_down(struct press *p)
{
    unlink(p->path);
    keystore_free(p->keys);
    mauth_secret_free(p->seal);
    mauth_secret_free(p->root_seed);
    mauth_secret_free(p->authority.seed);
    buf_clear(&p->delegation);
    buf_clear(&p->pkcs8);
    store_remove(&p->s);
}

#endif
