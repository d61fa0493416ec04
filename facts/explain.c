#include "facts/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "facts/missing.h"
#include "store/graph.h"
#include "store/graph_device.h"
#include "store/graph_role.h"
#include "store/graph_service.h"
#include "store/graph_user.h"

enum {
    URL_MAX = 1024
};

/* To whoever was refused. */

static bool
contains(const struct buf *b, const struct buf *part)
{
    return part->len && memmem(b->data, b->len, part->data, part->len);
}

/* What this rule lacks on the asker's own side; "" when it lies beyond. */
static enum mauth_rc
lack(const struct mauth_rules *rules, size_t number, const struct eval_question *q,
    struct graph_facts *facts, struct buf *out, struct mauth_err *err)
{
    struct fact_source source = graph_facts_source(facts);
    struct mauth_err why = MAUTH_ERR_INIT;
    struct eval e;
    enum mauth_rc rc;

    if (missing_write_asked(out, rules, &rules->rule[number], q->arg))
        return MAUTH_OK;
    rc = eval_decide_by(rules, number, q, &source, &e, &why);
    if (rc != MAUTH_OK && rc != MAUTH_DENIED)
        return mauth_fail(err, rc, "%s", why.text);
    if (rc == MAUTH_DENIED && why.reason == MAUTH_REASON_NO_RULE && e.miss.rule &&
        e.miss.depth < missing_own(rules, e.miss.rule))
        missing_write(out, &e);
    return MAUTH_OK;
}

static void
append(char out[EXPLAIN_DENIAL], const struct buf *b)
{
    size_t len = strlen(out);

    if (buf_ok(b) && len + 1 + b->len < EXPLAIN_DENIAL)
        snprintf(out + len, EXPLAIN_DENIAL - len, "%s%.*s", len ? " " : "", (int)b->len,
            (const char *)b->data);
}

enum mauth_rc
explain_denial(const struct mauth_rules *rules, const struct eval_question *q,
    struct graph_facts *facts, const char *what, char out[EXPLAIN_DENIAL],
    struct mauth_err *err)
{
    char said_room[EXPLAIN_DENIAL], one_room[EXPLAIN_DENIAL];
    enum mauth_rc rc = MAUTH_OK;
    size_t first, count, reasons = 0;
    struct buf said, one;

    buf_init_fixed(&said, said_room, sizeof(said_room));
    buf_printf(&said, "%.*s%s%s is not allowed: ", (int)q->action.len, q->action.p,
        *what ? " on " : "", what);
    count = rules_find(rules, q->kind, q->action, q->args, &first);
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        size_t number = rules->order[first + i];

        if (!(rules->rule[number].sides >> SIDE_GRAPH & 1U))
            continue;
        buf_init_fixed(&one, one_room, sizeof(one_room));
        rc = lack(rules, number, q, facts, &one, err);
        if (!buf_ok(&one) || !one.len) {
            buf_rewind(&one);
            buf_str(&one, "it takes more than your own side shows");
        }
        if (contains(&said, &one) || said.len + one.len + 8 > said.cap)
            continue;
        buf_str(&said, reasons++ ? "; and " : "");
        buf_text(&said, buf_slice(&one));
    }
    if (!reasons)
        buf_str(&said, "no rule here speaks of it");
    buf_str(&said, ".");
    if (rc == MAUTH_OK)
        append(out, &said);
    return rc;
}

/* To an admin. */

/* What its texts name. */
struct names {
    struct graph_principal subject;
    struct id holder, shown;
};

struct explaining {
    const struct explain *x;
    struct graph_facts facts;
    struct names names;
    char key[2 * GRAPH_KEY_HASH + 1];
    char url[RULES_ARGS_MAX][URL_MAX];
    struct buf *json;
    size_t rules;
    bool allowed;
};

static enum mauth_rc
read_names(const struct explain *x, struct names *out, struct mauth_err *err)
{
    if (!str_is_name(text_of(x->action)))
        return mauth_fail(err, MAUTH_INVALID,
            "an action is a name as read or write, [a-z][a-z0-9_.-]*");
    for (size_t i = 0; i < x->args; i++)
        if (strlen(x->arg[i]) >= URL_MAX)
            return mauth_fail(err, MAUTH_INVALID,
                "an argument is too long, %d bytes are the most", URL_MAX - 1);
    if (!graph_principal_parse(text_of(x->subject), &out->subject))
        return mauth_fail(err, MAUTH_INVALID,
            "a subject is the id of a user, usr_..., or of a service, svc_...");
    if (x->holder && !id_parse(ID_DEVICE, x->holder, strlen(x->holder), &out->holder))
        return mauth_fail(
            err, MAUTH_INVALID, "a holder is the id of a device, dev_...");
    if (x->shown && !id_parse(ID_INVITATION, x->shown, strlen(x->shown), &out->shown))
        return mauth_fail(
            err, MAUTH_INVALID, "an invitation is named by its id, inv_...");
    return MAUTH_OK;
}

