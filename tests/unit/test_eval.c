#include <pthread.h>

#include "base/fail.h"
#include "policy/eval.h"
#include "tests/unit/alloc.h"
#include "tests/unit/facts.h"
#include "tests/unit/unit.h"

#define ISSUER "https://auth.mesh.example"
#define ALICE  "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB    "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define X      "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx"
#define Y      "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"
#define TRIP   "fld_0ttttttttttttttttttttttttt"
#define WORK   "fld_0wwwwwwwwwwwwwwwwwwwwwwwww"
#define URL    ISSUER "/v1/mesh/folders/" TRIP

static const char mesh[] =
    "can(reader, read). can(owner, read). can(owner, write).\n"
    "allow sync(X, Y) if holder(X), claimed(X, U), claimed(Y, U), X != Y.\n"
    "allow sync(X, Y) if holder(X), mapped(X, F), claimed(X, U), member(U, F, _),\n"
    "    mapped(Y, F), claimed(Y, V), member(V, F, _), X != Y.\n"
    "allow read(R) if permit(read, P), within(R, P).\n"
    "allow look(R) if caller(U), folder(R, F), member(U, F, _).\n"
    "grant read(R) if subject(U), folder(R, F), member(U, F, Role), can(Role, read).\n"
    "grant write(R) if subject(U), folder(R, F), member(U, F, Role), can(Role, "
    "write).\n"
    "allow any(_, _). allow same(D, D) if holder(D). allow is(reader).\n";

static struct mauth_rules *
compiled(const char *text)
{
    struct mauth_rules *rules;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (mauth_rules_compile(text, strlen(text), &rules, &err))
        fail_msg("%s\n%s", text, err.text);
    return rules;
}

/* One question over one set of facts, asked of either source. */
struct asked {
    struct text arg[RULES_ARGS_MAX];
    struct eval_question q;
    struct test_facts facts;
    struct fact_list list;
    struct fact_source source;
    struct eval e;
    struct mauth_err err;
};

static struct asked *
asked_new(enum rule_kind kind, const char *question, const char *facts)
{
    struct asked *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->q.kind = kind;
    a->q.action = test_until(&question, "( ");
    while (*question)
        a->arg[a->q.args++] = test_until(&question, ",)");
    a->q.arg = a->arg;
    a->q.issuer = text_of(ISSUER);
    a->facts = test_facts_of(facts);
    return a;
}

static enum mauth_rc
ask(const struct mauth_rules *rules, struct asked *a, enum side side)
{
    size_t calls = alloc_calls;
    enum mauth_rc rc;

    a->source = test_source(&a->facts, &a->list, side);
    mauth_err_reset(&a->err);
    rc = eval_decide(rules, &a->q, &a->source, &a->e, &a->err);
    assert_int_equal(alloc_calls, calls);
    return rc;
}

static enum mauth_rc
ask_oddly(const struct mauth_rules *rules, struct asked *a, enum side side)
{
    enum mauth_rc rc;

    a->source = test_odd_source(&a->facts, side);
    mauth_err_reset(&a->err);
    rc = eval_decide(rules, &a->q, &a->source, &a->e, &a->err);
    assert_int_equal(a->facts.open, 0);
    return rc;
}

#define SHARED                                                                  \
    "holder(" X ") claimed(" X ", " ALICE ") claimed(" Y ", " BOB ") mapped(" X \
    ", " WORK ") mapped(" X ", " TRIP ") mapped(" Y ", " TRIP ") member(" ALICE \
    ", " TRIP ", reader) member(" BOB ", " TRIP ", owner) "

