#include "base/fail.h"
#include "policy/cases.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#define MESH_FILE(name) "../../policy/" name

static struct mauth_rules *
compiled(const char *text)
{
    struct mauth_rules *rules;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (mauth_rules_compile(text, strlen(text), &rules, &err))
        fail_msg("%s", err.text);
    return rules;
}

static void
print_failure(void *arg, const struct cases_answer *a)
{
    (void)arg;
    if (!a->as_expected)
        print_error("line %u: %.*s: %.*s: %s\n", a->line, (int)a->title.len, a->title.p,
            (int)a->question.len, a->question.p, a->eval->rule ? "is allowed" : a->why);
}

/* The tables of the mesh come out as written, and leave no rule unshown. */
static void
the_mesh_rules_answer_as_they_must(void **state)
{
    char *text = test_data(MESH_FILE("mesh.rules"), NULL);
    char *table = test_data(MESH_FILE("mesh.cases"), NULL);
    struct mauth_rules *rules = compiled(text);
    struct cases_listener listener = {print_failure, NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct cases_totals totals;

    (void)state;
    if (cases_run(rules, text_of(table), &listener, &totals, &err))
        fail_msg("%s", err.text);
    assert_int_equal(totals.failed, 0);
    assert_true(totals.cases >= 80 && totals.questions >= 300);
    for (size_t i = 0; i < mauth_rules_count(rules); i++)
        if (!totals.shown[i])
            fail_msg("no case shows: %s", mauth_rules_text(rules, i));
    mauth_rules_free(rules);
    free(table);
    free(text);
}

/*
 * Mutants of the mesh rules: one rule left out, one fact left out, one condition
 * left out. Each must be noticed by the table, or be no rules file at all. So the
 * table holds a reason for every word of the rules.
 */

enum {
    MUTANT_MAX = 1 << 16
};

/* Conditions and arguments of the one line in which a rule is shown. */
static size_t
count_conditions(const char *rule)
{
    const char *body = strstr(rule, " if ");
    size_t n = body ? 1 : 0;
    int depth = 0;

    for (const char *p = body; p && *p; p++) {
        depth += (*p == '(') - (*p == ')');
        n += *p == ',' && depth == 0;
    }
    return n;
}

/* Appends the rule without its condition number drop. */
static void
write_without(struct buf *out, const char *rule, size_t drop)
{
    const char *body = strstr(rule, " if "), *p = body + 4, *begin = p;
    const char *joint = " if ";
    size_t n = 0;
    int depth = 0;

    buf_put(out, rule, (size_t)(body - rule));
    for (;; p++) {
        bool end = p[0] == '.' && p[1] == '\0';

        depth += (*p == '(') - (*p == ')');
        if (!end && (*p != ',' || depth != 0))
            continue;
        if (n++ != drop) {
            buf_str(out, joint);
            buf_put(out, begin, (size_t)(p - begin));
            joint = ", ";
        }
        if (end)
            break;
        begin = p + 2;
    }
    buf_str(out, ".");
}

static bool
is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* A variable that comes only once is written as _. */
static void
forget_single_variables(char *rule)
{
    for (char *p = rule; *p; p++) {
        size_t len = 0, times = 0;

        if (*p < 'A' || *p > 'Z' || (p > rule && is_word_byte(p[-1])))
            continue;
        while (is_word_byte(p[len]))
            len++;
        for (const char *q = rule; *q; q++)
            times += strncmp(q, p, len) == 0 && !is_word_byte(q[len]) &&
                     (q == rule || !is_word_byte(q[-1]));
        if (times == 1) {
            *p = '_';
            memmove(p + 1, p + len, strlen(p + len) + 1);
        }
    }
}

static void
write_fact(struct buf *out, const struct literal *fact)
{
    buf_text(out, fact->name);
    for (unsigned i = 0; i < fact->arity; i++) {
        buf_str(out, i ? ", " : "(");
        rules_write_value(out, fact->arg[i].text);
    }
    buf_str(out, ").\n");
}

struct mutation {
    size_t rule, fact; /* to leave out; SIZE_MAX: none */
    size_t condition;  /* of that rule; SIZE_MAX: all of the rule */
};

static void
write_mutant(struct buf *out, const struct mauth_rules *rules, struct mutation m)
{
    char line[1024];
    struct buf b;

    buf_rewind(out);
    for (size_t i = 0; i < rules->fact_count; i++)
        if (i != m.fact)
            write_fact(out, &rules->fact[i]);
    buf_str(out, "allow all_facts(A, B) if can(A, B).\n"
                 "allow all_facts(A, B) if may_give(A, B).\n");
    for (size_t i = 0; i < rules->rule_count; i++) {
        const char *rule = mauth_rules_text(rules, i);

        if (i == m.rule && m.condition == SIZE_MAX)
            continue;
        if (i == m.rule) {
            buf_init_fixed(&b, line, sizeof(line));
            write_without(&b, rule, m.condition);
            assert_non_null(buf_cstr(&b));
            forget_single_variables(line);
            rule = line;
        }
        buf_printf(out, "%s\n", rule);
    }
    assert_non_null(buf_cstr(out));
}

struct hunt {
    const struct mauth_rules *rules;
    struct text table;
    struct buf mutant;
    size_t killed_by_cases, killed_by_compiler, survived;
};

static void
try_mutant(struct hunt *h, struct mutation m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct cases_totals totals;
    struct mauth_rules *rules;
    enum mauth_rc rc;

    write_mutant(&h->mutant, h->rules, m);
    if (mauth_rules_compile(
            (const char *)h->mutant.data, h->mutant.len, &rules, &err)) {
        h->killed_by_compiler++;
        return;
    }
    rc = cases_run(rules, h->table, NULL, &totals, &err);
    if (rc || totals.failed) {
        h->killed_by_cases++;
    } else {
        h->survived++;
        if (m.rule != SIZE_MAX || m.fact != SIZE_MAX)
            print_error("survives: rule %zu (%s), condition %zu, fact %zu\n", m.rule,
                m.rule == SIZE_MAX ? "" : mauth_rules_text(h->rules, m.rule),
                m.condition, m.fact);
    }
    mauth_rules_free(rules);
}

static void
the_mesh_cases_notice_any_change(void **state)
{
    char *text = test_data(MESH_FILE("mesh.rules"), NULL);
    char *table = test_data(MESH_FILE("mesh.cases"), NULL);
    struct mauth_rules *rules = compiled(text);
    struct hunt h = {.rules = rules, .table = text_of(table)};

    (void)state;
    buf_init(&h.mutant);
    try_mutant(&h, (struct mutation){SIZE_MAX, SIZE_MAX, SIZE_MAX});
    assert_int_equal(h.survived, 1); /* nothing was left out */
    h.survived = 0;
    for (size_t i = 0; i < rules->fact_count; i++)
        try_mutant(&h, (struct mutation){SIZE_MAX, i, SIZE_MAX});
    for (size_t i = 0; i < rules->rule_count; i++) {
        size_t conditions = count_conditions(mauth_rules_text(rules, i));

        assert_int_equal(conditions, rules->rule[i].count);
        try_mutant(&h, (struct mutation){i, SIZE_MAX, SIZE_MAX});
        for (size_t c = 0; c < conditions; c++)
            try_mutant(&h, (struct mutation){i, SIZE_MAX, c});
    }
    print_message("%zu mutants noticed by cases, %zu by the compiler\n",
        h.killed_by_cases, h.killed_by_compiler);
    assert_int_equal(h.survived, 0);
    assert_true(h.killed_by_cases > 150);
    buf_clear(&h.mutant);
    mauth_rules_free(rules);
    free(table);
    free(text);
}

/* An indented block of the manual, from this line on. */
static char *
block_of(const char *manual, const char *first)
{
    const char *at = strstr(manual, first);
    char *block = calloc(1, strlen(manual) + 1), *out = block;

    assert_non_null(at);
    assert_non_null(block);
    for (at -= 4; *at == '\n' || strncmp(at, "    ", 4) == 0;) {
        size_t len = strcspn(at, "\n") + 1;

        memcpy(out, at, len);
        out += len;
        at += len;
    }
    return block;
}

static void
the_manual_tells_the_truth(void **state)
{
    char *manual = test_data("../../docs/rules.md", NULL);
    char *text = block_of(manual, "can(reader, read).");
    char *table = block_of(manual, "let issuer = ");
    struct mauth_rules *rules = compiled(text);
    struct cases_listener listener = {print_failure, NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct cases_totals totals;

    (void)state;
    *strstr(table, "statement = ") = '\0'; /* the grammar follows */
    if (cases_run(rules, text_of(table), &listener, &totals, &err))
        fail_msg("%s", err.text);
    assert_int_equal(totals.failed, 0);
    assert_int_equal(totals.questions, 4);
    mauth_rules_free(rules);
    free(table);
    free(text);
    free(manual);
}

#define RULES                                                          \
    "can(owner, write).\n"                                             \
    "allow ask(U) if subject(U).\n"                                    \
    "allow both(U) if subject(U), role(U, Role), can(Role, write).\n"  \
    "grant write(U) if subject(U), role(U, Role), can(Role, write).\n" \
    "allow here(U) if caller(U).\n"
#define ALICE "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB   "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct refusal {
    const char *name;
    const char *text;
    const char *message;
} refusals[] = {
    {"no statement", "what.",
        "line 1, column 1, at \"what.\": expected let, case, ticket, graph, allow, "
        "deny, grant or refuse"},
    {"no word", "\"case\".",
        "line 1, column 1, at \"\"case\".\": expected let, case, ticket, graph, allow, "
        "deny, grant or refuse"},
    {"let without a name", "let \"a\" = b.",
        "line 1, column 5, at \"\"a\" = b.\": expected a name, as in let alice = "
        "\"usr_...\""},
    {"let without =", "let a b.", "line 1, column 7, at \"b.\": expected ="},
    {"let without a value", "let a = .",
        "line 1, column 9, at \".\": expected a name or a \"string\""},
    {"let without an end", "let a = b",
        "line 1, column 10, at the end: expected a name or a \"string\""},
    {"let twice", "let a = b.\nlet a = c.",
        "line 2, column 5, at \"a = c.\": this name has a value already"},
    {"case without a title", "case.",
        "line 1, column 5, at \".\": expected a title, as in case \"an owner writes\""},
    {"case without an end", "case \"a\" ticket.",
        "line 1, column 10, at \"ticket.\": expected \".\""},
    {"facts without a case", "ticket holder(a).",
        "line 1, column 8, at \"holder(a).\": facts belong to a case; begin with case "
        "\"title\"."},
    {"ticket and graph", "case \"a\". ticket. graph.",
        "line 1, column 24, at \".\": a case is about a ticket or about the graph, not "
        "both"},
    {"question before facts", "case \"a\". ticket. case \"b\". allow ask(a).",
        "line 1, column 35, at \"ask(a).\": say first what is known: ticket ... or "
        "graph ..."},
    {"unknown fact", "case \"a\". ticket holdre(a).",
        "line 1, column 18, at \"holdre(a).\": no ticket says holdre"},
    {"a fact of the graph in a ticket", "case \"a\". ticket caller(" ALICE ").",
        "line 1, column 18, at \"caller(usr_0aaaaaaaaaaaaaaaaaaaa...\": no ticket "
        "says caller"},
    {"a fact of tickets in the graph", "case \"a\". graph permit(a, b).",
        "line 1, column 17, at \"permit(a, b).\": no graph says permit"},
    {"a computed fact", "case \"a\". ticket within(a, b).",
        "line 1, column 18, at \"within(a, b).\": no ticket says within"},
    {"a stated fact", "case \"a\". ticket can(owner, write).",
        "line 1, column 18, at \"can(owner, write).\": no ticket says can"},
    {"arity of a fact", "case \"a\". ticket holder(a, b).",
        "line 1, column 18, at \"holder(a, b).\": holder has 1 arguments, not 2"},
    {"a value of another kind", "case \"a\". ticket holder(alice).",
        "line 1, column 25, at \"alice).\": this is a name, expected a device"},
    {"a let of another kind", "let x = " ALICE ". case \"a\". ticket holder(x).",
        "line 1, column 65, at \"x).\": this is a user, expected a device"},
    {"a variable", "case \"a\". ticket holder(X).",
        "line 1, column 25, at \"X).\": expected a name or a \"string\""},
    {"five arguments", "case \"a\". ticket holder(a, b, c, d, e).",
        "line 1, column 37, at \"e).\": at most 4 arguments"},
    {"comma at the end", "case \"a\". ticket subject(" ALICE "), .",
        "line 1, column 59, at \".\": expected a name, as in holder(pc)"},
    {"facts without an end", "case \"a\". ticket subject(" ALICE ") allow ask(a).",
        "line 1, column 58, at \"allow ask(a).\": expected \",\" or \".\""},
    {"brackets not closed", "case \"a\". ticket subject(" ALICE ".",
        "line 1, column 56, at \".\": expected \",\" or \")\""},
    {"a question without an end", "case \"a\". ticket. allow ask(a) deny ask(b).",
        "line 1, column 32, at \"deny ask(b).\": expected \".\""},
    {"a question that no rule speaks of", "case \"a\". ticket. deny asc(a).",
        "line 1, column 24, at \"asc(a).\": no allow rule speaks of asc with 1 "
        "arguments"},
    {"a question with other arguments", "case \"a\". ticket. deny ask(a, b).",
        "line 1, column 24, at \"ask(a, b).\": no allow rule speaks of ask with 2 "
        "arguments"},
    {"a grant that no rule speaks of", "case \"a\". graph. refuse ask(a).",
        "line 1, column 25, at \"ask(a).\": no grant rule speaks of ask with 1 "
        "arguments"},
    {"a grant by a ticket", "case \"a\". ticket. refuse write(a).",
        "line 1, column 26, at \"write(a).\": what may be granted is asked of the "
        "graph"},
    {"a word of the lexer", "case \"a\". ticket holder(7).",
        "line 1, column 25, at \"7).\": a value that begins with a digit stands in "
        "quotes"},
};

static void
refuses_and_says_where_and_why(void **state)
{
    struct mauth_rules *rules = compiled(RULES);

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct mauth_err err = MAUTH_ERR_INIT;
        struct cases_totals totals;
        enum mauth_rc rc = cases_run(rules, text_of(r->text), NULL, &totals, &err);
        bool count = strstr(r->message, ": at most ");

        if (rc != (count ? MAUTH_TOO_LARGE : MAUTH_MALFORMED) || totals.cases)
            fail_msg("%s: %s", r->name, mauth_rc_name(rc));
        if (strcmp(err.text, r->message) != 0)
            fail_msg("%s:\n  %s\nnot\n  %s", r->name, err.text, r->message);
    }
    mauth_rules_free(rules);
}

