#include "authsvc/issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/own_keys.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

static const char unspecified_class[] =
    "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
static const char x509_class[] = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509";

enum {
    DRAW = 16 /* tickets that random bytes are drawn for at once */
};

/* What is random in a ticket and in its record. */
struct chance {
    uint8_t id[TICKET_ID_RANDOM];
    uint8_t salt[AUDIT_SALT];
};

/* The texts that a ticket's slices point to while it is made. */
struct draft {
    struct ticket ticket;
    struct shared_ref *keys;
    const struct keystore_signer *signer; /* one of them */
    struct chance random;
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

static bool
has_fact(const struct ticket *t, const struct ticket_fact *f)
{
    for (size_t i = 0; i < t->facts; i++)
        if (ticket_fact_compare(&t->fact[i], f) == 0)
            return true;
    return false;
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

/* Whose audiences are set: the key that signs it. */
static enum mauth_rc
choose_key(const struct issue_ground *g, struct draft *d, struct mauth_err *err)
{
    d->keys = own_keys_take(g->service->keys);
    d->signer =
        keystore_signer(own_keys_of(d->keys), d->ticket.audience, d->ticket.audiences);
    return d->signer
               ? MAUTH_OK
               : mauth_fail(err, MAUTH_UNAVAILABLE,
                     "issue: no signing key is active for %s", d->ticket.audience[0].p);
}

/* Each draw costs as much as a hash, and one of many bytes hardly more: a thread draws
 * for several tickets. */
static enum mauth_rc
draw(struct chance *out, struct mauth_err *err)
{
    static _Thread_local struct chance drawn[DRAW];
    static _Thread_local size_t left;
    enum mauth_rc rc = left ? MAUTH_OK : mauth_random(drawn, sizeof(drawn), err);

    if (rc != MAUTH_OK)
        return rc;
    left = (left ? left : DRAW) - 1;
    *out = drawn[left];
    mauth_wipe(&drawn[left], sizeof(drawn[left]));
    return MAUTH_OK;
}

/* What both kinds of ticket say. The draft is for end(), also after a failure. */
static enum mauth_rc
start(const struct issue_ground *g, int64_t lifetime_s, const char *const *audience,
    size_t audiences, struct draft *d, struct mauth_err *err)
{
    struct ticket *t = &d->ticket;
    int64_t end_s = g->now_s + lifetime_s;
    enum mauth_rc rc;

    memset(d, 0, sizeof(*d));
    if (audiences > TICKET_AUDIENCES)
        return mauth_fail(err, MAUTH_TOO_LARGE, "issue: %zu audiences", audiences);
    for (; t->audiences < audiences; t->audiences++)
        t->audience[t->audiences] = text_of(audience[t->audiences]);
    rc = draw(&d->random, err);
    if (rc == MAUTH_OK)
        rc = choose_key(g, d, err);
    if (rc != MAUTH_OK)
        return rc;
    ticket_id_of(d->random.id, d->id);
    end_s = earliest(end_s, g->session_ends_s);
    end_s = earliest(end_s, d->signer->until_s);
    if (end_s <= g->now_s)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "issue: the session or the signing key is at its end");
    if (g->now_s < d->signer->from_s)
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
    add_fact(t, FACT_ASOF, d->asof);
    add_device(g, d);
    if (g->subject_kind == ID_SERVICE)
        add_fact(t, FACT_SERVICE, d->subject);
    add_fact(t, FACT_SESSION, d->session);
    return MAUTH_OK;
}

static enum mauth_rc
end(const struct draft *d, enum mauth_rc rc, struct issued *out)
{
    shared_drop(d->keys);
    if (rc != MAUTH_OK)
        issued_clear(out);
    return rc;
}

static enum mauth_rc
make_entry(const struct issue_ground *g, const struct draft *d, const char *action,
    const struct issue_rights *rights, struct issued *out, struct mauth_err *err)
{
    struct audit_record record = {
        .time_us = time_now_us(),
        .actor = d->subject,
        .device = g->has_device ? d->device : mauth_key_id(g->holder),
        .session = d->session,
        .action = action,
        .outcome = "allow",
        .rule = rights ? rights->rule : NULL,
        .ticket = d->id,
        .digest = d->ticket.digest,
        .key = mauth_key_id(signer_key(d->signer->signer)),
        .client = g->client,
        .request = g->request,
    };

    for (size_t i = 0; rights && i < rights->abouts; i++)
        record.resources[record.resource_count++] = rights->about[i];
    for (size_t i = 0; i < d->ticket.audiences; i++)
        record.resources[record.resource_count++] = d->ticket.audience[i].p;
    return audit_entry_salted(&record, d->random.salt, &out->entry, err);
}

static enum mauth_rc
sign(const struct issue_ground *g, struct draft *d, struct issued *out,
    struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf xml;

    buf_init(&xml);
    rc = ticket_sign(&d->ticket, d->signer->signer, &xml, err);
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
    const char *audience = config->issuer.url;
    struct draft d;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    snprintf(out->audience, sizeof(out->audience), "%s", audience);
    rc = start(g, config->tickets.identity_s, &audience, 1, &d, err);
    if (rc != MAUTH_OK)
        goto out;
    d.ticket.has_authn = true;
    d.ticket.authn_instant_s = g->authn_instant_s;
    d.ticket.authn_class = text_of(g->by_certificate ? x509_class : unspecified_class);
    rc = sign(g, &d, out, err);
    if (rc == MAUTH_OK)
        rc = make_entry(g, &d, g->renews ? "ticket.renew" : "login", NULL, out, err);
out:
    return end(&d, rc, out);
}

/* The bounds are looked at here, before the slices are copied. */
static enum mauth_rc
say_rights(struct ticket *t, const struct issue_rights *r, struct mauth_err *err)
{
    if (r->permits > TICKET_PERMITS || r->actions > TICKET_ACTIONS)
        return mauth_fail(err, MAUTH_TOO_LARGE, "issue: %zu permits, %zu actions",
            r->permits, r->actions);
    for (t->permits = 0; t->permits < r->permits; t->permits++)
        t->permit[t->permits] = r->permit[t->permits];
    for (t->actions = 0; t->actions < r->actions; t->actions++)
        t->action[t->actions] = r->action[t->actions];
    for (size_t i = 0; i < r->facts; i++)
        if (!has_fact(t, &r->fact[i])) {
            if (t->facts == TICKET_FACTS)
                return mauth_fail(err, MAUTH_TOO_LARGE, "issue: too many facts");
            t->fact[t->facts++] = r->fact[i];
        }
    return MAUTH_OK;
}

/* DEFLATE may add some bytes to what it cannot shorten, never so many. */
static enum mauth_rc
check_travels(const struct issued *i, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    char *text;

    if ((i->xml_len + 64) / 3 * 4 < ISSUE_CREDENTIAL_MAX)
        return MAUTH_OK;
    rc = mauth_credential_encode(i->xml, i->xml_len, true, &text, err);
    if (rc != MAUTH_OK)
        return rc;
    if (strlen(text) >= ISSUE_CREDENTIAL_MAX)
        rc = mauth_fail(err, MAUTH_TOO_LARGE, "issue: a credential of %zu characters",
            strlen(text));
    free(text);
    return rc;
}

enum mauth_rc
issue_rights(const struct issue_ground *g, const struct issue_rights *r,
    struct issued *out, struct mauth_err *err)
{
    struct draft d;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    snprintf(out->audience, sizeof(out->audience), "%s", r->audience[0]);
    rc = start(
        g, g->service->config->tickets.rights_s, r->audience, r->audiences, &d, err);
    if (rc == MAUTH_OK)
        rc = say_rights(&d.ticket, r, err);
    if (rc == MAUTH_OK)
        rc = sign(g, &d, out, err);
    if (rc == MAUTH_OK)
        rc = check_travels(out, err);
    if (rc == MAUTH_OK)
        rc = make_entry(g, &d, "ticket.issue", r, out, err);
    return end(&d, rc, out);
}

void
issued_clear(struct issued *issued)
{
    free(issued->xml);
    audit_entry_free(issued->entry);
    memset(issued, 0, sizeof(*issued));
}
