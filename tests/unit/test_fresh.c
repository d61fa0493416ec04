#include "authsvc/fresh.h"
#include "base/fail.h"
#include "tests/unit/providers.h"

/* A source whose loads are counted, and fail while it is down. */
static struct source {
    pthread_mutex_t lock;
    int loads, freed;
    bool down;
    bool with_fetch;
} source = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum mauth_rc
load(const struct config_provider *config, struct fetch *fetch, void **out,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    (void)config;
    pthread_mutex_lock(&source.lock);
    source.loads++;
    source.with_fetch = fetch != NULL;
    *out = malloc(sizeof(int));
    assert_non_null(*out);
    memcpy(*out, &source.loads, sizeof(int));
    if (source.down)
        rc = MAUTH_UNAVAILABLE;
    pthread_mutex_unlock(&source.lock);
    return rc ? mauth_fail(err, rc, "it is down") : MAUTH_OK;
}

static void
free_int(void *object)
{
    pthread_mutex_lock(&source.lock);
    source.freed++;
    pthread_mutex_unlock(&source.lock);
    free(object);
}

static const struct config_provider config = {.name = "p"};

static struct fresh *
start(bool from_file, bool for_good, bool down)
{
    const struct fresh_options o = {.config = &config,
        .load = load,
        .free_object = free_int,
        .from_file = from_file,
        .for_good = for_good};
    struct fresh *f = NULL;

    source.loads = source.freed = 0;
    source.down = down;
    assert_int_equal(
        fresh_open(&o, &f, NULL), from_file && down ? MAUTH_UNAVAILABLE : MAUTH_OK);
    return f;
}

/* The number of the load that is in hand; 0: none. */
static int
in_hand(struct fresh *f)
{
    struct shared_ref *ref = fresh_take(f);
    int number = ref ? *(int *)shared_object(ref) : 0;

    shared_drop(ref);
    return number;
}

static void
wait_for_load(struct fresh *f)
{
    struct waiter *w = waiter_new();

    fresh_fetch(f, call, w);
    await(w, 1);
    waiter_free(w);
}

/* All that was loaded is freed by then. */
static void
end(struct fresh *f)
{
    fresh_close(f);
    assert_int_equal(source.freed, source.loads);
}

static void
reads_a_file_for_good(void **state)
{
    struct fresh *f = start(true, true, false);

    (void)state;
    assert_int_equal(in_hand(f), 1);
    assert_false(source.with_fetch);
    assert_false(fresh_may_fetch(f));
    wait_for_load(f); /* called back at once */
    assert_int_equal(in_hand(f), 1);
    end(f);
}

static void
reads_a_file_again_when_asked(void **state)
{
    struct fresh *f = start(true, false, false);

    (void)state;
    assert_int_equal(in_hand(f), 1);
    assert_true(fresh_may_fetch(f));
    wait_for_load(f);
    assert_int_equal(in_hand(f), 2);
    assert_false(fresh_may_fetch(f)); /* PROVIDER_FLOOR_S */
    wait_for_load(f);
    assert_int_equal(in_hand(f), 2);
    end(f);
}

static void
opens_no_file_that_cannot_be_read(void **state)
{
    (void)state;
    assert_null(start(true, false, true));
    assert_int_equal(source.freed, source.loads);
    assert_null(start(true, true, true));
    assert_int_equal(source.freed, source.loads);
}

static void
opens_before_the_network_answers(void **state)
{
    struct fresh *f = start(false, false, true);

    (void)state;
    wait_for_load(f);
    assert_int_equal(in_hand(f), 0);
    assert_true(source.with_fetch);
    pthread_mutex_lock(&log_lock);
    assert_non_null(strstr(buf_cstr(&logged), "it is down"));
    pthread_mutex_unlock(&log_lock);
    end(f);
}

static void
keeps_what_was_taken(void **state)
{
    struct fresh *f = start(true, false, false);
    struct shared_ref *ref = fresh_take(f);

    (void)state;
    wait_for_load(f);
    assert_int_equal(*(int *)shared_object(ref), 1);
    assert_int_equal(source.freed, 0);
    shared_drop(ref);
    assert_int_equal(source.freed, 1);
    end(f);
}

static void
closes_nothing(void **state)
{
    (void)state;
    fresh_stop(NULL);
    fresh_close(NULL);
}

static int
set_up(void **state)
{
    (void)state;
    buf_init(&logged);
    return net_init(NULL) != MAUTH_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_clear(&logged);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file_for_good),
        cmocka_unit_test(reads_a_file_again_when_asked),
        cmocka_unit_test(opens_no_file_that_cannot_be_read),
        cmocka_unit_test(opens_before_the_network_answers),
        cmocka_unit_test(keeps_what_was_taken),
        cmocka_unit_test(closes_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
