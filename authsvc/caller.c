#include "authsvc/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authsvc/issue.h"
#include "authsvc/log.h"
#include "authsvc/own_trust.h"
#include "authsvc/problem.h"
#include "authsvc/refusals.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_service.h"
#include "store/graph_user.h"
#include "tickets/decode.h"
#include "tickets/verify.h"
#include "verifier/cache.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

/* What follows the scheme; a problem's name, or NULL. */
static const char *
take_credential(const struct http_exchange *x, struct text *out)
{
    static const char *const schemes[] = {"Bearer ", "DPoP "};
    const char *header = http_header(x, "Authorization");

    if (!header)
        return "no-ticket";
    if (strncasecmp(header, "DPoP ", 5) == 0 && !http_header(x, "DPoP"))
        return "dpop-proof";
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t len = strlen(schemes[i]);

        if (strncasecmp(header, schemes[i], len) != 0)
            continue;
        *out = text_of(header + len);
        return out->len && strcspn(out->p, " ,\t") == out->len ? NULL : "authorization";
    }
    return "authorization";
}

/* A refused ticket's reason, unless it was our own clock, trust file or memory. */
static const char *
problem_of(const struct mauth_err *err)
{
    switch (err->reason) {
    case MAUTH_REASON_NONE:
        if (err->rc == MAUTH_DENIED)
            return "not-identity";
        return err->rc == MAUTH_INTERNAL ? "internal" : "unavailable";
    case MAUTH_REASON_TRUST_EXPIRED:
    case MAUTH_REASON_CLOCK: return "unavailable";
    default: return mauth_reason_name(err->reason);
    }
}

/* An identity ticket's subject and session; the profile sees to their form. */
static enum mauth_rc
take_subject(const struct mauth_ticket *t, struct caller *c, struct mauth_err *err)
{
    const char *subject = mauth_ticket_subject(t);
    const char *session = mauth_ticket_session(t);
    const uint8_t *spki;
    enum mauth_rc rc;
    size_t len;

    c->kind = id_kind_of(subject, strlen(subject));
    if (!mauth_ticket_is_identity(t) || !c->proof.key ||
        (c->kind != ID_USER && c->kind != ID_SERVICE) ||
        !id_parse(c->kind, subject, strlen(subject), &c->principal) ||
        !id_parse(ID_SESSION, session, strlen(session), &c->session))
        return mauth_fail(err, MAUTH_DENIED, "caller: no identity ticket of a key");
    spki = mauth_key_spki(c->proof.key, &len);
    rc = hash_bytes(spki, len, c->key_hash, err);
    c->ticket = rc == MAUTH_OK;
    return rc;
}

/* A check of a ticket under way; err's reason is that of the first that failed. */
struct check {
    const struct service *service;
    struct text credential;
    struct caller *caller;
    struct shared_ref *trust;
    struct mauth_expect want;
};

/*
 * Was it verified before? Then its signature stands, and all else is looked at again.
 * True when *rc says how that went.
 */
static bool
check_known(const struct check *k, enum mauth_rc *rc, struct mauth_err *err)
{
    struct cache *known = k->service->known;
    uint64_t generation = own_trust_generation(k->trust);
    struct cached *held;
    uint64_t hash;
    bool usable;

    if (!known)
        return false;
    hash = cache_seek(known, k->credential);
    (void)!cache_lock(known, hash); /* what is loaded is k->trust */
    held = cache_find(known, hash, k->credential);
    usable = held && held->checked >= own_trust_keys_since(k->trust);
    if (usable) {
        *rc = ticket_check_again(held->ticket, held->terms, own_trust_of(k->trust),
            &k->want, held->checked == generation, err);
        if (*rc == MAUTH_OK) {
            held->checked = generation;
            *rc = take_subject(held->ticket, k->caller, err);
        }
    }
    cache_unlock(known, hash);
    return usable;
}

static void
remember(const struct check *k, struct mauth_ticket *t)
{
    if (k->service->known)
        cache_put(k->service->known, k->credential, t, sizeof(*t) + t->pool_len,
            own_trust_generation(k->trust));
    else
        mauth_ticket_free(t);
}

/* A credential of one ticket; room for its XML is the caller's to free in any case. */
static enum mauth_rc
decode(struct text credential, char **xml, size_t *len, struct mauth_err *err)
{
    *xml = malloc(MAUTH_TICKET_MAX);
    if (!*xml)
        return mauth_fail(err, MAUTH_NO_MEMORY, "caller: no memory");
    return mauth_credential_decode(credential.p, credential.len, *xml, len, err);
}

static enum mauth_rc
check_new(const struct check *k, struct mauth_err *err)
{
    struct mauth_ticket *t = NULL;
    char *xml;
    size_t len;
    enum mauth_rc rc = decode(k->credential, &xml, &len, err);

    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(xml, len, own_trust_of(k->trust), &k->want, &t, err);
    if (rc == MAUTH_OK)
        rc = take_subject(t, k->caller, err);
    free(xml);
    if (rc == MAUTH_OK)
        remember(k, t);
    else
        mauth_ticket_free(t);
    return rc;
}

