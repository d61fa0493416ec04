#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rules_differ.h"

#define ISSUER "https://auth.mesh.example"
#define USER   "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER  "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define PC     "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx"
#define PHONE  "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"
#define TRIP   "fld_0ttttttttttttttttttttttttt"
#define INV    "inv_0jjjjjjjjjjjjjjjjjjjjjjjjj"
#define URL    ISSUER "/v1/mesh/folders/" TRIP

/* A small world that is true on both sides. */
static const char facts[] =
    "holder(" PC ") subject(" USER ") caller(" USER ") account(" USER ") session("
    "ses_0sssssssssssssssssssssssss) service(svc_0sssssssssssssssssssssssss) "
    "claimed(" PC ", " USER ") claimed(" PHONE ", " OTHER ") claimed(" PHONE ", " USER
    ") mapped(" PC ", " TRIP ") mapped(" PHONE ", " TRIP ") member(" USER ", " TRIP
    ", reader) member(" OTHER ", " TRIP ", owner) role(" USER
    ", admin) permit(read, " URL ") permit(write, " URL "/a) invitation(" INV ", " TRIP
    ", reader) inviter(" INV ", " USER ") addressed(" INV ", " USER ") shown(" INV
    ") sharing(" TRIP ", reader) local key(9feb3f281bcca060)";

static const char *const values[] = {PC, PHONE, USER, OTHER, TRIP, URL, URL "/a/b",
    ISSUER "/v1/mesh/users/" USER, ISSUER "/v1/mesh/devices/" PC, INV, "reader",
    "owner", "9feb3f281bcca060", URL "//", "x"};

enum {
    VALUES = sizeof(values) / sizeof(*values),
    QUESTIONS = 45 /* of each action; coprime to nothing in particular */
};

static void
ask_all(const struct mauth_rules *rules, enum rule_kind kind, struct test_facts *f)
{
    struct text arg[RULES_ARGS_MAX];
    struct eval_question q = {.kind = kind, .arg = arg, .issuer = text_of(ISSUER)};

    for (size_t a = 0; a < 4 && rules_action(rules, kind, a, &q.action, &q.args); a++) {
        for (size_t n = 0; n < (q.args ? QUESTIONS : 1); n++) {
            for (size_t i = 0; i < q.args; i++)
                arg[i] = text_of(values[(n * (i + 1) + n / VALUES * 7 * i) % VALUES]);
            differ_ask(rules, &q, SIDE_TICKET, f);
            differ_ask(rules, &q, SIDE_GRAPH, f);
        }
    }
}

/* What is shown of a rule is that rule. */
static void
compile_again(const struct mauth_rules *rules)
{
    struct mauth_rules *again;

    for (size_t i = 0; i < mauth_rules_count(rules); i++) {
        const char *text = mauth_rules_text(rules, i);

        MUST(mauth_rules_line(rules, i) > 0);
        if (mauth_rules_compile(text, strlen(text), &again, NULL))
            continue; /* it needs facts of the file */
        MUST(mauth_rules_count(again) == 1);
        MUST(strcmp(mauth_rules_text(again, 0), text) == 0);
        mauth_rules_free(again);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct test_facts f;
    struct mauth_rules *rules = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (mauth_rules_compile((const char *)data, size, &rules, &err)) {
        MUST(!rules && err.text[0]);
        return 0;
    }
    if (f.count == 0)
        f = test_facts_of(facts);
    compile_again(rules);
    ask_all(rules, RULE_ALLOW, &f);
    ask_all(rules, RULE_GRANT, &f);
    mauth_rules_free(rules);
    return 0;
}
