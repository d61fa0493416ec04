#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include "base/ring.h"
#include "tests/unit/scratch_dir.h"

static const struct ring_kind small = {"small", 64, 8};
static const struct ring_kind other = {"small", 64, 9};
static const struct ring_kind large = {"large", 64, 16384};

static void
put(struct ring *r, const char *text)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (ring_put(r, text, strlen(text), &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

static struct ring *
open_ring(const struct scratch_dir *d, const struct ring_kind *kind)
{
    struct ring *r;

    assert_int_equal(ring_open(d->path, kind, &r, NULL), MAUTH_OK);
    return r;
}

/* The entry of this number, or of the one that it became. */
static const char *
read_entry(const struct scratch_dir *d, const char *name, uint64_t *number)
{
    static char data[RING_SLOT_MAX + 1];
    struct ring_view v;
    bool found;
    size_t len;

    if (ring_view_open(scratch_path(d, name), &v, NULL) != MAUTH_OK)
        return NULL;
    found = ring_view_read(&v, number, data, &len);
    ring_view_close(&v);
    if (!found)
        return NULL;
    data[len] = '\0';
    return data;
}

static void
assert_entry(const struct scratch_dir *d, const char *name, uint64_t asked,
    uint64_t number, const char *text)
{
    const char *found = read_entry(d, name, &asked);

    assert_non_null(found);
    assert_string_equal(found, text);
    assert_true(asked == number);
}

static void
assert_none(const struct scratch_dir *d, const char *name, uint64_t asked)
{
    assert_null(read_entry(d, name, &asked));
}

static void
hands_over_what_was_written(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *r = open_ring(d, &small);
    char text[8];

    assert_none(d, "small.0", 1);
    put(r, "one");
    put(r, "two");
    assert_entry(d, "small.0", 1, 1, "one");
    assert_entry(d, "small.0", 2, 2, "two");
    assert_none(d, "small.0", 3);
    assert_none(d, "small.0", 0);
    for (int i = 3; i <= 20; i++) {
        snprintf(text, sizeof(text), "%d", i);
        put(r, text);
    }
    /* 8 slots: 13 is the oldest that is left. */
    for (uint64_t asked = 1; asked <= 13; asked++)
        assert_entry(d, "small.0", asked, 13, "13");
    assert_entry(d, "small.0", 20, 20, "20");
    assert_none(d, "small.0", 21);
    ring_close(r);
    assert_entry(d, "small.0", 20, 20, "20");
    r = open_ring(d, &small);
    put(r, "behind the end of its owner");
    assert_entry(d, "small.0", 21, 21, "behind the end of its owner");
    assert_false(scratch_has(d, "small.1"));
    ring_close(r);
    ring_close(NULL);
}

static void
refuses_what_does_not_fit(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *r = open_ring(d, &small);
    char text[64] = {0};

    assert_int_equal(ring_put(r, text, 64 - RING_OVERHEAD + 1, NULL), MAUTH_TOO_LARGE);
    assert_none(d, "small.0", 1);
    assert_int_equal(ring_put(r, text, 64 - RING_OVERHEAD, NULL), MAUTH_OK);
    ring_close(r);
}

/* Two that are open at a time never write into one file; nor do a parent and its child. */
static void
shares_no_file(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *a = open_ring(d, &small), *b = open_ring(d, &small);
    int status;
    pid_t child;

    put(a, "a");
    put(b, "b");
    assert_entry(d, "small.0", 1, 1, "a");
    assert_entry(d, "small.1", 1, 1, "b");
    child = fork();
    if (child == 0)
        _exit(ring_put(a, "child", 5, NULL) == MAUTH_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_entry(d, "small.2", 1, 1, "child");
    assert_none(d, "small.0", 2);
    put(a, "a again");
    assert_entry(d, "small.0", 2, 2, "a again");
    ring_close(a);
    a = open_ring(d, &other); /* laid out otherwise: it begins anew */
    put(a, "c");
    assert_entry(d, "small.0", 1, 1, "c");
    ring_close(a);
    ring_close(b);
}

static void
tries_again(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *r;

    assert_int_equal(ring_open(scratch_path(d, "later"), &small, &r, NULL), MAUTH_OK);
    assert_int_equal(ring_put(r, "lost", 4, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(mkdir(scratch_path(d, "later"), 0755), 0);
    for (int i = 0; i < 500 && ring_put(r, "kept", 4, NULL) != MAUTH_OK; i++)
        usleep(10000);
    assert_entry(d, "later/small.0", 1, 1, "kept");
    ring_close(r);
}

/* Whoever may write in the folder, too, does not choose what is overwritten or waited for. */
static void
follows_nothing(void **state)
{
    const struct scratch_dir *d = *state;
    char precious[] = "precious";
    struct ring_view v;
    struct ring *r;
    char *left;

    scratch_write(d, "a", precious, sizeof(precious));
    scratch_write(d, "b", precious, sizeof(precious));
    assert_int_equal(symlink(scratch_path(d, "a"), scratch_path(d, "small.0")), 0);
    assert_int_equal(link(scratch_path(d, "b"), scratch_path(d, "small.1")), 0);
    assert_int_equal(mkfifo(scratch_path(d, "small.2"), 0600), 0);
    assert_int_equal(mkdir(scratch_path(d, "small.3"), 0700), 0);
    scratch_write(d, "small.4", precious, sizeof(precious)); /* what we made, damaged */
    r = open_ring(d, &small);
    put(r, "x");
    assert_entry(d, "small.4", 1, 1, "x");
    for (int i = 0; i < 2; i++) {
        left = scratch_read(d, i ? "a" : "b", NULL);
        assert_string_equal(left, precious);
        free(left);
    }
    for (int i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof(name), "small.%d", i);
        assert_int_not_equal(ring_view_open(scratch_path(d, name), &v, NULL), MAUTH_OK);
        assert_int_equal(v.fd, -1);
    }
    assert_int_equal(
        ring_view_open(scratch_path(d, "small.5"), &v, NULL), MAUTH_NOT_FOUND);
    ring_close(r);
}

/* Any byte of an entry that is another: it is none, and nothing else is read. */
static void
knows_what_is_half_written(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *r = open_ring(d, &small);
    size_t len = 0;
    char *file;

    put(r, "an entry");
    ring_close(r);
    file = scratch_read(d, "small.0", &len);
    for (size_t i = RING_HEADER + 64; i < len; i++) {
        file[i] ^= 1;
        scratch_write(d, "small.0", file, len);
        assert_none(d, "small.0", 1);
        file[i] ^= 1;
    }
    for (size_t n = 0; n < len; n++) {
        scratch_write(d, "small.0", file, n);
        assert_none(d, "small.0", 1);
    }
    for (size_t i = 0; i < 36; i++) { /* the header up to the number of slots */
        file[i] ^= (char)0x80;
        scratch_write(d, "small.0", file, len);
        assert_none(d, "small.0", 1);
        file[i] ^= (char)0x80;
    }
    scratch_write(d, "small.0", file, len);
    assert_entry(d, "small.0", 1, 1, "an entry");
    free(file);
}

/* What a loss of power takes from between others is not waited for. */
static void
goes_on_over_holes(void **state)
{
    static const size_t lost[] = {3, 4, 7};
    const struct scratch_dir *d = *state;
    struct ring *r = open_ring(d, &small);
    size_t len = 0;
    char *file, text[8];

    for (int i = 1; i <= 10; i++) {
        snprintf(text, sizeof(text), "%d", i);
        put(r, text);
    }
    ring_close(r);
    file = scratch_read(d, "small.0", &len);
    for (size_t i = 0; i < COUNT(lost); i++)
        file[RING_HEADER + lost[i] % 8 * 64] ^= 1;
    scratch_write(d, "small.0", file, len);
    free(file);
    assert_none(d, "small.0", 4);
    ring_close(open_ring(d, &small));
    assert_entry(d, "small.0", 1, 3, "");
    for (uint64_t n = 3; n <= 10; n++) {
        snprintf(text, sizeof(text), "%d", (int)n);
        assert_entry(d, "small.0", n, n, n == 3 || n == 4 || n == 7 ? "" : text);
    }
    r = open_ring(d, &small);
    put(r, "11");
    assert_entry(d, "small.0", 11, 11, "11");
    ring_close(r);
}

static void
knows_its_names(void **state)
{
    static const struct {
        const char *name;
        bool is;
    } names[] = {{"small.0", true}, {"small.127", true}, {"small.128", false},
        {"small.", false}, {"small", false}, {"small.00", false}, {"small.-1", false},
        {"small.1x", false}, {"smaller.1", false}, {"1.small", false}, {"", false}};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(ring_is_name("small", names[i].name), names[i].is);
}

enum {
    WRITERS = 4,
    EACH = 2000
};

static void *
keep_writing(void *arg)
{
    for (int i = 0; i < EACH; i++)
        put(arg, "0123456789012345678901234567890123456789");
    return NULL;
}

/* Who reads while others write sees each number once, in order, whole. */
static void
loses_nothing_between_threads(void **state)
{
    const struct scratch_dir *d = *state;
    struct ring *r = open_ring(d, &large);
    pthread_t thread[WRITERS];
    uint64_t next = 1;

    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, keep_writing, r), 0);
    while (next <= WRITERS * EACH) {
        uint64_t number = next;
        const char *text = read_entry(d, "large.0", &number);

        if (!text)
            continue;
        assert_true(number == next);
        assert_int_equal(strlen(text), 40);
        next++;
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    assert_none(d, "large.0", next);
    ring_close(r);
}

static int
setup(void **state)
{
    static struct scratch_dir d;

    scratch_dir_make(&d);
    *state = &d;
    return 0;
}

static int
teardown(void **state)
{
    scratch_dir_remove(*state);
    return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(hands_over_what_was_written),
        TEST(refuses_what_does_not_fit),
        TEST(shares_no_file),
        TEST(tries_again),
        TEST(follows_nothing),
        TEST(knows_what_is_half_written),
        TEST(goes_on_over_holes),
        TEST(knows_its_names),
        TEST(loses_nothing_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
