#include "store/kv.h"
#include "tests/unit/deed.h"

static enum mauth_rc
refuse(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)txn;
    (void)arg;
    return mauth_fail(err, MAUTH_DENIED, "before any put");
}

static void
writes_and_reads(void **state)
{
    struct deed d = {.key = "a", .value = "1"};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct store_dir s;
    uint64_t generation;

    (void)state;
    store_make(&s, "");
    generation = kv_generation(s.kv);
    expect(&s, "a", NULL);
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    assert_true(kv_generation(s.kv) > generation);
    expect(&s, "a", "1");
    d.value = "2";
    d.then = MAUTH_CONFLICT;
    assert_int_equal(kv_write(s.kv, put, &d, &err), MAUTH_CONFLICT);
    assert_string_equal(err.text, "as told");
    expect(&s, "a", "1"); /* undone */
    assert_int_equal(kv_write(s.kv, refuse, NULL, NULL), MAUTH_DENIED);
    store_reopen(&s);
    expect(&s, "a", "1");
    store_remove(&s);
}

/* A read transaction cannot write; keys have bounds. */
static enum mauth_rc
misbehave(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static char key[KV_KEY_MAX + 1] = {1};
    struct text v;

    (void)arg;
    assert_int_equal(kv_get(txn, text_of(""), &v, err), MAUTH_INVALID);
    assert_int_equal(
        kv_get(txn, (struct text){key, sizeof(key)}, &v, err), MAUTH_INVALID);
    assert_int_equal(kv_delete(txn, text_of("a"), err), MAUTH_INVALID);
    return kv_put(txn, text_of("a"), text_of("b"), err);
}

static void
refuses_misuse(void **state)
{
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_read(s.kv, misbehave, NULL, NULL), MAUTH_INVALID);
    expect(&s, "a", NULL);
    store_remove(&s);
}

static void
opens_strictly(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct store_dir s;
    struct kv *other = NULL;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_open(s.url, KV_OPEN, &other, &err), MAUTH_CONFLICT);
    assert_non_null(strstr(err.text, "is meshauthd running"));
    assert_int_equal(kv_open(s.url, KV_CREATE, &other, NULL), MAUTH_CONFLICT);
    assert_int_equal(kv_open("lmdb:", KV_CREATE, &other, NULL), MAUTH_INVALID);
    assert_int_equal(kv_open("sqlite:x", KV_CREATE, &other, NULL), MAUTH_INVALID);
    assert_int_equal(
        kv_open("lmdb:/nowhere/at/all", KV_OPEN, &other, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(
        kv_open("lmdb:/nowhere/at/all", KV_CREATE, &other, NULL), MAUTH_UNAVAILABLE);
    assert_null(other);
    kv_close(NULL);
    store_remove(&s);
}

static enum mauth_rc
put_schema(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return kv_put(txn, text_of(".schema"), *(struct text *)arg, err);
}

static void
refuses_a_newer_schema(void **state)
{
    struct text newer = {"\0\0\0\2", 4};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, put_schema, &newer, NULL), MAUTH_OK);
    kv_close(s.kv);
    assert_int_equal(kv_open(s.url, KV_OPEN, &s.kv, NULL), MAUTH_UNAVAILABLE);
    assert_null(s.kv);
    store_remove(&s);
}

static void
runs_every_function_twice_when_told_to(void **state)
{
    struct deed d = {.key = "a", .value = "1"};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    assert_int_equal(d.runs, 2);
    expect(&s, "a", "1");
    store_remove(&s);
}

static void
submit(struct store_dir *s, struct member *m, size_t i, enum mauth_rc then,
    struct crowd *crowd)
{
    snprintf(m->key, sizeof(m->key), "k%04zu", i);
    m->deed = (struct deed){m->key, m->key, then, 0};
    m->job.fn = put;
    m->job.arg = &m->deed;
    m->job.done = one_done;
    m->crowd = crowd;
    kv_submit(s->kv, &m->job);
}

