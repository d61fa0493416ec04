#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fail.h"
#include "store/kv.h"
#include "tests/unit/store_dir.h"

/* Keys and values as C strings; what a write function is told to do. */
struct deed {
    const char *key, *value;
    enum mauth_rc then; /* what it returns after its put */
    int runs;
};

static enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct deed *d = arg;
    enum mauth_rc rc;

    d->runs++;
    rc = kv_put(txn, text_of(d->key), text_of(d->value), err);
    if (rc == MAUTH_OK && d->then)
        return mauth_fail(err, d->then, "as told");
    return rc;
}

static enum mauth_rc
refuse(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)txn;
    (void)arg;
    return mauth_fail(err, MAUTH_DENIED, "before any put");
}

struct look {
    const char *key;
    char value[64];
};

static enum mauth_rc
get(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    struct text v;
    enum mauth_rc rc = kv_get(txn, text_of(l->key), &v, err);

    snprintf(l->value, sizeof(l->value), "%.*s", (int)v.len, v.p);
    return rc;
}

static void
expect(struct store_dir *s, const char *key, const char *value)
{
    struct look l = {.key = key};
    enum mauth_rc rc = kv_read(s->kv, get, &l, NULL);

    assert_int_equal(rc, value ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (value)
        assert_string_equal(l.value, value);
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
        kv_open("lmdb:/nowhere/at/all", KV_OPEN, &other, NULL), MAUTH_NOT_FOUND);
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

/* Many jobs at once, some of which fail after their put: the others stand. */
struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t all_done;
    size_t left;
};

struct member {
    struct kv_job job;
    struct deed deed;
    char key[16];
    struct crowd *crowd;
};

static void
one_done(struct kv_job *job)
{
    struct member *m = (struct member *)job;

    pthread_mutex_lock(&m->crowd->lock);
    if (--m->crowd->left == 0)
        pthread_cond_signal(&m->crowd->all_done);
    pthread_mutex_unlock(&m->crowd->lock);
}

static void
wait_for(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    while (crowd->left)
        pthread_cond_wait(&crowd->all_done, &crowd->lock);
    pthread_mutex_unlock(&crowd->lock);
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
    for (size_t i = 0; i < N; i++) {
        struct member *m = &members[i];

        snprintf(m->key, sizeof(m->key), "k%04zu", i);
        m->deed =
            (struct deed){m->key, m->key, i % 100 == 7 ? MAUTH_DENIED : MAUTH_OK, 0};
        m->job = (struct kv_job){.fn = put, .arg = &m->deed, .done = one_done};
        m->crowd = &crowd;
        kv_submit(s.kv, &m->job);
    }
    wait_for(&crowd);
    for (size_t i = 0; i < N; i++) {
        bool denied = i % 100 == 7;

        assert_int_equal(members[i].job.rc, denied ? MAUTH_DENIED : MAUTH_OK);
        expect(&s, members[i].key, denied ? NULL : members[i].key);
    }
    store_remove(&s);
}

static enum mauth_rc
put_much(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const char kilobytes[8192];
    enum mauth_rc rc = MAUTH_OK;
    char key[16];

    for (int i = 0; i < 200 && rc == MAUTH_OK; i++) {
        snprintf(key, sizeof(key), "%s%03d", (const char *)arg, i);
        rc =
            kv_put(txn, text_of(key), (struct text){kilobytes, sizeof(kilobytes)}, err);
    }
    return rc;
}

static enum mauth_rc
put_much_and_ignore(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return put_much(txn, arg, err) == MAUTH_OK ? MAUTH_INTERNAL : MAUTH_OK;
}

static void
grows_a_full_map(void **state)
{
    struct deed d = {.key = "small", .value = "1"};
    struct store_dir s;

    (void)state;
    store_make(&s, "?map=262144");
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    for (char name[2] = "a"; name[0] < 'f'; name[0]++)
        assert_int_equal(kv_write(s.kv, put_much, name, NULL), MAUTH_OK);
    expect(&s, "small", "1");
    store_reopen(&s);
    expect(&s, "e199", "");
    store_remove(&s);
}