enum mauth_rc
caller_verify(const struct service *service, struct text credential, struct caller *out,
    struct mauth_err *err)
{
    struct check k = {.service = service,
        .credential = credential,
        .caller = out,
        .want = {.size = sizeof(k.want),
            .audience = service->config->issuer.url,
            .now_s = out->now_s,
            .skew_s = MAUTH_SKEW_DEFAULT_S}};
    enum mauth_rc rc = own_trust_take(service->trust, &k.trust, err);

    if (rc != MAUTH_OK)
        return rc;
    if (out->proof.key)
        k.want.holder_spki = mauth_key_spki(out->proof.key, &k.want.holder_spki_len);
    if (!check_known(&k, &rc, err))
        rc = check_new(&k, err);
    shared_drop(k.trust);
    return rc;
}

/* What can be seen without any key of ours. */
static enum mauth_rc
check_read(const struct service *service, const struct mauth_ticket *t,
    const struct caller *c, struct mauth_err *err)
{
    const uint8_t *spki, *proven;
    size_t len, proven_len;

    if (strcmp(mauth_ticket_issuer(t), service->config->issuer.url) != 0)
        return mauth_refuse(err, MAUTH_REASON_ISSUER, "caller: another issuer's");
    spki = mauth_ticket_holder_spki(t, &len);
    if (!spki || !c->proof.key)
        return mauth_refuse(err, MAUTH_REASON_NO_PROOF, "caller: no key is proven");
    proven = mauth_key_spki(c->proof.key, &proven_len);
    if (len != proven_len || memcmp(spki, proven, len) != 0)
        return mauth_refuse(err, MAUTH_REASON_HOLDER, "caller: another key's ticket");
    return MAUTH_OK;
}

enum mauth_rc
caller_read(const struct service *service, struct text credential, struct caller *out,
    struct mauth_err *err)
{
    struct mauth_ticket *t = NULL;
    char *xml;
    size_t len;
    enum mauth_rc rc = decode(credential, &xml, &len, err);

    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, len, &t, err);
    if (rc == MAUTH_OK)
        rc = check_read(service, t, out, err);
    if (rc == MAUTH_OK)
        rc = take_subject(t, out, err);
    mauth_ticket_free(t);
    free(xml);
    return rc;
}

const char *
caller_take(struct http_exchange *x, struct caller *out, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    struct text credential = {"", 0};
    char url[ISSUE_URL_MAX];
    const char *wrong;

    memset(out, 0, sizeof(*out));
    out->now_s = time_now_s();
    wrong = take_credential(x, &credential);
    if (wrong)
        return wrong;
    snprintf(url, sizeof(url), "%s%s", service->config->issuer.url, http_path(x));
    wrong =
        proof_take(service->proofs, x, url, credential, out->now_s, &out->proof, err);
    if (wrong)
        return wrong;
    if (caller_verify(service, credential, out, err) != MAUTH_OK)
        return problem_of(err);
    return NULL;
}

void
caller_refuse(struct http_exchange *x, const char *problem, const struct mauth_err *err)
{
    const struct service *service = http_context(x);
    const struct problem *p = problem_named(problem);
    char nonce[PROOF_NONCE];

    if (p->status >= 500) {
        log_failure(http_request_id(x), err);
        problem_answer(x, problem, NULL, NULL);
        return;
    }
    refusals_count(service->refusals, time_now_s(), http_client(x), p->reason);
    if (p->error && strcmp(p->error, "use_dpop_nonce") == 0 &&
        proofs_nonce(service->proofs, time_now_s(), nonce, NULL) == MAUTH_OK)
        problem_answer(x, problem, NULL, nonce);
    else
        problem_answer(x, problem, NULL, NULL);
}

static enum mauth_rc
check_subject(struct kv_txn *txn, const struct caller *c, struct mauth_err *err)
{
    struct graph_service service;
    struct graph_user user;
    enum mauth_rc rc;
    bool live;

    if (c->kind == ID_USER) {
        rc = graph_user_by_id(txn, &c->principal, &user, err);
        live = user.live;
    } else {
        rc = graph_service_by_id(txn, &c->principal, &service, err);
        live = service.live;
    }
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !live))
        return mauth_fail(err, MAUTH_DENIED, "caller: the subject does not live");
    return rc;
}

enum mauth_rc
caller_session(struct kv_txn *txn, const struct caller *c, struct graph_session *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_session_by_id(txn, &c->session, out, err);

    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_DENIED, "caller: there is no such session");
    if (rc != MAUTH_OK)
        return rc;
    if (out->subject_kind != c->kind ||
        memcmp(out->subject.b, c->principal.b, ID_BYTES) != 0 ||
        memcmp(out->key_hash, c->key_hash, GRAPH_KEY_HASH) != 0)
        return mauth_fail(
            err, MAUTH_DENIED, "caller: the session is of another subject or key");
    return check_subject(txn, c, err);
}

enum mauth_rc
caller_check(struct kv_txn *txn, const struct caller *c, struct mauth_err *err)
{
    struct graph_session s;
    enum mauth_rc rc = caller_session(txn, c, &s, err);

    if (rc == MAUTH_OK && (!s.open || c->now_s >= s.ends_s))
        rc = mauth_fail(err, MAUTH_DENIED, "caller: the session is over");
    return rc;
}

void
caller_clear(struct caller *c)
{
    proof_clear(&c->proof);
    c->ticket = false;
}
