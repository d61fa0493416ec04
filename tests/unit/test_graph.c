#include "store/graph.h"
#include "store/graph_record.h"
#include "tests/unit/store_dir.h"
#include "tests/unit/unit.h"

static enum mauth_rc
state_of(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, arg, err);
}

static enum mauth_rc
advance(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_advance(txn, arg, err);
}

static enum mauth_rc
damage(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct store_key key;

    (void)arg;
    store_key(&key, SPACE_GRAPH_STATE, NULL, 0);
    return kv_put(txn, store_key_text(&key), (struct text){"\1\0", 2}, err);
}

static void
starts_at_one_and_grows(void **state)
{
    struct store_dir s;
    uint64_t number;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, state_of, &number, NULL), MAUTH_OK);
    assert_int_equal(number, 1);
    assert_int_equal(kv_write(s.kv, advance, &number, NULL), MAUTH_OK);
    assert_int_equal(number, 2);
    assert_int_equal(kv_read(s.kv, state_of, &number, NULL), MAUTH_OK);
    assert_int_equal(number, 2);
    store_remove(&s);
}

/* To begin at 1 again would bring revoked tickets back to life. */
static void
notices_damage(void **state)
{
    struct store_dir s;
    uint64_t number;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, damage, NULL, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, state_of, &number, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_write(s.kv, advance, &number, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_one_and_grows),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