/* What is denied, and the nearest miss that the log will show. */
static const struct denial {
    const char *name;
    enum side side;
    enum rule_kind kind;
    const char *question;
    const char *facts;
    const char *text;
} denials[] = {
    {"an action without rules", SIDE_TICKET, RULE_ALLOW, "fly(" X ")", SHARED,
        "no rule here speaks of fly(" X ")"},
    {"an action with other arguments", SIDE_TICKET, RULE_ALLOW, "sync(" X ")", SHARED,
        "no rule here speaks of sync(" X ")"},
    {"a grant, asked as allow", SIDE_GRAPH, RULE_ALLOW, "write(" URL ")", "",
        "no rule here speaks of write(\"" URL "\")"},
    {"a grant, asked of a ticket", SIDE_TICKET, RULE_GRANT, "write(" URL ")",
        "subject(" ALICE ") member(" ALICE ", " TRIP ", owner)",
        "no rule here speaks of write(\"" URL "\")"},
    {"a rule of services, asked of the graph", SIDE_GRAPH, RULE_ALLOW, "read(" URL ")",
        "permit(read, " URL ")", "no rule here speaks of read(\"" URL "\")"},
    {"a rule of the account service, asked of a ticket", SIDE_TICKET, RULE_ALLOW,
        "look(" URL ")", "caller(" ALICE ") member(" ALICE ", " TRIP ", owner)",
        "no rule here speaks of look(\"" URL "\")"},
    {"a head with another constant", SIDE_TICKET, RULE_ALLOW, "is(owner)", "",
        "no rule here speaks of is(owner)"},
    {"a head that wants the same twice", SIDE_TICKET, RULE_ALLOW, "same(" X ", " Y ")",
        "holder(" X ")", "no rule here speaks of same(" X ", " Y ")"},
    {"no facts", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " Y ")", "",
        "no ticket shows holder(" X ")"},
    {"another holder", SIDE_TICKET, RULE_ALLOW, "sync(" Y ", " X ")", SHARED,
        "no ticket shows holder(" Y ")"},
    {"nothing in common", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " Y ")",
        "holder(" X ") claimed(" X ", " ALICE ") claimed(" Y ", " BOB ") mapped(" X
        ", " TRIP ") member(" ALICE ", " TRIP ", reader)",
        "no ticket shows mapped(" Y ", " TRIP ")"},
    {"the other is no member", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " Y ")",
        "holder(" X ") claimed(" X ", " ALICE ") claimed(" Y ", " BOB ") mapped(" X
        ", " TRIP ") mapped(" Y ", " TRIP ") member(" ALICE ", " TRIP ", reader)",
        "no ticket shows member(" BOB ", " TRIP ", _)"},
    {"the other is not claimed", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " Y ")",
        "holder(" X ") claimed(" X ", " ALICE ") mapped(" X ", " TRIP ") mapped(" Y
        ", " TRIP ") member(" ALICE ", " TRIP ", reader)",
        "no ticket shows claimed(" Y ", _)"},
    {"with itself", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " X ")", SHARED,
        "it is not true that " X " != " X},
    {"outside of what is permitted", SIDE_TICKET, RULE_ALLOW, "read(" ISSUER "/a2)",
        "permit(read, " ISSUER "/a)",
        "it is not true that within(\"" ISSUER "/a2\", \"" ISSUER "/a\")"},
    {"a role that cannot", SIDE_GRAPH, RULE_GRANT, "write(" URL ")",
        "subject(" ALICE ") member(" ALICE ", " TRIP ", reader)",
        "the rules do not state can(reader, write)"},
    {"a folder of another issuer", SIDE_GRAPH, RULE_GRANT,
        "read(https://other.example/v1/mesh/folders/" TRIP ")",
        "subject(" ALICE ") member(" ALICE ", " TRIP ", reader)",
        "it is not true that folder(\"https://other.example/v1/mesh/folders/" TRIP
        "\", _)"},
    {"not a member", SIDE_GRAPH, RULE_GRANT, "read(" URL ")",
        "subject(" ALICE ") member(" BOB ", " TRIP ", reader) member(" ALICE ", " WORK
        ", owner)",
        "the graph does not show member(" ALICE ", " TRIP ", _)"},
    {"what cannot be shown in full", SIDE_TICKET, RULE_ALLOW, "fly(\x01\"\\)", "",
        "no rule here speaks of fly(\"\\x01\\x22\\x5c\")"},
};

static void
denies_and_says_what_is_missing(void **state)
{
    struct mauth_rules *rules = compiled(mesh);

    (void)state;
    for (size_t i = 0; i < COUNT(denials); i++) {
        const struct denial *d = &denials[i];
        struct asked *a = asked_new(d->kind, d->question, d->facts);

        for (int oddly = 0; oddly < 2; oddly++) {
            enum mauth_rc rc =
                oddly ? ask_oddly(rules, a, d->side) : ask(rules, a, d->side);

            if (rc != MAUTH_DENIED || a->e.rule ||
                a->err.reason != MAUTH_REASON_NO_RULE)
                fail_msg("%s: %s", d->name, mauth_rc_name(rc));
            if (strcmp(a->err.text, d->text) != 0)
                fail_msg("%s:\n  %s\nnot\n  %s", d->name, a->err.text, d->text);
        }
        assert_int_equal(
            eval_decide(rules, &a->q, &a->source, &a->e, NULL), MAUTH_DENIED);
        free(a);
    }
    mauth_rules_free(rules);
}

