#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/scratch_dir.h"
#include "updater/journals.h"

static const struct ring_kind accepted = {"accepted", 64, 512};
static const struct ring_kind decisions = {"decisions", RING_SLOT_MAX, 64};
static const struct ring_kind few = {"accepted", 64, 8};

struct desk {
    struct scratch_dir dir; /* of the journals */
    struct scratch_dir home;
    char file[192];
    struct journals *j;
    struct journal_batch b;
};

static void
open_journals(struct desk *d, enum mauth_rc trouble_is)
{
    struct mauth_err trouble = MAUTH_ERR_INIT;

    journals_close(d->j);
    assert_int_equal(journals_open(d->file, &d->j, &trouble, NULL), MAUTH_OK);
    if (trouble.rc != trouble_is)
        fail_msg("%s instead of %s: %s", mauth_rc_name(trouble.rc),
            mauth_rc_name(trouble_is), trouble.text);
}

static int
begin(void **state)
{
    struct desk *d = calloc(1, sizeof(*d));

    assert_non_null(d);
    scratch_dir_make(&d->dir);
    scratch_dir_make(&d->home);
    snprintf(d->file, sizeof(d->file), "%s", scratch_path(&d->home, "journals"));
    open_journals(d, MAUTH_OK);
    *state = d;
    return 0;
}

static int
end(void **state)
{
    struct desk *d = *state;

    journals_close(d->j);
    scratch_dir_remove(&d->dir);
    scratch_dir_remove(&d->home);
    free(d);
    return 0;
}

static struct ring *
open_ring(const struct desk *d, const struct ring_kind *kind)
{
    struct ring *r;

    assert_int_equal(ring_open(d->dir.path, kind, &r, NULL), MAUTH_OK);
    return r;
}

/* Entries "from" to "to", of at least so many bytes. */
static void
put(struct ring *r, int from, int to, int width)
{
    char text[RING_SLOT_MAX];

    for (int i = from; i <= to; i++) {
        int n = snprintf(text, sizeof(text), "%0*d", width, i);

        assert_int_equal(ring_put(r, text, (size_t)n, NULL), MAUTH_OK);
    }
}

/* A journal of that kind that nobody holds any more. */
static void
leave(const struct desk *d, const struct ring_kind *kind, int from, int to)
{
    struct ring *r = open_ring(d, kind);

    put(r, from, to, 1);
    ring_close(r);
}

static size_t
take_some(struct desk *d, size_t most)
{
    assert_int_equal(journals_take(d->j, d->dir.path, most, &d->b, NULL), MAUTH_OK);
    return d->b.count;
}

static size_t
take(struct desk *d)
{
    return take_some(d, JOURNALS_ENTRIES);
}

static void
done(struct desk *d)
{
    assert_int_equal(journals_done(d->j, &d->b, NULL), MAUTH_OK);
    journal_batch_clear(&d->b);
}

/* Entries from number on, each with its number as its text. */
static void
assert_batch(const struct desk *d, uint64_t number, size_t count)
{
    const struct journal_batch *b = &d->b;
    char text[24];

    assert_int_equal(b->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(b->number[i], number + i);
        snprintf(text, sizeof(text), "%d", (int)(number + i));
        assert_true(text_is(b->entry[i], text));
    }
    assert_int_equal(b->next, number + count);
}

/* Nothing, or nothing that could be read. */

static void
is_content_with_nothing(void **state)
{
    struct desk *d = *state;

    assert_int_equal(take(d), 0);
    assert_int_equal(rmdir(d->dir.path), 0);
    assert_int_equal(take(d), 0);
    assert_int_equal(d->b.lost, 0);
    journal_batch_clear(&d->b);
}

