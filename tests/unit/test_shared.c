/* authsvc/shared.h */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "authsvc/shared.h"
#include "tests/unit/unit.h"

enum {
    ALIVE = 0x600d,
    READERS = 4,
    ROUNDS = 2000
};

/* Tells whoever looks whether it is still there. */
struct thing {
    int number;
    int state;
    atomic_int *freed;
};

static struct thing *
thing_new(int number, atomic_int *freed)
{
    struct thing *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    t->number = number;
    t->state = ALIVE;
    t->freed = freed;
    return t;
}

static void
thing_free(void *arg)
{
    struct thing *t = arg;

    t->state = 0;
    atomic_fetch_add(t->freed, 1);
    free(t);
}

static int
number_of(const struct shared_ref *ref)
{
    const struct thing *t = shared_object(ref);

    assert_int_equal(t->state, ALIVE);
    return t->number;
}

static void
holds_nothing_at_first(void **state)
{
    struct shared *s;

    (void)state;
    assert_int_equal(shared_new(thing_free, &s, NULL), MAUTH_OK);
    assert_null(shared_take(s));
    shared_drop(NULL);
    shared_free(s);
    shared_free(NULL);
}

static void
frees_the_last_object(void **state)
{
    atomic_int freed = 0;
    struct shared *s;

    (void)state;
    assert_int_equal(shared_new(thing_free, &s, NULL), MAUTH_OK);
    assert_int_equal(shared_set(s, thing_new(1, &freed), NULL), MAUTH_OK);
    assert_int_equal(shared_set(s, thing_new(2, &freed), NULL), MAUTH_OK);
    assert_int_equal(atomic_load(&freed), 1);
    shared_free(s);
    assert_int_equal(atomic_load(&freed), 2);
}

static void
keeps_what_is_held(void **state)
{
    struct shared_ref *first, *same, *second;
    atomic_int freed = 0;
    struct shared *s;

    (void)state;
    assert_int_equal(shared_new(thing_free, &s, NULL), MAUTH_OK);
    assert_int_equal(shared_set(s, thing_new(1, &freed), NULL), MAUTH_OK);
    first = shared_take(s);
    same = shared_take(s);
    assert_int_equal(shared_set(s, thing_new(2, &freed), NULL), MAUTH_OK);
    second = shared_take(s);
    assert_int_equal(number_of(first), 1);
    assert_int_equal(number_of(second), 2);
    shared_drop(first);
    assert_int_equal(atomic_load(&freed), 0);
    assert_int_equal(number_of(same), 1);
    shared_drop(same);
    assert_int_equal(atomic_load(&freed), 1);
    shared_drop(second);
    assert_int_equal(atomic_load(&freed), 1);
    shared_free(s);
    assert_int_equal(atomic_load(&freed), 2);
}

/* Whoever reads never sees a number go back, nor an object that is gone. */
struct reader_thread {
    pthread_t thread;
    struct shared *shared;
    bool good;
};

static void *
read_on(void *arg)
{
    struct reader_thread *r = arg;
    int last = 0;

    r->good = true;
    while (last < ROUNDS && r->good) {
        struct shared_ref *ref = shared_take(r->shared);
        const struct thing *t = shared_object(ref);

        r->good = t->state == ALIVE && t->number >= last;
        last = t->number;
        shared_drop(ref);
    }
    return NULL;
}

static void
is_replaced_under_its_readers(void **state)
{
    struct reader_thread readers[READERS] = {0};
    atomic_int freed = 0;
    struct shared *s;

    (void)state;
    assert_int_equal(shared_new(thing_free, &s, NULL), MAUTH_OK);
    assert_int_equal(shared_set(s, thing_new(0, &freed), NULL), MAUTH_OK);
    for (size_t i = 0; i < READERS; i++) {
        readers[i].shared = s;
        assert_int_equal(
            pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 1; i <= ROUNDS; i++)
        assert_int_equal(shared_set(s, thing_new(i, &freed), NULL), MAUTH_OK);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_true(readers[i].good);
    }
    assert_int_equal(atomic_load(&freed), ROUNDS);
    shared_free(s);
    assert_int_equal(atomic_load(&freed), ROUNDS + 1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_nothing_at_first),
        cmocka_unit_test(frees_the_last_object),
        cmocka_unit_test(keeps_what_is_held),
        cmocka_unit_test(is_replaced_under_its_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
