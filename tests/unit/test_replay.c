#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include <meshauth/replay.h>

enum {
    NAMES = 1000,
    NOW = 1000000
};

struct place {
    size_t bytes;
    void *memory;
    struct mauth_replay *replay;
};

static struct place
make(size_t names)
{
    struct place p = {.bytes = mauth_replay_bytes(names)};

    assert_true(p.bytes > 0);
    p.memory =
        mmap(NULL, p.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p.memory != MAP_FAILED);
    assert_int_equal(mauth_replay_init(p.memory, p.bytes, &p.replay, NULL), MAUTH_OK);
    return p;
}

static void
discard(struct place *p)
{
    munmap(p->memory, p->bytes);
}

static enum mauth_rc
take(struct mauth_replay *r, unsigned n, int64_t now_s, int64_t until_s)
{
    return mauth_replay_take(r, &n, sizeof(n), now_s, until_s, NULL);
}

static void
test_once(void **state)
{
    struct place p = make(NAMES);

    (void)state;
    assert_int_equal(take(p.replay, 1, NOW, NOW + 10), MAUTH_OK);
    assert_int_equal(take(p.replay, 1, NOW, NOW + 10), MAUTH_CONFLICT);
    assert_int_equal(take(p.replay, 1, NOW + 9, NOW + 99), MAUTH_CONFLICT);
    assert_int_equal(take(p.replay, 2, NOW, NOW + 10), MAUTH_OK);
    assert_int_equal(take(p.replay, 1, NOW + 10, NOW + 20), MAUTH_OK);
    assert_int_equal(take(p.replay, 1, NOW + 19, NOW + 20), MAUTH_CONFLICT);
    discard(&p);
}

static void
test_time(void **state)
{
    struct place p = make(NAMES);

    (void)state;
    assert_int_equal(take(p.replay, 1, NOW, NOW), MAUTH_EXPIRED);
    assert_int_equal(take(p.replay, 1, NOW, NOW - 1), MAUTH_EXPIRED);
    assert_int_equal(take(p.replay, 1, -5, -1), MAUTH_EXPIRED);
    assert_int_equal(take(p.replay, 1, NOW, INT64_MAX), MAUTH_OK);
    discard(&p);
}

/* So many names find room; when it is full the next is refused and none is lost. */
static void
test_full(void **state)
{
    struct place p = make(NAMES);
    unsigned n = 0;

    (void)state;
    while (take(p.replay, n, NOW, NOW + 10) == MAUTH_OK)
        assert_true(++n < 100000);
    assert_true(n >= NAMES);
    assert_int_equal(take(p.replay, n, NOW, NOW + 10), MAUTH_UNAVAILABLE);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(take(p.replay, i, NOW, NOW + 10), MAUTH_CONFLICT);
    assert_int_equal(take(p.replay, n, NOW + 10, NOW + 20), MAUTH_OK);
    discard(&p);
}

static void
test_memory(void **state)
{
    static _Alignas(64) char memory[1 << 16];
    struct mauth_replay *r = (void *)memory;
    size_t bytes = mauth_replay_bytes(NAMES);

    (void)state;
    assert_int_equal(mauth_replay_bytes(1), 0);
    assert_int_equal(mauth_replay_bytes(SIZE_MAX), 0);
    assert_true(bytes <= sizeof(memory));
    assert_int_equal(mauth_replay_attach(memory, bytes, &r, NULL), MAUTH_INVALID);
    assert_null(r);
    assert_int_equal(mauth_replay_init(memory + 1, bytes, &r, NULL), MAUTH_INVALID);
    assert_int_equal(mauth_replay_init(memory, 100, &r, NULL), MAUTH_INVALID);
    assert_int_equal(mauth_replay_init(NULL, bytes, &r, NULL), MAUTH_INVALID);
    assert_int_equal(mauth_replay_init(memory, bytes, &r, NULL), MAUTH_OK);
    assert_int_equal(take(r, 1, NOW, NOW + 10), MAUTH_OK);
    assert_int_equal(mauth_replay_attach(memory, bytes, &r, NULL), MAUTH_OK);
    assert_int_equal(take(r, 1, NOW, NOW + 10), MAUTH_CONFLICT);
    assert_int_equal(
        mauth_replay_attach(memory, mauth_replay_bytes(64), &r, NULL), MAUTH_INVALID);
}

/* Children are killed while they take names without end; the memory goes on. */
static void
test_processes_die(void **state)
{
    struct place p = make(NAMES);

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            for (unsigned i = 0;; i++)
                if (take(p.replay, i % 500, NOW + i, NOW + i + 1) == MAUTH_INTERNAL)
                    _exit(1);
        usleep(2000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_int_equal(take(p.replay, 7, INT64_MAX - 2, INT64_MAX), MAUTH_OK);
    assert_int_equal(take(p.replay, 7, INT64_MAX - 2, INT64_MAX), MAUTH_CONFLICT);
    discard(&p);
}

struct racer {
    struct mauth_replay *replay;
    size_t won;
};

static void *
race(void *arg)
{
    struct racer *r = arg;

    for (unsigned i = 0; i < NAMES; i++)
        r->won += take(r->replay, i, NOW, NOW + 10) == MAUTH_OK;
    return NULL;
}

static void
test_threads(void **state)
{
    struct place p = make(NAMES);
    struct racer racer[4];
    pthread_t thread[4];
    size_t won = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        racer[i] = (struct racer){p.replay, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, race, &racer[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        won += racer[i].won;
    }
    assert_int_equal(won, NAMES);
    discard(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_processes_die),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