static void
serves_a_crowd(void **state)
{
    enum {
        N = 1000
    };
    static struct member members[N];
    struct crowd crowd = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, N};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < N; i++)
        submit(&s, &members[i], i, i % 100 == 7 ? MAUTH_DENIED : MAUTH_OK, &crowd);
    wait_for(&crowd);
    for (size_t i = 0; i < N; i++) {
        bool denied = i % 100 == 7;

        assert_int_equal(members[i].job.rc, denied ? MAUTH_DENIED : MAUTH_OK);
        expect(&s, members[i].key, denied ? NULL : members[i].key);
    }
    store_remove(&s);
}

/* A reserve that no disk has: what is needed is written, all else is refused unrun. */
static void
keeps_a_reserve(void **state)
{
    struct crowd crowd = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 2};
    struct member members[2] = {{.job.needed = false}, {.job.needed = true}};
    struct deed d = {.key = "admin", .value = "1"};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_check(s.kv, NULL), MAUTH_OK);
    kv_set_reserve(s.kv, UINT64_MAX - 1);
    assert_int_equal(kv_check(s.kv, &err), MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "MiB are free on its disk"));
    for (size_t i = 0; i < COUNT(members); i++)
        submit(&s, &members[i], i, MAUTH_OK, &crowd);
    wait_for(&crowd);
    assert_int_equal(members[0].job.rc, MAUTH_UNAVAILABLE);
    assert_string_equal(members[0].job.err.text, err.text);
    assert_int_equal(members[0].deed.runs, 0);
    expect(&s, members[0].key, NULL);
    assert_int_equal(members[1].job.rc, MAUTH_OK);
    expect(&s, members[1].key, members[1].key);
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    expect(&s, "admin", "1");
    kv_set_reserve(s.kv, 1);
    assert_int_equal(kv_check(s.kv, NULL), MAUTH_OK);
    store_remove(&s);
}

struct seen {
    char keys[128];
    int limit;
};

static bool
note(struct text key, struct text value, void *arg)
{
    struct seen *seen = arg;

    (void)value;
    strncat(seen->keys, key.p, key.len);
    strcat(seen->keys, " ");
    return --seen->limit != 0;
}

struct range {
    const char *first, *end;
    enum kv_order order;
    int limit;
    struct seen seen;
};

static enum mauth_rc
scan(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct range *r = arg;

    return kv_scan(
        txn, text_of(r->first), text_of(r->end), r->order, note, &r->seen, err);
}

static void
scans_in_both_orders(void **state)
{
    static const char *const keys[] = {"k1", "k2", "k3", "m1"};
    static const struct {
        const char *first, *end;
        enum kv_order order;
        int limit;
        const char *want;
    } cases[] = {{"k", "l", KV_UP, 0, "k1 k2 k3 "}, {"k", "l", KV_DOWN, 0, "k3 k2 k1 "},
        {"k2", "", KV_UP, 0, "k2 k3 m1 "}, {"k2", "", KV_DOWN, 0, "m1 k3 k2 "},
        {"k2", "k3", KV_UP, 0, "k2 "}, {"k2", "k3", KV_DOWN, 0, "k2 "},
        {"k", "l", KV_UP, 2, "k1 k2 "}, {"k", "l", KV_DOWN, 1, "k3 "},
        {"n", "", KV_UP, 0, ""}, {"n", "", KV_DOWN, 0, ""}, {"a", "b", KV_DOWN, 0, ""}};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct deed d = {.key = keys[i], .value = "v"};

        assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct range r = {cases[i].first, cases[i].end, cases[i].order, 0, {"", 0}};

        r.seen.limit = cases[i].limit;
        assert_int_equal(kv_read(s.kv, scan, &r, NULL), MAUTH_OK);
        assert_string_equal(r.seen.keys, cases[i].want);
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(refuses_misuse),
        cmocka_unit_test(opens_strictly),
        cmocka_unit_test(refuses_a_newer_schema),
        cmocka_unit_test(runs_every_function_twice_when_told_to),
        cmocka_unit_test(serves_a_crowd),
        cmocka_unit_test(keeps_a_reserve),
        cmocka_unit_test(scans_in_both_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
