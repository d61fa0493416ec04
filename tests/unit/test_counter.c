#include "store/counter.h"
#include "tests/unit/store_dir.h"

struct act {
    enum store_space space;
    uint64_t n;
    struct text raw;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return counter_read(txn, a->space, &a->n, err);
}

static enum mauth_rc
next(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return counter_next(txn, a->space, &a->n, err);
}

static enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;
    struct store_key name;

    store_key(&name, a->space, NULL, 0);
    return kv_put(txn, store_key_text(&name), a->raw, err);
}

static void
counts_each_by_itself(void **state)
{
    struct act a = {.space = SPACE_TRUST_SEQUENCE}, b = {.space = SPACE_KEYS_SERIAL};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, look, &a, NULL), MAUTH_OK);
    assert_int_equal(a.n, 0);
    for (uint64_t i = 1; i < 4; i++) {
        assert_int_equal(kv_write(s.kv, next, &a, NULL), MAUTH_OK);
        assert_int_equal(a.n, i);
        store_reopen(&s);
    }
    assert_int_equal(kv_write(s.kv, next, &b, NULL), MAUTH_OK);
    assert_int_equal(b.n, 1);
    store_remove(&s);
}

static void
refuses_what_is_damaged(void **state)
{
    static const char *const bad[] = {"", "1234567", "123456789"};
    struct act a = {.space = SPACE_TRUST_SEQUENCE};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < COUNT(bad); i++) {
        a.raw = (struct text){bad[i], strlen(bad[i])};
        assert_int_equal(kv_write(s.kv, put, &a, NULL), MAUTH_OK);
        assert_int_equal(kv_read(s.kv, look, &a, NULL), MAUTH_UNAVAILABLE);
        assert_int_equal(kv_write(s.kv, next, &a, NULL), MAUTH_UNAVAILABLE);
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_by_itself),
        cmocka_unit_test(refuses_what_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
