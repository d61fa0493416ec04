#include <sys/stat.h>

#include "base/file.h"
#include "base/secret.h"
#include "store/key.h"
#include "store/keystore.h"
#include "tests/unit/store_dir.h"

struct act {
    struct mauth_secret *seal;
    struct buf pkcs8;
    struct keystore_key key;
    const struct mauth_key *public_half; /* of one in a token that is away */
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
add_token(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {3};
    struct act *a = arg;
    const struct keystore_token token = {.key = a->key,
        .uri = "pkcs11:token=t;object=o?module-path=/nowhere/m.so",
        .public_half = a->public_half,
        .certificate = text_of("certificate")};

    return keystore_token_add(txn, a->seal, &token, nonce, err);
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
seal_with(struct act *a, uint8_t first)
{
    uint8_t raw[KEYSTORE_SEAL_BYTES] = {first};

    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &a->seal, NULL), MAUTH_OK);
}

static void
generate(struct act *a)
{
    buf_init_secret(&a->pkcs8);
    assert_int_equal(signer_generate(SIGNER_P256, &a->pkcs8, NULL), MAUTH_OK);
}

static void
fill(struct store_dir *s, struct act *a, enum trust_state state, const char *audiences)
{
    generate(a);
    a->key = (struct keystore_key){state, 1000, 2000, audiences, 0};
    assert_int_equal(kv_write(s->kv, add_key, a, NULL), MAUTH_OK);
    buf_clear(&a->pkcs8);
}

