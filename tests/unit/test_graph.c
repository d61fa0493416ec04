#include "store/graph.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

/* A small script language: each function reads its arguments from here. */
struct act {
    struct graph_identity who;
    struct id id;
    struct graph_user user;
    uint8_t token[32], key[GRAPH_KEY_HASH];
    int64_t too_old_s, now_s;
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

static enum mauth_rc
use_token(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_token_use(txn, a->token, a->key, a->too_old_s, a->now_s, err);
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

/* A record that another one promises and that is not there is damage: to take it for
 * "nobody" would make a second user of the same identity. */
static void
notices_what_is_missing(void **state)
{
    struct act a = {.who = who("https://i.example", "alice")};
    struct store_record gone;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_user, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_USER, a.id.b, ID_BYTES);
    gone.key = store_key_text(&key);
    assert_int_equal(kv_write(s.kv, store_record_delete, &gone, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, user_by_identity, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_users_by_issuer_and_subject),
        cmocka_unit_test(gives_a_token_to_one_key),
        cmocka_unit_test(notices_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
