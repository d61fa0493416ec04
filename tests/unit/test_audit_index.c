#include <dirent.h>
#include <unistd.h>

#include "audit/index.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/*
 * Records of few users, actions and reasons, so that each has many; one rare ticket in
 * each hundred. What the index finds and counts is held against what a look at every
 * record finds.
 */
enum {
    FILED = RUN_RECORDS_MAX + 2 * INDEX_STEP, /* in files, and then some behind them */
    RECORDS = FILED + 5000,
    USERS = 50,
    QUESTIONS = 300
};

static const char *const actions[] = {"login", "ticket.issue", "refused"};

static struct record {
    int64_t time_us;
    uint8_t user, other, action;
    bool ticket, gone;
} log_[RECORDS];

/* That an index knows; it has no others to be asked about. */
static size_t known = RECORDS;

static char folder[] = "/tmp/meshauth-index.XXXXXX";
static uint64_t seed = 88172645463325252;

static uint64_t
draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void
fill_log(void)
{
    for (size_t i = 0; i < RECORDS; i++) {
        struct record *r = &log_[i];

        /* Some a little out of order, as records of parallel requests are. */
        r->time_us = (int64_t)i * 1000000 + (int64_t)draw(5000000);
        r->user = (uint8_t)draw(USERS);
        r->other = (uint8_t)draw(USERS);
        r->action = (uint8_t)(draw(100) ? draw(2) : 2);
        r->ticket = draw(100) == 0;
    }
}

static char names[USERS][8];
static char tickets[RECORDS][8];

static void
terms_of(size_t i, struct audit_terms *t)
{
    const struct record *r = &log_[i];

    t->time_us = r->time_us;
    t->sequence = i;
    t->count = 0;
    t->term[t->count++] =
        (struct audit_term){AUDIT_ACTION, text_of(actions[r->action])};
    t->term[t->count++] = (struct audit_term){AUDIT_USER, text_of(names[r->user])};
    if (r->other != r->user)
        t->term[t->count++] = (struct audit_term){AUDIT_USER, text_of(names[r->other])};
    if (r->ticket)
        t->term[t->count++] = (struct audit_term){AUDIT_TICKET, text_of(tickets[i])};
}

static void
note(struct audit_index *x, uint64_t first, uint64_t end)
{
    struct audit_terms t;

    for (uint64_t i = first; i < end; i++) {
        terms_of(i, &t);
        assert_int_equal(audit_index_note(x, i, t.time_us, &t, NULL), MAUTH_OK);
        if (audit_index_is_due(x))
            assert_int_equal(audit_index_write(x, i, NULL), MAUTH_OK);
    }
}

static size_t
count_files(void)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += strchr(e->d_name, '-') != NULL;
    closedir(dir);
    return n;
}

/* A question drawn at random, and which records it means. */
struct question {
    struct audit_filter f;
    uint64_t first, end;
};

static void
draw_question(struct question *q)
{
    memset(q, 0, sizeof(*q));
    q->end = known;
    if (draw(2))
        q->f.value[AUDIT_USER] = names[draw(USERS)];
    if (draw(2))
        q->f.value[AUDIT_ACTION] = actions[draw(3)];
    if (draw(8) == 0)
        q->f.value[AUDIT_TICKET] = tickets[draw(RECORDS)];
    if (draw(50) == 0)
        q->f.value[AUDIT_KEY] = "nobody";
    if (draw(2))
        q->f.since_us = (int64_t)draw(RECORDS) * 1000000;
    if (draw(2))
        q->f.until_us = q->f.since_us + (int64_t)draw(RECORDS) * 1000000 + 1;
    if (draw(2))
        q->first = draw(known);
    if (draw(2))
        q->end = q->first + draw(known - q->first + 1);
    q->f.oldest_first = draw(2);
}

static bool
is_meant(const struct question *q, size_t i)
{
    struct audit_terms t;

    if (i < q->first || i >= q->end)
        return false;
    terms_of(i, &t);
    if (log_[i].gone)
        t.count = 0;
    return audit_filter_fits(&q->f, &t);
}

