/* Nothing is granted: what may be said of that. */
#include <stdio.h>
#include <string.h>

#include "authsvc/rights_parts.h"
#include "authsvc/rules_in_force.h"

enum {
    STEPS_KNOW = 4096, /* to tell one refusal from another */
    EXPLAINED = 4      /* actions on nodes: each may take its steps */
};

/* Why an action is not granted on a node that the caller knows of; NULL: on none. */
static enum mauth_rc
explain_action(const struct prover *p, const struct rights_node *n, size_t action,
    struct mauth_err *err)
{
    struct rights *r = p->r;
    struct graph_facts facts = rights_facts(p);
    char x[ID_LEN + 1] = "", id[ID_LEN + 1] = "";
    struct text arg[2] = {text_of(n ? n->url : "")};
    struct eval_question q = rights_question(r, RULE_GRANT, r->action[action], arg, 1);
    size_t first;

    if (n)
        id_format(n->kind, &n->id, id);
    if (r->syncs) {
        id_format(ID_DEVICE, &r->ground.device, x);
        arg[0] = text_of(x);
        arg[1] = text_of(id);
        q.args = 2;
    }
    if (!n || !rules_find(in_force_rules(r->rules), q.kind, q.action, q.args, &first)) {
        q.kind = RULE_ALLOW;
        if (n && n->kind == ID_DEVICE && !r->syncs)
            arg[0] = text_of(id);
    }
    q.steps = EXPLAIN_DENIAL_STEPS;
    return explain_denial(in_force_rules(r->rules), &q, &facts, id, r->why, err);
}

/* Does the ticket of some audience carry it? */
static bool
is_carried(const struct rights *r, struct text action)
{
    for (size_t i = 0; i < r->audiences; i++)
        if (rights_carries(&r->audience[i], action))
            return true;
    return false;
}

static void
add_why(struct rights *r, struct text action, const char *says)
{
    size_t len = strlen(r->why);
    char line[192];

    snprintf(line, sizeof(line), "%.*s is not allowed: %s.", (int)action.len, action.p,
        says);
    if (len + strlen(line) + 2 < sizeof(r->why))
        snprintf(r->why + len, sizeof(r->why) - len, "%s%s", len ? " " : "", line);
}

/* Of what tickets say of nodes, and the client has named none. */
static bool
lacks_node(const struct prover *p, const struct rights_node *n, struct text action)
{
    size_t first;

    return !n && rules_find(in_force_rules(p->r->rules), RULE_GRANT, action, 1, &first);
}

static enum mauth_rc
explain_node(const struct prover *p, const struct rights_node *n, struct mauth_err *err)
{
    struct rights *r = p->r;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < r->actions && rc == MAUTH_OK && r->explained < EXPLAINED;
         i++, r->explained++)
        if (r->syncs && !r->ground.has_device)
            add_why(r, r->action[i], "the proven key is that of no registered device");
        else if (lacks_node(p, n, r->action[i]))
            add_why(
                r, r->action[i], "it is granted on nodes, and no 'resource' names one");
        else if (is_carried(r, r->action[i]))
            rc = explain_action(p, n, i, err);
        else
            add_why(r, r->action[i], "no ticket for these audiences carries it");
    return rc;
}

static enum mauth_rc
is_known(const struct prover *p, const struct rights_node *n, bool *known,
    struct mauth_err *err)
{
    struct rights *r = p->r;
    struct graph_facts facts = {
        .txn = p->txn,
        .now_s = r->ground.now_s,
        .caller_kind = r->caller->kind,
        .caller = &r->caller->principal,
        .session = &r->caller->session,
        .holder = r->ground.has_device ? &r->ground.device : NULL,
    };
    struct text url = text_of(n->url);
    struct eval_question q = rights_question(r, RULE_ALLOW, text_of("know"), &url, 1);
    struct eval e;

    if (q.steps > STEPS_KNOW)
        q.steps = STEPS_KNOW;
    return rights_decide(p, &q, &facts, &e, known, err);
}

enum mauth_rc
rights_deny(const struct prover *p, struct mauth_err *err)
{
    struct rights *r = p->r;
    enum mauth_rc rc = MAUTH_OK;
    bool any = !r->nodes;

    r->why[0] = '\0';
    r->explained = 0;
    if (any)
        rc = explain_node(p, NULL, err);
    for (size_t i = 0; i < r->nodes && rc == MAUTH_OK && !r->refusal; i++) {
        bool known = false;

        rc = is_known(p, &r->node[i], &known, err);
        if (rc == MAUTH_OK && known && !r->refusal)
            rc = explain_node(p, &r->node[i], err);
        any |= known;
    }
    if (!r->refusal)
        r->refusal = any ? "not-granted" : "resource-unknown";
    return rc;
}
