#include "store/graph_token.h"
#include "tests/unit/store_dir.h"

struct act {
    uint8_t token[32], key[GRAPH_KEY_HASH];
    int64_t too_old_s, now_s;
};

static enum mauth_rc
use_token(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_token_use(txn, a->token, a->key, a->too_old_s, a->now_s, err);
}

static void
gives_a_token_to_one_key(void **state)
{
    struct act a = {.token = {1}, .key = {1}, .too_old_s = 100, .now_s = 50};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    a.key[0] = 2;
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_CONFLICT);
    a.token[0] = 2;
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    /* The first two are still kept when one of them, checked in time, comes late. */
    a.token[0] = 3;
    a.now_s = 100 + GRAPH_TOKEN_KEPT_S;
    a.too_old_s = 5000;
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    a.token[0] = 1;
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_CONFLICT);
    a.token[0] = 4;
    a.now_s++; /* now they are forgotten */
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    a.token[0] = 1;
    assert_int_equal(kv_write(s.kv, use_token, &a, NULL), MAUTH_OK);
    store_remove(&s);
}

static enum mauth_rc
use_token_once(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_token_use_once(txn, a->token, a->key, a->too_old_s, a->now_s, err);
}

static void
gives_a_token_away_once(void **state)
{
    struct act a = {.token = {1}, .key = {1}, .too_old_s = 100, .now_s = 50};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, use_token_once, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, use_token_once, &a, NULL), MAUTH_CONFLICT);
    a.key[0] = 2;
    assert_int_equal(kv_write(s.kv, use_token_once, &a, NULL), MAUTH_CONFLICT);
    a.token[0] = 2;
    assert_int_equal(kv_write(s.kv, use_token_once, &a, NULL), MAUTH_OK);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_a_token_to_one_key),
        cmocka_unit_test(gives_a_token_away_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