struct found {
    size_t count, at;
    uint64_t sequence[2000];
};

static bool
take(uint64_t sequence, void *arg)
{
    struct found *f = arg;

    f->sequence[f->count++] = sequence;
    return f->count < COUNT(f->sequence);
}

static void
ask(struct audit_index *x, const struct question *q)
{
    struct found f = {0};
    size_t n = 0;

    audit_index_find(x, &q->f, q->first, q->end, take, &f);
    for (size_t k = 0; k < RECORDS && n < COUNT(f.sequence); k++) {
        size_t i = q->f.oldest_first ? k : RECORDS - 1 - k;

        if (!is_meant(q, i))
            continue;
        if (n == f.count || f.sequence[n] != i)
            fail_msg("record %zu was not found in its place", i);
        n++;
    }
    assert_int_equal(n, f.count);
}

static void
tally(struct audit_index *x, const struct question *q, enum audit_by by)
{
    struct audit_tally got, want;
    struct audit_terms t;

    audit_tally_init(&got, by, audit_index_key(x));
    audit_tally_init(&want, by, audit_index_key(x));
    assert_int_equal(
        audit_index_count(x, &q->f, q->first, q->end, &got, NULL), MAUTH_OK);
    for (size_t i = 0; i < RECORDS; i++)
        if (is_meant(q, i)) {
            terms_of(i, &t);
            if (log_[i].gone)
                continue; /* nothing is left that could be counted */
            assert_int_equal(audit_tally_record(&want, &t, NULL), MAUTH_OK);
        }
    audit_tally_sort(&got);
    audit_tally_sort(&want);
    assert_int_equal(got.total, want.total);
    assert_int_equal(got.rows, want.rows);
    for (size_t i = 0; i < got.rows; i++) {
        assert_true(got.row[i].count == want.row[i].count);
        if (audit_by_span(by))
            assert_true(got.row[i].kind == want.row[i].kind);
        terms_of(got.row[i].sample, &t);
        if (!audit_by_span(by))
            assert_true(audit_tally_label(&got, &got.row[i], &t).len > 0);
    }
    audit_tally_clear(&got);
    audit_tally_clear(&want);
}

static void
ask_much(struct audit_index *x, size_t questions)
{
    static const enum audit_by by[] = {(enum audit_by)AUDIT_USER,
        (enum audit_by)AUDIT_ACTION, (enum audit_by)AUDIT_TICKET, AUDIT_BY_MINUTE,
        AUDIT_BY_HOUR, AUDIT_BY_DAY};
    struct question q;

    for (size_t i = 0; i < questions; i++) {
        draw_question(&q);
        ask(x, &q);
        if (i % 10 == 0)
            tally(x, &q, by[i / 10 % COUNT(by)]);
    }
}

static struct audit_index *
open_index(uint64_t want_next)
{
    struct audit_index *x = NULL;
    uint64_t first, next;

    assert_int_equal(audit_index_open(folder, false, &x, NULL), MAUTH_OK);
    audit_index_range(x, &first, &next);
    assert_int_equal(next, want_next);
    return x;
}

static void
finds_and_counts(void **state)
{
    struct audit_index *x = open_index(0);
    struct audit_index *reader = NULL;

    (void)state;
    note(x, 0, RECORDS);
    assert_int_equal(count_files(), 3); /* eight became one */
    ask_much(x, QUESTIONS);
    audit_index_close(x);
    known = FILED;
    assert_int_equal(audit_index_open(folder, true, &reader, NULL), MAUTH_OK);
    ask_much(reader, QUESTIONS / 10);
    audit_index_close(reader);
}

