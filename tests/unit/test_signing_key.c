#include "store/key.h"
#include "tests/unit/key_world.h"

static enum mauth_rc
look_at_serial(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return signing_key_serial(txn, &((struct key_world *)arg)->serial, err);
}

static enum mauth_rc
count(struct signing_key *k, void *arg, struct mauth_err *err)
{
    (void)err;
    assert_non_null(k->key);
    assert_true(k->pkcs8.len > 0);
    assert_true(k->certificate.len > 0);
    ++*(int *)arg;
    return *(int *)arg == 3 ? MAUTH_CONFLICT : MAUTH_OK;
}

struct counting {
    struct key_world *w;
    int n;
};

static enum mauth_rc
count_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct counting *c = arg;

    return signing_key_each(txn, c->w->seal, count, &c->n, err);
}

static enum mauth_rc delete (struct kv_txn *txn, void *arg, struct mauth_err *err) {
    struct key_world *w = arg; struct signing_key k; enum mauth_rc rc;

        signing_key_init(&k); rc = signing_key_find(txn, w->seal, w->whom, &k, err);
        if (rc == MAUTH_OK) rc = signing_key_delete(txn, &k, err);
        signing_key_clear(&k); return rc;
}

static void
is_kept(void **state)
{
    struct key_world *w = *state;
    struct counting c = {w, 0};
    const char *a;

    assert_int_equal(kv_read(w->s.kv, look_at_serial, w, NULL), MAUTH_OK);
    assert_int_equal(w->serial, 0);
    a = key_world_make(w, TRUST_ACTIVE, "*");
    (void)key_world_make(w, TRUST_NEXT, "urn:x,urn:y");
    assert_int_equal(kv_read(w->s.kv, count_all, &c, NULL), MAUTH_OK);
    assert_int_equal(c.n, 2);
    (void)key_world_make(w, TRUST_NEXT, "urn:z");
    c.n = 0; /* the walk ends with its function */
    assert_int_equal(kv_read(w->s.kv, count_all, &c, NULL), MAUTH_CONFLICT);
    w->whom = a;
    assert_int_equal(kv_write(w->s.kv, delete, w, NULL), MAUTH_OK);
    assert_string_equal(key_world_state(w, a), "gone");
    assert_int_equal(kv_read(w->s.kv, look_at_serial, w, NULL), MAUTH_OK);
    assert_int_equal(w->serial, 4);
}

static void
is_for_whoever_has_the_seal(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {9};
    struct key_world *w = *state;

    w->whom = key_world_make(w, TRUST_ACTIVE, "*");
    mauth_secret_free(w->seal);
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &w->seal, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->s.kv, key_world_look, w, NULL), MAUTH_DENIED);
}

static void
is_refused_where_no_file_can_list_it(void **state)
{
    static const struct {
        int64_t from_s, until_s;
        const char *audiences;
    } bad[] = {{5, 5, "*"}, {-1, 5, "*"}, {1, 5, ""}, {1, 5, "storage"}};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct signing_key k;

        signing_key_init(&k);
        k.from_s = bad[i].from_s;
        k.until_s = bad[i].until_s;
        snprintf(k.audiences, sizeof(k.audiences), "%s", bad[i].audiences);
        assert_int_equal(signer_generate(SIGNER_P256, &k.pkcs8, NULL), MAUTH_OK);
        assert_int_equal(signing_key_complete(&k, NULL), MAUTH_INVALID);
        assert_null(k.key);
        signing_key_clear(&k);
    }
}

/* A key whose private half lies in a token. */

static enum mauth_rc
see_token(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct key_world *w = arg;
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    rc = signing_key_find(txn, w->seal, w->id, &k, err);
    if (rc == MAUTH_OK) {
        assert_string_equal(k.token, key_world_token);
        assert_int_equal(k.pkcs8.len, 0);
        assert_string_equal(mauth_key_id(k.key), w->id);
    }
    signing_key_clear(&k);
    return rc;
}

static void
may_lie_in_a_token(void **state)
{
    struct key_world *w = *state;
    struct mauth_key *key = key_world_public_half();
    struct store_record r = {0};
    struct store_key name;
    uint8_t *at;

    assert_int_equal(key_world_make_in_token(w, key), MAUTH_OK);
    assert_int_equal(key_world_make_in_token(w, key), MAUTH_CONFLICT);
    assert_int_equal(kv_read(w->s.kv, see_token, w, NULL), MAUTH_OK);

    /* Nobody without the seal sends us to another one. */
    store_key(&name, SPACE_SIGNING_KEY, w->id, strlen(w->id));
    r.key = store_key_text(&name);
    assert_int_equal(kv_read(w->s.kv, store_record_get, &r, NULL), MAUTH_OK);
    at = memmem(r.value, r.len, "object=o", 8);
    assert_non_null(at);
    at[7] = 'p';
    assert_int_equal(kv_write(w->s.kv, store_record_put, &r, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->s.kv, see_token, w, NULL), MAUTH_DENIED);
    mauth_key_free(key);
}

static void
has_one_private_half(void **state)
{
    struct signing_key k;

    (void)state;
    signing_key_init(&k);
    k.until_s = 5;
    memcpy(k.audiences, "*", 2);
    memcpy(k.token, key_world_token, sizeof(key_world_token));
    assert_int_equal(
        signing_key_complete(&k, NULL), MAUTH_INVALID); /* half of nothing */
    k.key = key_world_public_half();
    assert_int_equal(signing_key_complete(&k, NULL), MAUTH_INVALID); /* uncertified */
    buf_str(&k.certificate, "certificate");
    assert_int_equal(signing_key_complete(&k, NULL), MAUTH_OK);
    k.token[7] = 'x';
    assert_int_equal(signing_key_complete(&k, NULL), MAUTH_INVALID);
    k.token[7] = 't';
    assert_int_equal(signer_generate(SIGNER_P256, &k.pkcs8, NULL), MAUTH_OK);
    assert_int_equal(signing_key_complete(&k, NULL), MAUTH_INVALID);
    signing_key_clear(&k);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_kept, key_world_set_up, key_world_tear_down),
        cmocka_unit_test_setup_teardown(
            is_for_whoever_has_the_seal, key_world_set_up, key_world_tear_down),
        cmocka_unit_test(is_refused_where_no_file_can_list_it),
        cmocka_unit_test_setup_teardown(
            may_lie_in_a_token, key_world_set_up, key_world_tear_down),
        cmocka_unit_test(has_one_private_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
