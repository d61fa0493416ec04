#include "base/time.h"
#include "base/wake.h"
#include "tests/unit/unit.h"

struct bed {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool called;
};

static void *
call(void *arg)
{
    struct bed *b = arg;

    pthread_mutex_lock(&b->lock);
    b->called = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void
set_up(struct bed *b)
{
    pthread_mutex_init(&b->lock, NULL);
    wake_init(&b->wake);
    b->called = false;
    pthread_mutex_lock(&b->lock);
}

static void
tear_down(struct bed *b)
{
    pthread_mutex_unlock(&b->lock);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
}

static void
wakes_when_it_is_time(void **state)
{
    static const int64_t spans_ms[] = {0, -5, 20, 1001};
    struct bed b;

    (void)state;
    set_up(&b);
    for (size_t i = 0; i < COUNT(spans_ms); i++) {
        int64_t end_ms = time_monotonic_ms() + spans_ms[i];

        while (wake_wait(&b.wake, &b.lock, end_ms))
            ; /* of itself, as conditions may */
        assert_true(time_monotonic_ms() >= end_ms);
    }
    tear_down(&b);
}

static void
wakes_when_it_is_called(void **state)
{
    pthread_t thread;
    struct bed b;

    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t end_ms = i ? INT64_MAX : time_monotonic_ms() + 60000;

        set_up(&b);
        assert_int_equal(pthread_create(&thread, NULL, call, &b), 0);
        while (!b.called)
            assert_true(wake_wait(&b.wake, &b.lock, end_ms));
        pthread_join(thread, NULL);
        tear_down(&b);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_when_it_is_time),
        cmocka_unit_test(wakes_when_it_is_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
