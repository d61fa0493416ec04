#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/lex.h"

/* Where a term begins, the quote of a string included. */
static const char *
place_of(const struct mauth_rules *rules, const struct term *t)
{
    const char *p = t->text.p;

    return p > rules->source.p && p[-1] == '"' ? p - 1 : p;
}

static int
width(struct text t)
{
    return (int)t.len; /* a token's, so it is small */
}

/* Facts: sorted by name, then as in the file, and grouped into tables. */

static int
compare_facts(const void *a, const void *b)
{
    const struct literal *x = a, *y = b;
    int order = text_compare(x->name, y->name);

    return order ? order : (x->name.p > y->name.p) - (x->name.p < y->name.p);
}

static enum mauth_rc
check_fact(
    const struct mauth_rules *rules, const struct literal *fact, struct mauth_err *err)
{
    enum predicate p = predicate_by_name(fact->name);

    if (p != PREDICATES)
        return rules_fault(rules, fact->name.p, err,
            predicate_is_computed(p) ? "%s is computed; a rules file cannot state it"
                                     : "%s comes from tickets and the graph; a rules "
                                       "file cannot state it",
            predicate_info(p)->name);
    for (unsigned i = 0; i < fact->arity; i++)
        if (fact->arg[i].kind != TERM_CONSTANT)
            return rules_fault(rules, place_of(rules, &fact->arg[i]), err,
                "a fact has no variables; state it for each value");
    return MAUTH_OK;
}

static bool
is_same_fact(const struct literal *a, const struct literal *b)
{
    for (unsigned i = 0; i < a->arity; i++)
        if (!text_equal(a->arg[i].text, b->arg[i].text))
            return false;
    return true;
}

/* The fact at index i joins table t, which holds those right before it. */
static enum mauth_rc
join_table(struct mauth_rules *rules, struct table *t, size_t i, struct mauth_err *err)
{
    const struct literal *fact = &rules->fact[i];
    unsigned line, column;

    if (fact->arity != t->arity) {
        lex_place(rules->source, rules->fact[t->first].name.p, &line, &column);
        return rules_fault(rules, fact->name.p, err,
            "%.*s has %u arguments on line %u, and %u here", width(t->name), t->name.p,
            t->arity, line, fact->arity);
    }
    for (size_t j = t->first; j < i; j++) {
        if (!is_same_fact(&rules->fact[j], fact))
            continue;
        lex_place(rules->source, rules->fact[j].name.p, &line, &column);
        return rules_fault(
            rules, fact->name.p, err, "this is stated on line %u already", line);
    }
    t->count++;
    return MAUTH_OK;
}

static enum mauth_rc
make_tables(struct mauth_rules *rules, struct mauth_err *err)
{
    enum mauth_rc rc;

    for (size_t i = 0; i < rules->fact_count; i++) {
        rc = check_fact(rules, &rules->fact[i], err);
        if (rc)
            return rc;
    }
    qsort(rules->fact, rules->fact_count, sizeof(*rules->fact), compare_facts);
    for (size_t i = 0; i < rules->fact_count; i++) {
        struct literal *fact = &rules->fact[i];

        if (i == 0 || !text_equal(fact->name, fact[-1].name)) {
            struct table t = {.name = fact->name, .arity = fact->arity, .first = i};

            rules->table[rules->table_count++] = t;
        }
        fact->kind = LITERAL_TABLE;
        fact->table = rules->table_count - 1;
        rc = join_table(rules, &rules->table[fact->table], i, err);
        if (rc)
            return rc;
    }
    return MAUTH_OK;
}

/* Names. */

enum {
    GUESS_MAX = 64 /* characters of a name that a guess looks at */
};

/* How many single characters must change to make b of a (Levenshtein). */
static unsigned
distance(struct text a, struct text b)
{
    unsigned row[GUESS_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned change = corner + (a.p[i - 1] != b.p[j - 1]);

            corner = row[j];
            row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < row[j] ? change : row[j];
        }
    }
    return row[b.len];
}

struct guess {
    struct text name;
    unsigned distance;
};

