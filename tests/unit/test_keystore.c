#include <sys/stat.h>

#include "base/file.h"
#include "base/secret.h"
#include "keys/trust_write.h"
#include "store/keystore.h"
#include "store/publish.h"
#include "tests/unit/store_dir.h"

struct act {
    struct mauth_secret *seal;
    struct buf pkcs8;
    struct keystore_key key;
    struct keystore_authority authority;
    struct keystore *ks;
    uint64_t sequence;
};

static enum mauth_rc
add_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {1};
    struct act *a = arg;
    struct text der = {(char *)a->pkcs8.data, a->pkcs8.len};

    return keystore_key_add(txn, a->seal, &a->key, der, nonce, err);
}

static enum mauth_rc
put_authority(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {2};
    struct act *a = arg;

    return keystore_authority_put(txn, a->seal, &a->authority, nonce, err);
}

static enum mauth_rc
load(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return keystore_load(txn, a->seal, &a->ks, err);
}

static enum mauth_rc
next(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return keystore_next_sequence(txn, &((struct act *)arg)->sequence, err);
}

static void
fill(struct store_dir *s, struct act *a, enum trust_state state, const char *audiences)
{
    buf_init_secret(&a->pkcs8);
    assert_int_equal(signer_generate(SIGNER_P256, &a->pkcs8, NULL), MAUTH_OK);
    a->key = (struct keystore_key){state, 1000, 2000, audiences};
    assert_int_equal(kv_write(s->kv, add_key, a, NULL), MAUTH_OK);
    buf_clear(&a->pkcs8);
}

static void
fill_authority(struct store_dir *s, struct act *a)
{
    uint8_t key[NOTE_KEY_BYTES];

    assert_int_equal(note_generate(a->authority.seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("a.example/authority", key, &a->authority.verifier, NULL),
        MAUTH_OK);
    a->authority.epoch = 3;
    a->authority.delegation = text_of("delegation\n");
    assert_int_equal(kv_write(s->kv, put_authority, a, NULL), MAUTH_OK);
}

static void
keeps_keys_sealed(void **state)
{
    static const uint8_t wrong[32] = {9};
    struct act a = {0};
    struct store_dir s;
    uint8_t seed[NOTE_KEY_BYTES];
    char path[96];

    (void)state;
    store_make(&s, "?twice=1");
    snprintf(path, sizeof(path), "%s/seal.key", s.dir);
    assert_int_equal(keystore_seal_create(path, &a.seal, NULL), MAUTH_OK);
    mauth_secret_free(a.seal);
    assert_int_equal(keystore_seal_read(path, &a.seal, NULL), MAUTH_OK);
    fill(&s, &a, TRUST_ACTIVE, "*");
    fill(&s, &a, TRUST_NEXT, "urn:x,urn:y");
    assert_int_equal(
        kv_read(s.kv, load, &a, NULL), MAUTH_UNAVAILABLE); /* no authority */
    fill_authority(&s, &a);
    memcpy(seed, a.authority.seed, sizeof(seed));
    store_reopen(&s);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(keystore_count(a.ks), 2);
    assert_non_null(keystore_active(a.ks));
    assert_int_equal(keystore_active_until_s(a.ks), 2000);
    assert_memory_equal(keystore_authority(a.ks)->seed, seed, sizeof(seed));
    assert_int_equal(keystore_authority(a.ks)->epoch, 3);
    for (size_t i = 0; i < 2; i++) {
        const struct trust_key *k = keystore_at(a.ks, i);

        if (k->state == TRUST_NEXT) {
            assert_int_equal(k->audiences, 2);
            assert_true(text_is(k->audience[1], "urn:y"));
        } else {
            assert_true(k->all_audiences);
        }
    }
    assert_null(keystore_at(a.ks, 2));
    keystore_free(a.ks);
    keystore_free(NULL);
    /* Another seal key opens nothing. */
    mauth_secret_free(a.seal);
    assert_int_equal(mauth_secret_new(wrong, 32, &a.seal, NULL), MAUTH_OK);
    a.ks = NULL;
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_DENIED);
    assert_null(a.ks);
    mauth_secret_free(a.seal);
    unlink(path);
    store_remove(&s);
}

