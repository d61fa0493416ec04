#include "authsvc/trust_deltas.h"
#include "keys/trust_delta.h"
#include "tests/unit/unit.h"

enum {
    FILES = TRUST_DELTAS + 10,
    LINES = 200
};

/* Signatures are not looked at here: files that only have the form. */
static struct buf file[FILES];

/* File i has lines i to i + LINES, each so long. */
static void
make_files(int count)
{
    for (int i = 0; i < count; i++) {
        buf_init(&file[i]);
        buf_printf(&file[i], "a\n\nb c\n\nsequence %d\n\nd e\n\n", i);
        for (int k = i; k < i + LINES; k++)
            buf_printf(&file[i], "revoke 7 _%032x\n", k);
        assert_true(buf_ok(&file[i]));
    }
}

static void
clear_files(int count)
{
    for (int i = 0; i < count; i++)
        buf_clear(&file[i]);
}

static struct trust_sheet
sheet(int i)
{
    return (struct trust_sheet){{1, (uint64_t)i}, buf_slice(&file[i])};
}

static struct trust_deltas *
step(const struct trust_deltas *before, int to)
{
    const struct trust_sheet older = sheet(to - 1), newer = sheet(to);

    return trust_deltas_new(before, &older, &newer);
}

/* The delta of these two, or nothing. */
static void
expect(const struct trust_deltas *d, int from, int to, bool there)
{
    struct text found = trust_deltas_find(d, sheet(from).place);
    struct buf out;

    assert_int_equal(found.len > 0, there);
    if (!there)
        return;
    buf_init(&out);
    assert_int_equal(
        trust_delta_apply(buf_slice(&file[from]), found, &out, NULL), MAUTH_OK);
    assert_int_equal(out.len, file[to].len);
    assert_memory_equal(out.data, file[to].data, out.len);
    buf_clear(&out);
}

static void
keeps_the_last_ones(void **state)
{
    struct trust_deltas *d = NULL, *next;

    (void)state;
    make_files(FILES);
    expect(NULL, 0, 1, false);
    for (int to = 1; to < FILES; to++) {
        next = step(d, to);
        for (int from = 0; from < to; from++)
            expect(next, from, to, to - from <= TRUST_DELTAS);
        expect(next, to, to, false);
        trust_deltas_free(d);
        d = next;
    }
    assert_int_equal(trust_deltas_find(d, (struct trust_place){2, FILES - 2}).len, 0);
    trust_deltas_free(d);
    trust_deltas_free(NULL);
    clear_files(FILES);
}

/* Another list altogether: the whole file is shorter than what changed. */
static void
keeps_nothing_longer_than_the_file(void **state)
{
    struct trust_deltas *d, *next;
    struct trust_sheet other = {{1, 2}, {NULL, 0}};
    const struct trust_sheet older = sheet(1);
    struct buf b;

    (void)state;
    make_files(2);
    d = step(NULL, 1);
    expect(d, 0, 1, true);
    buf_init(&b);
    buf_str(&b, "a\n\nb c\n\nsequence 2\n\nd e\n\nrevoke 9 *\n");
    other.text = buf_slice(&b);
    next = trust_deltas_new(
        d, &(struct trust_sheet){older.place, buf_slice(&file[1])}, &other);
    expect(next, 1, 2, false);
    expect(next, 0, 2, false);
    trust_deltas_free(next);
    trust_deltas_free(d);
    buf_clear(&b);
    clear_files(2);
}

/* A file that none of ours could be ends the row, and nothing else. */
static void
does_without(void **state)
{
    const struct trust_sheet nonsense = {{1, 1}, {"nonsense", 8}};
    struct trust_sheet older;
    struct trust_deltas *d;

    (void)state;
    make_files(1);
    older = sheet(0);
    d = trust_deltas_new(NULL, &older, &nonsense);
    assert_int_equal(trust_deltas_find(d, older.place).len, 0);
    trust_deltas_free(d);
    clear_files(1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_last_ones),
        cmocka_unit_test(keeps_nothing_longer_than_the_file),
        cmocka_unit_test(does_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