static void
says_that_a_folder_cannot_be_read(void **state)
{
    struct desk *d = *state;
    struct mauth_err err = MAUTH_ERR_INIT;

    scratch_write(&d->home, "file", "", 0);
    assert_int_equal(
        journals_take(d->j, scratch_path(&d->home, "file"), 1, &d->b, &err),
        MAUTH_UNAVAILABLE);
    assert_int_equal(err.rc, MAUTH_UNAVAILABLE);
    assert_int_equal(d->b.count, 0);
}

/* Of the folder that services write into, nothing else is looked at. */
static void
passes_over_what_is_no_journal(void **state)
{
    static const char *const names[] = {"accepted", "accepted.", "accepted.01",
        "accepted.128", "accepted.0.old", "Accepted.0", "rejected.0", "decisions.-1"};
    struct desk *d = *state;
    char *ring;
    size_t len = 0;

    leave(d, &accepted, 1, 3);
    ring = scratch_read(&d->dir, "accepted.0", &len);
    for (size_t i = 0; i < COUNT(names); i++)
        scratch_write(&d->dir, names[i], ring, len);
    scratch_write(&d->home, "elsewhere", ring, len);
    free(ring);
    assert_int_equal(unlink(scratch_path(&d->dir, "accepted.0")), 0);
    assert_int_equal(symlink(scratch_path(&d->home, "elsewhere"),
                         scratch_path(&d->dir, "accepted.1")),
        0);
    assert_int_equal(mkfifo(scratch_path(&d->dir, "accepted.2"), 0600), 0);
    assert_int_equal(mkdir(scratch_path(&d->dir, "accepted.3"), 0700), 0);
    scratch_write(&d->dir, "accepted.4", "meshauth-ring 1\n", 16);
    scratch_write(&d->dir, "decisions.0", "", 0);
    assert_int_equal(take(d), 0);
    journal_batch_clear(&d->b);
    assert_int_equal(rename(scratch_path(&d->home, "elsewhere"),
                         scratch_path(&d->dir, "accepted.127")),
        0);
    assert_int_equal(take(d), 3);
    journal_batch_clear(&d->b);
}

/* Entries. */

static void
takes_entries_until_they_are_done(void **state)
{
    struct desk *d = *state;
    struct ring *r = open_ring(d, &accepted);
    struct ring_view v;

    put(r, 1, 5, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(take(d), 5);
        assert_batch(d, 1, 5);
        assert_false(d->b.of_decisions);
        assert_int_equal(d->b.lost, 0);
        assert_int_equal(
            ring_view_open(scratch_path(&d->dir, "accepted.0"), &v, NULL), MAUTH_OK);
        assert_memory_equal(d->b.id, v.id, RING_ID);
        ring_view_close(&v);
        if (i == 0)
            journal_batch_clear(&d->b);
    }
    done(d);
    assert_int_equal(take(d), 0);
    journal_batch_clear(&d->b);
    put(r, 6, 7, 1);
    assert_int_equal(take(d), 2);
    assert_batch(d, 6, 2);
    done(d);
    ring_close(r);
}

static void
takes_no_more_than_are_wanted(void **state)
{
    struct desk *d = *state;

    leave(d, &accepted, 1, 300);
    assert_int_equal(take_some(d, 1), 1);
    assert_batch(d, 1, 1);
    done(d);
    assert_int_equal(take(d), JOURNALS_ENTRIES);
    assert_batch(d, 2, JOURNALS_ENTRIES);
    done(d);
    assert_int_equal(take(d), 300 - 1 - JOURNALS_ENTRIES);
    done(d);
    assert_int_equal(take(d), 0);
}

static void
takes_fewer_decisions(void **state)
{
    struct desk *d = *state;

    leave(d, &decisions, 1, JOURNALS_DECISIONS + 5);
    assert_int_equal(take(d), JOURNALS_DECISIONS);
    assert_true(d->b.of_decisions);
    assert_batch(d, 1, JOURNALS_DECISIONS);
    done(d);
    assert_int_equal(take(d), 5);
    assert_batch(d, JOURNALS_DECISIONS + 1, 5);
    done(d);
}

