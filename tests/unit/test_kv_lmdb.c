/* store/kv_lmdb.c: full maps, failing disks, killed processes. */
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/deed.h"

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

static bool
is_one(struct kv *kv)
{
    struct look l = {.key = "small"};

    return kv_read(kv, get, &l, NULL) == MAUTH_OK && strcmp(l.value, "1") == 0;
}

/* What the child finds wrong; 0: nothing. */
static int
read_beside(const char *url)
{
    struct deed d = {.key = "small", .value = "2"};
    struct kv *kv = NULL, *other = NULL;
    int wrong = 0;

    if (kv_open(url, KV_READ, &kv, NULL) != MAUTH_OK)
        return 1;
    if (!is_one(kv))
        wrong = 2;
    if (kv_write(kv, put, &d, NULL) != MAUTH_INVALID)
        wrong = 3;
    kv_close(kv);
    if (kv_open(url, KV_OPEN, &other, NULL) != MAUTH_CONFLICT)
        wrong = 4;
    return wrong;
}

/* Another process may read while this one has the store, and write nothing. */
static void
is_read_beside_who_writes(void **state)
{
    struct deed d = {.key = "small", .value = "1"};
    struct store_dir s;
    int fd[2], status;
    char go = 0;
    pid_t pid;

    (void)state;
    snprintf(s.dir, sizeof(s.dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(s.dir));
    snprintf(s.url, sizeof(s.url), "lmdb:%s/store", s.dir);
    assert_int_equal(kv_open(s.url, KV_READ, &s.kv, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (pid == 0)
        _exit(read(fd[0], &go, 1) == 1 ? read_beside(s.url) : 9);
    assert_int_equal(kv_open(s.url, KV_CREATE, &s.kv, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    assert_int_equal(write(fd[1], &go, 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect(&s, "small", "1");
    close(fd[0]);
    close(fd[1]);
    store_remove(&s);
}

static enum mauth_rc
read_until_killed(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const char there = 1;
    struct text value;
    enum mauth_rc rc = kv_get(txn, text_of("small"), &value, err);

    if (rc == MAUTH_OK && write(*(int *)arg, &there, 1) == 1)
        for (;;)
            pause();
    return rc;
}

/* Who reads beside and is killed does not make the store grow for ever. */
static void
forgets_readers_that_were_killed(void **state)
{
    struct deed d = {.key = "small", .value = "1"};
    struct store_dir s;
    int up[2], down[2];
    char path[128], name[] = "k", go = 0;
    struct stat st;
    struct kv *kv;
    pid_t pid;

    (void)state;
    snprintf(s.dir, sizeof(s.dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(s.dir));
    snprintf(s.url, sizeof(s.url), "lmdb:%s/store", s.dir);
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid = fork();
    if (pid == 0)
        _exit(read(down[0], &go, 1) == 1 &&
              kv_open(s.url, KV_READ, &kv, NULL) == MAUTH_OK &&
              kv_read(kv, read_until_killed, &up[1], NULL) == MAUTH_OK);
    assert_int_equal(kv_open(s.url, KV_CREATE, &s.kv, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, put, &d, NULL), MAUTH_OK);
    assert_int_equal(write(down[1], &go, 1), 1);
    assert_int_equal(read(up[0], &go, 1), 1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < 100; i++) /* 2.4 MB each, over and over */
        assert_int_equal(kv_write(s.kv, put_much, name, NULL), MAUTH_OK);
    snprintf(path, sizeof(path), "%s/store/data.mdb", s.dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 80 << 20);
    for (int i = 0; i < 2; i++) {
        close(up[i]);
        close(down[i]);
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_a_kill), /* these fork: before there are threads */
        cmocka_unit_test(is_read_beside_who_writes),
        cmocka_unit_test(forgets_readers_that_were_killed),
        cmocka_unit_test(grows_a_full_map),
        cmocka_unit_test(bounds_a_full_map),
        cmocka_unit_test(grows_under_readers),
        cmocka_unit_test(survives_a_failed_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