/* A table in which every other question expects the wrong answer. */
static const char table[] = "let bob = " BOB ".\n"
                            "let alice = \"usr_\" \"0aaaaaaaaaaaaaaaaaaaaaaaaa\".\n"
                            "case \"first\".\n"
                            "ticket subject(alice),\n"
                            "    role(alice, owner).\n"
                            "allow ask(alice).  allow ask(bob).\n"
                            "deny ask(bob).     deny ask(alice).\n"
                            "allow both(alice). deny both(" ALICE ").\n"
                            "case \"second\".\n"
                            "graph.\n"
                            "graph subject(alice), caller(bob).\n"
                            "deny both(alice).  allow both(alice).\n"
                            "graph role(alice, owner).\n"
                            "allow both(alice). deny both(alice).\n"
                            "grant write(alice). refuse write(alice).\n"
                            "refuse write(bob).\n"
                            "grant write(bob). # the last\n";

struct heard {
    size_t answers, wrong;
    unsigned last_line;
    char why[128];
    char question[64];
};

static void
hear(void *arg, const struct cases_answer *a)
{
    struct heard *h = arg;

    assert_int_equal(a->as_expected, h->answers % 2 == 0);
    assert_true(text_is(a->title, h->answers < 6 ? "first" : "second"));
    assert_true(a->line >= h->last_line);
    h->answers++;
    h->wrong += !a->as_expected;
    h->last_line = a->line;
    snprintf(h->why, sizeof(h->why), "%s", a->why);
    snprintf(
        h->question, sizeof(h->question), "%.*s", (int)a->question.len, a->question.p);
}