/* As large as they can be. */
static void
takes_no_more_bytes_than_are_sent(void **state)
{
    const int width = RING_SLOT_MAX - RING_OVERHEAD;
    struct desk *d = *state;
    struct ring *r = open_ring(d, &decisions);
    size_t all = 0;
    char last[8];

    put(r, 1, JOURNALS_DECISIONS, width);
    while (take(d)) {
        assert_true(d->b.bytes.len <= JOURNALS_BYTES);
        assert_true(d->b.count >= (size_t)JOURNALS_BYTES / RING_SLOT_MAX ||
                    all + d->b.count == JOURNALS_DECISIONS);
        for (size_t i = 0; i < d->b.count; i++) {
            assert_int_equal(d->b.entry[i].len, width);
            snprintf(last, sizeof(last), "%04d", (int)d->b.number[i]);
            assert_memory_equal(d->b.entry[i].p + width - 4, last, 4);
        }
        all += d->b.count;
        done(d);
    }
    assert_int_equal(all, JOURNALS_DECISIONS);
    ring_close(r);
}

/* None waits for one that has much to say. */
static void
takes_turns(void **state)
{
    struct desk *d = *state;
    struct ring *one = open_ring(d, &accepted), *two = open_ring(d, &accepted),
                *three = open_ring(d, &decisions);
    uint8_t id[3][RING_ID];

    put(one, 1, 400, 1);
    put(two, 1, 1, 1);
    put(three, 1, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(take(d), i ? 1 : JOURNALS_ENTRIES);
        memcpy(id[i], d->b.id, RING_ID);
        done(d);
    }
    assert_memory_not_equal(id[0], id[1], RING_ID);
    assert_memory_not_equal(id[0], id[2], RING_ID);
    assert_memory_not_equal(id[1], id[2], RING_ID);
    assert_int_equal(take(d), 400 - JOURNALS_ENTRIES);
    assert_memory_equal(d->b.id, id[0], RING_ID);
    done(d);
    ring_close(one);
    ring_close(two);
    ring_close(three);
}

/* Entries that a loss of power has taken: they are counted, and those behind them come. */
static void
counts_what_was_lost(void **state)
{
    struct desk *d = *state;
    size_t len = 0;
    char *file;

    leave(d, &few, 1, 6);
    file = scratch_read(&d->dir, "accepted.0", &len);
    memset(file + RING_HEADER + 2 * few.slot, 0, 2 * few.slot); /* 2 and 3 */
    memset(file + RING_HEADER + 5 * few.slot, 0, few.slot);
    scratch_write(&d->dir, "accepted.0", file, len);
    free(file);
    assert_int_equal(take(d), 1);
    journal_batch_clear(&d->b);
    ring_close(open_ring(d, &few));
    assert_int_equal(take(d), 3);
    assert_int_equal(d->b.lost, 3);
    assert_int_equal(d->b.number[0], 1);
    assert_int_equal(d->b.number[1], 4);
    assert_int_equal(d->b.number[2], 6);
    done(d);
    assert_int_equal(take(d), 0);
    journal_batch_clear(&d->b);
}

static void
counts_what_was_overwritten(void **state)
{
    struct desk *d = *state;
    struct ring *r = open_ring(d, &few);

    put(r, 1, 20, 1);
    assert_int_equal(take(d), 8);
    assert_batch(d, 13, 8);
    assert_int_equal(d->b.lost, 12);
    done(d);
    put(r, 21, 22, 1);
    assert_int_equal(take(d), 2);
    assert_int_equal(d->b.lost, 0);
    done(d);
    put(r, 23, 40, 1);
    assert_int_equal(take_some(d, 3), 3);
    assert_batch(d, 33, 3);
    assert_int_equal(d->b.lost, 10);
    done(d);
    assert_int_equal(take(d), 5);
    assert_int_equal(d->b.lost, 0);
    done(d);
    ring_close(r);
}