static void
fill_authority(struct store_dir *s, struct act *a)
{
    assert_int_equal(note_secret_new("a.example/authority", &a->authority.seed,
                         &a->authority.verifier, NULL),
        MAUTH_OK);
    a->authority.root = a->authority.verifier;
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
    memcpy(seed, mauth_secret_bytes(a.authority.seed), sizeof(seed));
    mauth_secret_free(a.authority.seed);
    store_reopen(&s);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(keystore_count(a.ks), 2);
    assert_non_null(keystore_signer(a.ks, NULL, 0));
    assert_int_equal(keystore_signer(a.ks, NULL, 0)->until_s, 2000);
    assert_int_equal(keystore_signer(a.ks, NULL, 0)->from_s, 1000);
    assert_memory_equal(
        mauth_secret_bytes(keystore_authority(a.ks)->seed), seed, sizeof(seed));
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
    assert_int_equal(keystore_seal_read(path, &seal, NULL), MAUTH_UNAVAILABLE);
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

/* The record of the only key. */
static struct text
key_record(const struct act *a, struct store_key *name)
{
    struct signer *signer = NULL;

    assert_int_equal(
        signer_from_pkcs8(a->pkcs8.data, a->pkcs8.len, &signer, NULL), MAUTH_OK);
    store_key(
        name, SPACE_SIGNING_KEY, mauth_key_id(signer_key(signer)), MAUTH_KEY_ID_LEN);
    signer_free(signer);
    return store_key_text(name);
}

/* Not a byte of a key can be another, be it active or not. */
static void
refuses_each_changed_byte(void **state)
{
    static const enum trust_state states[] = {
        TRUST_NEXT, TRUST_ACTIVE, TRUST_RETIRING, TRUST_REVOKED};
    struct act a = {0};
    struct store_dir s;

    (void)state;
    seal_with(&a, 1);
    for (size_t k = 0; k < COUNT(states); k++) {
        struct store_record record;
        struct store_key name;

        store_make(&s, "");
        fill_authority(&s, &a);
        generate(&a);
        a.key = (struct keystore_key){states[k], 1000, 2000, "urn:x", 0};
        assert_int_equal(kv_write(s.kv, add_key, &a, NULL), MAUTH_OK);
        record.key = key_record(&a, &name);
        assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
        for (size_t i = 0; i < record.len; i++) {
            record.value[i] ^= 1;
            assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
            assert_int_not_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
            assert_null(a.ks);
            record.value[i] ^= 1;
        }
        assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
        assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
        keystore_free(a.ks);
        a.ks = NULL;
        buf_clear(&a.pkcs8);
        store_remove(&s);
    }
    mauth_secret_free(a.seal);
}

static void
refuses_a_key_that_no_file_can_list(void **state)
{
    static const struct keystore_key bad[] = {{TRUST_NEXT, 2000, 2000, "*", 0},
        {TRUST_NEXT, -1, 2000, "*", 0}, {TRUST_NEXT, 1000, INT64_MAX, "*", 0},
        {TRUST_NEXT, 1000, 2000, "", 0}, {TRUST_NEXT, 1000, 2000, "storage", 0},
        {TRUST_NEXT, 1000, 2000, "urn:a,", 0}, {TRUST_NEXT, 1000, 2000, "*,urn:a", 0}};
    struct act a = {0};
    struct store_dir s;

    (void)state;
    seal_with(&a, 1);
    store_make(&s, "");
    fill_authority(&s, &a);
    generate(&a);
    for (size_t i = 0; i < COUNT(bad); i++) {
        a.key = bad[i];
        assert_int_equal(kv_write(s.kv, add_key, &a, NULL), MAUTH_INVALID);
    }
    /* Nor one that is there, which keeps its state. */
    a.key = (struct keystore_key){TRUST_REVOKED, 1000, 2000, "*", 0};
    assert_int_equal(kv_write(s.kv, add_key, &a, NULL), MAUTH_OK);
    a.key.state = TRUST_ACTIVE;
    assert_int_equal(kv_write(s.kv, add_key, &a, NULL), MAUTH_CONFLICT);
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(keystore_count(a.ks), 1);
    assert_int_equal(keystore_at(a.ks, 0)->state, TRUST_REVOKED);
    assert_null(keystore_signer(a.ks, NULL, 0));
    keystore_free(a.ks);
    buf_clear(&a.pkcs8);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

static void
bounds_its_keys(void **state)
{
    struct act a = {0};
    struct store_dir s;

    (void)state;
    seal_with(&a, 1);
    store_make(&s, "");
    fill_authority(&s, &a);
    for (int i = 0; i < KEYSTORE_KEYS; i++)
        fill(&s, &a, i ? TRUST_NEXT : TRUST_ACTIVE, "*");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(keystore_count(a.ks), KEYSTORE_KEYS);
    keystore_free(a.ks);
    a.ks = NULL;
    fill(&s, &a, TRUST_NEXT, "*");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_UNAVAILABLE);
    assert_null(a.ks);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

/* One that is bound to audiences signs for those, and the one for all signs the rest. */
static void
signs_by_audience(void **state)
{
    const struct text x = text_of("urn:x"), y = text_of("urn:y"), both[2] = {x, y};
    struct act a = {0};
    struct store_dir s;

    (void)state;
    seal_with(&a, 1);
    store_make(&s, "");
    fill_authority(&s, &a);
    fill(&s, &a, TRUST_ACTIVE, "urn:x");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_non_null(keystore_signer(a.ks, &x, 1));
    assert_null(keystore_signer(a.ks, &y, 1));
    assert_null(keystore_signer(a.ks, both, 2));
    keystore_free(a.ks);
    fill(&s, &a, TRUST_ACTIVE, "*");
    fill(&s, &a, TRUST_NEXT, "urn:y");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_non_null(keystore_signer(a.ks, &y, 1));
    assert_ptr_not_equal(keystore_signer(a.ks, &x, 1), keystore_signer(a.ks, &y, 1));
    assert_ptr_equal(keystore_signer(a.ks, both, 2), keystore_signer(a.ks, &y, 1));
    keystore_free(a.ks);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

/* The token is away: the key is listed, does not sign, and nobody else is affected. */
static void
lists_a_key_whose_token_is_away(void **state)
{
    const struct text x = text_of("urn:x"), y = text_of("urn:y");
    uint8_t raw[KEY_SIGNATURE_MAX];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct signer *made = NULL;
    struct act a = {0};
    struct store_dir s;
    size_t len;

    (void)state;
    seal_with(&a, 1);
    store_make(&s, "");
    fill_authority(&s, &a);
    generate(&a);
    assert_int_equal(
        signer_from_pkcs8(a.pkcs8.data, a.pkcs8.len, &made, NULL), MAUTH_OK);
    buf_clear(&a.pkcs8);
    a.key = (struct keystore_key){TRUST_ACTIVE, 1000, 2000, "urn:x", 1000};
    a.public_half = signer_key(made);
    assert_int_equal(kv_write(s.kv, add_token, &a, NULL), MAUTH_OK);
    fill(&s, &a, TRUST_ACTIVE, "*");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_OK);
    assert_int_equal(keystore_count(a.ks), 2);
    assert_int_equal(
        signer_sign(keystore_signer(a.ks, &x, 1)->signer, &x, 1, raw, &len, &err),
        MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "/nowhere/m.so"));
    assert_int_equal(
        signer_sign(keystore_signer(a.ks, &y, 1)->signer, &y, 1, raw, &len, NULL),
        MAUTH_OK);
    for (size_t i = 0; i < 2; i++) {
        bool away = !keystore_at(a.ks, i)->all_audiences;

        assert_int_equal(
            keystore_ready(a.ks, i, NULL), away ? MAUTH_UNAVAILABLE : MAUTH_OK);
    }
    assert_int_equal(keystore_ready(a.ks, 2, NULL), MAUTH_OK); /* there is none */
    keystore_free(a.ks);
    signer_free(made);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

static void
refuses_two_active_keys(void **state)
{
    struct act a = {0};
    struct store_dir s;

    (void)state;
    seal_with(&a, 1);
    store_make(&s, "");
    fill_authority(&s, &a);
    fill(&s, &a, TRUST_ACTIVE, "*");
    fill(&s, &a, TRUST_ACTIVE, "*");
    assert_int_equal(kv_read(s.kv, load, &a, NULL), MAUTH_UNAVAILABLE);
    assert_null(a.ks);
    mauth_secret_free(a.seal);
    store_remove(&s);
}

static void
counts_sequences(void **state)
{
    struct act a = {0};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    for (uint64_t i = 1; i < 4; i++) {
        assert_int_equal(kv_write(s.kv, next, &a, NULL), MAUTH_OK);
        assert_int_equal(a.sequence, i);
        store_reopen(&s);
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_keys_sealed),
        cmocka_unit_test(refuses_a_bad_seal_file),
        cmocka_unit_test(refuses_each_changed_byte),
        cmocka_unit_test(refuses_a_key_that_no_file_can_list),
        cmocka_unit_test(signs_by_audience),
        cmocka_unit_test(lists_a_key_whose_token_is_away),
        cmocka_unit_test(refuses_two_active_keys),
        cmocka_unit_test(bounds_its_keys),
        cmocka_unit_test(counts_sequences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
