#include "base/str.h"
#include "keys/lines.h"
#include "tests/unit/unit.h"

#define HASH "AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
reads_words(void **state)
{
    static const char text[] =
        "number 18 2026-11-22T10:00:00Z " HASH "\nissuer https://a.example\n";
    uint8_t hash[HASH_LEN];
    struct reader r;

    (void)state;
    reader_init(&r, text, sizeof(text) - 1);
    lines_expect(&r, "number ");
    assert_int_equal(lines_number(&r, ' '), 18);
    assert_int_equal(lines_instant(&r, ' '), 1795341600);
    lines_hash(&r, '\n', hash);
    assert_int_equal(hash[2], 3);
    assert_true(text_is(lines_issuer(&r), "https://a.example"));
    assert_true(reader_done(&r));
}

static void
number(struct reader *r)
{
    assert_int_equal(lines_number(r, '\n'), 0);
}

static void
instant(struct reader *r)
{
    assert_int_equal(lines_instant(r, '\n'), 0);
}

static void
hash(struct reader *r)
{
    uint8_t out[HASH_LEN];

    lines_hash(r, '\n', out);
}

static void
issuer(struct reader *r)
{
    (void)lines_issuer(r);
}

static const struct refusal {
    const char *text;
    void (*take)(struct reader *r);
} refusals[] = {
    {"\n", number},
    {"01\n", number},
    {"1", number},
    {"1 \n", number},
    {"1000000000000000000\n", number},
    {"\n", instant},
    {"2026-11-31T10:00:00Z\n", instant},
    {"2026-11-22T10:00:00\n", instant},
    {"\n", hash},
    {"AQID\n", hash},
    {HASH "AAAA\n", hash},
    {HASH, hash},
    {"issuer http://a.example\n", issuer},
    {"issuer https://a.example", issuer},
    {"issuer https://a b\n", issuer},
    {"issuer\n", issuer},
};

static void
refuses_other_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct reader r;

        reader_init(&r, refusals[i].text, strlen(refusals[i].text));
        refusals[i].take(&r);
        if (reader_ok(&r))
            fail_msg("accepted: %s", refusals[i].text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_words),
        cmocka_unit_test(refuses_other_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
