/*
 * Random rules over random facts: the evaluator and the naive implementation
 * (tests/fuzz/naive_rules.c) must answer alike. The fuzz target does the same
 * with stranger rules; these are more often about something.
 */
#include "base/url.h"
#include "policy/eval.h"
#include "tests/fuzz/naive_rules.h"
#include "tests/fuzz/rules_differ.h"
#include "tests/unit/unit.h"

#define ISSUER "https://auth.mesh.example"

enum {
    CANDIDATES = 10000,
    WORLDS = 4,    /* sets of facts for each rules file */
    QUESTIONS = 6, /* for each of them, on either side */
    RULES = 5      /* in a file */
};

static uint64_t seed = 20261122;

static unsigned
pick(unsigned n) /* xorshift64* */
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 40) % n;
}

/* A letter for each sort of values; two or three of each are enough. */
static const struct sort {
    char letter;
    const char *constant[3];
    const char *variable[2];
} sorts[] = {
    {'D',
        {"dev_0xxxxxxxxxxxxxxxxxxxxxxxxx", "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy",
            "dev_0zzzzzzzzzzzzzzzzzzzzzzzzz"},
        {"D", "E"}},
    {'U',
        {"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
            "usr_0ccccccccccccccccccccccccc"},
        {"U", "V"}},
    {'F',
        {"fld_0ttttttttttttttttttttttttt", "fld_0wwwwwwwwwwwwwwwwwwwwwwwww",
            "fld_0fffffffffffffffffffffffff"},
        {"F", "G"}},
    {'O', {"reader", "owner", "guest"}, {"Role", "Other"}},
    {'A', {"read", "write", "read"}, {"Action", "Action"}},
    {'P',
        {"\"" ISSUER "/v1/mesh/folders/fld_0ttttttttttttttttttttttttt\"",
            "\"" ISSUER "/v1/mesh/folders/fld_0ttttttttttttttttttttttttt/a\"",
            "\"" ISSUER "/v1/mesh/folders/fld_0wwwwwwwwwwwwwwwwwwwwwwwww\""},
        {"R", "P"}},
};

static const struct shape {
    const char *name;
    const char *sorts;
} shapes[] = {{"holder", "D"}, {"subject", "U"}, {"claimed", "DU"}, {"claimed", "DU"},
    {"mapped", "DF"}, {"mapped", "DF"}, {"member", "UFO"}, {"member", "UFO"},
    {"role", "UO"}, {"permit", "AP"}, {"within", "PP"}, {"folder", "PF"}, {"can", "OA"},
    {"caller", "U"}, {"sharing", "FO"}};

static const struct sort *
sort_of(char letter)
{
    size_t i = 0;

    while (sorts[i].letter != letter)
        i++;
    return &sorts[i];
}

static const char *
random_term(char letter)
{
    const struct sort *s = sort_of(letter);
    unsigned dice = pick(10);

    if (dice == 0)
        return "_";
    return dice == 1 ? s->constant[pick(3)] : s->variable[pick(4) == 0];
}

static void
write_atom(struct buf *out, const char *name, const char *letters)
{
    buf_str(out, name);
    for (const char *p = letters; *p; p++) {
        buf_str(out, p == letters ? "(" : ", ");
        buf_str(out, random_term(*p));
    }
    if (*letters)
        buf_str(out, ")");
}

static void
write_rule(struct buf *out)
{
    static const char *const heads[] = {"", "D", "DD", "P", "PU", "U", "F"};
    const char *head = heads[pick(COUNT(heads))];

    buf_str(out, pick(5) ? "allow " : "grant ");
    write_atom(out, "ask", head);
    for (unsigned i = 0, n = pick(6); i < n; i++) {
        const struct shape *shape = &shapes[pick(COUNT(shapes))];
        char letter = "DUFOP"[pick(5)];

        buf_str(out, i ? ", " : " if ");
        if (pick(8)) {
            write_atom(out, shape->name, shape->sorts);
            continue;
        }
        buf_str(out, random_term(letter));
        buf_str(out, " != ");
        buf_str(out, random_term(letter));
    }
    buf_str(out, ".\n");
}

static const char stated[] = "can(reader, read). can(owner, read). can(owner, write).\n"
                             "allow all_facts(A, B) if can(A, B).\n";

static struct text
line_of(const struct buf *text, unsigned number)
{
    struct text rest = {(const char *)text->data, text->len}, line = {NULL, 0};

    while (number-- > 0)
        assert_true(text_cut(&rest, '\n', &line));
    return line;
}

static void random_facts(struct test_facts *f);
static struct text random_value(char letter);

static bool
ask_rule(struct text rule, struct naive_question *q)
{
    char text[2048];

    snprintf(text, sizeof(text), "%s%.*s", stated, (int)rule.len, rule.p);
    return naive_decide(text_of(text), q);
}

/*
 * "line 5, column 7, at "...": line 3 says this already": wherever the rule on
 * line 5 is true, the one on line 3 is.
 */
static void
check_covered(const struct buf *text, const char *message, size_t *covered)
{
    const char *by = strstr(message, ": line ");
    unsigned narrow, wide;
    struct test_facts f;
    struct naive_atom atom[TEST_FACTS_MAX];

    if (!by || sscanf(by, ": line %u says", &wide) != 1)
        return;
    assert_int_equal(sscanf(message, "line %u,", &narrow), 1);
    ++*covered;
    for (int i = 0; i < 20; i++) {
        struct text rule = line_of(text, narrow);
        struct naive_question q = {.issuer = text_of(ISSUER),
            .asked = {.name = text_of("ask"), .args = pick(3)},
            .facts = atom};

        random_facts(&f);
        q.fact_count = f.count;
        q.is_grant = text_starts(rule, "grant");
        q.of_graph = q.is_grant || pick(2);
        for (size_t k = 0; k < f.count; k++) {
            atom[k].name = text_of(predicate_info(f.fact[k].predicate)->name);
            memcpy(atom[k].arg, f.fact[k].arg, sizeof(atom[k].arg));
        }
        for (size_t k = 0; k < q.asked.args; k++)
            q.asked.arg[k] = random_value("DUFP"[pick(4)]);
        if (ask_rule(rule, &q))
            assert_true(ask_rule(line_of(text, wide), &q));
    }
}

