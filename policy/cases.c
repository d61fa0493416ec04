#include "policy/cases.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "policy/lex.h"

enum {
    CASES_MAX = 1 << 20, /* bytes of a table */
    LETS_MAX = 256,
    FACTS_MAX = 256 /* of one case */
};

struct let {
    struct text name;
    char *value; /* owned */
};

/* An atom of the table, its values as they are meant. */
struct atom {
    struct token name;
    struct text arg[RULES_ARGS_MAX];
    const char *at[RULES_ARGS_MAX]; /* their places */
    size_t args;
};

struct table_reader {
    const struct mauth_rules *rules;
    const struct cases_listener *listener;
    struct cases_totals *totals;
    struct mauth_err *err;
    struct lexer lx;
    struct token t; /* the next one */
    struct let let[LETS_MAX];
    size_t lets;
    const char *counted; /* up to here, and this is its line */
    unsigned line;
    /* the case at hand */
    struct text title; /* .p is NULL before the first */
    bool has_side;
    enum side side;
    struct fact fact[FACTS_MAX];
    size_t facts;
    struct eval eval;
};

#define fault(r, place, ...) \
    lex_fault((r)->lx.source, (place), MAUTH_MALFORMED, (r)->err, __VA_ARGS__)

static enum mauth_rc
advance(struct table_reader *r)
{
    return lex_next(&r->lx, &r->t, r->err);
}

static enum mauth_rc
too_many(struct table_reader *r, int most, const char *what)
{
    return lex_fault(
        r->lx.source, r->t.at, MAUTH_TOO_LARGE, r->err, "at most %d %s", most, what);
}

static enum mauth_rc
expect(struct table_reader *r, enum token_kind kind, const char *what)
{
    return r->t.kind == kind ? advance(r) : fault(r, r->t.at, "expected %s", what);
}

static const struct let *
find_let(const struct table_reader *r, struct text name)
{
    for (size_t i = 0; i < r->lets; i++)
        if (text_equal(r->let[i].name, name))
            return &r->let[i];
    return NULL;
}

/* What a name or a string means: a name that some let defined means its value. */
static enum mauth_rc
read_value(struct table_reader *r, struct text *out)
{
    const struct let *let = NULL;

    if (r->t.kind == TOKEN_NAME)
        let = find_let(r, r->t.text);
    else if (r->t.kind != TOKEN_STRING)
        return fault(r, r->t.at, "expected a name or a \"string\"");
    *out = let ? text_of(let->value) : r->t.text;
    return advance(r);
}

/* let NAME = VALUE VALUE... . */
static enum mauth_rc
read_let(struct table_reader *r)
{
    struct let *let = &r->let[r->lets];
    enum mauth_rc rc = MAUTH_OK;
    struct text value;
    struct buf b;

    if (r->lets == LETS_MAX)
        return too_many(r, LETS_MAX, "lets");
    let->name = r->t.text;
    if (r->t.kind == TOKEN_NAME && find_let(r, let->name))
        return fault(r, r->t.at, "this name has a value already");
    rc = expect(r, TOKEN_NAME, "a name, as in let alice = \"usr_...\"");
    if (!rc)
        rc = expect(r, TOKEN_EQUALS, "=");
    buf_init(&b);
    do {
        if (!rc)
            rc = read_value(r, &value);
        if (!rc)
            buf_text(&b, value);
    } while (!rc && r->t.kind != TOKEN_STOP);
    if (!rc) {
        let->value = buf_detach(&b, NULL);
        r->lets++;
        if (!let->value)
            return mauth_fail(r->err, MAUTH_NO_MEMORY, "cases: no memory");
        rc = advance(r);
    }
    buf_clear(&b);
    return rc;
}

/* case "title". */
static enum mauth_rc
read_case(struct table_reader *r)
{
    enum mauth_rc rc;

    r->title = r->t.text;
    r->has_side = false;
    r->facts = 0;
    rc = expect(r, TOKEN_STRING, "a title, as in case \"an owner writes\"");
    r->totals->cases++;
    return rc ? rc : expect(r, TOKEN_STOP, "\".\"");
}