static void
tells_each_answer(void **state)
{
    struct mauth_rules *rules = compiled(RULES);
    struct heard h = {.answers = 0};
    struct cases_listener listener = {hear, &h};
    struct cases_totals totals;

    (void)state;
    assert_int_equal(
        cases_run(rules, text_of(table), &listener, &totals, NULL), MAUTH_OK);
    assert_int_equal(totals.cases, 2);
    assert_int_equal(totals.questions, 14);
    assert_int_equal(totals.failed, 7);
    assert_int_equal(h.answers, 14);
    assert_int_equal(h.wrong, 7);
    assert_int_equal(h.last_line, 17);
    assert_string_equal(h.question, "write(bob)");
    assert_string_equal(h.why, "the graph does not show subject(" BOB ")");
    assert_true(totals.shown[0] && totals.shown[1] && totals.shown[2]);
    assert_false(totals.shown[3]);
    mauth_rules_free(rules);
}

static void
takes_an_empty_table(void **state)
{
    struct mauth_rules *rules = compiled(RULES);
    struct text nothing = {NULL, 0};
    struct cases_totals totals;

    (void)state;
    assert_int_equal(cases_run(rules, nothing, NULL, &totals, NULL), MAUTH_OK);
    assert_int_equal(totals.cases + totals.questions + totals.failed, 0);
    mauth_rules_free(rules);
}

static void
survives_the_failure_of_any_allocation(void **state)
{
    struct mauth_rules *rules = compiled(RULES);
    struct cases_totals totals;
    enum mauth_rc rc = MAUTH_NO_MEMORY;
    size_t n;

    (void)state;
    for (n = 0; rc; n++) {
        alloc_left = n;
        rc = cases_run(rules, text_of(table), NULL, &totals, NULL);
        if (rc)
            assert_int_equal(rc, MAUTH_NO_MEMORY);
    }
    alloc_left = SIZE_MAX;
    assert_int_equal(n, 4); /* the reader, two lets, and the run that succeeds */
    mauth_rules_free(rules);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mesh_rules_answer_as_they_must),
        cmocka_unit_test(the_mesh_cases_notice_any_change),
        cmocka_unit_test(the_manual_tells_the_truth),
        cmocka_unit_test(refuses_and_says_where_and_why),
        cmocka_unit_test(tells_each_answer),
        cmocka_unit_test(takes_an_empty_table),
        cmocka_unit_test(survives_the_failure_of_any_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