static void
shows_what_it_can_of_a_long_miss(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    char question[2048] = "fly(";
    struct asked *a;

    (void)state;
    memset(question + 4, 'u', 1500);
    a = asked_new(RULE_ALLOW, question, "");
    assert_int_equal(ask(rules, a, SIDE_TICKET), MAUTH_DENIED);
    assert_memory_equal(a->err.text, "no rule here speaks of fly(", 27);
    free(a);
    mauth_rules_free(rules);
}

static const struct proof {
    const char *name;
    enum side side;
    enum rule_kind kind;
    const char *question;
    const char *facts;
    const char *derivation;
    size_t leaves;
} proofs[] = {
    {"no conditions", SIDE_GRAPH, RULE_ALLOW, "any(a, b)", "",
        "allow any(a, b)\n"
        "  by line 9: allow any(_, _).\n",
        0},
    {"a head with a constant", SIDE_TICKET, RULE_ALLOW, "is(reader)", "",
        "allow is(reader)\n"
        "  by line 9: allow is(reader).\n",
        0},
    {"the same user", SIDE_TICKET, RULE_ALLOW, "sync(" X ", " Y ")",
        "claimed(" X ", " BOB ") claimed(" Y ", " ALICE ") holder(" X ") claimed(" X
        ", " ALICE ")",
        "allow sync(" X ", " Y ")\n"
        "  by line 2: allow sync(X, Y) if holder(X), claimed(X, U), claimed(Y, U), "
        "X != Y.\n"
        "  holder(" X ")\n"
        "  claimed(" X ", " ALICE ")\n"
        "  claimed(" Y ", " ALICE ")\n"
        "  " X " != " Y "  (computed)\n",
        3},
    {"a shared folder", SIDE_GRAPH, RULE_ALLOW, "sync(" X ", " Y ")", SHARED,
        "allow sync(" X ", " Y ")\n"
        "  by line 3: allow sync(X, Y) if holder(X), mapped(X, F), claimed(X, U), "
        "member(U, F, _), mapped(Y, F), claimed(Y, V), member(V, F, _), X != Y.\n"
        "  holder(" X ")\n"
        "  mapped(" X ", " TRIP ")\n"
        "  claimed(" X ", " ALICE ")\n"
        "  member(" ALICE ", " TRIP ", reader)\n"
        "  mapped(" Y ", " TRIP ")\n"
        "  claimed(" Y ", " BOB ")\n"
        "  member(" BOB ", " TRIP ", owner)\n"
        "  " X " != " Y "  (computed)\n",
        7},
    {"the second of three permits", SIDE_TICKET, RULE_ALLOW, "read(" URL "/a)",
        "permit(read, " URL "/b) permit(write, " URL "/a) permit(read, " URL
        ") permit(read, " URL "/a)",
        "allow read(\"" URL "/a\")\n"
        "  by line 5: allow read(R) if permit(read, P), within(R, P).\n"
        "  permit(read, \"" URL "\")\n"
        "  within(\"" URL "/a\", \"" URL "\")  (computed)\n",
        1},
    {"a grant", SIDE_GRAPH, RULE_GRANT, "read(" URL ")",
        "member(" ALICE ", " TRIP ", guest) member(" ALICE ", " TRIP
        ", reader) subject(" ALICE ")",
        "grant read(\"" URL "\")\n"
        "  by line 7: grant read(R) if subject(U), folder(R, F), member(U, F, Role), "
        "can(Role, read).\n"
        "  subject(" ALICE ")\n"
        "  folder(\"" URL "\", " TRIP ")  (computed)\n"
        "  member(" ALICE ", " TRIP ", reader)\n"
        "  can(reader, read)  (stated by the rules)\n",
        2},
};

