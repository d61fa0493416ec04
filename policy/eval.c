#include "policy/eval.h"

#include <string.h>

#include "base/fail.h"
#include "base/url.h"

static enum mauth_rc
count_step(struct eval *e, struct mauth_err *err)
{
    if (e->steps == e->steps_max)
        return mauth_refuse(err, MAUTH_REASON_BOUND,
            "rules: undecided after %llu steps", (unsigned long long)e->steps_max);
    e->steps++;
    return MAUTH_OK;
}

/* The value that a term has by now. */
static struct text
value_of(const struct eval *e, const struct term *t)
{
    return t->kind == TERM_VARIABLE ? e->value[t->variable] : t->text;
}

/* Do these values fit the literal? Gives variables their values on the way. */
static bool
takes(struct eval *e, const struct literal *l, const struct text *arg)
{
    for (unsigned i = 0; i < l->arity; i++) {
        const struct term *t = &l->arg[i];

        if (l->binds >> i & 1U)
            e->value[t->variable] = arg[i];
        else if (t->kind != TERM_ANY && !text_equal(value_of(e, t), arg[i]))
            return false;
    }
    return true;
}

/* Start looking for facts that meet the rule's condition at this depth. */
static void
enter(struct eval *e, const struct rule *rule, size_t depth)
{
    const struct literal *l = &e->rules->literal[rule->first + depth];
    struct eval_level *level = &e->level[depth];
    struct fact_cursor *c = &level->cursor;

    level->met = false;
    c->predicate = l->predicate;
    c->bound = l->bound;
    c->key = l->key[e->source->side];
    for (unsigned i = 0; i < PREDICATE_ARGS_MAX; i++)
        c->want[i] = i < l->arity && l->bound >> i & 1U ? value_of(e, &l->arg[i])
                                                        : text_of(NULL);
    c->at[0] = c->at[1] = 0;
    c->state = NULL;
}

static void
leave(struct eval *e, const struct literal *l, size_t depth)
{
    if (l->kind == LITERAL_SOURCE && e->source->close)
        e->source->close(e->source->self, &e->level[depth].cursor);
}

static enum mauth_rc
next_from_source(struct eval *e, const struct literal *l, struct fact_cursor *c,
    struct mauth_err *err)
{
    enum mauth_rc rc;

    do {
        rc = count_step(e, err);
        if (!rc)
            rc = e->source->next(e->source->self, c, err);
    } while (!rc && !takes(e, l, c->arg));
    return rc;
}

static enum mauth_rc
next_from_table(struct eval *e, const struct literal *l, struct fact_cursor *c,
    struct mauth_err *err)
{
    const struct table *t = &e->rules->table[l->table];
    enum mauth_rc rc;

    while (c->at[0] < t->count) {
        const struct literal *fact = &e->rules->fact[t->first + c->at[0]++];

        rc = count_step(e, err);
        if (rc)
            return rc;
        for (unsigned i = 0; i < l->arity; i++)
            c->arg[i] = fact->arg[i].text;
        if (takes(e, l, c->arg))
            return MAUTH_OK;
    }
    return MAUTH_NOT_FOUND;
}

static bool
compute_node(struct eval *e, enum id_kind kind, struct fact_cursor *c)
{
    c->arg[0] = c->want[0];
    return url_is_node(c->arg[0], e->question->issuer, kind, &c->arg[1]);
}

static bool
compute(struct eval *e, enum predicate p, struct fact_cursor *c)
{
    if (p == PREDICATE_USER)
        return compute_node(e, ID_USER, c);
    if (p == PREDICATE_DEVICE)
        return compute_node(e, ID_DEVICE, c);
    if (p == PREDICATE_FOLDER)
        return compute_node(e, ID_FOLDER, c);
    c->arg[0] = c->want[0];
    c->arg[1] = c->want[1];
    return p == PREDICATE_WITHIN && url_is_within(c->arg[0], c->arg[1]);
}