/* Places. */

static void
remembers_how_far_it_was(void **state)
{
    struct desk *d = *state;
    char hex[2 * RING_ID + 1], want[128];
    char *text;

    leave(d, &accepted, 1, 5);
    assert_int_equal(take_some(d, 3), 3);
    str_hex(d->b.id, RING_ID, hex);
    done(d);
    snprintf(want, sizeof(want), "meshauth-journals v1\njournal %s 4\n", hex);
    text = scratch_read(&d->home, "journals", NULL);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
    open_journals(d, MAUTH_OK);
    assert_int_equal(take(d), 2);
    assert_batch(d, 4, 2);
    done(d);
    open_journals(d, MAUTH_OK);
    assert_int_equal(take(d), 0);
}

/* The place of the one that has not moved for longest goes: all of it comes again. */
static void
forgets_the_place_that_moved_first(void **state)
{
    struct desk *d = *state;
    struct journal_batch other = {.next = 9};

    leave(d, &accepted, 1, 5);
    assert_int_equal(take(d), 5);
    done(d);
    for (unsigned i = 0; i < JOURNALS_KNOWN - 1; i++) {
        memcpy(other.id, &i, sizeof(i));
        assert_int_equal(journals_done(d->j, &other, NULL), MAUTH_OK);
    }
    open_journals(d, MAUTH_OK);
    assert_int_equal(take(d), 0);
    memset(other.id, 0xee, sizeof(other.id));
    assert_int_equal(journals_done(d->j, &other, NULL), MAUTH_OK);
    assert_int_equal(take(d), 5);
    journal_batch_clear(&d->b);
    open_journals(d, MAUTH_OK);
    assert_int_equal(take(d), 5);
    done(d);
    assert_int_equal(take(d), 0);
}

#define ID "00112233445566778899aabbccddeeff"

static const struct {
    const char *name, *text;
} damages[] = {
    {"empty", ""},
    {"of another version", "meshauth-journals v2\n"},
    {"cut in its first line", "meshauth-journals v1"},
    {"cut in an id", "meshauth-journals v1\njournal 0011"},
    {"cut before its end", "meshauth-journals v1\njournal " ID " 4"},
    {"a short id", "meshauth-journals v1\njournal 00112233 4\n"},
    {"an id in capitals",
        "meshauth-journals v1\njournal 00112233445566778899AABBCCDDEEFF 4\n"},
    {"no number", "meshauth-journals v1\njournal " ID " \n"},
    {"a number in words", "meshauth-journals v1\njournal " ID " four\n"},
    {"a number below zero", "meshauth-journals v1\njournal " ID " -4\n"},
    {"a number that is none", "meshauth-journals v1\njournal " ID " 0\n"},
    {"a number that is too high",
        "meshauth-journals v1\njournal " ID " 18446744073709551616\n"},
    {"more behind it", "meshauth-journals v1\njournal " ID " 4\n\n"},
    {"another line", "meshauth-journals v1\nfile " ID " 4\n"},
};

/* Then all is handed back once more; and what was, is known anew. */
static void
begins_anew_when_places_are_damaged(void **state)
{
    struct desk *d = *state;
    char hex[2 * RING_ID + 1], text[256];

    leave(d, &accepted, 1, 5);
    assert_int_equal(take(d), 5);
    str_hex(d->b.id, RING_ID, hex);
    done(d);
    for (size_t i = 0; i < COUNT(damages); i++) {
        const char *at = strstr(damages[i].text, ID);
        int n = at ? (int)(at - damages[i].text) : (int)strlen(damages[i].text);

        /* Of the journal that is there. */
        snprintf(text, sizeof(text), "%.*s%s%s", n, damages[i].text, at ? hex : "",
            at ? at + strlen(ID) : "");
        scratch_write(&d->home, "journals", text, strlen(text));
        open_journals(d, MAUTH_MALFORMED);
        if (take(d) != 5)
            fail_msg("%s: %zu entries", damages[i].name, d->b.count);
        assert_batch(d, 1, 5);
        done(d);
        open_journals(d, MAUTH_OK);
        assert_int_equal(take(d), 0);
    }
}