static void
proves_and_shows_how(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    struct fact leaf[RULES_LITERALS_MAX];
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < COUNT(proofs); i++) {
        const struct proof *p = &proofs[i];
        struct asked *a = asked_new(p->kind, p->question, p->facts);

        for (int oddly = 0; oddly < 2; oddly++) {
            enum mauth_rc rc =
                oddly ? ask_oddly(rules, a, p->side) : ask(rules, a, p->side);

            if (rc || !a->e.rule)
                fail_msg("%s: %s", p->name, a->err.text);
            buf_rewind(&out);
            eval_write_derivation(&out, &a->e);
            assert_string_equal(buf_cstr(&out), p->derivation);
            assert_int_equal(eval_leaves(&a->e, leaf), p->leaves);
        }
        free(a);
    }
    buf_clear(&out);
    mauth_rules_free(rules);
}

static void
gives_each_leaf_once(void **state)
{
    struct mauth_rules *rules =
        compiled("allow x(A, B) if claimed(A, U), claimed(B, V), member(U, F, _), "
                 "member(V, F, _), subject(U).");
    struct fact leaf[RULES_LITERALS_MAX];
    struct asked *a;

    (void)state;
    a = asked_new(RULE_ALLOW, "x(" X ", " X ")",
        "subject(" ALICE ") claimed(" X ", " ALICE ") member(" ALICE ", " TRIP ", a)");
    assert_int_equal(ask(rules, a, SIDE_GRAPH), MAUTH_OK);
    assert_int_equal(eval_leaves(&a->e, leaf), 3);
    assert_int_equal(leaf[0].predicate, PREDICATE_CLAIMED);
    assert_true(text_is(leaf[0].arg[0], X) && text_is(leaf[0].arg[1], ALICE));
    assert_int_equal(leaf[1].predicate, PREDICATE_MEMBER);
    assert_true(text_is(leaf[1].arg[2], "a"));
    assert_int_equal(leaf[2].predicate, PREDICATE_SUBJECT);
    free(a);
    mauth_rules_free(rules);
}

/* Many facts, and a rule that must try all pairs of them. */
static struct asked *
hard_question(char *facts)
{
    char *at = facts;

    for (unsigned i = 0; i < 100; i++)
        at += sprintf(at, "claimed(" X ", usr_0%025u) ", i);
    return asked_new(RULE_ALLOW, "x(" X ")", facts);
}

static void
denies_at_the_bound(void **state)
{
    char *facts = calloc(100, 80);
    struct mauth_rules *rules =
        compiled("allow x(A) if claimed(A, U), claimed(A, V), claimed(A, W), "
                 "member(W, F, _), member(V, F, _), member(U, F, _).\n"
                 "allow x(A) if holder(A).\n");
    struct asked *a = hard_question(facts);

    (void)state;
    assert_int_equal(ask(rules, a, SIDE_TICKET), MAUTH_DENIED);
    assert_int_equal(a->err.reason, MAUTH_REASON_BOUND);
    assert_string_equal(a->err.text, "rules: undecided after 4096 steps");
    assert_int_equal(a->e.steps, EVAL_STEPS_TICKET);
    assert_null(a->e.rule);
    a->facts.fact[a->facts.count++] =
        (struct fact){PREDICATE_HOLDER, {{X, sizeof(X) - 1}}};
    assert_int_equal(ask(rules, a, SIDE_TICKET), MAUTH_DENIED);
    assert_int_equal(a->err.reason, MAUTH_REASON_BOUND);
    assert_int_equal(ask(rules, a, SIDE_GRAPH), MAUTH_DENIED);
    assert_string_equal(a->err.text, "rules: undecided after 1000000 steps");
    a->q.steps = 100; /* who asks may take less, but no more */
    assert_int_equal(ask(rules, a, SIDE_GRAPH), MAUTH_DENIED);
    assert_string_equal(a->err.text, "rules: undecided after 100 steps");
    a->q.steps = EVAL_STEPS_TICKET + 1;
    assert_int_equal(ask(rules, a, SIDE_TICKET), MAUTH_DENIED);
    assert_string_equal(a->err.text, "rules: undecided after 4096 steps");
    a->q.steps = 0;
    assert_int_equal(ask_oddly(rules, a, SIDE_TICKET), MAUTH_DENIED);
    free(a);
    free(facts);
    mauth_rules_free(rules);
}

