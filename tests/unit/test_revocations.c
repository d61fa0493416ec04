#include "base/str.h"
#include "keys/revocations.h"
#include "tests/unit/unit.h"

#define DEV "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define FLD "fld_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define SES "ses_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define USR "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const good[] = {"revoke 0 *", "revoke 999999999999999999 *",
    "revoke 1 " DEV, "revoke 1 " DEV " " FLD, "revoke 1 " DEV " " FLD " " USR,
    "revoke 1 _00112233445566778899aabbccddeeff " DEV};

static const char *const bad[] = {"", "revoke", "revoke ", "revoke 1", "revoke 1 ",
    "revoke * *", "revoke 01 *", "revoke 1000000000000000000 *", "revoke -1 *",
    "Revoke 1 *", " revoke 1 *", "revoke 1  *", "revoke 1 * ", "revoke 1 **",
    "revoke 1 * " DEV, "revoke 1 " DEV " *", "revoke 1 " DEV " ",
    "revoke 1 " DEV "  " FLD, "revoke 1 " FLD " " DEV, "revoke 1 " DEV " " DEV,
    "revoke 1 " DEV " " FLD " " SES " " USR, "revoke 1 DEV", "revoke 1 " DEV "a",
    "revoke 1 xyz_0aaaaaaaaaaaaaaaaaaaaaaaaa",
    "revoke 1 _00112233445566778899AABBCCDDEEFF",
    "revoke 1 _00112233445566778899aabbccddeef", "revoke 1 " DEV "\n"};

static void
knows_its_lines(void **state)
{
    struct revocation r;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!revocation_parse(text_of(good[i]), &r))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (revocation_parse(text_of(bad[i]), &r))
            fail_msg("accepted: %s", bad[i]);
    assert_true(revocation_parse(text_of(good[4]), &r));
    assert_int_equal(r.n, 1);
    assert_int_equal(r.count, 3);
    assert_true(text_is(r.id[2], USR));
}

static enum mauth_rc
read(const char *lines, uint64_t count, struct revocations *out)
{
    struct reader r;

    reader_init(&r, lines, strlen(lines));
    return revocations_read(&r, count, 42, out, NULL);
}

static void
counts_and_wants_order(void **state)
{
    static const struct {
        const char *name, *lines;
        uint64_t count;
        enum mauth_rc rc;
    } cases[] = {
        {"none", "", 0, MAUTH_OK},
        {"two", "revoke 1 *\nrevoke 2 *\n", 2, MAUTH_OK},
        {"one too few", "revoke 1 *\nrevoke 2 *\n", 1, MAUTH_MALFORMED},
        {"one too many", "revoke 1 *\nrevoke 2 *\n", 3, MAUTH_MALFORMED},
        {"far too many", "revoke 1 *\n", UINT64_MAX, MAUTH_MALFORMED},
        {"no newline", "revoke 1 *", 1, MAUTH_MALFORMED},
        {"an empty line", "\nrevoke 1 *\n", 2, MAUTH_MALFORMED},
        {"the wrong way", "revoke 2 *\nrevoke 1 *\n", 2, MAUTH_MALFORMED},
        {"bytewise, not by number", "revoke 9 *\nrevoke 10 *\n", 2, MAUTH_MALFORMED},
        {"twice", "revoke 1 *\nrevoke 1 *\n", 2, MAUTH_MALFORMED},
    };
    struct revocations list;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum mauth_rc rc = read(cases[i].lines, cases[i].count, &list);

        if (rc != cases[i].rc)
            fail_msg("%s: %s", cases[i].name, mauth_rc_name(rc));
        revocations_clear(&list);
    }
}

static void
hits_exactly(void **state)
{
    struct text all[3] = {{DEV, 30}, {FLD, 30}, {USR, 30}};
    struct text some[2] = {{DEV, 30}, {USR, 30}};
    struct revocations list;

    (void)state;
    assert_int_equal(read("revoke 10 " FLD "\nrevoke 20 " DEV " " FLD "\nrevoke 30 " DEV
                          " " FLD " " USR "\n",
                         3, &list),
        MAUTH_OK);
    assert_int_equal(list.highest, 30);
    assert_true(revocations_hit(&list, 29, all, 3));
    assert_false(revocations_hit(&list, 30, all, 3)); /* asof of N itself lives */
    assert_true(revocations_hit(&list, 19, all, 2));
    assert_false(revocations_hit(&list, 20, all, 2));
    assert_false(revocations_hit(&list, 0, some, 2)); /* the folder is not mentioned */
    assert_true(revocations_hit(&list, 9, all + 1, 1));
    assert_false(revocations_hit(&list, 10, all + 1, 1));
    assert_false(revocations_hit(&list, 0, NULL, 0));
    revocations_clear(&list);

    assert_int_equal(read("revoke 5 *\nrevoke 7 *\n", 2, &list), MAUTH_OK);
    assert_true(revocations_hit(&list, 6, NULL, 0));
    assert_false(revocations_hit(&list, 7, all, 3));
    revocations_clear(&list);
}

