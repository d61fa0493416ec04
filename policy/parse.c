#include <stdlib.h>

#include "policy/compile.h"
#include "policy/lex.h"

struct parser {
    struct mauth_rules *rules;
    struct lexer lx;
    struct token t; /* the next one */
    struct mauth_err *err;
    /* of the rule at hand */
    struct text variable[RULES_VARIABLES_MAX];
    unsigned variables;
};

static enum mauth_rc
advance(struct parser *p)
{
    return lex_next(&p->lx, &p->t, p->err);
}

static enum mauth_rc
fault(struct parser *p, const char *what)
{
    return rules_fault(p->rules, p->t.at, p->err, "%s", what);
}

static enum mauth_rc
too_many(struct parser *p, const char *at, int most, const char *what)
{
    return lex_fault(
        p->rules->source, at, MAUTH_TOO_LARGE, p->err, "at most %d %s", most, what);
}

static bool
is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_NAME && text_is(t->text, word);
}

static enum mauth_rc
expect(struct parser *p, enum token_kind kind, const char *what)
{
    return p->t.kind == kind ? advance(p) : fault(p, what);
}

static enum mauth_rc
number_variable(struct parser *p, struct term *out)
{
    unsigned i = 0;

    while (i < p->variables && !text_equal(p->variable[i], p->t.text))
        i++;
    if (i == RULES_VARIABLES_MAX)
        return too_many(p, p->t.at, RULES_VARIABLES_MAX, "variables in a rule");
    if (i == p->variables)
        p->variable[p->variables++] = p->t.text;
    out->variable = i;
    return MAUTH_OK;
}

static bool
is_term(enum token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_STRING || kind == TOKEN_VARIABLE ||
           kind == TOKEN_ANY;
}

static enum mauth_rc
parse_term(struct parser *p, struct term *out)
{
    enum mauth_rc rc = MAUTH_OK;

    if (!is_term(p->t.kind))
        return fault(p, "expected a name, a \"string\", a Variable or _");
    out->text = p->t.text;
    out->kind = TERM_CONSTANT;
    if (p->t.kind == TOKEN_ANY)
        out->kind = TERM_ANY;
    if (p->t.kind == TOKEN_VARIABLE) {
        out->kind = TERM_VARIABLE;
        rc = number_variable(p, out);
    }
    return rc ? rc : advance(p);
}

/* What stands in brackets behind a name; nothing, without brackets. */
static enum mauth_rc
parse_arguments(struct parser *p, struct literal *out)
{
    enum mauth_rc rc;

    out->arity = 0;
    if (p->t.kind != TOKEN_OPEN)
        return MAUTH_OK;
    do {
        rc = advance(p);
        if (rc)
            return rc;
        if (out->arity == RULES_ARGS_MAX)
            return too_many(p, p->t.at, RULES_ARGS_MAX, "arguments");
        if (p->t.kind == TOKEN_CLOSE && out->arity == 0)
            return fault(p, "leave the brackets away when there is nothing in them");
        rc = parse_term(p, &out->arg[out->arity]);
        if (rc)
            return rc;
        out->arity++;
    } while (p->t.kind == TOKEN_COMMA);
    return expect(p, TOKEN_CLOSE, "expected \",\" or \")\"");
}

static enum mauth_rc
parse_atom(struct parser *p, struct literal *out, const char *what)
{
    enum mauth_rc rc;

    if (p->t.kind != TOKEN_NAME)
        return fault(p, what);
    if (is_word(&p->t, "allow") || is_word(&p->t, "grant") || is_word(&p->t, "if"))
        return fault(p, "this word has a meaning of its own; choose another name");
    out->name = p->t.text;
    rc = advance(p);
    return rc ? rc : parse_arguments(p, out);
}

static enum mauth_rc
parse_differs(struct parser *p, struct literal *out)
{
    enum mauth_rc rc;

    out->kind = LITERAL_DIFFERS;
    out->arity = 2;
    out->name.len = 0; /* only its place */
    if (p->t.kind == TOKEN_EQUALS)
        return fault(p, "there is no =; write the same variable twice");
    rc = expect(p, TOKEN_DIFFERS, "expected !=");
    return rc ? rc : parse_term(p, &out->arg[1]);
}

static enum mauth_rc
parse_literal(struct parser *p, struct literal *out)
{
    enum mauth_rc rc;

    out->name = p->t.text;
    if (!is_term(p->t.kind))
        return fault(p, "expected a condition, as in subject(U) or X != Y");
    if (p->t.kind != TOKEN_NAME) {
        rc = parse_term(p, &out->arg[0]);
        return rc ? rc : parse_differs(p, out);
    }
    rc = parse_atom(p, out, "");
    if (rc)
        return rc;
    if (text_is(out->name, "not"))
        return rules_fault(
            p->rules, out->name.p, p->err, "there is no negation, only !=");
    if (out->arity == 0 && (p->t.kind == TOKEN_DIFFERS || p->t.kind == TOKEN_EQUALS)) {
        out->arg[0].kind = TERM_CONSTANT;
        out->arg[0].text = out->name;
        return parse_differs(p, out);
    }
    return MAUTH_OK;
}