static void
consider(struct guess *best, struct text wanted, struct text name)
{
    unsigned d;

    if (wanted.len > GUESS_MAX || name.len > GUESS_MAX)
        return;
    d = distance(wanted, name);
    if (d < best->distance) {
        best->name = name;
        best->distance = d;
    }
}

/* The known name that looks most like this one; empty when none is near. */
static struct text
nearest_name(const struct mauth_rules *rules, struct text wanted)
{
    struct guess best = {{NULL, 0}, wanted.len < 6 ? 2 : 3};

    for (int p = 0; p < PREDICATES; p++)
        consider(&best, wanted, text_of(predicate_info((enum predicate)p)->name));
    for (size_t i = 0; i < rules->table_count; i++)
        consider(&best, wanted, rules->table[i].name);
    return best.name;
}

static enum mauth_rc
unknown(const struct mauth_rules *rules, const struct literal *l, struct mauth_err *err)
{
    struct text near = nearest_name(rules, l->name);

    if (near.len)
        return rules_fault(rules, l->name.p, err,
            "there is no %.*s; did you mean %.*s?", width(l->name), l->name.p,
            width(near), near.p);
    return rules_fault(rules, l->name.p, err,
        "there is no %.*s, neither a relation nor a fact of this file", width(l->name),
        l->name.p);
}

static enum mauth_rc
resolve(const struct mauth_rules *rules, struct literal *l, struct mauth_err *err)
{
    unsigned arity;

    if (l->kind == LITERAL_DIFFERS)
        return MAUTH_OK;
    l->predicate = predicate_by_name(l->name);
    if (l->predicate != PREDICATES) {
        const struct predicate_info *info = predicate_info(l->predicate);

        l->kind =
            predicate_is_computed(l->predicate) ? LITERAL_COMPUTED : LITERAL_SOURCE;
        arity = info->arity;
    } else {
        l->kind = LITERAL_TABLE;
        while (l->table < rules->table_count &&
               !text_equal(rules->table[l->table].name, l->name))
            l->table++;
        if (l->table == rules->table_count)
            return unknown(rules, l, err);
        arity = rules->table[l->table].arity;
    }
    if (l->arity != arity)
        return rules_fault(rules, l->name.p, err, "%.*s has %u argument%s, not %u",
            width(l->name), l->name.p, arity, arity == 1 ? "" : "s", l->arity);
    return MAUTH_OK;
}

/* Sides. */

static unsigned
sides_of(const struct literal *l)
{
    unsigned sides = 0;

    if (l->kind != LITERAL_SOURCE)
        return 1U << SIDE_TICKET | 1U << SIDE_GRAPH;
    for (unsigned s = 0; s < SIDES; s++)
        if (predicate_info(l->predicate)->patterns[s])
            sides |= 1U << s;
    return sides;
}

static enum mauth_rc
check_grant(
    const struct mauth_rules *rules, const struct literal *l, struct mauth_err *err)
{
    unsigned sides = sides_of(l);

    if (!(sides & 1U << SIDE_GRAPH))
        return rules_fault(rules, l->name.p, err,
            "a grant is proven from the graph, which does not know %.*s",
            width(l->name), l->name.p);
    if (!(sides & 1U << SIDE_TICKET))
        return rules_fault(rules, l->name.p, err,
            "what proves a grant goes into the ticket, and none can say %.*s",
            width(l->name), l->name.p);
    return MAUTH_OK;
}

static enum mauth_rc
find_sides(const struct mauth_rules *rules, struct rule *rule, struct mauth_err *err)
{
    struct literal *body = rules->literal + rule->first;
    struct text first = {NULL, 0}; /* that only one side knows */
    enum mauth_rc rc = MAUTH_OK;

    rule->sides = 1U << SIDE_TICKET | 1U << SIDE_GRAPH;
    for (size_t i = 0; i < rule->count && !rc; i++) {
        unsigned sides = sides_of(&body[i]);

        if (rule->kind == RULE_GRANT)
            rc = check_grant(rules, &body[i], err);
        else if (!(rule->sides & sides))
            rc = rules_fault(rules, body[i].name.p, err,
                "never true: tickets and the graph do not both know %.*s and %.*s",
                width(first), first.p, width(body[i].name), body[i].name.p);
        if (sides != (1U << SIDE_TICKET | 1U << SIDE_GRAPH))
            first = body[i].name;
        rule->sides &= sides;
    }
    if (rule->kind == RULE_GRANT)
        rule->sides = 1U << SIDE_GRAPH;
    return rc;
}

