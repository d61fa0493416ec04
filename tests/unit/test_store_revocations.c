#include <stdio.h>
#include <string.h>

#include "store/graph_record.h"
#include "store/revocations.h"
#include "tests/unit/store_dir.h"
#include "tests/unit/unit.h"

#define ALICE "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define PC    "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define TRIP  "fld_0ttttttttttttttttttttttttt"

enum {
    NOW_S = 1000000
};

struct world {
    struct store_dir s;
    struct revoked set;
    uint64_t number;
    int64_t now_s;
    size_t count;
    size_t many;
    char lines[4096]; /* with newlines */
};

static enum mauth_rc
add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_add(txn, &((struct world *)arg)->set, err);
}

static enum mauth_rc
find(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct world *w = arg;

    return revocations_find(txn, &w->set, &w->number, err);
}

static enum mauth_rc
serial(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_serial(txn, arg, err);
}

static enum mauth_rc
list(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct world *w = arg;
    struct buf lines;
    enum mauth_rc rc;

    buf_init(&lines);
    rc = revocations_list(txn, w->now_s, &lines, &w->count, err);
    for (size_t i = 0; i < lines.len; i++)
        if (!lines.data[i])
            lines.data[i] = '\n';
    snprintf(w->lines, sizeof(w->lines), "%.*s", (int)lines.len, (char *)lines.data);
    buf_clear(&lines);
    return rc;
}

/* Each with an id of its own. */
static enum mauth_rc
add_many(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct world *w = arg;
    struct revoked r = {.count = 1};
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < w->many && rc == MAUTH_OK; i++) {
        snprintf(r.id[0], sizeof(r.id[0]), "_%032zx", i);
        rc = graph_advance(txn, &r.state, err);
        if (rc == MAUTH_OK)
            rc = revocations_add(txn, &r, err);
    }
    return rc;
}

static void
set(struct world *w, uint64_t state, size_t count, const char *a, const char *b,
    const char *c)
{
    const char *const ids[] = {a, b, c};

    memset(&w->set, 0, sizeof(w->set));
    w->set.state = state;
    w->set.count = count;
    for (size_t i = 0; i < count; i++)
        snprintf(w->set.id[i], sizeof(w->set.id[i]), "%s", ids[i]);
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.s, "?twice=1");
    w.now_s = NOW_S;
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    store_remove(&w->s);
    return 0;
}

static void
keeps_the_highest_number(void **state)
{
    struct world *w = *state;
    uint64_t first, second;

    set(w, 5, 2, PC, ALICE, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->s.kv, serial, &first, NULL), MAUTH_OK);
    w->set.state = 4;
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->s.kv, find, w, NULL), MAUTH_OK);
    assert_int_equal(w->number, 5);
    assert_int_equal(kv_read(w->s.kv, serial, &second, NULL), MAUTH_OK);
    assert_int_equal(second, first);
    w->set.state = 9;
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->s.kv, serial, &second, NULL), MAUTH_OK);
    assert_true(second > first);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_string_equal(w->lines, "revoke 9 " PC " " ALICE "\n");
    set(w, 0, 1, PC, NULL, NULL);
    assert_int_equal(kv_read(w->s.kv, find, w, NULL), MAUTH_NOT_FOUND);
}

static void
refuses_what_no_ticket_mentions(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        const char *id[3];
    } refusals[] = {
        {"no id", 1, {""}},
        {"a word", 1, {"alice"}},
        {"two lines", 1, {"usr_0aaaaaaaaaaaaaaaaaaaaaaaa\n"}},
        {"a blank", 1, {"_0123456789abcdef0123456789abcde "}},
        {"upper case", 1, {"_0123456789ABCDEF0123456789ABCDEF"}},
        {"descending", 2, {ALICE, PC}},
        {"twice the same", 2, {PC, PC}},
        {"four", 4, {PC, TRIP, ALICE}},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        size_t n = refusals[i].count > 3 ? 3 : refusals[i].count;

        set(w, 1, n, refusals[i].id[0], refusals[i].id[1], refusals[i].id[2]);
        w->set.count = refusals[i].count;
        if (kv_write(w->s.kv, add, w, NULL) != MAUTH_INVALID)
            fail_msg("%s", refusals[i].name);
    }
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 0);
}

static void
all_takes_the_place_of_each(void **state)
{
    struct world *w = *state;

    set(w, 5, 3, PC, TRIP, ALICE);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    set(w, 6, 0, NULL, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    set(w, 7, 1, ALICE, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_string_equal(w->lines, "revoke 6 *\nrevoke 7 " ALICE "\n");
    assert_int_equal(w->count, 2);
}

static void
leaves_when_no_ticket_can_be_alive(void **state)
{
    struct world *w = *state;

    set(w, 5, 1, ALICE, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    /* However late it is listed first, it is for so long from then on. */
    w->now_s += 100 * REVOKED_FOR_S;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 1);
    w->now_s += REVOKED_FOR_S - 1;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 1);
    w->now_s++;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 0);
    assert_int_equal(kv_read(w->s.kv, find, w, NULL), MAUTH_NOT_FOUND);
}

