#include "keys/signer.h"
#include "store/key.h"
#include "store/keystore.h"
#include "store/metadata_key.h"
#include "tests/unit/store_dir.h"

struct world {
    struct store_dir s;
    struct mauth_secret *seal;
    struct metadata_key key;
};

static struct mauth_secret *
seal_of(uint8_t first)
{
    uint8_t raw[KEYSTORE_SEAL_BYTES] = {first};
    struct mauth_secret *seal = NULL;

    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &seal, NULL), MAUTH_OK);
    return seal;
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.s, "");
    w.seal = seal_of(1);
    metadata_key_init(&w.key);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    metadata_key_clear(&w->key);
    mauth_secret_free(w->seal);
    store_remove(&w->s);
    return 0;
}

static enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {3};
    const struct world *w = arg;

    return metadata_key_put(txn, w->seal, &w->key, nonce, err);
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct world *w = arg;

    metadata_key_clear(&w->key);
    return metadata_key_read(txn, w->seal, &w->key, err);
}

static void
is_kept(void **state)
{
    struct world *w = *state;
    struct signer *signer = NULL;
    char id[MAUTH_KEY_ID_LEN + 1];
    size_t certificate;

    assert_int_equal(kv_read(w->s.kv, look, w, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(metadata_key_make(&w->key, 1000, NULL), MAUTH_OK);
    memcpy(id, w->key.id, sizeof(id));
    certificate = w->key.certificate.len;
    assert_int_equal(kv_write(w->s.kv, put, w, NULL), MAUTH_OK);
    store_reopen(&w->s);
    assert_int_equal(kv_read(w->s.kv, look, w, NULL), MAUTH_OK);
    assert_string_equal(w->key.id, id);
    assert_int_equal(w->key.certificate.len, certificate);
    assert_int_equal(
        signer_from_pkcs8(w->key.pkcs8.data, w->key.pkcs8.len, &signer, NULL),
        MAUTH_OK);
    assert_string_equal(mauth_key_id(signer_key(signer)), id);
    signer_free(signer);
}

static void
is_for_whoever_has_the_seal(void **state)
{
    struct world *w = *state;

    assert_int_equal(metadata_key_make(&w->key, 1000, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, put, w, NULL), MAUTH_OK);
    mauth_secret_free(w->seal);
    w->seal = seal_of(2);
    assert_int_equal(kv_read(w->s.kv, look, w, NULL), MAUTH_DENIED);
    assert_int_equal(w->key.pkcs8.len, 0);
}

/* The certificate of another key before its private half, or a byte less. */
static enum mauth_rc
spoil(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct text record;
    struct store_key name;
    struct buf b;
    enum mauth_rc rc;

    store_key(&name, SPACE_METADATA_KEY, NULL, 0);
    rc = kv_get(txn, store_key_text(&name), &record, err);
    assert_int_equal(rc, MAUTH_OK);
    buf_init(&b);
    buf_text(&b, record);
    if (*(int *)arg)
        b.data[1] ^= 1;
    else
        b.len--;
    rc = kv_put(txn, store_key_text(&name), buf_slice(&b), err);
    buf_clear(&b);
    return rc;
}

static void
is_refused_when_altered(void **state)
{
    static const enum mauth_rc want[] = {MAUTH_UNAVAILABLE, MAUTH_DENIED};
    struct world *w = *state;

    for (int alters = 0; alters < 2; alters++) {
        metadata_key_clear(&w->key);
        assert_int_equal(metadata_key_make(&w->key, 1000, NULL), MAUTH_OK);
        assert_int_equal(kv_write(w->s.kv, put, w, NULL), MAUTH_OK);
        assert_int_equal(kv_write(w->s.kv, spoil, &alters, NULL), MAUTH_OK);
        assert_int_equal(kv_read(w->s.kv, look, w, NULL), want[alters]);
        assert_int_equal(w->key.pkcs8.len, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_for_whoever_has_the_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_refused_when_altered, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
