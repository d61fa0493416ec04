#include "base/fail.h"
#include "store/authority.h"
#include "store/key_life.h"
#include "store/metadata_key.h"
#include "store/reseal.h"
#include "store/signing_key.h"
#include "tests/unit/press.h"

/* A press with more keys, and the seals that are tried on it. */
struct world {
    struct press press;
    struct mauth_secret *other, *third;
    struct reseal reseal;
    const struct mauth_secret *seal; /* of what is tried */
};

static enum mauth_rc
add_revoked(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[2][12] = {{3}, {4}};
    struct world *w = arg;
    struct keystore_key key = {TRUST_NEXT, 1000, 9000, "urn:x", 0};
    struct key_change change = {.seal = w->press.seal, .now_s = 2000};
    struct signer *signer = NULL;
    struct buf der;
    enum mauth_rc rc;
    bool changed;

    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_RSA2048, &der, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(der.data, der.len, &signer, NULL), MAUTH_OK);
    rc = keystore_key_add(txn, w->press.seal, &key,
        (struct text){(const char *)der.data, der.len}, nonce[0], err);
    memcpy(change.nonce[0], nonce[1], sizeof(nonce[1]));
    if (rc == MAUTH_OK)
        rc = key_life_revoke(
            txn, &change, mauth_key_id(signer_key(signer)), &changed, err);
    signer_free(signer);
    buf_clear(&der);
    return rc;
}

/* What else may be sealed: an authority that waits, the key of the metadata. */
static enum mauth_rc
add_others(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[2][12] = {{13}, {14}};
    struct world *w = arg;
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_make(&k, 1000, err);
    if (rc == MAUTH_OK)
        rc = metadata_key_put(txn, w->press.seal, &k, nonce[0], err);
    metadata_key_clear(&k);
    if (rc == MAUTH_OK)
        rc = authority_put_pending(
            txn, w->press.seal, &w->press.authority, nonce[1], err);
    return rc;
}

static enum mauth_rc
read_others(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct keystore_authority a;
    struct world *w = arg;
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_read(txn, w->seal, &k, err);
    metadata_key_clear(&k);
    if (rc != MAUTH_OK)
        return rc;
    rc = authority_load_pending(txn, w->seal, &a, err);
    authority_clear(&a);
    return rc;
}

static int
set_up(void **state)
{
    static const uint8_t raw[2][KEYSTORE_SEAL_BYTES] = {{8}, {9}};
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up(&w.press);
    assert_int_equal(
        mauth_secret_new(raw[0], sizeof(raw[0]), &w.other, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_secret_new(raw[1], sizeof(raw[1]), &w.third, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w.press.s.kv, add_revoked, &w, NULL), MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    mauth_secret_free(w->other);
    mauth_secret_free(w->third);
    press_tear_down(&w->press);
    return 0;
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return reseal_all(txn, &((struct world *)arg)->reseal, err);
}

static enum mauth_rc
reseal(struct world *w, const struct mauth_secret *from, const struct mauth_secret *to)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    w->reseal.from = from;
    w->reseal.to = to;
    assert_int_equal(reseal_ready(&w->reseal, NULL), MAUTH_OK);
    return kv_write(w->press.s.kv, run, w, &err);
}

static enum mauth_rc
load(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct keystore *ks = NULL;
    struct world *w = arg;
    enum mauth_rc rc = keystore_load(txn, w->seal, &ks, err);

    if (rc == MAUTH_OK)
        assert_int_equal(keystore_count(ks), 2);
    keystore_free(ks);
    return rc;
}

/* Does all of it open with this seal? */
static enum mauth_rc
try(struct world *w, const struct mauth_secret *seal)
{
    w->seal = seal;
    return kv_read(w->press.s.kv, load, w, NULL);
}

static void
opens_with_the_new_key_only(void **state)
{
    struct world *w = *state;

    assert_int_equal(reseal(w, w->press.seal, w->other), MAUTH_OK);
    assert_false(w->reseal.unchanged);
    assert_int_equal(w->reseal.records, 3);
    assert_int_equal(try(w, w->other), MAUTH_OK);
    assert_int_equal(try(w, w->press.seal), MAUTH_DENIED);
    /* Once more changes nothing. */
    assert_int_equal(reseal(w, w->press.seal, w->other), MAUTH_OK);
    assert_true(w->reseal.unchanged);
    assert_int_equal(w->reseal.records, 0);
    /* And back. */
    assert_int_equal(reseal(w, w->other, w->press.seal), MAUTH_OK);
    assert_int_equal(try(w, w->press.seal), MAUTH_OK);
}

static void
takes_all_that_is_sealed(void **state)
{
    struct world *w = *state;

    assert_int_equal(kv_write(w->press.s.kv, add_others, w, NULL), MAUTH_OK);
    assert_int_equal(reseal(w, w->press.seal, w->other), MAUTH_OK);
    assert_int_equal(w->reseal.records, 5);
    assert_int_equal(try(w, w->other), MAUTH_OK);
    assert_int_equal(kv_read(w->press.s.kv, read_others, w, NULL), MAUTH_OK);
    w->seal = w->press.seal;
    assert_int_equal(kv_read(w->press.s.kv, read_others, w, NULL), MAUTH_DENIED);
}

static void
opens_nothing_with_a_strange_key(void **state)
{
    struct world *w = *state;

    assert_int_equal(reseal(w, w->other, w->third), MAUTH_DENIED);
    assert_int_equal(try(w, w->press.seal), MAUTH_OK);
    assert_int_equal(try(w, w->third), MAUTH_DENIED);
}

static enum mauth_rc
spoil(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {5};
    struct keystore_authority a;
    struct world *w = arg;
    enum mauth_rc rc = authority_load(txn, w->press.seal, &a, err);

    if (rc == MAUTH_OK)
        rc = keystore_authority_put(txn, w->third, &a, nonce, err);
    authority_clear(&a);
    return rc;
}

static enum mauth_rc
mend(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {6};
    struct world *w = arg;

    return keystore_authority_put(txn, w->press.seal, &w->press.authority, nonce, err);
}

/* The last of its records does not open: none is sealed anew. */
static void
does_all_or_nothing(void **state)
{
    struct world *w = *state;

    assert_int_equal(kv_write(w->press.s.kv, spoil, w, NULL), MAUTH_OK);
    assert_int_equal(reseal(w, w->press.seal, w->other), MAUTH_DENIED);
    assert_int_equal(kv_write(w->press.s.kv, mend, w, NULL), MAUTH_OK);
    assert_int_equal(try(w, w->press.seal), MAUTH_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_with_the_new_key_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            opens_nothing_with_a_strange_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_all_that_is_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_all_or_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
