#include "policy/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "policy/compile.h"
#include "policy/lex.h"

enum {
    FIRST_ROOM = 16 /* for rules, conditions and facts; grows by itself */
};

const char *
rules_kind_name(enum rule_kind kind)
{
    switch (kind) {
    case RULE_ALLOW: return "allow";
    case RULE_GRANT: break;
    }
    return "grant";
}

/* Nothing in it that mauth_quote() would change; so are all URLs. */
static bool
is_plain(struct text value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] < ' ' || value.p[i] > '~' || value.p[i] == '"' ||
            value.p[i] == '\\' || value.p[i] == '\'')
            return false;
    return value.len <= LEX_STRING_MAX;
}

void
rules_write_value(struct buf *out, struct text value)
{
    char plain[LEX_STRING_MAX + 8];

    if (lex_is_bare(value)) {
        buf_text(out, value);
        return;
    }
    buf_u8(out, '"');
    if (is_plain(value))
        buf_text(out, value);
    else
        buf_str(out, mauth_quote(value.p, value.len, plain, sizeof(plain)));
    buf_u8(out, '"');
}

static void
write_term(struct buf *out, const struct term *t)
{
    switch (t->kind) {
    case TERM_CONSTANT: rules_write_value(out, t->text); break;
    case TERM_VARIABLE: buf_text(out, t->text); break;
    case TERM_ANY: buf_str(out, "_"); break;
    }
}

static void
write_literal(struct buf *out, const struct literal *l)
{
    bool differs = l->kind == LITERAL_DIFFERS;

    if (!differs)
        buf_text(out, l->name);
    for (unsigned i = 0; i < l->arity; i++) {
        buf_str(out, i ? differs ? " != " : ", " : differs ? "" : "(");
        write_term(out, &l->arg[i]);
    }
    if (l->arity && !differs)
        buf_str(out, ")");
}

static void
write_rule(struct mauth_rules *rules, struct rule *rule)
{
    struct buf *out = &rules->texts;

    rule->text_at = out->len;
    buf_printf(out, "%s ", rules_kind_name(rule->kind));
    write_literal(out, &rule->head);
    for (size_t i = 0; i < rule->count; i++) {
        buf_str(out, i ? ", " : " if ");
        write_literal(out, &rules->literal[rule->first + i]);
    }
    buf_put(out, ".", sizeof("."));
}

/* The order in which questions look for rules; zero is a match. */
static int
compare_question(
    const struct rule *rule, enum rule_kind kind, struct text action, size_t arity)
{
    if (rule->kind != kind)
        return rule->kind < kind ? -1 : 1;
    if (rule->head.arity != arity)
        return rule->head.arity < arity ? -1 : 1;
    return text_compare(rule->head.name, action);
}

/* An insertion sort: stable, and there are few. */
static void
sort_rules(struct mauth_rules *rules)
{
    for (size_t i = 0; i < rules->rule_count; i++) {
        const struct rule *r = &rules->rule[i];
        size_t at = i;

        while (at > 0 && compare_question(&rules->rule[rules->order[at - 1]], r->kind,
                             r->head.name, r->head.arity) > 0) {
            rules->order[at] = rules->order[at - 1];
            at--;
        }
        rules->order[at] = i;
    }
}

