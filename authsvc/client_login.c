#include "authsvc/client_login.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_token.h"

static enum mauth_rc
find(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct client_login *l = arg;
    enum mauth_rc rc = graph_state(txn, &l->ground.asof, err);

    if (rc == MAUTH_OK)
        rc = graph_service_by_id(txn, &l->ground.subject, &l->client, err);
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !l->client.live)) {
        l->refusal = "client-unknown";
        return MAUTH_OK;
    }
    return rc;
}

enum mauth_rc
client_login_find(struct client_login *l, const char *name, struct mauth_err *err)
{
    enum mauth_rc rc;

    l->refusal = NULL;
    l->ground.subject_kind = ID_SERVICE;
    if (!id_parse(ID_SERVICE, name, strlen(name), &l->ground.subject)) {
        l->refusal = "client-unknown";
        return MAUTH_OK;
    }
    id_format(ID_SERVICE, &l->ground.subject, l->name);
    rc = kv_read(l->service->kv, find, l, err);
    if (rc != MAUTH_OK || l->refusal)
        return rc;
    if (!l->client.spki_len) {
        l->refusal = "client-unknown";
        return MAUTH_OK;
    }
    return mauth_key_from_spki(l->client.spki, l->client.spki_len, &l->registered, err);
}

static bool
is_registered(const struct client_login *l, const struct mauth_key *key)
{
    const uint8_t *spki;
    size_t len;

    if (!key)
        return false;
    spki = mauth_key_spki(key, &len);
    return len == l->client.spki_len && memcmp(spki, l->client.spki, len) == 0;
}

static enum mauth_rc
bind_to(struct client_login *l, const struct mauth_key *key, struct mauth_err *err)
{
    size_t len;
    const uint8_t *spki = mauth_key_spki(key, &len);

    l->ground.holder = key;
    return hash_bytes(spki, len, l->key_hash, err);
}

enum mauth_rc
client_login_check(struct client_login *l, const char *assertion,
    const struct mauth_key *certificate, const struct mauth_key *proven,
    struct mauth_err *err)
{
    bool by_certificate = is_registered(l, certificate);

    l->refusal = NULL;
    l->by_assertion = assertion != NULL;
    if (assertion) {
        enum mauth_rc rc;

        l->assertion.client = l->name;
        l->assertion.issuer = l->service->config->issuer.url;
        l->assertion.key = l->registered;
        l->assertion.now_s = l->ground.now_s;
        rc =
            client_assertion_check(&l->assertion, text_of(assertion), &l->refusal, err);
        if (l->refusal)
            return MAUTH_OK;
        if (rc != MAUTH_OK)
            return rc;
    } else if (!by_certificate) {
        l->refusal = "client-proof";
        return MAUTH_OK;
    }
    l->ground.by_certificate = by_certificate;
    return bind_to(l, proven ? proven : l->registered, err);
}

enum mauth_rc
client_login_issue(struct client_login *l, struct mauth_err *err)
{
    enum mauth_rc rc = id_new(&l->ground.session, err);

    l->ground.authn_instant_s = l->ground.now_s;
    l->ground.session_ends_s = l->ground.now_s + l->service->config->tickets.session_s;
    return rc ? rc : issue_identity(&l->ground, &l->issued, err);
}

/* Each assertion serves one session, as each ID token serves one key. */
static enum mauth_rc
use_assertion(struct kv_txn *txn, struct client_login *l, struct mauth_err *err)
{
    uint8_t session[GRAPH_KEY_HASH] = {0};
    enum mauth_rc rc;

    memcpy(session, l->ground.session.b, ID_BYTES);
    rc = graph_token_use(
        txn, l->assertion.name, session, l->assertion.too_old_s, l->ground.now_s, err);
    if (rc != MAUTH_CONFLICT)
        return rc;
    mauth_err_reset(err);
    l->refusal = "assertion-used";
    return MAUTH_OK;
}

/* Decides: may this ticket leave? Puts nothing but the use of the assertion. */
enum mauth_rc
client_login_confirm(struct kv_txn *txn, struct client_login *l, struct mauth_err *err)
{
    struct graph_service now;
    enum mauth_rc rc = graph_service_by_id(txn, &l->client.id, &now, err);

    l->refusal = NULL;
    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return rc;
    if (rc == MAUTH_NOT_FOUND || !now.live) {
        l->refusal = "client-unknown";
        return MAUTH_OK;
    }
    if (now.spki_len != l->client.spki_len ||
        memcmp(now.spki, l->client.spki, now.spki_len) != 0) {
        l->refusal = "client-proof";
        return MAUTH_OK;
    }
    return l->by_assertion ? use_assertion(txn, l, err) : MAUTH_OK;
}

enum mauth_rc
client_login_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct client_login *l = arg;
    struct graph_session session = {
        .id = l->ground.session,
        .subject_kind = ID_SERVICE,
        .subject = l->client.id,
        .started_s = l->ground.authn_instant_s,
        .ends_s = l->ground.session_ends_s,
        .open = true,
        .by_certificate = l->ground.by_certificate,
    };
    enum mauth_rc rc = client_login_confirm(txn, l, err);

    if (rc != MAUTH_OK || l->refusal)
        return rc;
    memcpy(session.key_hash, l->key_hash, sizeof(session.key_hash));
    rc = graph_session_create(txn, &session, err);
    return rc ? rc : audit_append(txn, l->issued.entry, err);
}

enum mauth_rc
client_login_prepare_refusal(struct client_login *l, struct mauth_err *err)
{
    const struct audit_record record = {
        .time_us = time_now_us(),
        .actor = l->name,
        .device = mauth_key_id(l->ground.holder),
        .action = "login",
        .outcome = "deny",
        .reason = l->refusal,
        .client = l->ground.client,
        .request = l->ground.request,
    };

    return audit_entry_new(&record, &l->refused, err);
}

enum mauth_rc
client_login_record_refusal(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((const struct client_login *)arg)->refused, err);
}

void
client_login_clear(struct client_login *l)
{
    issued_clear(&l->issued);
    audit_entry_free(l->refused);
    mauth_key_free(l->registered);
    l->refused = NULL;
    l->registered = NULL;
}
