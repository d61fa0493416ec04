#include "authsvc/mesh_tickets.h"

#include "authsvc/ground.h"
#include "authsvc/log.h"
#include "authsvc/mesh.h"

static enum mauth_rc
issue_for_device(struct mesh *m, bool *any, struct mauth_err *err)
{
    struct renewal *r = &m->tickets.renewal;
    enum mauth_rc rc;

    r->service = m->service;
    r->caller = &m->who.caller;
    r->ground = ground_of_request(m->x, m->who.caller.proof.key);
    rc = renewal_begin(r, err);
    if (rc == MAUTH_OK && !r->refusal)
        rc = renewal_issue(r, err);
    *any = rc == MAUTH_OK && !r->refusal;
    return rc;
}

static enum mauth_rc
issue_for_folder(struct mesh *m, bool *any, struct mauth_err *err)
{
    struct issue_ground g = ground_of_request(m->x, m->who.caller.proof.key);
    struct rights **r = &m->tickets.rights;
    struct token_answer lines;
    enum mauth_rc rc = rights_new_initial(&g, &m->who.caller, NULL, &m->opened, r, err);

    *any = false;
    if (rc == MAUTH_OK)
        rc = rights_prove(*r, err);
    if (rc == MAUTH_OK && !rights_refusal(*r))
        rc = rights_issue(*r, err);
    if (rc != MAUTH_OK || rights_refusal(*r))
        return rc;
    rights_answer(*r, &lines);
    *any = lines.lines > 0;
    return MAUTH_OK;
}

bool
mesh_tickets_issue(struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = MAUTH_OK;
    bool any = false;

    switch (m->opens) {
    case MESH_OPENS_NOTHING: return false;
    case MESH_OPENS_FOLDER: rc = issue_for_folder(m, &any, &err); break;
    case MESH_OPENS_DEVICE: rc = issue_for_device(m, &any, &err); break;
    }
    if (rc != MAUTH_OK)
        log_failure(http_request_id(m->x), &err);
    return rc == MAUTH_OK && any;
}

enum mauth_rc
mesh_tickets_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct mesh *m = arg;

    if (m->opens == MESH_OPENS_DEVICE)
        return renewal_record(txn, &m->tickets.renewal, err);
    return rights_record(txn, m->tickets.rights, err);
}

static enum mauth_rc
write_lines(struct mesh *m, struct buf *b, struct mauth_err *err)
{
    struct token_line line[LOGIN_LINES];
    struct token_answer lines = {.lines = 0};

    if (m->opens != MESH_OPENS_DEVICE) {
        rights_answer(m->tickets.rights, &lines);
        return token_lines_write(b, lines.line, lines.lines, err);
    }
    if (m->tickets.renewal.refusal)
        return MAUTH_OK; /* the session was closed meanwhile */
    return token_lines_write(
        b, line, login_lines(&m->tickets.renewal.tickets, line), err);
}

void
mesh_tickets_answer(struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf b;

    buf_init_secret(&b);
    if (write_lines(m, &b, &err) != MAUTH_OK) {
        log_failure(http_request_id(m->x), &err);
    } else if (buf_ok(&b) && b.len && buf_ok(&m->json) && m->json.len) {
        m->json.len--; /* the node's end */
        buf_u8(&m->json, ',');
        buf_put(&m->json, b.data, b.len);
        buf_u8(&m->json, '}');
    }
    buf_clear(&b);
}

void
mesh_tickets_clear(struct mesh_tickets *t)
{
    renewal_clear(&t->renewal);
    rights_free(t->rights);
    t->rights = NULL;
}