static void
does_without_places_that_cannot_be_read(void **state)
{
    struct desk *d = *state;
    struct mauth_err err = MAUTH_ERR_INIT;

    leave(d, &accepted, 1, 5);
    assert_int_equal(mkdir(d->file, 0700), 0);
    open_journals(d, MAUTH_UNAVAILABLE);
    assert_int_equal(take(d), 5);
    assert_int_equal(journals_done(d->j, &d->b, &err), MAUTH_UNAVAILABLE);
    journal_batch_clear(&d->b);
    assert_int_equal(take(d), 0); /* it has not forgotten, though */
    assert_int_equal(rmdir(d->file), 0);
}

static void
refuses_more_places_than_it_writes(void **state)
{
    struct desk *d = *state;
    struct buf b;

    leave(d, &accepted, 1, 2);
    buf_init(&b);
    buf_str(&b, "meshauth-journals v1\n");
    for (unsigned i = 0; i < JOURNALS_KNOWN + 1; i++)
        buf_printf(&b, "journal %032x 4\n", i);
    scratch_write(&d->home, "journals", b.data, b.len);
    open_journals(d, MAUTH_MALFORMED);
    assert_int_equal(take(d), 2);
    done(d);
    buf_clear(&b);
}

static void
closes_nothing(void **state)
{
    (void)state;
    journals_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* An entry of a journal that nobody holds, as a loss of power leaves it. */
static void
blank(const struct desk *d, const char *name, size_t number)
{
    uint8_t none[64] = {0};
    FILE *f = fopen(scratch_path(&d->dir, name), "r+");

    assert_non_null(f);
    assert_int_equal(fseek(f, (long)(RING_HEADER + number % 512 * 64), SEEK_SET), 0);
    assert_int_equal(fwrite(none, sizeof(none), 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

/* What is lost at the end of one journal is not told again with each batch of others. */
static void
tells_losses_with_their_own_journal(void **state)
{
    struct desk *d = *state;
    struct ring *r;

    leave(d, &accepted, 1, 1);
    assert_int_equal(take(d), 1);
    done(d);
    leave(d, &accepted, 2, 3);
    blank(d, "accepted.0", 2);
    leave(d, &accepted, 1, 0); /* goes on, with an empty one in its place */
    blank(d, "accepted.0", 3);

    r = open_ring(d, &decisions);
    for (int i = 1; i <= 3; i++) {
        put(r, i, i, 1);
        assert_int_equal(take(d), 1);
        assert_true(d->b.of_decisions);
        assert_int_equal(d->b.lost, 0);
        done(d);
    }
    ring_close(r);
    leave(d, &accepted, 3, 3);
    assert_int_equal(take(d), 1);
    assert_int_equal(d->b.lost, 1);
    done(d);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(is_content_with_nothing),
        TEST(says_that_a_folder_cannot_be_read),
        TEST(passes_over_what_is_no_journal),
        TEST(takes_entries_until_they_are_done),
        TEST(takes_no_more_than_are_wanted),
        TEST(takes_fewer_decisions),
        TEST(takes_no_more_bytes_than_are_sent),
        TEST(takes_turns),
        TEST(counts_what_was_overwritten),
        TEST(counts_what_was_lost),
        TEST(tells_losses_with_their_own_journal),
        TEST(remembers_how_far_it_was),
        TEST(forgets_the_place_that_moved_first),
        TEST(begins_anew_when_places_are_damaged),
        TEST(does_without_places_that_cannot_be_read),
        TEST(refuses_more_places_than_it_writes),
        cmocka_unit_test(closes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