size_t
rules_find(const struct mauth_rules *rules, enum rule_kind kind, struct text action,
    size_t arity, size_t *first)
{
    size_t low = 0, high = rules->rule_count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct rule *r = &rules->rule[rules->order[middle]];

        if (compare_question(r, kind, action, arity) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = end = low;
    while (end < rules->rule_count &&
           compare_question(&rules->rule[rules->order[end]], kind, action, arity) == 0)
        end++;
    return end - low;
}

bool
rules_action(const struct mauth_rules *rules, enum rule_kind kind, size_t i,
    struct text *action, size_t *arity)
{
    const struct rule *last = NULL;

    for (size_t at = 0; at < rules->rule_count; at++) {
        const struct rule *r = &rules->rule[rules->order[at]];

        if (r->kind != kind ||
            (last && compare_question(last, kind, r->head.name, r->head.arity) == 0))
            continue;
        last = r;
        if (i-- == 0) {
            *action = r->head.name;
            *arity = r->head.arity;
            return true;
        }
    }
    return false;
}

static enum mauth_rc
allocate(struct mauth_rules *rules, const char *text, size_t len, struct mauth_err *err)
{
    rules->copy = malloc(len + 1);
    rules->rule = calloc(FIRST_ROOM, sizeof(*rules->rule));
    rules->literal = calloc(FIRST_ROOM, sizeof(*rules->literal));
    rules->fact = calloc(FIRST_ROOM, sizeof(*rules->fact));
    if (!rules->copy || !rules->rule || !rules->literal || !rules->fact)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rules: no memory");
    rules->rule_room = rules->literal_room = rules->fact_room = FIRST_ROOM;
    if (len)
        memcpy(rules->copy, text, len);
    rules->copy[len] = '\0';
    rules->source.p = rules->copy;
    rules->source.len = len;
    return MAUTH_OK;
}

/* What is as long as the file turned out to be. */
static enum mauth_rc
allocate_parsed(struct mauth_rules *rules, struct mauth_err *err)
{
    rules->order = calloc(rules->rule_count + 1, sizeof(*rules->order));
    rules->table = calloc(rules->fact_count + 1, sizeof(*rules->table));
    if (!rules->order || !rules->table)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rules: no memory");
    return MAUTH_OK;
}

static enum mauth_rc
compile(struct mauth_rules *rules, struct mauth_err *err)
{
    enum mauth_rc rc = hash_bytes(rules->source.p, rules->source.len, rules->hash, err);

    if (!rc)
        rc = rules_parse(rules, err);
    if (!rc)
        rc = allocate_parsed(rules, err);
    if (!rc)
        rc = rules_check(rules, err);
    if (!rc)
        rc = rules_check_use(rules, err);
    if (rc)
        return rc;
    sort_rules(rules);
    for (size_t i = 0; i < rules->rule_count; i++)
        write_rule(rules, &rules->rule[i]);
    if (!buf_ok(&rules->texts))
        return mauth_fail(err, MAUTH_NO_MEMORY, "rules: no memory");
    return MAUTH_OK;
}

enum mauth_rc
mauth_rules_compile(
    const char *text, size_t len, struct mauth_rules **out, struct mauth_err *err)
{
    struct mauth_rules *rules;
    enum mauth_rc rc;

    *out = NULL;
    if (len > MAUTH_RULES_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "rules: %zu bytes, at most %d", len, MAUTH_RULES_MAX);
    rules = calloc(1, sizeof(*rules));
    if (!rules)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rules: no memory");
    buf_init(&rules->texts);
    rc = allocate(rules, text, len, err);
    if (!rc)
        rc = compile(rules, err);
    if (rc)
        goto out;
    *out = rules;
    rules = NULL; /* now the caller's */
out:
    mauth_rules_free(rules);
    return rc;
}

void
mauth_rules_free(struct mauth_rules *rules)
{
    if (!rules)
        return;
    free(rules->copy);
    free(rules->rule);
    free(rules->order);
    free(rules->literal);
    free(rules->fact);
    free(rules->table);
    buf_clear(&rules->texts);
    free(rules);
}

const uint8_t *
mauth_rules_hash(const struct mauth_rules *rules)
{
    return rules->hash;
}

size_t
mauth_rules_count(const struct mauth_rules *rules)
{
    return rules->rule_count;
}

const char *
mauth_rules_text(const struct mauth_rules *rules, size_t rule)
{
    if (rule >= rules->rule_count)
        return NULL;
    return (const char *)rules->texts.data + rules->rule[rule].text_at;
}

unsigned
mauth_rules_line(const struct mauth_rules *rules, size_t rule)
{
    return rule < rules->rule_count ? rules->rule[rule].line : 0;
}
