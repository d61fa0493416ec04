#include "base/str.h"
#include "keys/delegation.h"
#include "tests/unit/forge.h"

#define HEAD "meshauth-authority v1\nissuer https://auth.mesh.example\nepoch 7\n"
#define VKEY                                                                  \
    "auth.mesh.example/authority+15d871cc+AV6aMFjqDsSR+/BhtWYF11C5tImMlPNNK/" \
    "EQ8XUE1aZv"
#define WINDOW " 2026-11-01T00:00:00Z 2027-11-01T00:00:00Z\n"

static void
reads_what_the_root_says(void **state)
{
    struct forge f = golden_forge();
    struct delegation d;
    int64_t from_s = golden_time("2026-11-01T00:00:00Z");
    int64_t until_s = golden_time("2027-11-01T00:00:00Z");

    (void)state;
    assert_int_equal(
        delegation_read(text_of(HEAD "authority " VKEY WINDOW), &d, NULL), MAUTH_OK);
    assert_true(text_is(d.issuer, GOLDEN_ISSUER));
    assert_int_equal(d.epoch, 7);
    assert_memory_equal(d.authority.key, f.authority.key, NOTE_KEY_BYTES);
    assert_false(delegation_holds(&d, from_s - 1));
    assert_true(delegation_holds(&d, from_s));
    assert_true(delegation_holds(&d, until_s - 1));
    assert_false(delegation_holds(&d, until_s));
    assert_true(delegation_is_named(&f.root, d.issuer, "/root"));
}

static const struct refusal {
    const char *name, *note;
    enum mauth_rc rc;
} refusals[] = {
    {"empty", "", MAUTH_MALFORMED},
    {"no authority", HEAD, MAUTH_MALFORMED},
    {"cut", HEAD "authority " VKEY " 2026-11-01T00:00:00Z", MAUTH_MALFORMED},
    {"a line more", HEAD "authority " VKEY WINDOW "\n", MAUTH_MALFORMED},
    {"no window", HEAD "authority " VKEY "\n", MAUTH_MALFORMED},
    {"an empty window",
        HEAD "authority " VKEY " 2026-11-01T00:00:00Z 2026-11-01T00:00:00Z\n",
        MAUTH_MALFORMED},
    {"no verifier key", HEAD "authority junk" WINDOW, MAUTH_MALFORMED},
    {"the authority of another",
        "meshauth-authority v1\nissuer https://auth.mesh.exampl\nepoch 7\n"
        "authority " VKEY WINDOW,
        MAUTH_UNTRUSTED},
};

static void
refuses(void **state)
{
    struct delegation d;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        enum mauth_rc rc = delegation_read(text_of(refusals[i].note), &d, NULL);

        if (rc != refusals[i].rc)
            fail_msg("%s: %s", refusals[i].name, mauth_rc_name(rc));
    }
}

static void
compares_names(void **state)
{
    static const struct {
        const char *issuer, *suffix;
        bool is;
    } cases[] = {
        {"https://auth.mesh.example", "/root", true},
        {"https://auth.mesh.example", "/authority", false},
        {"https://auth.mesh.example/", "/root", false},
        {"https://xuth.mesh.example", "/root", false},
        {"http://auth.mesh.example", "/root", false},
        {"https://", "/root", false},
        {"", "/root", false},
    };
    struct forge f = golden_forge();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (delegation_is_named(&f.root, text_of(cases[i].issuer), cases[i].suffix) !=
            cases[i].is)
            fail_msg("%s + %s", cases[i].issuer, cases[i].suffix);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_root_says),
        cmocka_unit_test(refuses),
        cmocka_unit_test(compares_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
