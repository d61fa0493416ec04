#include "authsvc/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "tickets/encode.h"

/* The rule of the mesh's policy that grants it, as it goes on record. */
static const char own_node_rule[] = "grant read(R) if subject(U), user(R, U).";
static const char unspecified_class[] =
    "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";

/* The texts that a ticket's slices point to while it is made. */
struct draft {
    struct ticket ticket;
    char id[TICKET_ID_LEN + 1];
    char subject[ID_LEN + 1];
    char session[ID_LEN + 1];
    char asof[24];
    char device[ID_LEN + 1];
};

static int64_t
earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool
issue_mesh_root(const char *issuer, const struct id *user, char *out, size_t size)
{
    char id[ID_LEN + 1];
    int n;

    id_format(ID_USER, user, id);
    n = snprintf(out, size, "%s/v1/mesh/users/%s", issuer, id);
    return n > 0 && (size_t)n < size;
}

static void
add_fact(struct ticket *t, enum ticket_relation relation, const char *arg)
{
    t->fact[t->facts].relation = relation;
    t->fact[t->facts].arg[0] = text_of(arg);
    t->facts++;
}

/* Of a key that is a registered device's: always, and before what sorts behind it. */
static void
add_device(const struct issue_ground *g, struct draft *d)
{
    struct ticket *t = &d->ticket;

    if (!g->has_device)
        return;
    id_format(ID_DEVICE, &g->device, d->device);
    if (g->claims_device) {
        add_fact(t, FACT_CLAIMED, d->device);
        t->fact[t->facts - 1].arg[1] = text_of(d->subject);
    }
    add_fact(t, FACT_HOLDER, d->device);
}

/* What both kinds of ticket say. */
static enum mauth_rc
start(const struct issue_ground *g, int64_t lifetime_s, const char *audience,
    struct draft *d, struct mauth_err *err)
{
    struct ticket *t = &d->ticket;
    int64_t end_s = g->now_s + lifetime_s;
    enum mauth_rc rc;

    memset(d, 0, sizeof(*d));
    rc = ticket_new_id(d->id, err);
    if (rc != MAUTH_OK)
        return rc;
    end_s = earliest(end_s, g->session_ends_s);
    end_s = earliest(end_s, keystore_active_until_s(g->service->keys));
    if (end_s <= g->now_s)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "issue: the session or the signing key is at its end");
    if (g->now_s < keystore_active_from_s(g->service->keys))
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "issue: the clock is before the signing key's time: no verifier would take "
            "the ticket");
    id_format(g->subject_kind, &g->subject, d->subject);
    id_format(ID_SESSION, &g->session, d->session);
    snprintf(d->asof, sizeof(d->asof), "%" PRIu64, g->asof);
    t->id = text_of(d->id);
    t->issuer = text_of(g->service->config->issuer.url);
    t->subject = text_of(d->subject);
    t->issued_s = t->not_before_s = g->now_s;
    t->not_on_or_after_s = end_s;
    t->holder_spki = mauth_key_spki(g->holder, &t->holder_spki_len);
    t->audience[t->audiences++] = text_of(audience);
    add_fact(t, FACT_ASOF, d->asof);
    add_device(g, d);
    if (g->subject_kind == ID_SERVICE)
        add_fact(t, FACT_SERVICE, d->subject);
    add_fact(t, FACT_SESSION, d->session);
    return MAUTH_OK;
}

static enum mauth_rc
make_entry(const struct issue_ground *g, const struct draft *d, const char *action,
    const char *rule, struct issued *out, struct mauth_err *err)
{
    struct audit_record record = {
        .time_us = time_now_us(),
        .actor = d->subject,
        .device = g->has_device ? d->device : mauth_key_id(g->holder),
        .session = d->session,
        .action = action,
        .outcome = "allow",
        .rule = rule,
        .ticket = d->id,
        .digest = d->ticket.digest,
        .key = mauth_key_id(signer_key(keystore_active(g->service->keys))),
        .client = g->client,
        .request = g->request,
    };

    if (out->resource[0])
        record.resources[record.resource_count++] = out->resource;
    record.resources[record.resource_count++] = out->audience;
    return audit_entry_new(&record, &out->entry, err);
}

static enum mauth_rc
sign(const struct issue_ground *g, struct draft *d, struct issued *out,
    struct mauth_err *err)
{
    const struct signer *signer = keystore_active(g->service->keys);
    enum mauth_rc rc;
    struct buf xml;

    if (!signer)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "issue: no active signing key");
    buf_init(&xml);
    rc = ticket_sign(&d->ticket, signer, &xml, err);
    if (rc != MAUTH_OK)
        goto out;
    out->expires_in_s = d->ticket.not_on_or_after_s - g->now_s;
    out->xml = buf_detach(&xml, &out->xml_len);
    if (!out->xml)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "issue: no memory");
out:
    buf_clear(&xml);
    return rc;
}

enum mauth_rc
issue_identity(const struct issue_ground *g, struct issued *out, struct mauth_err *err)
{
    const struct config *config = g->service->config;
    struct draft d;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    snprintf(out->audience, sizeof(out->audience), "%s", config->issuer.url);
    rc = start(g, config->tickets.identity_s, out->audience, &d, err);
    if (rc != MAUTH_OK)
        goto out;
    d.ticket.has_authn = true;
    d.ticket.authn_instant_s = g->authn_instant_s;
    d.ticket.authn_class = text_of(g->authn_class ? g->authn_class : unspecified_class);
    rc = sign(g, &d, out, err);
    if (rc == MAUTH_OK)
        rc = make_entry(g, &d, "login", NULL, out, err);
out:
    if (rc != MAUTH_OK)
        issued_clear(out);
    return rc;
}

enum mauth_rc
issue_own_node(const struct issue_ground *g, const char *service, struct issued *out,
    struct mauth_err *err)
{
    const struct config *config = g->service->config;
    struct draft d;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    snprintf(out->audience, sizeof(out->audience), "urn:meshauth:service:%s", service);
    if (!issue_mesh_root(
            config->issuer.url, &g->subject, out->resource, sizeof(out->resource))) {
        rc = mauth_fail(err, MAUTH_INTERNAL, "issue: the issuer's URL is too long");
        goto out;
    }
    out->action = "read";
    rc = start(g, config->tickets.rights_s, out->audience, &d, err);
    if (rc != MAUTH_OK)
        goto out;
    d.ticket.permit[0].resource = text_of(out->resource);
    d.ticket.permit[0].count = 1;
    d.ticket.permits = 1;
    d.ticket.action[0] = text_of(out->action);
    d.ticket.actions = 1;
    rc = sign(g, &d, out, err);
    if (rc == MAUTH_OK)
        rc = make_entry(g, &d, "ticket.issue", own_node_rule, out, err);
out:
    if (rc != MAUTH_OK)
        issued_clear(out);
    return rc;
}

void
issued_clear(struct issued *issued)
{
    free(issued->xml);
    audit_entry_free(issued->entry);
    memset(issued, 0, sizeof(*issued));
}