/* Items with room for one more: moved, or the same; NULL without memory. */
static void *
grow(void *items, size_t count, size_t *room, size_t size)
{
    void *more;

    if (count < *room)
        return items;
    more = realloc(items, 2 * *room * size);
    if (more)
        *room *= 2;
    return more;
}

static enum mauth_rc
no_memory(struct parser *p)
{
    return lex_fault(p->rules->source, p->t.at, MAUTH_NO_MEMORY, p->err, "no memory");
}

static struct literal *
add_literal(struct mauth_rules *r)
{
    static const struct literal empty;
    struct literal *more =
        grow(r->literal, r->literal_count, &r->literal_room, sizeof(*more));

    if (!more)
        return NULL;
    r->literal = more;
    more[r->literal_count] = empty;
    return &more[r->literal_count++];
}

static struct rule *
add_rule(struct mauth_rules *r)
{
    static const struct rule empty;
    struct rule *more = grow(r->rule, r->rule_count, &r->rule_room, sizeof(*more));

    if (!more)
        return NULL;
    r->rule = more;
    more[r->rule_count] = empty;
    return &more[r->rule_count++];
}

static struct literal *
add_fact(struct mauth_rules *r)
{
    static const struct literal empty;
    struct literal *more = grow(r->fact, r->fact_count, &r->fact_room, sizeof(*more));

    if (!more)
        return NULL;
    r->fact = more;
    more[r->fact_count] = empty;
    return &more[r->fact_count++];
}

static enum mauth_rc
parse_body(struct parser *p, struct rule *rule)
{
    enum mauth_rc rc;

    do {
        struct literal *literal;

        rc = advance(p); /* past "if", then past "," */
        if (rc)
            return rc;
        if (rule->count == RULES_LITERALS_MAX)
            return too_many(p, p->t.at, RULES_LITERALS_MAX, "conditions in a rule");
        literal = add_literal(p->rules);
        if (!literal)
            return no_memory(p);
        rule->count++;
        rc = parse_literal(p, literal);
        if (rc)
            return rc;
    } while (p->t.kind == TOKEN_COMMA);
    return expect(p, TOKEN_STOP, "expected \",\" or \".\"");
}

static enum mauth_rc
parse_rule(struct parser *p, enum rule_kind kind)
{
    struct mauth_rules *rules = p->rules;
    struct rule *rule;
    enum mauth_rc rc;
    unsigned column;

    if (rules->rule_count == RULES_MAX)
        return too_many(p, p->t.at, RULES_MAX, "rules");
    rule = add_rule(rules);
    if (!rule)
        return no_memory(p);
    rule->kind = kind;
    rule->first = rules->literal_count;
    lex_place(rules->source, p->t.at, &rule->line, &column);
    p->variables = 0;
    rc = advance(p);
    if (rc)
        return rc;
    rc = parse_atom(p, &rule->head, "expected an action, as in allow read(R)");
    if (rc)
        return rc;
    if (is_word(&p->t, "if"))
        rc = parse_body(p, rule);
    else
        rc = expect(p, TOKEN_STOP, "expected \"if\" or \".\"");
    rule->variables = p->variables;
    return rc;
}

static enum mauth_rc
parse_fact(struct parser *p)
{
    struct mauth_rules *rules = p->rules;
    struct literal *fact;
    enum mauth_rc rc;

    if (rules->fact_count == RULES_FACTS_MAX)
        return too_many(p, p->t.at, RULES_FACTS_MAX, "facts");
    fact = add_fact(rules);
    if (!fact)
        return no_memory(p);
    p->variables = 0;
    rc = parse_atom(p, fact, "expected allow, grant, or a fact like can(reader, read)");
    if (rc)
        return rc;
    if (is_word(&p->t, "if"))
        return fault(p, "only allow and grant have conditions; a fact has none");
    return expect(p, TOKEN_STOP, "expected \".\"");
}

enum mauth_rc
rules_parse(struct mauth_rules *rules, struct mauth_err *err)
{
    struct parser p = {.rules = rules, .lx = {rules->source, 0}, .err = err};
    enum mauth_rc rc = advance(&p);

    while (!rc && p.t.kind != TOKEN_END) {
        if (is_word(&p.t, "allow"))
            rc = parse_rule(&p, RULE_ALLOW);
        else if (is_word(&p.t, "grant"))
            rc = parse_rule(&p, RULE_GRANT);
        else
            rc = parse_fact(&p);
    }
    return rc;
}
