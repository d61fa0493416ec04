/* Decisions in words. */
#include "policy/eval.h"

void
eval_write_fact(
    struct buf *out, const struct literal *l, const struct text *arg, unsigned known)
{
    bool is_differs = l->kind == LITERAL_DIFFERS;

    if (!is_differs)
        buf_text(out, l->name);
    for (unsigned i = 0; i < l->arity; i++) {
        buf_str(out, i ? is_differs ? " != " : ", " : is_differs ? "" : "(");
        if (known >> i & 1U)
            rules_write_value(out, arg[i]);
        else
            buf_str(out, "_");
    }
    if (l->arity && !is_differs)
        buf_str(out, ")");
}

static void
write_question(struct buf *out, const struct eval_question *q)
{
    buf_text(out, q->action);
    for (size_t i = 0; i < q->args; i++) {
        buf_str(out, i ? ", " : "(");
        rules_write_value(out, q->arg[i]);
    }
    if (q->args)
        buf_str(out, ")");
}

void
eval_write_derivation(struct buf *out, const struct eval *e)
{
    static const char *const sources[] = {
        [LITERAL_SOURCE] = "",
        [LITERAL_TABLE] = "  (stated by the rules)",
        [LITERAL_COMPUTED] = "  (computed)",
        [LITERAL_DIFFERS] = "  (computed)",
    };
    const struct literal *l;
    const struct text *arg;

    if (!e->rule)
        return;
    buf_printf(out, "%s ", rules_kind_name(e->question->kind));
    write_question(out, e->question);
    buf_printf(out, "\n  by line %u: %s\n", e->rule->line,
        mauth_rules_text(e->rules, eval_rule_number(e)));
    for (size_t i = 0; (l = eval_fact(e, i, &arg)) != NULL; i++) {
        buf_str(out, "  ");
        eval_write_fact(out, l, arg, ~0U);
        buf_printf(out, "%s\n", sources[l->kind]);
    }
}

void
eval_write_miss(struct buf *out, const struct eval *e)
{
    static const char *const shows[SIDES] = {
        [SIDE_TICKET] = "no ticket shows ",
        [SIDE_GRAPH] = "the graph does not show ",
    };
    const struct eval_miss *m = &e->miss;

    if (!m->rule) {
        buf_str(out, "no rule here speaks of ");
        write_question(out, e->question);
        return;
    }
    switch (m->literal->kind) {
    case LITERAL_SOURCE: buf_str(out, shows[e->source->side]); break;
    case LITERAL_TABLE: buf_str(out, "the rules do not state "); break;
    case LITERAL_COMPUTED:
    case LITERAL_DIFFERS: buf_str(out, "it is not true that "); break;
    }
    eval_write_fact(out, m->literal, m->arg, m->known);
}