static void
finds_one_of_many(void **state)
{
    enum {
        N = 500
    };
    struct revocations list;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (int i = 0; i < N; i++)
        buf_printf(&b, "revoke %d _%032x " DEV "\n", 1000 + i, i * 7919);
    assert_int_equal(read(buf_cstr(&b), N, &list), MAUTH_OK);
    for (int i = 0; i < N; i++) {
        char id[34];
        struct text ids[2] = {{id, 33}, {DEV, 30}};

        snprintf(id, sizeof(id), "_%032x", i * 7919);
        assert_true(revocations_hit(&list, (uint64_t)(999 + i), ids, 2));
        assert_false(revocations_hit(&list, (uint64_t)(1000 + i), ids, 2));
        assert_false(revocations_hit(&list, 0, ids, 1));
        snprintf(id, sizeof(id), "_%032x", i * 7919 + 1);
        assert_false(revocations_hit(&list, 0, ids, 2));
    }
    revocations_clear(&list);
    buf_clear(&b);
}

/* Any list, against looking through all of it: ids from a small set, so that entries
 * share them. */
struct few {
    char id[12][31];
    struct revocation entry[200];
    size_t count;
};

static bool
hits_plainly(const struct few *f, uint64_t asof, const struct text *ids, size_t count)
{
    for (size_t e = 0; e < f->count; e++) {
        size_t found = 0;

        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < f->entry[e].count; k++)
                found += text_equal(ids[i], f->entry[e].id[k]);
        if (found == f->entry[e].count && asof < f->entry[e].n)
            return true;
    }
    return false;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Each entry once, in the order of a file. */
static char *
make_few(struct few *f, unsigned *seed)
{
    static char line[200][128], all[200 * 128];
    size_t count = 0;

    for (size_t i = 0; i < 12; i++)
        snprintf(f->id[i], sizeof(f->id[i]), "usr_%026zu", i);
    for (size_t i = 0; i < 200; i++) {
        int a = rand_r(seed) % 10, b = a + 1 + rand_r(seed) % (11 - a);
        int n = snprintf(
            line[i], sizeof(line[i]), "revoke %d %s", 10 + rand_r(seed) % 80, f->id[a]);

        if (rand_r(seed) % 3)
            snprintf(line[i] + n, sizeof(line[i]) - (size_t)n, " %s", f->id[b]);
    }
    qsort(line, 200, sizeof(line[0]), by_bytes);
    all[0] = '\0';
    for (size_t i = 0; i < 200; i++) {
        if (i && strcmp(line[i - 1], line[i]) == 0)
            continue;
        assert_true(revocation_parse(text_of(line[i]), &f->entry[count++]));
        strcat(strcat(all, line[i]), "\n");
    }
    f->count = count;
    return all;
}

static void
hits_as_looking_through_all_would(void **state)
{
    struct revocations list;
    unsigned seed = 7, hits = 0;
    const char *lines;
    struct few f;

    (void)state;
    lines = make_few(&f, &seed);
    assert_int_equal(read(lines, f.count, &list), MAUTH_OK);
    for (int round = 0; round < 20000; round++) {
        uint64_t asof = (uint64_t)(rand_r(&seed) % 100);
        struct text ids[12];
        size_t count = 0;
        bool hit;

        for (size_t i = 0; i < 12; i++)
            if (rand_r(&seed) % 5 == 0)
                ids[count++] = text_of(f.id[i]);
        hit = revocations_hit(&list, asof, ids, count);
        assert_int_equal(hit, hits_plainly(&f, asof, ids, count));
        hits += hit;
    }
    assert_in_range(hits, 2000, 18000);
    revocations_clear(&list);
}

/* A ticket may mention more ids than are looked for at once. */
static void
looks_for_all_of_many(void **state)
{
    struct revocations list;
    char id[40][31];
    struct text ids[40];

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        snprintf(id[i], sizeof(id[i]), "usr_%026zu", i);
        ids[i] = text_of(id[i]);
    }
    for (size_t i = 0; i < 40; i++) {
        char line[64];

        snprintf(line, sizeof(line), "revoke 10 %.30s\n", id[i]);
        assert_int_equal(read(line, 1, &list), MAUTH_OK);
        assert_true(revocations_hit(&list, 9, ids, 40));
        assert_int_equal(revocations_hit(&list, 9, ids, i), false);
        assert_int_equal(revocations_hit(&list, 9, ids + i + 1, 39 - i), false);
        revocations_clear(&list);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_lines),
        cmocka_unit_test(counts_and_wants_order),
        cmocka_unit_test(hits_exactly),
        cmocka_unit_test(finds_one_of_many),
        cmocka_unit_test(hits_as_looking_through_all_would),
        cmocka_unit_test(looks_for_all_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
