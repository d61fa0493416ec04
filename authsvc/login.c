#include "authsvc/login.h"

#include <string.h>

#include "authsvc/ground.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_token.h"
#include "store/graph_user.h"

static struct graph_identity
identity_of(const struct login *l)
{
    struct graph_identity who = {
        text_of(l->who.provider->issuer), text_of(l->who.subject)};

    return who;
}

/* A record of this login that speaks of no ticket. */
static enum mauth_rc
make_entry(const struct login *l, const struct id *user, const char *action,
    const char *outcome, const char *reason, struct audit_entry **out,
    struct mauth_err *err)
{
    char actor[ID_LEN + 1];
    struct audit_record record = {
        .time_us = time_now_us(),
        .actor = actor,
        .device = mauth_key_id(l->ground.holder),
        .action = action,
        .resources = {l->who.provider->issuer},
        .resource_count = 1,
        .outcome = outcome,
        .reason = reason,
        .client = l->ground.client,
        .request = l->ground.request,
    };

    id_format(ID_USER, user, actor);
    return audit_entry_new(&record, out, err);
}

static enum mauth_rc
find_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct login *l = arg;
    struct graph_identity who = identity_of(l);
    struct graph_user user;
    enum mauth_rc rc;

    rc = graph_user_by_identity(txn, &who, &user, err);
    if (rc != MAUTH_OK)
        return rc;
    l->ground.subject = user.id;
    l->refusal = user.live ? NULL : "user-closed";
    return ground_look(txn, l->key_hash, &l->ground, err);
}

enum mauth_rc
login_find_user(struct login *l, struct mauth_err *err)
{
    l->refusal = NULL;
    return kv_read(l->service->kv, find_user, l, err);
}

enum mauth_rc
login_prepare_user(struct login *l, struct mauth_err *err)
{
    enum mauth_rc rc = id_new(&l->new_user, err);

    if (rc == MAUTH_OK)
        rc = make_entry(l, &l->new_user, "user.create", "done", NULL, &l->created, err);
    return rc;
}

enum mauth_rc
login_create_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct login *l = arg;
    struct graph_identity who = identity_of(l);
    struct graph_user user;
    enum mauth_rc rc;

    rc = graph_user_by_identity(txn, &who, &user, err);
    if (rc != MAUTH_NOT_FOUND)
        return rc; /* somebody was faster, or the store failed */
    rc = graph_user_create(txn, &l->new_user, &who, l->ground.now_s, err);
    if (rc == MAUTH_OK)
        rc = audit_append(txn, l->created, err);
    return rc;
}

enum mauth_rc
login_issue_tickets(const struct issue_ground *g,
    const uint8_t key_hash[GRAPH_KEY_HASH], struct login_tickets *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = issue_identity(g, &out->identity, err);

    if (rc != MAUTH_OK || g->subject_kind != ID_USER)
        return rc;
    rc = rights_new_initial(g, NULL, key_hash, NULL, &out->initial, err);
    if (rc == MAUTH_OK)
        rc = rights_prove(out->initial, err);
    if (rc == MAUTH_OK && !rights_refusal(out->initial))
        rc = rights_issue(out->initial, err);
    if (rc == MAUTH_OK && rights_refusal(out->initial)) {
        rights_free(out->initial);
        out->initial = NULL;
    }
    return rc;
}

enum mauth_rc
login_record_tickets(
    struct kv_txn *txn, const struct login_tickets *t, struct mauth_err *err)
{
    enum mauth_rc rc = audit_append(txn, t->identity.entry, err);

    return rc || !t->initial ? rc : rights_record(txn, t->initial, err);
}

size_t
login_lines(struct login_tickets *t, struct token_line line[LOGIN_LINES])
{
    struct token_answer initial = {.lines = 0};

    line[0] =
        (struct token_line){.ticket = &t->identity, .audience = t->identity.audience};
    if (t->initial)
        rights_answer(t->initial, &initial);
    for (size_t i = 0; i < initial.lines; i++)
        line[1 + i] = initial.line[i];
    return 1 + initial.lines;
}

void
login_tickets_clear(struct login_tickets *t)
{
    issued_clear(&t->identity);
    rights_free(t->initial);
    t->initial = NULL;
}

enum mauth_rc
login_issue(struct login *l, struct mauth_err *err)
{
    enum mauth_rc rc = id_new(&l->ground.session, err);

    return rc ? rc : login_issue_tickets(&l->ground, l->key_hash, &l->tickets, err);
}

static enum mauth_rc
put_session(struct kv_txn *txn, const struct login *l, struct mauth_err *err)
{
    struct graph_session session = {
        .id = l->ground.session,
        .subject_kind = ID_USER,
        .subject = l->ground.subject,
        .started_s = l->ground.authn_instant_s,
        .ends_s = l->ground.session_ends_s,
        .open = true,
    };

    memcpy(session.key_hash, l->key_hash, sizeof(session.key_hash));
    return graph_session_create(txn, &session, err);
}

/* What the provider vouches for now, be it nothing. */
static enum mauth_rc
put_email(struct kv_txn *txn, const struct login *l, struct mauth_err *err)
{
    struct graph_email email;
    bool good =
        l->who.email[0] && graph_email_set(&email, text_of(l->who.provider->issuer),
                               text_of(l->who.email), NULL) == MAUTH_OK;

    return graph_user_set_email(
        txn, &l->ground.subject, good ? &email : NULL, l->ground.now_s, err);
}

/* Decides: may these tickets leave? Puts nothing but the use of the token. */
static enum mauth_rc
check_again(struct kv_txn *txn, struct login *l, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc;

    l->refusal = NULL;
    rc = graph_user_by_id(txn, &l->ground.subject, &user, err);
    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return rc;
    if (rc == MAUTH_NOT_FOUND || !user.live) {
        l->refusal = "user-closed";
        return MAUTH_OK;
    }
    rc = (l->who.once ? graph_token_use_once : graph_token_use)(
        txn, l->who.token_hash, l->key_hash, l->who.too_old_s, l->ground.now_s, err);
    if (rc != MAUTH_CONFLICT)
        return rc;
    mauth_err_reset(err);
    l->refusal = l->who.once ? "saml-used" : "token-other-key";
    return MAUTH_OK;
}

enum mauth_rc
login_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct login *l = arg;
    enum mauth_rc rc = check_again(txn, l, err);

    if (rc != MAUTH_OK || l->refusal)
        return rc;
    rc = put_session(txn, l, err);
    if (rc == MAUTH_OK)
        rc = put_email(txn, l, err);
    return rc ? rc : login_record_tickets(txn, &l->tickets, err);
}

enum mauth_rc
login_prepare_refusal(struct login *l, struct mauth_err *err)
{
    return make_entry(
        l, &l->ground.subject, "login", "deny", l->refusal, &l->refused, err);
}

enum mauth_rc
login_record_refusal(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct login *l = arg;

    return audit_append(txn, l->refused, err);
}

void
login_clear(struct login *l)
{
    login_tickets_clear(&l->tickets);
    audit_entry_free(l->created);
    audit_entry_free(l->refused);
    l->created = l->refused = NULL;
}