/* Variables: what each can be, and where it gets its value. */

struct scope {
    const struct mauth_rules *rules;
    struct mauth_err *err;
    unsigned bound; /* bit v: variable v has a value */
    unsigned value[RULES_VARIABLES_MAX];
    unsigned uses[RULES_VARIABLES_MAX];
    const struct term *last[RULES_VARIABLES_MAX];
};

/* What argument i of this literal can be. */
static unsigned
values_of(const struct mauth_rules *rules, const struct literal *l, unsigned i)
{
    const struct table *t;
    unsigned kinds = 0;

    switch (l->kind) {
    case LITERAL_SOURCE:
    case LITERAL_COMPUTED: return predicate_info(l->predicate)->value[i];
    case LITERAL_DIFFERS: return VALUE_ANY;
    case LITERAL_TABLE: break;
    }
    t = &rules->table[l->table];
    for (size_t f = t->first; f < t->first + t->count; f++)
        kinds |= value_kind(rules->fact[f].arg[i].text);
    return kinds;
}

static enum mauth_rc
check_value(struct scope *s, const struct term *t, unsigned can)
{
    const char *at = place_of(s->rules, t);
    unsigned is;

    if (t->kind == TERM_ANY)
        return MAUTH_OK;
    is = t->kind == TERM_CONSTANT ? value_kind(t->text) : s->value[t->variable];
    if (!(is & can))
        return rules_fault(s->rules, at, s->err,
            t->kind == TERM_CONSTANT ? "this is %s, expected %s"
                                     : "this is %s before, expected %s",
            value_kind_name(is), value_kind_name(can));
    if (t->kind == TERM_VARIABLE) {
        s->value[t->variable] &= can;
        s->uses[t->variable]++;
        s->last[t->variable] = t;
    }
    return MAUTH_OK;
}

/* Sets bound and binds. A variable that comes twice is compared, not looked up by. */
static void
bind_terms(struct scope *s, struct literal *l)
{
    unsigned here = 0;

    for (unsigned i = 0; i < l->arity; i++) {
        const struct term *t = &l->arg[i];

        if (t->kind == TERM_CONSTANT ||
            (t->kind == TERM_VARIABLE && s->bound >> t->variable & 1U)) {
            l->bound |= 1U << i;
        } else if (t->kind == TERM_VARIABLE && !(here >> t->variable & 1U)) {
            l->binds |= 1U << i;
            here |= 1U << t->variable;
        }
    }
    s->bound |= here;
}

static enum mauth_rc
check_differs(struct scope *s, const struct literal *l)
{
    const struct term *a = &l->arg[0], *b = &l->arg[1];

    for (unsigned i = 0; i < 2; i++) {
        const struct term *t = &l->arg[i];
        const char *at = place_of(s->rules, t);

        if (t->kind == TERM_ANY)
            return rules_fault(s->rules, at, s->err, "_ has no value to compare");
        if (t->kind == TERM_VARIABLE && !(s->bound >> t->variable & 1U))
            return rules_fault(s->rules, at, s->err,
                "%.*s has no value yet; put != behind what gives it one",
                width(t->text), t->text.p);
    }
    if (a->kind == TERM_CONSTANT && b->kind == TERM_CONSTANT)
        return rules_fault(s->rules, place_of(s->rules, a), s->err,
            "two constants; this is always or never true");
    if (a->kind == b->kind && a->variable == b->variable)
        return rules_fault(s->rules, place_of(s->rules, a), s->err,
            "a value never differs from itself");
    return MAUTH_OK;
}