static void
refuses_a_bad_seal_file(void **state)
{
    static const char *const bad[] = {"", "00\n",
        "000000000000000000000000000000000000000000000000000000000000000g\n",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000000000000000000000000000000000000000000A\n"};
    char dir[] = "/tmp/meshauth-test.XXXXXX", path[64];
    struct mauth_secret *seal = NULL;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/seal.key", dir);
    assert_int_equal(keystore_seal_read(path, &seal, NULL), MAUTH_NOT_FOUND);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            file_create(path, bad[i], strlen(bad[i]), FILE_PRIVATE, NULL), MAUTH_OK);
        assert_int_equal(keystore_seal_read(path, &seal, NULL), MAUTH_MALFORMED);
        assert_null(seal);
        unlink(path);
    }
    assert_int_equal(keystore_seal_create(path, &seal, NULL), MAUTH_OK);
    mauth_secret_free(seal);
    seal = NULL;
    assert_int_equal(keystore_seal_create(path, &seal, NULL), MAUTH_CONFLICT);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(keystore_seal_read(path, &seal, NULL), MAUTH_DENIED);
    assert_null(seal);
    unlink(path);
    rmdir(dir);
}

/* What is published, a verifier that pins the root reads. */
static void
publishes_trust(void **state)
{
    uint8_t root_seed[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES];
    char vkey[NOTE_VKEY_MAX + 1], path[96];
    struct publish_options o = {"https://a.example", path, 3600, 1500};
    struct trust_delegation d = {"https://a.example", 3, NULL, 1000, 9000};
    struct mauth_trust *first = NULL, *second = NULL;
    struct note_verifier root;
    struct act a = {0};
    struct store_dir s;
    struct buf note, file;

    (void)state;
    store_make(&s, "");
    snprintf(path, sizeof(path), "%s/seal.key", s.dir);
    assert_int_equal(keystore_seal_create(path, &a.seal, NULL), MAUTH_OK);
    unlink(path);
    fill(&s, &a, TRUST_ACTIVE, "*");
    fill_authority(&s, &a);
    assert_int_equal(note_generate(root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_make("a.example/root", key, &root, NULL), MAUTH_OK);
    note_verifier_format(&root, vkey);
    d.authority = &a.authority.verifier;
    buf_init(&note);
    assert_int_equal(
        trust_write_delegation(&d, &root, root_seed, &note, NULL), MAUTH_OK);
    a.authority.delegation = (struct text){(char *)note.data, note.len};
    assert_int_equal(kv_write(s.kv, put_authority, &a, NULL), MAUTH_OK);
    buf_clear(&note);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);

    snprintf(path, sizeof(path), "%s/trust", s.dir);
    buf_init(&file);
    assert_int_equal(publish_trust(s.kv, a.ks, &o, NULL), MAUTH_OK);
    assert_int_equal(file_read(path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, vkey, &first, NULL), MAUTH_OK);
    buf_rewind(&file);
    o.now_s = 1560;
    assert_int_equal(publish_trust(s.kv, a.ks, &o, NULL), MAUTH_OK);
    assert_int_equal(file_read(path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, vkey, &second, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_epoch(second), 3);
    assert_int_equal(mauth_trust_expires_s(second), 1560 + 3600);
    assert_int_equal(mauth_trust_follows(first, second, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(second, first, NULL), MAUTH_DENIED);
    assert_int_equal(kv_write(s.kv, next, &a, NULL), MAUTH_OK);
    assert_int_equal(a.sequence, mauth_trust_sequence(second) + 1);
    mauth_trust_free(first);
    mauth_trust_free(second);
    buf_clear(&file);
    unlink(path);
    keystore_free(a.ks);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_keys_sealed),
        cmocka_unit_test(refuses_a_bad_seal_file),
        cmocka_unit_test(publishes_trust),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