static enum mauth_rc
read_atom(struct table_reader *r, struct atom *out)
{
    enum mauth_rc rc;

    out->name = r->t;
    out->args = 0;
    rc = expect(r, TOKEN_NAME, "a name, as in holder(pc)");
    if (rc || r->t.kind != TOKEN_OPEN)
        return rc;
    do {
        rc = advance(r);
        if (rc)
            return rc;
        if (out->args == RULES_ARGS_MAX)
            return too_many(r, RULES_ARGS_MAX, "arguments");
        out->at[out->args] = r->t.at;
        rc = read_value(r, &out->arg[out->args]);
        out->args++;
    } while (!rc && r->t.kind == TOKEN_COMMA);
    return rc ? rc : expect(r, TOKEN_CLOSE, "\",\" or \")\"");
}

static enum mauth_rc
add_fact(struct table_reader *r, const struct atom *a)
{
    enum predicate p = predicate_by_name(a->name.text);
    struct fact *f = &r->fact[r->facts];

    if (r->facts == FACTS_MAX)
        return too_many(r, FACTS_MAX, "facts in a case");
    if (p == PREDICATES || predicate_is_computed(p) ||
        !predicate_info(p)->patterns[r->side])
        return fault(r, a->name.at, "no %s says %.*s",
            r->side == SIDE_TICKET ? "ticket" : "graph", (int)a->name.text.len,
            a->name.text.p);
    if (a->args != predicate_info(p)->arity)
        return fault(r, a->name.at, "%s has %u arguments, not %zu",
            predicate_info(p)->name, predicate_info(p)->arity, a->args);
    f->predicate = p;
    for (size_t i = 0; i < a->args; i++) {
        unsigned is = value_kind(a->arg[i]), can = predicate_info(p)->value[i];

        if (!(is & can))
            return fault(r, a->at[i], "this is %s, expected %s", value_kind_name(is),
                value_kind_name(can));
        f->arg[i] = a->arg[i];
    }
    r->facts++;
    return MAUTH_OK;
}

/* ticket FACT, FACT... .   or graph; an empty one, too. */
static enum mauth_rc
read_facts(struct table_reader *r, enum side side)
{
    enum mauth_rc rc = MAUTH_OK;
    struct atom a;

    if (!r->title.p)
        return fault(r, r->t.at, "facts belong to a case; begin with case \"title\".");
    if (r->has_side && r->side != side)
        return fault(
            r, r->t.at, "a case is about a ticket or about the graph, not both");
    r->has_side = true;
    r->side = side;
    if (r->t.kind == TOKEN_STOP)
        return advance(r);
    for (;;) {
        rc = read_atom(r, &a);
        if (!rc)
            rc = add_fact(r, &a);
        if (rc || r->t.kind != TOKEN_COMMA)
            break;
        rc = advance(r);
        if (rc)
            break;
    }
    return rc ? rc : expect(r, TOKEN_STOP, "\",\" or \".\"");
}

/* Statements come in order, so lines are counted once. */
static unsigned
line_of(struct table_reader *r, const char *at)
{
    for (; r->counted < at; r->counted++)
        r->line += *r->counted == '\n';
    return r->line;
}

static void
tell(struct table_reader *r, const struct atom *a, bool wanted, const char *why)
{
    bool is = r->eval.rule != NULL;
    const char *end = r->lx.source.p + r->lx.at;
    struct cases_answer answer = {.line = line_of(r, a->name.at),
        .title = r->title,
        .question = {a->name.at, (size_t)(end - a->name.at) - 1}, /* without "." */
        .as_expected = is == wanted,
        .eval = &r->eval,
        .why = why};

    r->totals->questions++;
    r->totals->failed += is != wanted;
    if (is)
        r->totals->shown[eval_rule_number(&r->eval)] = true;
    if (r->listener)
        r->listener->hear(r->listener->arg, &answer);
}