/* A device of very many users, of whom the last one has a role. */
static enum mauth_rc
next_user(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    const unsigned *users = self;
    unsigned n;

    (void)err;
    if (c->predicate == PREDICATE_CLAIMED) {
        if (c->at[0]++ == *users)
            return MAUTH_NOT_FOUND;
        sprintf(c->room[1], "usr_0%025u", (unsigned)c->at[0]);
        c->arg[0] = c->want[0];
        c->arg[1] = text_of(c->room[1]);
        return MAUTH_OK;
    }
    n = (unsigned)strtoul(c->want[0].p + 5, NULL, 10);
    c->arg[0] = c->want[0];
    c->arg[1] = c->want[1];
    return n == *users && c->at[0]++ == 0 ? MAUTH_OK : MAUTH_NOT_FOUND;
}

/* Two steps for each user: the last step that there may be can still decide. */
static void
decides_with_the_last_step(void **state)
{
    struct mauth_rules *rules = compiled("allow x(A) if claimed(A, U), role(U, r).");
    struct asked *a = asked_new(RULE_ALLOW, "x(" X ")", "");
    unsigned users = EVAL_STEPS_TICKET / 2;
    struct fact_source source = {SIDE_TICKET, &users, next_user, NULL};

    (void)state;
    assert_int_equal(eval_decide(rules, &a->q, &source, &a->e, NULL), MAUTH_OK);
    assert_int_equal(a->e.steps, EVAL_STEPS_TICKET);
    users++;
    assert_int_equal(eval_decide(rules, &a->q, &source, &a->e, &a->err), MAUTH_DENIED);
    assert_int_equal(a->err.reason, MAUTH_REASON_BOUND);
    source.side = SIDE_GRAPH;
    assert_int_equal(eval_decide(rules, &a->q, &source, &a->e, NULL), MAUTH_OK);
    users = EVAL_STEPS_GRAPH / 2;
    assert_int_equal(eval_decide(rules, &a->q, &source, &a->e, NULL), MAUTH_OK);
    users++;
    assert_int_equal(eval_decide(rules, &a->q, &source, &a->e, NULL), MAUTH_DENIED);
    free(a);
    mauth_rules_free(rules);
}

/* Whichever call of the source fails: nothing is decided, all walks are ended. */
static void
passes_on_what_the_source_reports(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    struct asked *a = asked_new(RULE_ALLOW, "sync(" X ", " Y ")", SHARED);
    size_t calls;

    (void)state;
    assert_int_equal(ask_oddly(rules, a, SIDE_GRAPH), MAUTH_OK);
    calls = a->facts.next_calls;
    assert_true(calls > 8);
    for (size_t n = 1; n <= calls; n++) {
        a->facts.next_calls = 0;
        a->facts.fail_at = n;
        assert_int_equal(ask_oddly(rules, a, SIDE_GRAPH), MAUTH_UNAVAILABLE);
        assert_null(a->e.rule);
    }
    a->facts.next_calls = 0;
    a->facts.fail_at = calls + 1;
    assert_int_equal(ask_oddly(rules, a, SIDE_GRAPH), MAUTH_OK);
    free(a);
    mauth_rules_free(rules);
}

static void
refuses_too_many_arguments(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    struct asked *a = asked_new(RULE_ALLOW, "any(a, b)", "");

    (void)state;
    a->q.args = RULES_ARGS_MAX + 1;
    assert_int_equal(ask(rules, a, SIDE_TICKET), MAUTH_INVALID);
    assert_null(a->e.rule);
    free(a);
    mauth_rules_free(rules);
}

/* The public question. */

static const char *const read_args[] = {URL "/a"};
static const struct mauth_fact given[] = {
    {"asof", {"4711"}},
    {"permit", {"read", ISSUER "/v1/mesh/folders/" WORK}},
    {"role", {"a", "b", "c"}},
    {"permit", {"read", URL}},
    {"holder", {X}},
};

static struct mauth_question
public_question(void)
{
    struct mauth_question q = {.size = sizeof(q),
        .issuer = ISSUER,
        .action = "read",
        .args = read_args,
        .arg_count = 1,
        .facts = given,
        .fact_count = COUNT(given)};

    return q;
}