/* Values that are of different kinds differ without being asked. */
static enum mauth_rc
check_kinds_differ(struct scope *s, const struct literal *l)
{
    unsigned is[2];

    for (unsigned i = 0; i < 2; i++)
        is[i] = l->arg[i].kind == TERM_CONSTANT ? value_kind(l->arg[i].text)
                                                : s->value[l->arg[i].variable];
    if (!(is[0] & is[1]))
        return rules_fault(s->rules, place_of(s->rules, &l->arg[0]), s->err,
            "always true: %s is never %s", value_kind_name(is[0]),
            value_kind_name(is[1]));
    return MAUTH_OK;
}

static void
show_pattern(const struct literal *l, char out[RULES_ARGS_MAX + 1])
{
    for (unsigned i = 0; i < l->arity; i++)
        out[i] = l->bound >> i & 1U ? '+' : '-';
    out[l->arity] = '\0';
}

static enum mauth_rc
find_keys(struct scope *s, const struct rule *rule, struct literal *l)
{
    char pattern[RULES_ARGS_MAX + 1];

    for (unsigned side = 0; side < SIDES; side++) {
        const char *patterns = predicate_info(l->predicate)->patterns[side];

        if (!(rule->sides >> side & 1U) ||
            predicate_key(l->predicate, (enum side)side, l->bound, &l->key[side]))
            continue;
        show_pattern(l, pattern);
        return rules_fault(s->rules, l->name.p, s->err,
            "%s%.*s is found by %s, and here it is %s; put it behind what binds more",
            l->kind == LITERAL_COMPUTED ? "" : "in the graph ", width(l->name),
            l->name.p, patterns, pattern);
    }
    return MAUTH_OK;
}

static enum mauth_rc
check_literal(struct scope *s, const struct rule *rule, struct literal *l)
{
    enum mauth_rc rc = MAUTH_OK;

    if (l->kind == LITERAL_DIFFERS)
        rc = check_differs(s, l);
    for (unsigned i = 0; i < l->arity && !rc; i++)
        rc = check_value(s, &l->arg[i], values_of(s->rules, l, i));
    if (rc)
        return rc;
    bind_terms(s, l);
    switch (l->kind) {
    case LITERAL_DIFFERS: return check_kinds_differ(s, l);
    case LITERAL_SOURCE:
    case LITERAL_COMPUTED: return find_keys(s, rule, l);
    case LITERAL_TABLE: break;
    }
    return MAUTH_OK;
}

static enum mauth_rc
check_rule(const struct mauth_rules *rules, struct rule *rule, struct mauth_err *err)
{
    struct literal *body = rules->literal + rule->first;
    struct scope s = {.rules = rules, .err = err};
    enum mauth_rc rc = MAUTH_OK;

    for (unsigned v = 0; v < rule->variables; v++)
        s.value[v] = VALUE_ANY;
    for (size_t i = 0; i < rule->count && !rc; i++)
        rc = resolve(rules, &body[i], err);
    if (!rc)
        rc = find_sides(rules, rule, err);
    if (rc)
        return rc;
    for (unsigned i = 0; i < rule->head.arity && !rc; i++)
        rc = check_value(&s, &rule->head.arg[i], VALUE_ANY);
    bind_terms(&s, &rule->head);
    for (size_t i = 0; i < rule->count && !rc; i++)
        rc = check_literal(&s, rule, &body[i]);
    for (unsigned v = 0; v < rule->variables && !rc; v++)
        if (s.uses[v] == 1)
            rc = rules_fault(rules, s.last[v]->text.p, err,
                "%.*s comes only once; write _ if any value will do",
                width(s.last[v]->text), s.last[v]->text.p);
    return rc;
}

enum mauth_rc
rules_check(struct mauth_rules *rules, struct mauth_err *err)
{
    enum mauth_rc rc = make_tables(rules, err);

    for (size_t i = 0; i < rules->rule_count && !rc; i++)
        rc = check_rule(rules, &rules->rule[i], err);
    return rc;
}
