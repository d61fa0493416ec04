#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/account_lock.h"
#include "tests/unit/golden.h"

static char dir[64], path[96];

static int
make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/meshauth-test.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/lock", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

enum {
    THREADS = 4,
    ROUNDS = 25
};

static atomic_int inside, turns;

static void *
take_turns(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        int lock;

        if (account_lock(dir, &lock, NULL) != MAUTH_OK)
            return NULL;
        if (atomic_fetch_add(&inside, 1) != 0)
            *(bool *)arg = true;
        atomic_fetch_add(&turns, 1);
        atomic_fetch_sub(&inside, 1);
        account_unlock(lock);
    }
    return NULL;
}

static void
lets_one_in_at_a_time(void **state)
{
    pthread_t thread[THREADS];
    bool together[THREADS] = {false};

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_turns, &together[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_false(together[i]);
    }
    assert_int_equal(atomic_load(&turns), THREADS * ROUNDS);
}

static void
gives_up_when_it_is_not_let_go(void **state)
{
    int64_t start_ms;
    int lock, second = 0;
    struct stat st;

    (void)state;
    assert_int_equal(account_lock(dir, &lock, NULL), MAUTH_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    start_ms = time_monotonic_ms();
    assert_int_equal(account_lock(dir, &second, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(second, ACCOUNT_LOCK_NONE);
    assert_in_range(time_monotonic_ms() - start_ms, 4000, 60000);
    account_unlock(lock);
    assert_int_equal(account_lock(dir, &lock, NULL), MAUTH_OK);
    account_unlock(lock);
    account_unlock(ACCOUNT_LOCK_NONE);
}

static void
follows_no_link(void **state)
{
    int lock;

    (void)state;
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(account_lock(dir, &lock, NULL), MAUTH_UNAVAILABLE);
    unlink(path);
    assert_int_equal(account_lock("/dev/null/x", &lock, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(lock, ACCOUNT_LOCK_NONE);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lets_one_in_at_a_time, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(
            gives_up_when_it_is_not_let_go, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(follows_no_link, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