/* A number that was passed over has no record; one that is known is not taken again. */
static void
takes_what_follows(void **state)
{
    struct audit_index *x = open_index(FILED);
    struct audit_filter f = {.value[AUDIT_KEY] = "k"};
    struct audit_terms t = {
        .time_us = 7, .count = 1, .term[0] = {AUDIT_KEY, text_of("k")}};
    struct found found = {0};
    uint64_t first, next;

    (void)state;
    assert_int_equal(audit_index_note(x, 5, 7, &t, NULL), MAUTH_OK);
    assert_int_equal(audit_index_note(x, FILED + 3, 7, &t, NULL), MAUTH_OK);
    assert_int_equal(audit_index_note(x, FILED + 2, 7, &t, NULL), MAUTH_OK);
    assert_int_equal(audit_index_pass(x, FILED + 10, NULL), MAUTH_OK);
    audit_index_range(x, &first, &next);
    assert_int_equal(next, FILED + 10);
    audit_index_find(x, &f, 0, UINT64_MAX, take, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.sequence[0], FILED + 3);
    assert_false(audit_index_is_due(x));
    assert_int_equal(audit_index_write(x, 0, NULL), MAUTH_INVALID);
    /* A file that is due takes no more. */
    assert_int_equal(audit_index_pass(x, FILED + 2 * INDEX_STEP, NULL), MAUTH_OK);
    assert_true(audit_index_is_due(x));
    assert_int_equal(audit_index_note(x, FILED + INDEX_STEP, 7, &t, NULL), MAUTH_OK);
    audit_index_range(x, &first, &next);
    assert_int_equal(next, FILED + INDEX_STEP);
    audit_index_close(x);
}

static void
forgets(void **state)
{
    static const uint64_t gone[] = {
        0, 5, 1000, RUN_RECORDS_MAX - 1, RUN_RECORDS_MAX, FILED - 1, FILED + 7};
    struct audit_index *x = open_index(FILED);

    (void)state;
    known = RECORDS;
    note(x, FILED, RECORDS);
    assert_int_equal(audit_index_forget(x, gone, COUNT(gone), NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(gone); i++)
        log_[gone[i]].gone = true;
    ask_much(x, 50);
    audit_index_close(x);
    known = FILED;
    x = open_index(FILED);
    ask_much(x, 50);
    audit_index_close(x);
}

static void
damage(const char *name, long at)
{
    char *path = file_join(folder, name);
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    fputc(c ^ 1, f);
    fclose(f);
    free(path);
}

/* What is damaged, cut or behind a gap is not believed, and is there to be made again. */
static void
leaves_out_what_is_damaged(void **state)
{
    struct audit_index *x = open_index(FILED);
    uint64_t first, next;
    char *path;

    (void)state;
    audit_index_drop_before(x, RUN_RECORDS_MAX);
    audit_index_range(x, &first, &next);
    assert_int_equal(first, RUN_RECORDS_MAX);
    audit_index_close(x);
    assert_int_equal(count_files(), 2);
    damage("0000000000048000-08000", 20);
    x = open_index(RUN_RECORDS_MAX + INDEX_STEP);
    assert_int_equal(count_files(), 1);
    audit_index_close(x);
    path = file_join(folder, "0000000000040000-08000");
    assert_int_equal(truncate(path, 5000), 0);
    free(path);
    x = open_index(0);
    assert_int_equal(count_files(), 0);
    audit_index_close(x);
}

/* Files under another key find nothing: they go. */
static void
needs_its_key(void **state)
{
    struct audit_index *x = open_index(0);

    (void)state;
    note(x, 0, INDEX_STEP);
    audit_index_close(x);
    damage("key", 3);
    x = open_index(0);
    assert_int_equal(count_files(), 0);
    audit_index_close(x);
}

static int
set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < USERS; i++)
        snprintf(names[i], sizeof(names[i]), "u%zu", i);
    for (size_t i = 0; i < RECORDS; i++)
        snprintf(tickets[i], sizeof(tickets[i]), "_%zu", i);
    fill_log();
    return mkdtemp(folder) ? 0 : -1;
}

static int
tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_counts),
        cmocka_unit_test(takes_what_follows),
        cmocka_unit_test(forgets),
        cmocka_unit_test(leaves_out_what_is_damaged),
        cmocka_unit_test(needs_its_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
