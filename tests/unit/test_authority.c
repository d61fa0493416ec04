#include "store/authority.h"
#include "store/key.h"
#include "tests/unit/memory_map.h"
#include "tests/unit/store_dir.h"

struct act {
    struct mauth_secret *seal;
    struct keystore_authority made, read;
};

static enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {2};
    struct act *a = arg;

    return keystore_authority_put(txn, a->seal, &a->made, nonce, err);
}

static enum mauth_rc
load(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return authority_load(txn, a->seal, &a->read, err);
}

static enum mauth_rc
put_pending(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {3};
    struct act *a = arg;

    return authority_put_pending(txn, a->seal, &a->made, nonce, err);
}

static enum mauth_rc
load_pending(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return authority_load_pending(txn, a->seal, &a->read, err);
}

static enum mauth_rc
drop_pending(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)arg;
    return authority_drop_pending(txn, err);
}

static struct act
make(void)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {1};
    struct act a = {.made = {.epoch = 3, .delegation = {"a\0note\n", 7}}};
    uint8_t key[NOTE_KEY_BYTES] = {3};

    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &a.seal, NULL), MAUTH_OK);
    assert_int_equal(
        note_secret_new("a.example/authority", &a.made.seed, &a.made.verifier, NULL),
        MAUTH_OK);
    assert_int_equal(
        note_verifier_make("a.example/root", key, &a.made.root, NULL), MAUTH_OK);
    return a;
}

static void
reads_what_was_put(void **state)
{
    static char large[UINT16_MAX + 1];
    struct act a = make();
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_UNAVAILABLE); /* none yet */
    assert_int_equal(kv_write(s.kv, put, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(a.read.epoch, 3);
    assert_true(text_equal(a.read.delegation, a.made.delegation));
    assert_memory_equal(mauth_secret_bytes(a.read.seed),
        mauth_secret_bytes(a.made.seed), NOTE_KEY_BYTES);
    assert_memory_equal(&a.read.root, &a.made.root, sizeof(a.made.root));
    assert_memory_equal(&a.read.verifier, &a.made.verifier, sizeof(a.made.verifier));
    authority_clear(&a.read);
    a.made.delegation = (struct text){large, sizeof(large)};
    assert_int_equal(kv_write(s.kv, put, &a, NULL), MAUTH_INVALID);
    mauth_secret_free(a.seal);
    mauth_secret_free(a.made.seed);
    store_remove(&s);
}

/* All of the record is bound to the seed: not a byte of it can be another. */
static void
refuses_each_changed_byte(void **state)
{
    struct act a = make();
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    store_key(&key, SPACE_AUTHORITY, NULL, 0);
    record.key = store_key_text(&key);
    assert_int_equal(kv_write(s.kv, put, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    for (size_t i = 0; i < record.len; i++) {
        record.value[i] ^= 1;
        assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
        assert_int_not_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
        authority_clear(&a.read);
        record.value[i] ^= 1;
    }
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    authority_clear(&a.read);
    mauth_secret_free(a.seal);
    mauth_secret_free(a.made.seed);
    store_remove(&s);
}

/* What waits is not in force, and does not come to be by being moved. */
static void
keeps_the_one_that_waits_apart(void **state)
{
    struct act a = make();
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, load_pending, &a, NULL), MAUTH_NOT_FOUND);
    authority_clear(&a.read);
    assert_int_equal(kv_write(s.kv, put_pending, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_UNAVAILABLE);
    authority_clear(&a.read);
    assert_int_equal(kv_read(s.kv, load_pending, &a, NULL), MAUTH_OK);
    assert_memory_equal(mauth_secret_bytes(a.read.seed),
        mauth_secret_bytes(a.made.seed), NOTE_KEY_BYTES);
    authority_clear(&a.read);

    store_key(&key, SPACE_AUTHORITY_NEXT, NULL, 0);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    store_key(&key, SPACE_AUTHORITY, NULL, 0);
    record.key = store_key_text(&key);
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_DENIED);
    authority_clear(&a.read);

    assert_int_equal(kv_write(s.kv, drop_pending, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, load_pending, &a, NULL), MAUTH_NOT_FOUND);
    authority_clear(&a.read);
    mauth_secret_free(a.seal);
    mauth_secret_free(a.made.seed);
    store_remove(&s);
}

/* The seed lies in no page that a dump would have, nor is it left behind elsewhere. */
static void
keeps_the_seed_apart(void **state)
{
    uint8_t seed[NOTE_KEY_BYTES];
    struct memory_found found;
    struct act a = make();
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    memcpy(seed, mauth_secret_bytes(a.made.seed), sizeof(seed));
    memory_hide(seed, sizeof(seed));
    assert_int_equal(kv_write(s.kv, put, &a, NULL), MAUTH_OK);
    mauth_secret_free(a.made.seed);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    found = memory_find(seed, sizeof(seed));
    assert_int_equal(found.hidden, 1);
    assert_int_equal(found.open, 0);
    authority_clear(&a.read);
    found = memory_find(seed, sizeof(seed));
    assert_int_equal(found.hidden + found.open, 0);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_put),
        cmocka_unit_test(refuses_each_changed_byte),
        cmocka_unit_test(keeps_the_one_that_waits_apart),
        cmocka_unit_test(keeps_the_seed_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
