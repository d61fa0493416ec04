#include "base/str.h"
#include "keys/trust_key.h"
#include "tests/unit/golden.h"

#define ID     "9feb3f281bcca060"
#define WINDOW " 2026-11-01T00:00:00Z 2026-12-01T00:00:00Z "
#define SPKI                                                                      \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwA7+JC4hnmKs4vss/9qxcnWgb3c6md+FJgeJw4/" \
    "JRFvywSDtUyvfM+sUXCwSyh8pPCx6L+LmJE9pwv97MzLBZA=="

static enum mauth_rc
read(const char *line, struct trust_key *out)
{
    struct reader r;

    reader_init(&r, line, strlen(line));
    return trust_key_read(&r, out, NULL);
}

static void
reads_a_line(void **state)
{
    struct trust_key k;

    (void)state;
    assert_int_equal(
        read(ID " next ecdsa-sha256" WINDOW "urn:a,urn:b " SPKI "\n", &k), MAUTH_OK);
    assert_string_equal(mauth_key_id(k.key), ID);
    assert_int_equal(k.state, TRUST_NEXT);
    assert_int_equal(k.from_s, golden_time("2026-11-01T00:00:00Z"));
    assert_int_equal(k.until_s, golden_time("2026-12-01T00:00:00Z"));
    assert_false(k.all_audiences);
    assert_int_equal(k.audiences, 2);
    assert_true(text_is(k.audience[0], "urn:a"));
    assert_true(text_is(k.audience[1], "urn:b"));
    trust_key_clear(&k);
    assert_int_equal(
        read(ID " revoked ecdsa-sha256" WINDOW "* " SPKI "\n", &k), MAUTH_OK);
    assert_int_equal(k.state, TRUST_REVOKED);
    assert_true(k.all_audiences);
    trust_key_clear(&k);
}

static const struct refusal {
    const char *name, *line;
} refusals[] = {
    {"empty", ""},
    {"cut", ID " next ecdsa-sha256" WINDOW "* " SPKI},
    {"another id", "9feb3f281bcca061 next ecdsa-sha256" WINDOW "* " SPKI "\n"},
    {"id in upper case", "9FEB3F281BCCA060 next ecdsa-sha256" WINDOW "* " SPKI "\n"},
    {"no such state", ID " gone ecdsa-sha256" WINDOW "* " SPKI "\n"},
    {"another algorithm", ID " next rsa-sha256" WINDOW "* " SPKI "\n"},
    {"window the wrong way",
        ID " next ecdsa-sha256 2026-11-01T00:00:00Z 2026-11-01T00:00:00Z * " SPKI "\n"},
    {"no audience", ID " next ecdsa-sha256" WINDOW " " SPKI "\n"},
    {"an empty one", ID " next ecdsa-sha256" WINDOW "urn:a, " SPKI "\n"},
    {"all and one", ID " next ecdsa-sha256" WINDOW "*,urn:a " SPKI "\n"},
    {"no URI", ID " next ecdsa-sha256" WINDOW "storage " SPKI "\n"},
    {"no key", ID " next ecdsa-sha256" WINDOW "* \n"},
    {"key in URL base64", ID " next ecdsa-sha256" WINDOW "* MFk_\n"},
    {"two spaces", ID "  next ecdsa-sha256" WINDOW "* " SPKI "\n"},
};

static void
refuses(void **state)
{
    struct trust_key k;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        enum mauth_rc rc = read(refusals[i].line, &k);

        if (rc != MAUTH_MALFORMED)
            fail_msg("%s: %s", refusals[i].name, mauth_rc_name(rc));
        trust_key_clear(&k);
    }
}

static void
bounds_audiences(void **state)
{
    struct trust_key k = {0};
    struct buf b;

    (void)state;
    buf_init(&b);
    for (int i = 0; i < TRUST_AUDIENCES_MAX; i++)
        buf_printf(&b, "%surn:%d", i ? "," : "", i);
    assert_int_equal(
        trust_key_set_audiences(&k, text_of(buf_cstr(&b)), NULL), MAUTH_OK);
    assert_int_equal(k.audiences, TRUST_AUDIENCES_MAX);
    trust_key_clear(&k);
    buf_str(&b, ",urn:x");
    assert_int_equal(
        trust_key_set_audiences(&k, text_of(buf_cstr(&b)), NULL), MAUTH_TOO_LARGE);
    assert_null(k.audience);
    buf_clear(&b);
}

static void
names_states(void **state)
{
    enum trust_state s;

    (void)state;
    for (int i = TRUST_NEXT; i <= TRUST_REVOKED; i++) {
        const char *name = trust_state_name((enum trust_state)i);

        assert_true(trust_state_parse(text_of(name), &s));
        assert_int_equal(s, i);
    }
    assert_false(trust_state_parse(text_of("Active"), &s));
    assert_false(trust_state_parse(text_of(""), &s));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_line),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_audiences),
        cmocka_unit_test(names_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