/* One that cannot grow fails whoever asks for too much, and serves the others. */
static void
bounds_a_full_map(void **state)
{
    struct deed d = {.key = "small", .value = "1"};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct store_dir s;
    char name[2] = "a";

    (void)state;
    store_make(&s, "?map=262144&max=500000");
    assert_int_equal(kv_write(s.kv, put_much, name, &err), MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "MAP_FULL"));
    assert_int_equal(
        kv_write(s.kv, put_much_and_ignore, name, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    expect(&s, "a000", NULL);
    expect(&s, "small", "1");
    store_remove(&s);
}

/* Readers without a pause between them: growing needs one. */
struct readers {
    struct store_dir *s;
    atomic_bool stop;
};

static void *
read_on(void *arg)
{
    struct readers *r = arg;

    while (!atomic_load(&r->stop)) {
        struct look l = {.key = "small"};

        (void)!kv_read(r->s->kv, get, &l, NULL);
    }
    return NULL;
}

static void
grows_under_readers(void **state)
{
    struct deed d = {.key = "small", .value = "1"};
    pthread_t thread[3];
    struct store_dir s;
    struct readers r = {.s = &s};

    (void)state;
    store_make(&s, "?map=262144");
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, read_on, &r), 0);
    for (char name[2] = "a"; name[0] < 'f'; name[0]++)
        assert_int_equal(kv_write(s.kv, put_much, name, NULL), MAUTH_OK);
    atomic_store(&r.stop, true);
    for (size_t i = 0; i < COUNT(thread); i++)
        pthread_join(thread[i], NULL);
    expect(&s, "small", "1");
    store_remove(&s);
}

/* Keeps the committer busy until the others are queued: they become one batch. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static enum mauth_rc
wait_at_gate(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct gate *g = arg;

    (void)txn, (void)err;
    pthread_mutex_lock(&g->lock);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return MAUTH_OK;
}

static enum mauth_rc
refuse_if_there(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct text v;
    enum mauth_rc rc = kv_get(txn, text_of(arg), &v, err);

    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc)
        return rc;
    return mauth_fail(err, MAUTH_CONFLICT, "it is there");
}

static void
submit(struct store_dir *s, struct member *m, struct crowd *crowd, kv_fn *fn, void *arg)
{
    m->crowd = crowd;
    m->job = (struct kv_job){.fn = fn, .arg = arg, .done = one_done};
    kv_submit(s->kv, &m->job);
}

/* The disk fails at the commit: nobody in the batch has an answer, not even the one
 * that was refused for what another of the batch had put. */
static void
survives_a_failed_commit(void **state)
{
    struct crowd crowd = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 3};
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct deed d = {.key = "before", .value = "1"};
    struct rlimit old, tight;
    struct member m[3];
    struct store_dir s;
    uint64_t generation;
    char name[] = "a", first[] = "a000";

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    generation = kv_generation(s.kv);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = 256 << 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    submit(&s, &m[0], &crowd, wait_at_gate, &gate);
    submit(&s, &m[1], &crowd, put_much, name);
    submit(&s, &m[2], &crowd, refuse_if_there, first);
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_signal(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
    wait_for(&crowd);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(m[1].job.rc, MAUTH_UNAVAILABLE);
    assert_int_equal(m[2].job.rc, MAUTH_UNAVAILABLE);
    assert_true(kv_generation(s.kv) > generation);
    expect(&s, "before", "1");
    expect(&s, "a000", NULL);
    assert_int_equal(kv_write(s.kv, put_much, name, NULL), MAUTH_OK);
    store_reopen(&s);
    expect(&s, "before", "1");
    expect(&s, "a199", "");
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

/* A process that is killed in the midst of writing: what it was told is durable is. */
static void
survives_a_kill(void **state)
{
    char dir[64] = "/tmp/meshauth-test.XXXXXX";
    struct store_dir s;
    int fd[2], status, last = -1, n;
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(s.dir, sizeof(s.dir), "%s", dir);
    snprintf(s.url, sizeof(s.url), "lmdb:%s/store", dir);
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (pid == 0) {
        if (kv_open(s.url, KV_CREATE, &s.kv, NULL))
            _exit(1);
        for (int i = 0;; i++) {
            char key[16];
            struct deed d = {.key = key, .value = "v"};

            snprintf(key, sizeof(key), "k%d", i);
            if (kv_write(s.kv, put, &d, NULL) || write(fd[1], &i, sizeof(i)) < 0)
                _exit(1);
        }
    }
    close(fd[1]);
    while (last < 200 && read(fd[0], &n, sizeof(n)) == sizeof(n))
        last = n;
    kill(pid, SIGKILL);
    while (read(fd[0], &n, sizeof(n)) == sizeof(n))
        last = n;
    close(fd[0]);
    waitpid(pid, &status, 0);
    assert_true(last >= 200);
    assert_int_equal(kv_open(s.url, KV_OPEN, &s.kv, NULL), MAUTH_OK);
    for (int i = 0; i <= last; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        expect(&s, key, "v");
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_kill), /* forks: before there are threads */
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(refuses_misuse),
        cmocka_unit_test(opens_strictly),
        cmocka_unit_test(refuses_a_newer_schema),
        cmocka_unit_test(runs_every_function_twice_when_told_to),
        cmocka_unit_test(serves_a_crowd),
        cmocka_unit_test(grows_a_full_map),
        cmocka_unit_test(bounds_a_full_map),
        cmocka_unit_test(grows_under_readers),
        cmocka_unit_test(survives_a_failed_commit),
        cmocka_unit_test(scans_in_both_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