static bool
differs(struct fact_cursor *c)
{
    c->arg[0] = c->want[0];
    c->arg[1] = c->want[1];
    return !text_equal(c->arg[0], c->arg[1]);
}

/* What is computed is true once or not at all. */
static enum mauth_rc
next_computed(struct eval *e, const struct literal *l, struct fact_cursor *c,
    struct mauth_err *err)
{
    bool is;
    enum mauth_rc rc;

    if (c->at[0]++)
        return MAUTH_NOT_FOUND;
    rc = count_step(e, err);
    if (rc)
        return rc;
    is = l->kind == LITERAL_DIFFERS ? differs(c) : compute(e, l->predicate, c);
    return is && takes(e, l, c->arg) ? MAUTH_OK : MAUTH_NOT_FOUND;
}

static enum mauth_rc
next_fact(struct eval *e, const struct literal *l, size_t depth, struct mauth_err *err)
{
    struct fact_cursor *c = &e->level[depth].cursor;

    switch (l->kind) {
    case LITERAL_SOURCE: return next_from_source(e, l, c, err);
    case LITERAL_TABLE: return next_from_table(e, l, c, err);
    case LITERAL_COMPUTED:
    case LITERAL_DIFFERS: break;
    }
    return next_computed(e, l, c, err);
}

/* Values may lie in a cursor that goes on to another fact: keep a copy. */
static void
note_miss(
    struct eval *e, const struct rule *rule, const struct literal *l, size_t depth)
{
    struct eval_miss *m = &e->miss;
    const struct fact_cursor *c = &e->level[depth].cursor;

    if (m->rule && depth <= m->depth)
        return;
    m->rule = rule;
    m->literal = l;
    m->depth = depth;
    m->known = l->bound;
    for (unsigned i = 0; i < l->arity; i++) {
        uintptr_t within = (uintptr_t)c->want[i].p - (uintptr_t)e;

        m->arg[i] = c->want[i];
        if (within >= sizeof(*e) || c->want[i].len > FACTS_ROOM)
            continue;
        memcpy(m->room[i], c->want[i].p, c->want[i].len);
        m->arg[i].p = m->room[i];
    }
}

static void
leave_all(struct eval *e, const struct rule *rule, size_t depth)
{
    for (size_t i = 0; i <= depth && i < rule->count; i++)
        leave(e, &e->rules->literal[rule->first + i], i);
}

/*
 * A search through the conditions, from left to right: each fact that meets one
 * leads on to the next, and when there is no further one, back. MAUTH_NOT_FOUND:
 * the rule is not true.
 */
static enum mauth_rc
try_rule(struct eval *e, const struct rule *rule, struct mauth_err *err)
{
    size_t depth = 0;
    enum mauth_rc rc = MAUTH_OK;

    if (rule->count)
        enter(e, rule, 0);
    while (depth < rule->count) {
        const struct literal *l = &e->rules->literal[rule->first + depth];

        rc = next_fact(e, l, depth, err);
        if (rc == MAUTH_OK) {
            e->level[depth].met = true;
            if (++depth < rule->count)
                enter(e, rule, depth);
            continue;
        }
        if (rc != MAUTH_NOT_FOUND)
            break;
        if (!e->level[depth].met)
            note_miss(e, rule, l, depth);
        leave(e, l, depth);
        if (depth-- == 0)
            return MAUTH_NOT_FOUND;
    }
    leave_all(e, rule, depth);
    return rc;
}

static enum mauth_rc
deny(const struct eval *e, struct mauth_err *err)
{
    char room[1024];
    struct buf b;

    if (!err)
        return MAUTH_DENIED;
    buf_init_fixed(&b, room, sizeof(room));
    eval_write_miss(&b, e);
    return mauth_refuse(err, MAUTH_REASON_NO_RULE, "%.*s%s", (int)b.len,
        (const char *)b.data, buf_ok(&b) ? "" : "...");
}

