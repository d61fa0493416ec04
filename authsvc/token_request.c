#include "authsvc/token_request.h"

#include <stdio.h>
#include <string.h>

#include "authsvc/log.h"
#include "authsvc/oauth.h"
#include "authsvc/pace.h"
#include "authsvc/refusals.h"
#include "authsvc/service.h"
#include "base/time.h"

static void
job_done(struct kv_job *job)
{
    const struct token_commit *c = (const struct token_commit *)(const void *)job;

    http_resume(c->waiter);
}

void
token_commit(struct http_exchange *x, struct token_commit *c, kv_fn *fn, void *arg,
    http_step *next)
{
    const struct service *service = http_context(x);

    c->job = (struct kv_job){
        .fn = fn, .arg = arg, .done = job_done, .needed = c->job.needed};
    c->waiter = x;
    http_suspend(x, next);
    kv_submit(service->kv, &c->job);
}

const char *
token_take_proof(struct http_exchange *x, struct proof *out, struct mauth_err *err)
{
    const struct service *service = http_context(x);
    const struct text no_ticket = {"", 0};
    char url[ISSUE_URL_MAX];

    snprintf(url, sizeof(url), "%s%s", service->config->issuer.url, http_path(x));
    return proof_take(service->proofs, x, url, no_ticket, time_now_s(), out, err);
}

bool
token_in_pace(const struct http_exchange *x, const struct id *principal)
{
    const struct service *service = http_context(x);

    return pace_take(service->logins, principal, time_monotonic_ms());
}

/* A client that has to make a new proof is told what to put into it. */
static void
answer_refusal(struct http_exchange *x, const struct oauth_refusal *refusal)
{
    const struct service *service = http_context(x);
    char line[sizeof("DPoP-Nonce: ") + PROOF_NONCE] = "DPoP-Nonce: ";
    const char *const headers[] = {line, NULL};

    if (strcmp(refusal->error, "use_dpop_nonce") == 0 &&
        proofs_nonce(service->proofs, time_now_s(), line + strlen(line), NULL) ==
            MAUTH_OK)
        oauth_answer_refusal_with(x, refusal, headers);
    else
        oauth_answer_refusal(x, refusal);
}

void
token_refuse(struct http_exchange *x, const char *reason)
{
    const struct service *service = http_context(x);

    refusals_count(service->refusals, time_now_s(), http_client(x), reason);
    answer_refusal(x, oauth_refusal_named(reason));
}

void
token_fail(struct http_exchange *x, const struct mauth_err *err)
{
    log_failure(http_request_id(x), err);
    oauth_answer_refusal(x,
        oauth_refusal_named(err->rc == MAUTH_UNAVAILABLE || err->rc == MAUTH_NO_MEMORY
                                ? "unavailable"
                                : "internal"));
}

void
token_answer(struct http_exchange *x, const struct token_answer *a)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf json;

    buf_init(&json);
    if (token_answer_write(&json, a, &err) == MAUTH_OK)
        oauth_answer(x, &json);
    else
        token_fail(x, &err);
    buf_clear(&json);
}

const char *
token_check_login(const struct form *f)
{
    if (form_value(f, "audience", 0) || form_value(f, "resource", 0))
        return "target";
    return form_value(f, "scope", 0) ? "scope" : NULL;
}