static void
answers_over_facts_as_strings(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    struct mauth_question q = public_question();
    struct mauth_proof proof = {.size = sizeof(proof)};
    struct mauth_err err = MAUTH_ERR_INIT;

    (void)state;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, &err), MAUTH_INVALID);
    assert_string_equal(err.text, "rules: role has 2 arguments, not 3");
    q.fact_count = 2;
    mauth_err_reset(&err);
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, &err), MAUTH_DENIED);
    assert_int_equal(err.reason, MAUTH_REASON_NO_RULE);
    q.facts += 3;
    q.fact_count = 2;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_OK);
    assert_string_equal(mauth_rules_text(rules, proof.rule),
        "allow read(R) if permit(read, P), within(R, P).");
    assert_int_equal(proof.fact_count, 1);
    assert_int_equal(proof.fact[0], 0);
    assert_int_equal(mauth_rules_allow(rules, &q, NULL, NULL), MAUTH_OK);
    mauth_rules_free(rules);
}

static void
names_the_facts_it_used(void **state)
{
    static const struct mauth_fact facts[] = {{"claimed", {Y, BOB}},
        {"claimed", {Y, ALICE}}, {"asof", {"1"}}, {"holder", {X}},
        {"claimed", {X, ALICE}}};
    static const char *const args[] = {X, Y};
    struct mauth_rules *rules = compiled(mesh);
    struct mauth_question q = public_question();
    struct mauth_proof proof = {.size = sizeof(proof)};

    (void)state;
    q.action = "sync";
    q.args = args;
    q.arg_count = 2;
    q.facts = facts;
    q.fact_count = COUNT(facts);
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_OK);
    assert_int_equal(proof.rule, 0);
    assert_int_equal(proof.fact_count, 3);
    assert_int_equal(proof.fact[0], 3);
    assert_int_equal(proof.fact[1], 4);
    assert_int_equal(proof.fact[2], 1);
    mauth_rules_free(rules);
}

static void
refuses_questions_out_of_shape(void **state)
{
    static const struct mauth_fact bad[] = {{"holder", {X, Y}}, {"claimed", {X}}};
    struct mauth_rules *rules = compiled("allow any(_). allow read(_).");
    struct mauth_proof proof = {.size = sizeof(proof)};
    struct mauth_question q = public_question();

    (void)state;
    q.fact_count = 2;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_OK);
    q.size--;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    q.size++;
    proof.size++;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    proof.size--;
    q.arg_count = MAUTH_RULES_ARGS_MAX + 1;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    q.arg_count = 1;
    q.fact_count = MAUTH_RULES_FACTS_MAX + 1;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    q.facts = bad;
    q.fact_count = 1;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    q.facts++;
    assert_int_equal(mauth_rules_allow(rules, &q, &proof, NULL), MAUTH_INVALID);
    mauth_rules_free(rules);
}

static void *
ask_for_a_while(void *arg)
{
    const struct mauth_rules *rules = arg;
    struct asked *a = asked_new(RULE_ALLOW, "sync(" X ", " Y ")", SHARED);
    size_t yes = 0;

    for (int i = 0; i < 1000; i++) {
        a->source = test_source(&a->facts, &a->list, SIDE_TICKET);
        yes += eval_decide(rules, &a->q, &a->source, &a->e, &a->err) == MAUTH_OK;
    }
    free(a);
    return yes == 1000 ? arg : NULL;
}

static void
is_shared_between_threads(void **state)
{
    struct mauth_rules *rules = compiled(mesh);
    pthread_t thread[4];
    void *said;

    (void)state;
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_for_a_while, rules), 0);
    for (size_t i = 0; i < COUNT(thread); i++) {
        assert_int_equal(pthread_join(thread[i], &said), 0);
        assert_ptr_equal(said, rules);
    }
    mauth_rules_free(rules);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(denies_and_says_what_is_missing),
        cmocka_unit_test(shows_what_it_can_of_a_long_miss),
        cmocka_unit_test(proves_and_shows_how),
        cmocka_unit_test(gives_each_leaf_once),
        cmocka_unit_test(denies_at_the_bound),
        cmocka_unit_test(decides_with_the_last_step),
        cmocka_unit_test(passes_on_what_the_source_reports),
        cmocka_unit_test(refuses_too_many_arguments),
        cmocka_unit_test(answers_over_facts_as_strings),
        cmocka_unit_test(names_the_facts_it_used),
        cmocka_unit_test(refuses_questions_out_of_shape),
        cmocka_unit_test(is_shared_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