static enum mauth_rc
begin(const struct mauth_rules *rules, const struct eval_question *q,
    const struct fact_source *source, struct eval *e, struct mauth_err *err)
{
    e->rule = NULL;
    e->miss.rule = NULL;
    e->steps = 0;
    e->steps_max = source->side == SIDE_TICKET ? EVAL_STEPS_TICKET : EVAL_STEPS_GRAPH;
    if (q->steps && q->steps < e->steps_max)
        e->steps_max = q->steps;
    e->rules = rules;
    e->question = q;
    e->source = source;
    if (q->args > RULES_ARGS_MAX)
        return mauth_fail(err, MAUTH_INVALID, "rules: %zu arguments, at most %d",
            q->args, RULES_ARGS_MAX);
    return MAUTH_OK;
}

/* MAUTH_NOT_FOUND: it is not true, or says nothing here. */
static enum mauth_rc
decide_by(struct eval *e, const struct rule *rule, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (!(rule->sides >> e->source->side & 1U) ||
        !takes(e, &rule->head, e->question->arg))
        return MAUTH_NOT_FOUND;
    rc = try_rule(e, rule, err);
    if (rc == MAUTH_OK)
        e->rule = rule;
    return rc;
}

enum mauth_rc
eval_decide(const struct mauth_rules *rules, const struct eval_question *q,
    const struct fact_source *source, struct eval *e, struct mauth_err *err)
{
    enum mauth_rc rc = begin(rules, q, source, e, err);
    size_t first, count;

    if (rc != MAUTH_OK)
        return rc;
    count = rules_find(rules, q->kind, q->action, q->args, &first);
    for (size_t i = first; i < first + count; i++) {
        rc = decide_by(e, &rules->rule[rules->order[i]], err);
        if (rc != MAUTH_NOT_FOUND)
            return rc;
    }
    return deny(e, err);
}

enum mauth_rc
eval_decide_by(const struct mauth_rules *rules, size_t number,
    const struct eval_question *q, const struct fact_source *source, struct eval *e,
    struct mauth_err *err)
{
    enum mauth_rc rc = begin(rules, q, source, e, err);
    const struct rule *rule = number < rules->rule_count ? &rules->rule[number] : NULL;

    if (rc != MAUTH_OK)
        return rc;
    if (rule && rule->kind == q->kind && rule->head.arity == q->args &&
        text_equal(rule->head.name, q->action))
        rc = decide_by(e, rule, err);
    else
        rc = MAUTH_NOT_FOUND;
    return rc == MAUTH_NOT_FOUND ? deny(e, err) : rc;
}

size_t
eval_rule_number(const struct eval *e)
{
    return (size_t)(e->rule - e->rules->rule);
}

const struct literal *
eval_fact(const struct eval *e, size_t i, const struct text **arg)
{
    if (!e->rule || i >= e->rule->count)
        return NULL;
    *arg = e->level[i].cursor.arg;
    return &e->rules->literal[e->rule->first + i];
}

static bool
is_among(const struct fact *facts, size_t count, const struct fact *f, unsigned arity)
{
    for (size_t i = 0; i < count; i++) {
        unsigned same = 0;

        while (same < arity && text_equal(facts[i].arg[same], f->arg[same]))
            same++;
        if (facts[i].predicate == f->predicate && same == arity)
            return true;
    }
    return false;
}

size_t
eval_leaves(const struct eval *e, struct fact *out)
{
    const struct literal *l;
    const struct text *arg;
    size_t count = 0;

    for (size_t i = 0; (l = eval_fact(e, i, &arg)) != NULL; i++) {
        struct fact f = {.predicate = l->predicate};

        if (l->kind != LITERAL_SOURCE)
            continue;
        for (unsigned a = 0; a < l->arity; a++)
            f.arg[a] = arg[a];
        if (!is_among(out, count, &f, l->arity))
            out[count++] = f;
    }
    return count;
}
