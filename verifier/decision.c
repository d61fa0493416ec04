#include "verifier/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "tickets/decode.h"

enum {
    TEXT_MAX = 512, /* bytes of a foreign text in JSON */
    BRIEF_MAX = 32  /* where there is little room */
};

void
decision_start(struct mauth_decision *d)
{
    d->verdict = MAUTH_DENY;
    d->reason = MAUTH_REASON_NONE;
    d->http_status = 401;
    d->subject[0] = d->holder[0] = d->session[0] = d->ticket[0] = d->key[0] = '\0';
    memset(d->digest, 0, sizeof(d->digest));
    d->not_on_or_after_s = 0;
    d->epoch = d->sequence = 0;
    d->rule[0] = d->facts[0] = d->why[0] = '\0';
}

/* Ids of a ticket are never longer than there is room for. */
void
decision_copy_id(char out[MAUTH_DECISION_ID], struct text id)
{
    size_t len = id.len < MAUTH_DECISION_ID ? id.len : 0;

    memcpy(out, id.p, len);
    out[len] = '\0';
}

void
decision_name_ticket(struct mauth_decision *d, const struct mauth_ticket *t)
{
    decision_copy_id(d->subject, t->says.subject);
    decision_copy_id(d->holder, ticket_holder(&t->says));
    decision_copy_id(d->session, ticket_session(&t->says));
    decision_copy_id(d->ticket, t->says.id);
    decision_copy_id(d->key, t->says.key_id);
    memcpy(d->digest, t->digest, sizeof(d->digest));
    d->not_on_or_after_s = t->says.not_on_or_after_s;
}

/* As much of b as there is room for; "..." shows that there was more. */
static void
finish(const struct buf *b, char *out, size_t size)
{
    if (!b->failed) {
        out[b->len] = '\0';
        return;
    }
    memcpy(out + (b->len < size - 4 ? b->len : size - 4), "...", 4);
}

void
decision_name_rule(
    struct mauth_decision *d, const struct mauth_rules *rules, size_t rule)
{
    struct buf b;

    buf_init_fixed(&b, d->rule, sizeof(d->rule) - 1);
    buf_str(&b, mauth_rules_text(rules, rule));
    finish(&b, d->rule, sizeof(d->rule));
}

void
decision_name_proof(struct mauth_decision *d, const struct eval *e)
{
    const struct literal *l;
    const struct text *arg;
    struct buf b;

    decision_name_rule(d, e->rules, eval_rule_number(e));
    buf_init_fixed(&b, d->facts, sizeof(d->facts) - 1);
    for (size_t i = 0; (l = eval_fact(e, i, &arg)) != NULL; i++) {
        if (l->kind != LITERAL_SOURCE)
            continue;
        if (b.len)
            buf_str(&b, ", ");
        eval_write_fact(&b, l, arg, ~0U);
    }
    finish(&b, d->facts, sizeof(d->facts));
}

static int
status_of(enum mauth_rc rc, enum mauth_reason reason)
{
    switch (reason) {
    case MAUTH_REASON_TRUST_EXPIRED:
    case MAUTH_REASON_CLOCK: return 503;
    case MAUTH_REASON_NO_RULE:
    case MAUTH_REASON_BOUND: return 403;
    default: return rc == MAUTH_NO_MEMORY || rc == MAUTH_INTERNAL ? 503 : 401;
    }
}

void
decision_end(struct mauth_decision *d, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc == MAUTH_OK) {
        d->verdict = MAUTH_ALLOW;
        d->http_status = 200;
        return;
    }
    d->rule[0] = d->facts[0] = '\0';
    d->reason = err->reason;
    d->http_status = status_of(rc, err->reason);
    snprintf(d->why, sizeof(d->why), "%s", err->text);
}

/* JSON (RFC 8259), ASCII only. */

static void
put_string(struct buf *b, const char *text, size_t max)
{
    size_t n = 0;

    buf_u8(b, '"');
    for (; n < max && text[n]; n++) {
        unsigned char c = (unsigned char)text[n];

        if (c == '"' || c == '\\')
            buf_u8(b, '\\');
        if (c >= 0x20 && c < 0x7f)
            buf_u8(b, c);
        else
            buf_printf(b, "\\u%04x", c);
    }
    buf_str(b, text[n] ? "...\"" : "\"");
}

static void
put_member(struct buf *b, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(b, ",\"%s\":", name);
    put_string(b, value, MAUTH_DECISION_FACTS);
}

static void
put_args(struct buf *b, const struct mauth_request *r, size_t max)
{
    buf_str(b, ",\"args\":[");
    for (size_t i = 0; i < r->arg_count; i++) {
        if (i)
            buf_u8(b, ',');
        put_string(b, r->args[i], max);
    }
    buf_u8(b, ']');
}

static void
put_digest(struct buf *b, const struct mauth_decision *d)
{
    char text[48];

    if (d->ticket[0]) {
        text[b64_encode(B64_STD, d->digest, sizeof(d->digest), text)] = '\0';
        put_member(b, "digest", text);
    }
}

void
decision_write(const struct mauth_decision *d, const struct mauth_request *r,
    bool is_brief, struct buf *b)
{
    size_t max = is_brief ? BRIEF_MAX : TEXT_MAX;
    char now[TIME_LEN + 1];

    time_format(r->now_s, now);
    buf_printf(b, "{\"time\":\"%s\",\"outcome\":\"%s\"", now,
        d->verdict == MAUTH_ALLOW ? "allow" : "deny");
    put_member(b, "reason", mauth_reason_name(d->reason));
    if (!is_brief)
        put_member(b, "why", d->why);
    put_member(b, "subject", d->subject);
    put_member(b, "holder", d->holder);
    put_member(b, "session", d->session);
    put_member(b, "ticket", d->ticket);
    put_digest(b, d);
    put_member(b, "key", d->key);
    buf_str(b, ",\"action\":");
    put_string(b, r->action, max);
    put_args(b, r, max);
    if (!is_brief) {
        put_member(b, "rule", d->rule);
        put_member(b, "facts", d->facts);
    }
    buf_printf(
        b, ",\"epoch\":%" PRIu64 ",\"sequence\":%" PRIu64 "}", d->epoch, d->sequence);
}

enum mauth_rc
mauth_decision_json(const struct mauth_decision *decision,
    const struct mauth_request *request, char *out, size_t cap, size_t *len,
    struct mauth_err *err)
{
    struct buf b;

    *len = 0;
    if (decision->size != sizeof(*decision) || request->size != sizeof(*request) ||
        !request->action || cap == 0)
        return mauth_fail(err, MAUTH_INVALID, "decision: of another version");
    buf_init_fixed(&b, out, cap - 1);
    decision_write(decision, request, false, &b);
    if (!buf_ok(&b)) {
        out[0] = '\0';
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "decision: longer than %zu bytes", cap - 1);
    }
    out[b.len] = '\0';
    *len = b.len;
    return MAUTH_OK;
}
