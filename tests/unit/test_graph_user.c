#include "store/graph_user.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

struct act {
    struct graph_identity who;
    struct id id;
    struct graph_user user;
    int64_t now_s;
    uint64_t number;
};

static struct graph_identity
who(const char *issuer, const char *subject)
{
    struct graph_identity w = {text_of(issuer), text_of(subject)};

    return w;
}

static enum mauth_rc
state_of(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, &((struct act *)arg)->number, err);
}

static enum mauth_rc
create_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_user_create(txn, &a->id, &a->who, a->now_s, err);
}

static enum mauth_rc
user_by_identity(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_user_by_identity(txn, &a->who, &a->user, err);
}

static void
knows_users_by_issuer_and_subject(void **state)
{
    struct act a = {.who = who("https://i.example", "alice"), .now_s = 1000};
    struct store_dir s;
    struct id first;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, 1);
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    first = a.id;
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.user.id, &first, sizeof(first));
    assert_true(a.user.live);
    assert_int_equal(a.user.created_s, 1000);
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, 2);
    before = a.number;
    /* The same identity again; then others that only look alike. */
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_CONFLICT);
    assert_int_equal(kv_read(s.kv, state_of, &a, NULL), MAUTH_OK);
    assert_int_equal(a.number, before);
    a.who = who("https://i.example", "Alice");
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    a.who = who("https://i.examplea", "lice");
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_NOT_FOUND);
    a.who = who("", "alice");
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_INVALID);
    a.who = who("https://i.example", "");
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_INVALID);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_users_by_issuer_and_subject),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
