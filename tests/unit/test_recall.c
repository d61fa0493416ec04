#include <stdlib.h>

#include "base/str.h"
#include "tests/unit/golden.h"
#include "verifier/recall.h"

#define URL   "https://auth.mesh.example/v1/mesh/folders/f"
#define FACTS "permit(read, \"" URL "\")"

enum {
    NOW = 7 /* the generation that is loaded */
};

static const char file[] = "allow write(R) if permit(write, P), within(R, P).\n"
                           "allow read(R) if permit(read, P), within(R, P).\n";

static struct mauth_request
request(const char *action, const char *const *args, size_t count)
{
    return (struct mauth_request){.size = sizeof(struct mauth_request),
        .action = action,
        .args = args,
        .arg_count = count};
}

/* Kept: read(URL), by the second rule. */
static void
keep(struct recall *r)
{
    const char *const args[] = {URL};
    struct mauth_request q = request("read", args, 1);
    struct mauth_decision d = {.size = sizeof(d),
        .subject = "usr_a",
        .holder = "dev_x",
        .session = "ses_s",
        .ticket = "_03",
        .key = "9feb",
        .digest = {1, 2, 3},
        .not_on_or_after_s = 4711,
        .facts = FACTS};
    char room[RECALL_TEXT];

    recall_keep(r, NOW, recall_question(&q, room), 1, &d);
}

static void
test_the_same_question(void **state)
{
    const char *const args[] = {URL};
    struct mauth_request q = request("read", args, 1);
    struct mauth_decision d = {.size = sizeof(d)};
    struct recall r = {0};
    struct mauth_rules *rules = NULL;
    char room[RECALL_TEXT];

    (void)state;
    assert_int_equal(
        mauth_rules_compile(file, sizeof(file) - 1, &rules, NULL), MAUTH_OK);
    keep(&r);
    assert_true(recall_answer(&r, NOW, recall_question(&q, room), rules, &d));
    assert_string_equal(d.subject, "usr_a");
    assert_string_equal(d.holder, "dev_x");
    assert_string_equal(d.session, "ses_s");
    assert_string_equal(d.ticket, "_03");
    assert_string_equal(d.key, "9feb");
    assert_int_equal(d.digest[2], 3);
    assert_int_equal(d.not_on_or_after_s, 4711);
    assert_string_equal(d.rule, "allow read(R) if permit(read, P), within(R, P).");
    assert_string_equal(d.facts, FACTS);
    assert_int_equal(d.verdict, MAUTH_DENY); /* that is for others to say */
    mauth_rules_free(rules);
}

static void
test_another_question(void **state)
{
    static char longest[RECALL_TEXT + 1];
    static const struct {
        const char *name;
        const char *action;
        const char *arg[2];
        size_t args;
        uint64_t generation;
    } cases[] = {
        {"another action", "write", {URL}, 1, NOW},
        {"an argument more", "read", {URL, ""}, 2, NOW},
        {"an argument less", "read", {NULL}, 0, NOW},
        {"a longer argument", "read", {URL "/a"}, 1, NOW},
        {"a shorter argument", "read", {"https://auth.mesh.example"}, 1, NOW},
        {"the same bytes, cut elsewhere", "rea", {"d" URL}, 1, NOW},
        {"too long", "read", {longest}, 1, NOW},
        {"other rules", "read", {URL}, 1, NOW + 1},
        {"older rules", "read", {URL}, 1, NOW - 1},
    };
    struct recall r = {0};

    (void)state;
    memset(longest, 'a', RECALL_TEXT);
    keep(&r);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct mauth_request q = request(cases[i].action, cases[i].arg, cases[i].args);
        struct mauth_decision d = {.size = sizeof(d)};
        char room[RECALL_TEXT];

        if (recall_answer(&r, cases[i].generation, recall_question(&q, room), NULL, &d))
            fail_msg("%s: answered", cases[i].name);
        assert_string_equal(d.subject, "");
        assert_string_equal(d.facts, "");
    }
}

/* What does not fit is not kept, nor what was there before. */
static void
test_too_long_to_keep(void **state)
{
    const char *const args[] = {URL};
    struct mauth_request q = request("read", args, 1);
    struct mauth_decision d = {.size = sizeof(d)};
    struct recall r = {0};
    char room[RECALL_TEXT];
    struct text question = recall_question(&q, room);

    (void)state;
    for (size_t free = 0; free < 2; free++) { /* by one byte, and just not */
        keep(&r);
        memset(d.facts, 'f', sizeof(d.facts));
        d.facts[RECALL_TEXT - question.len - free] = '\0';
        recall_keep(&r, NOW, question, 1, &d);
        assert_int_equal(r.generation, free ? NOW : 0);
    }
    recall_keep(&r, NOW, text_of(NULL), 1, &d); /* the question did not fit */
    assert_int_equal(r.generation, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_question),
        cmocka_unit_test(test_another_question),
        cmocka_unit_test(test_too_long_to_keep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