/* The clock is set back: what was revoked after that stays as long as it must. */
static void
goes_by_the_latest_time(void **state)
{
    struct world *w = *state;

    w->now_s += 50000;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    set(w, 5, 1, ALICE, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    w->now_s -= 50000;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    w->now_s += REVOKED_FOR_S + 49999;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 1);
    w->now_s++;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 0);
}

/* A new number is a new revocation, with all of its time before it. */
static void
begins_anew_with_a_higher_number(void **state)
{
    struct world *w = *state;

    set(w, 5, 1, ALICE, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    w->now_s += REVOKED_FOR_S - 1;
    w->set.state = 6;
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    w->now_s += REVOKED_FOR_S - 1;
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_string_equal(w->lines, "revoke 6 " ALICE "\n");
}

static void
becomes_one_when_there_are_too_many(void **state)
{
    struct world *w = *state;
    char want[64];

    w->many = REVOKED_MAX;
    assert_int_equal(kv_write(w->s.kv, add_many, w, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, REVOKED_MAX);
    set(w, REVOKED_MAX + 1, 1, ALICE, NULL, NULL);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    snprintf(want, sizeof(want), "revoke %d *\n", REVOKED_MAX + 1);
    assert_string_equal(w->lines, want);
    assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK); /* and goes on */
    assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
    assert_int_equal(w->count, 2);
}

/* An entry that cannot be read must not be left out. */
static enum mauth_rc
damage(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct text *record = arg;
    struct store_key key;

    store_key(&key, SPACE_REVOKED, "\0", 1);
    return kv_put(txn, store_key_text(&key), *record, err);
}

static void
notices_damage(void **state)
{
    static const uint8_t of_another_version[1 + 8 + 8] = {255};
    struct text records[] = {
        {"\1\1", 2}, {(const char *)of_another_version, sizeof(of_another_version)}};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(records); i++) {
        assert_int_equal(kv_write(w->s.kv, damage, &records[i], NULL), MAUTH_OK);
        assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_UNAVAILABLE);
        set(w, 1, 0, NULL, NULL, NULL);
        assert_int_equal(kv_read(w->s.kv, find, w, NULL), MAUTH_UNAVAILABLE);
        assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_UNAVAILABLE);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* A page after the other, from the one that stands for all to the last. */
struct walk {
    size_t limit, pages;
    bool has_after;
    struct revoked after;
    char seen[1024];
};

static enum mauth_rc
walk(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct revoked_entry out[3];
    struct walk *k = arg;
    bool more = true;
    size_t count;

    while (more) {
        enum mauth_rc rc = revocations_page(
            txn, k->has_after ? &k->after : NULL, k->limit, out, &count, &more, err);

        if (rc != MAUTH_OK)
            return rc;
        assert_true(count <= k->limit && (count == k->limit || !more));
        for (size_t i = 0; i < count; i++) {
            size_t at = strlen(k->seen);

            snprintf(k->seen + at, sizeof(k->seen) - at, "%llu %zu %s %s %lld\n",
                (unsigned long long)out[i].set.state, out[i].set.count,
                out[i].set.id[0], out[i].set.id[1], (long long)out[i].listed_s);
            k->after = out[i].set;
            k->has_after = true;
        }
        k->pages++;
    }
    return MAUTH_OK;
}

static void
is_paged(void **state)
{
    static const struct revoked sets[] = {
        {5, 1, {ALICE}}, {7, 2, {PC, ALICE}}, {6, 1, {TRIP}}, {8, 2, {TRIP, ALICE}}};
    struct world *w = *state;

    for (size_t limit = 1; limit <= 3; limit++) {
        struct walk k = {.limit = limit};

        for (size_t i = 0; i < COUNT(sets); i++) {
            w->set = sets[i];
            assert_int_equal(kv_write(w->s.kv, add, w, NULL), MAUTH_OK);
            if (i == 0 && limit == 1) {
                w->now_s = NOW_S;
                assert_int_equal(kv_write(w->s.kv, list, w, NULL), MAUTH_OK);
            }
        }
        assert_int_equal(kv_read(w->s.kv, walk, &k, NULL), MAUTH_OK);
        assert_string_equal(k.seen, "6 1 " TRIP "  0\n5 1 " ALICE "  1000000\n7 2 " PC
                                    " " ALICE " 0\n8 2 " TRIP " " ALICE " 0\n");
        assert_int_equal(k.pages, limit == 3 ? 2 : 4 / limit);
    }
    {
        struct walk k = {.limit = 3, .has_after = true, .after = {1, 2, {TRIP, PC}}};

        assert_int_equal(kv_read(w->s.kv, walk, &k, NULL), MAUTH_INVALID);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_the_highest_number),
        TEST(refuses_what_no_ticket_mentions),
        TEST(all_takes_the_place_of_each),
        TEST(leaves_when_no_ticket_can_be_alive),
        TEST(goes_by_the_latest_time),
        TEST(begins_anew_with_a_higher_number),
        TEST(becomes_one_when_there_are_too_many),
        TEST(is_paged),
        TEST(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
