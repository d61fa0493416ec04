#include "verifier/recall.h"

#include <string.h>

#include "base/str.h"
#include "verifier/decision.h"

struct text
recall_question(const struct mauth_request *r, char *room)
{
    struct buf b;

    buf_init_fixed(&b, room, RECALL_TEXT);
    buf_put(&b, r->action, strlen(r->action) + 1);
    for (size_t i = 0; i < r->arg_count; i++)
        buf_put(&b, r->args[i], strlen(r->args[i]) + 1);
    return (struct text){room, buf_ok(&b) ? b.len : 0};
}

bool
recall_answer(const struct recall *from, uint64_t generation, struct text question,
    const struct mauth_rules *rules, struct mauth_decision *d)
{
    struct text asked = {from->text, from->question_len};

    if (from->generation != generation || !question.len || !text_equal(asked, question))
        return false;
    memcpy(d->subject, from->subject, sizeof(d->subject));
    memcpy(d->holder, from->holder, sizeof(d->holder));
    memcpy(d->session, from->session, sizeof(d->session));
    memcpy(d->ticket, from->ticket, sizeof(d->ticket));
    memcpy(d->key, from->key, sizeof(d->key));
    memcpy(d->digest, from->digest, sizeof(d->digest));
    d->not_on_or_after_s = from->not_on_or_after_s;
    decision_name_rule(d, rules, from->rule);
    memcpy(d->facts, from->text + from->question_len, from->facts_len);
    return true;
}

void
recall_keep(struct recall *into, uint64_t generation, struct text question, size_t rule,
    const struct mauth_decision *d)
{
    size_t facts_len = strlen(d->facts) + 1;

    into->generation = 0;
    if (!question.len || question.len + facts_len > sizeof(into->text))
        return;
    memcpy(into->subject, d->subject, sizeof(into->subject));
    memcpy(into->holder, d->holder, sizeof(into->holder));
    memcpy(into->session, d->session, sizeof(into->session));
    memcpy(into->ticket, d->ticket, sizeof(into->ticket));
    memcpy(into->key, d->key, sizeof(into->key));
    memcpy(into->digest, d->digest, sizeof(into->digest));
    into->not_on_or_after_s = d->not_on_or_after_s;
    into->rule = rule;
    into->question_len = question.len;
    into->facts_len = facts_len;
    memcpy(into->text, question.p, question.len);
    memcpy(into->text + question.len, d->facts, facts_len);
    into->generation = generation;
}
