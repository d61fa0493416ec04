#include "authsvc/renewal.h"

#include "authsvc/ground.h"
#include "base/fail.h"

/* Sets refusal, or finds the session to go on. */
static enum mauth_rc
find_session(struct kv_txn *txn, struct renewal *r, struct graph_session *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = caller_session(txn, r->caller, out, err);
    bool goes_on = false;

    r->refusal = NULL;
    if (rc == MAUTH_OK)
        rc = graph_session_goes_on(txn, out, r->caller->now_s, &goes_on, err);
    if (rc == MAUTH_DENIED || (rc == MAUTH_OK && !goes_on)) {
        mauth_err_reset(err);
        r->refusal = "session";
        return MAUTH_OK;
    }
    return rc;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct renewal *r = arg;
    struct issue_ground *g = &r->ground;
    struct graph_session s;
    enum mauth_rc rc = find_session(txn, r, &s, err);

    if (rc != MAUTH_OK || r->refusal)
        return rc;
    g->authn_instant_s = s.started_s;
    g->by_certificate = s.by_certificate;
    g->session_ends_s = s.ends_s;
    rc = ground_look(txn, r->caller->key_hash, g, err);
    r->extends = rc == MAUTH_OK && g->claims_device && g->unattended;
    if (r->extends)
        g->session_ends_s = g->now_s + r->service->config->tickets.session_s;
    return rc;
}

enum mauth_rc
renewal_begin(struct renewal *r, struct mauth_err *err)
{
    ground_take_caller(&r->ground, r->caller);
    r->ground.renews = true;
    return kv_read(r->service->kv, look, r, err);
}

enum mauth_rc
renewal_issue(struct renewal *r, struct mauth_err *err)
{
    return login_issue_tickets(&r->ground, r->caller->key_hash, &r->tickets, err);
}

enum mauth_rc
renewal_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct renewal *r = arg;
    struct graph_session s;
    enum mauth_rc rc = find_session(txn, r, &s, err);

    if (rc != MAUTH_OK || r->refusal)
        return rc;
    if (r->extends)
        rc = graph_session_extend(txn, &s.id, r->ground.session_ends_s, err);
    return rc ? rc : login_record_tickets(txn, &r->tickets, err);
}

void
renewal_clear(struct renewal *r)
{
    login_tickets_clear(&r->tickets);
}