/* A rules file of what the compiler takes from random candidates. */
static struct mauth_rules *
random_rules(struct buf *text, size_t *candidates, size_t *covered)
{
    struct mauth_rules *rules = NULL, *more;
    size_t taken = 0;

    buf_rewind(text);
    buf_str(text, stated);
    while (taken<RULES && * candidates> 0) {
        struct mauth_err err = MAUTH_ERR_INIT;
        size_t before = text->len;

        --*candidates;
        write_rule(text);
        if (mauth_rules_compile((const char *)text->data, text->len, &more, &err)) {
            check_covered(text, err.text, covered);
            text->len = before;
            continue;
        }
        mauth_rules_free(rules);
        rules = more;
        taken++;
    }
    return rules;
}

static struct text
random_value(char letter)
{
    struct text t = text_of(sort_of(letter)->constant[pick(3)]);

    if (letter == 'P') { /* without the quotes */
        t.p++;
        t.len -= 2;
    }
    return t;
}

static void
random_facts(struct test_facts *f)
{
    size_t n = pick(14);

    f->count = 0;
    while (f->count < n) {
        const struct shape *shape = &shapes[pick(COUNT(shapes))];
        enum predicate p = predicate_by_name(text_of(shape->name));
        struct fact *fact = &f->fact[f->count];

        if (p == PREDICATES || predicate_is_computed(p))
            continue;
        fact->predicate = p;
        for (size_t i = 0; shape->sorts[i]; i++)
            fact->arg[i] = random_value(shape->sorts[i]);
        f->count++;
    }
}

static void
ask_something(const struct mauth_rules *rules, struct test_facts *f, size_t *answers)
{
    struct text arg[RULES_ARGS_MAX];
    struct eval_question q = {.kind = pick(3) ? RULE_ALLOW : RULE_GRANT,
        .arg = arg,
        .issuer = text_of(ISSUER)};
    size_t actions = 0;

    while (rules_action(rules, q.kind, actions, &q.action, &q.args))
        actions++;
    if (actions == 0 ||
        !rules_action(rules, q.kind, pick((unsigned)actions), &q.action, &q.args))
        return;
    for (size_t i = 0; i < q.args; i++)
        arg[i] = random_value("DUFP"[pick(4)]);
    answers[differ_ask(rules, &q, SIDE_TICKET, f)]++;
    answers[differ_ask(rules, &q, SIDE_GRAPH, f)]++;
}

static void
agrees_with_the_naive_one(void **state)
{
    size_t candidates = CANDIDATES, answers[3] = {0, 0, 0}, files = 0, covered = 0;
    static struct test_facts f;
    struct mauth_rules *rules;
    struct buf text;

    (void)state;
    buf_init(&text);
    while (candidates > 0) {
        rules = random_rules(&text, &candidates, &covered);
        if (!rules)
            continue;
        files++;
        for (int world = 0; world < WORLDS; world++) {
            random_facts(&f);
            for (int i = 0; i < QUESTIONS; i++)
                ask_something(rules, &f, answers);
        }
        mauth_rules_free(rules);
    }
    buf_clear(&text);
    print_message("%zu files, %zu covered rules: %zu yes, %zu no, %zu undecided\n",
        files, covered, answers[DIFFER_YES], answers[DIFFER_NO], answers[DIFFER_BOUND]);
    assert_true(files > 40 && covered > 100);
    assert_true(answers[DIFFER_YES] > 500 && answers[DIFFER_NO] > 500);
}

/* The two ideas of a strict URL, on every byte in every place of some. */
static void
agrees_on_urls(void **state)
{
    static const char *const urls[] = {"https://a.b:8443/v1/x%20y/..a/.",
        "https://[::1]:1/%C3%A9%F0%9F%8F%94/", "https://a-1/%7B$'()*+,=:@~_!&"};
    static const char *const inserts[] = {"", "/", ".", "..", "%", "%2E", "%C3%A9",
        "%41", "%7F", "%5B", "%ED%A0%80", ":443", ";", "//", "\\", "%e2", "@", "#",
        "?"};
    char made[128];
    struct text t = {made, 0};
    size_t strict = 0;

    (void)state;
    for (size_t u = 0; u < COUNT(urls); u++) {
        size_t len = strlen(urls[u]);

        for (size_t at = 0; at <= len; at++) {
            for (size_t k = 0; k < 256 + COUNT(inserts); k++) {
                size_t cut = at + pick(3) > len ? at : at + pick(3);
                const char one[] = {(char)k, '\0'};
                const char *insert = k < 256 ? one : inserts[k - 256];
                size_t n = k < 256 ? 1 : strlen(insert);

                if (cut > len)
                    cut = len;
                memcpy(made, urls[u], at);
                memcpy(made + at, insert, n);
                memcpy(made + at + n, urls[u] + cut, len - cut);
                t.len = at + n + len - cut;
                if (url_is_strict(t) != naive_is_strict_url(t))
                    fail_msg("%.*s", (int)t.len, t.p);
                strict += url_is_strict(t);
            }
        }
    }
    print_message("%zu were strict\n", strict);
    assert_true(strict > 1000);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_naive_one),
        cmocka_unit_test(agrees_on_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