enum mauth_rc
explain_check(const struct explain *x, struct mauth_err *err)
{
    struct names names;

    return read_names(x, &names, err);
}

static enum mauth_rc
take_subject(struct kv_txn *txn, struct explaining *e, struct mauth_err *err)
{
    const struct graph_principal *p = &e->names.subject;
    struct graph_service service;
    struct graph_user user;
    enum mauth_rc rc;
    bool live;

    if (p->kind == ID_USER) {
        rc = graph_user_by_id(txn, &p->id, &user, err);
        live = user.live;
    } else {
        rc = graph_service_by_id(txn, &p->id, &service, err);
        live = service.live;
    }
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !live))
        return mauth_fail(err, MAUTH_NOT_FOUND, "there is no %s", e->x->subject);
    e->facts.caller_kind = e->facts.subject_kind = p->kind;
    e->facts.caller = e->facts.subject = &p->id;
    return rc;
}

static enum mauth_rc
take_holder(struct kv_txn *txn, struct explaining *e, struct mauth_err *err)
{
    struct graph_device d;
    enum mauth_rc rc;

    if (!e->x->holder)
        return MAUTH_OK;
    rc = graph_device_by_id(txn, &e->names.holder, &d, err);
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_NOT_FOUND, "there is no %s", e->x->holder);
    if (rc != MAUTH_OK)
        return rc;
    str_hex(d.key_hash, sizeof(d.key_hash), e->key);
    e->key[16] = '\0'; /* a key's id is the first half of that many digits */
    e->facts.holder = &e->names.holder;
    e->facts.key = e->key;
    return MAUTH_OK;
}

static enum mauth_rc
take_question(struct kv_txn *txn, struct explaining *e, struct mauth_err *err)
{
    enum mauth_rc rc = read_names(e->x, &e->names, err);

    e->facts.shown = e->x->shown ? &e->names.shown : NULL;
    if (rc == MAUTH_OK)
        rc = take_subject(txn, e, err);
    return rc ? rc : take_holder(txn, e, err);
}

/* Does the rule take the argument for a URL? */
static bool
wants_url(const struct mauth_rules *rules, const struct rule *rule, size_t arg)
{
    const struct term *t = &rule->head.arg[arg];

    for (size_t i = 0; i < rule->count && t->kind == TERM_VARIABLE; i++) {
        const struct literal *l = &rules->literal[rule->first + i];

        if (l->kind == LITERAL_COMPUTED && l->arg[0].kind == TERM_VARIABLE &&
            l->arg[0].variable == t->variable)
            return true;
    }
    return false;
}

/* An id for its node's URL. */
static struct text
argument(struct explaining *e, const struct rule *rule, size_t i)
{
    static const char *const places[ID_KINDS] = {
        [ID_USER] = "users", [ID_DEVICE] = "devices", [ID_FOLDER] = "folders"};
    const char *given = e->x->arg[i];
    enum id_kind kind = id_kind_of(given, strlen(given));

    if (kind == ID_KINDS || !places[kind] || !wants_url(e->x->rules, rule, i))
        return text_of(given);
    snprintf(e->url[i], URL_MAX, "%s/v1/mesh/%s/%s", e->x->issuer, places[kind], given);
    return text_of(e->url[i]);
}

static void
put_member(struct buf *json, const char *name, struct text value)
{
    buf_printf(json,
        "%s\"%s\":", json->len && json->data[json->len - 1] != '{' ? "," : "", name);
    buf_json(json, value);
}

/* Where a condition is looked up. */
static const char *
place_of(const struct literal *l)
{
    switch (l->kind) {
    case LITERAL_TABLE: return "rules";
    case LITERAL_COMPUTED:
    case LITERAL_DIFFERS: return "computed";
    case LITERAL_SOURCE: break;
    }
    switch (l->predicate) {
    case PREDICATE_CALLER:
    case PREDICATE_SUBJECT:
    case PREDICATE_HOLDER:
    case PREDICATE_SESSION:
    case PREDICATE_KEY:
    case PREDICATE_SHOWN:
    case PREDICATE_LOCAL: return "request";
    default: return "graph";
    }
}

static void
put_condition(
    struct buf *json, const struct literal *l, const struct text *arg, unsigned known)
{
    struct buf fact;

    buf_init(&fact);
    eval_write_fact(&fact, l, arg, known);
    buf_str(json, "{");
    put_member(json, "fact", buf_slice(&fact));
    put_member(json, "source", text_of(place_of(l)));
    buf_str(json, "}");
    json->failed |= !buf_ok(&fact);
    buf_clear(&fact);
}

static void
put_facts(struct buf *json, const struct eval *e)
{
    const struct literal *l;
    const struct text *arg;

    buf_str(json, ",\"facts\":[");
    for (size_t i = 0; (l = eval_fact(e, i, &arg)) != NULL; i++) {
        buf_str(json, i ? "," : "");
        put_condition(json, l, arg, ~0U);
    }
    buf_str(json, "]");
}

