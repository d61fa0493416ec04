#include "authsvc/ground.h"

#include "store/graph_device.h"
#include "store/graph_link.h"

struct issue_ground
ground_of_request(const struct http_exchange *x, const struct mauth_key *holder)
{
    struct issue_ground g = {
        .service = http_context(x),
        .holder = holder,
        .client = http_client(x),
        .request = http_request_id(x),
    };

    return g;
}

void
ground_take_caller(struct issue_ground *g, const struct caller *c)
{
    g->now_s = c->now_s;
    g->subject_kind = c->kind;
    g->subject = c->principal;
    g->session = c->session;
}

enum mauth_rc
ground_look(struct kv_txn *txn, const uint8_t key_hash[GRAPH_KEY_HASH],
    struct issue_ground *g, struct mauth_err *err)
{
    struct graph_device d;
    struct graph_link claim;
    enum mauth_rc rc = graph_state(txn, &g->asof, err);

    g->has_device = g->claims_device = g->unattended = false;
    if (rc == MAUTH_OK)
        rc = graph_device_by_key(txn, key_hash, &d, err);
    if (rc != MAUTH_OK)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    g->has_device = true;
    g->device = d.id;
    g->unattended = d.unattended;
    if (g->subject_kind != ID_USER)
        return MAUTH_OK;
    rc = graph_link_find(txn, GRAPH_CLAIMED_BY_DEVICE, &d.id, &g->subject, &claim, err);
    g->claims_device = rc == MAUTH_OK;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}