/* A question that no rule could answer is a misspelt one. */
static bool
is_asked(const struct table_reader *r, enum rule_kind kind, const struct atom *a)
{
    size_t first;

    return rules_find(r->rules, kind, a->name.text, a->args, &first) > 0;
}

struct verb {
    const char *word;
    enum rule_kind kind;
    bool wanted;
};

/* allow QUESTION.   deny QUESTION.   grant QUESTION.   refuse QUESTION. */
static enum mauth_rc
read_question(struct table_reader *r, const struct verb *verb)
{
    struct fact_list list = {r->fact, r->facts};
    struct fact_source source = fact_list_source(&list, r->side);
    const struct let *issuer = find_let(r, text_of("issuer"));
    struct mauth_err why = MAUTH_ERR_INIT;
    struct eval_question q = {
        .kind = verb->kind, .issuer = text_of(issuer ? issuer->value : NULL)};
    struct atom a;
    enum mauth_rc rc;

    if (!r->has_side)
        return fault(r, r->t.at, "say first what is known: ticket ... or graph ...");
    rc = read_atom(r, &a);
    if (rc)
        return rc;
    if (r->t.kind != TOKEN_STOP)
        return fault(r, r->t.at, "expected \".\"");
    if (!is_asked(r, verb->kind, &a))
        return fault(r, a.name.at, "no %s rule speaks of %.*s with %zu arguments",
            rules_kind_name(verb->kind), (int)a.name.text.len, a.name.text.p, a.args);
    if (verb->kind == RULE_GRANT && r->side == SIDE_TICKET)
        return fault(r, a.name.at, "what may be granted is asked of the graph");
    q.action = a.name.text;
    q.arg = a.arg;
    q.args = a.args;
    rc = eval_decide(r->rules, &q, &source, &r->eval, &why);
    if (rc && rc != MAUTH_DENIED)
        return mauth_fail(r->err, rc, "%s", why.text);
    tell(r, &a, verb->wanted, why.text);
    return advance(r);
}

static enum mauth_rc
read_statement(struct table_reader *r)
{
    static const struct verb verbs[] = {
        {"allow", RULE_ALLOW, true},
        {"deny", RULE_ALLOW, false},
        {"grant", RULE_GRANT, true},
        {"refuse", RULE_GRANT, false},
    };
    struct token word = r->t;
    enum mauth_rc rc =
        expect(r, TOKEN_NAME, "let, case, ticket, graph, allow, deny, grant or refuse");

    if (rc)
        return rc;
    if (text_is(word.text, "let"))
        return read_let(r);
    if (text_is(word.text, "case"))
        return read_case(r);
    if (text_is(word.text, "ticket"))
        return read_facts(r, SIDE_TICKET);
    if (text_is(word.text, "graph"))
        return read_facts(r, SIDE_GRAPH);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (text_is(word.text, verbs[i].word))
            return read_question(r, &verbs[i]);
    return fault(
        r, word.at, "expected let, case, ticket, graph, allow, deny, grant or refuse");
}

enum mauth_rc
cases_run(const struct mauth_rules *rules, struct text text,
    const struct cases_listener *listener, struct cases_totals *out,
    struct mauth_err *err)
{
    struct table_reader *r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (text.len > CASES_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "cases: %zu bytes, at most %d", text.len, CASES_MAX);
    r = calloc(1, sizeof(*r));
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "cases: no memory");
    r->rules = rules;
    r->listener = listener;
    r->totals = out;
    r->err = err;
    r->lx.source = text.len ? text : text_of(NULL);
    r->counted = r->lx.source.p;
    r->line = 1;
    rc = advance(r);
    while (!rc && r->t.kind != TOKEN_END)
        rc = read_statement(r);
    if (rc)
        memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < r->lets; i++)
        free(r->let[i].value);
    free(r);
    return rc;
}