static void
put_missing(struct buf *json, const struct eval *e, enum mauth_reason reason)
{
    const char *remedy = missing_remedy(e);
    struct buf why;

    buf_init(&why);
    if (reason == MAUTH_REASON_BOUND)
        buf_str(&why, "undecided after as many steps as a rule may take");
    else
        missing_write(&why, e);
    if (e->miss.rule && reason != MAUTH_REASON_BOUND) {
        buf_str(json, ",\"missing\":");
        put_condition(json, e->miss.literal, e->miss.arg, e->miss.known);
    }
    put_member(json, "why", buf_slice(&why));
    if (remedy && reason != MAUTH_REASON_BOUND)
        put_member(json, "remedy", text_of(remedy));
    json->failed |= !buf_ok(&why);
    buf_clear(&why);
}

static enum mauth_rc
explain_rule(
    struct explaining *x, enum rule_kind kind, size_t number, struct mauth_err *err)
{
    const struct mauth_rules *rules = x->x->rules;
    const struct rule *rule = &rules->rule[number];
    struct fact_source source = graph_facts_source(&x->facts);
    struct mauth_err why = MAUTH_ERR_INIT;
    struct text arg[RULES_ARGS_MAX];
    const struct eval_question q = {.kind = kind,
        .action = text_of(x->x->action),
        .arg = arg,
        .args = x->x->args,
        .issuer = text_of(x->x->issuer)};
    struct eval e;
    enum mauth_rc rc;

    for (size_t i = 0; i < q.args; i++)
        arg[i] = argument(x, rule, i);
    rc = eval_decide_by(rules, number, &q, &source, &e, &why);
    if (rc != MAUTH_OK && rc != MAUTH_DENIED)
        return mauth_fail(err, rc, "%s", why.text);
    buf_str(x->json, x->rules++ ? ",{" : "{");
    put_member(x->json, "kind", text_of(rules_kind_name(kind)));
    buf_printf(x->json, ",\"line\":%u", rule->line);
    put_member(x->json, "rule", text_of(mauth_rules_text(rules, number)));
    buf_printf(x->json, ",\"holds\":%s", e.rule ? "true" : "false");
    if (e.rule)
        put_facts(x->json, &e);
    else
        put_missing(x->json, &e, why.reason);
    buf_str(x->json, "}");
    x->allowed |= e.rule != NULL;
    return MAUTH_OK;
}

static enum mauth_rc
explain_rules(struct explaining *x, struct mauth_err *err)
{
    static const enum rule_kind kinds[] = {RULE_GRANT, RULE_ALLOW};
    const struct mauth_rules *rules = x->x->rules;
    enum mauth_rc rc = MAUTH_OK;
    size_t first;

    for (size_t k = 0; k < 2; k++) {
        size_t count =
            rules_find(rules, kinds[k], text_of(x->x->action), x->x->args, &first);

        for (size_t i = 0; i < count && rc == MAUTH_OK; i++)
            if (rules->rule[rules->order[first + i]].sides >> SIDE_GRAPH & 1U)
                rc = explain_rule(x, kinds[k], rules->order[first + i], err);
    }
    return rc;
}

enum mauth_rc
explain_write(struct kv_txn *txn, const struct explain *x, struct buf *json,
    bool *allowed, struct mauth_err *err)
{
    struct explaining e = {
        .x = x, .json = json, .facts = {.txn = txn, .now_s = x->now_s}};
    enum mauth_rc rc = take_question(txn, &e, err);
    uint64_t state = 0;

    *allowed = false;
    if (rc == MAUTH_OK)
        rc = graph_state(txn, &state, err);
    if (rc != MAUTH_OK)
        return rc;
    buf_str(json, "{");
    put_member(json, "action", text_of(x->action));
    buf_str(json, ",\"args\":[");
    for (size_t i = 0; i < x->args; i++) {
        buf_str(json, i ? "," : "");
        buf_json(json, text_of(x->arg[i]));
    }
    buf_str(json, "]");
    put_member(json, "subject", text_of(x->subject));
    if (x->holder)
        put_member(json, "holder", text_of(x->holder));
    if (x->shown)
        put_member(json, "shown", text_of(x->shown));
    buf_printf(json, ",\"state\":%" PRIu64 ",\"rules\":[", state);
    rc = explain_rules(&e, err);
    buf_str(json, "]");
    put_member(json, "outcome", text_of(e.allowed ? "allow" : "deny"));
    buf_str(json, "}");
    *allowed = e.allowed;
    return rc;
}

enum mauth_rc
explain_entry(const struct explain *x, const struct audit_record *who,
    struct audit_entry **out, struct mauth_err *err)
{
    const char *named[] = {x->action, x->subject, x->holder, x->shown};
    struct audit_record r = *who;

    r.time_us = time_now_us();
    r.action = "policy.explain";
    r.outcome = "done";
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
        if (named[i])
            r.resources[r.resource_count++] = named[i];
    for (size_t i = 0; i < x->args; i++)
        r.resources[r.resource_count++] = x->arg[i];
    return audit_entry_new(&r, out, err);
}
