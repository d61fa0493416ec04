#include "authsvc/problem.h"

#include <stdio.h>
#include <string.h>

#include "authsvc/log.h"

#define TOKEN "invalid_token"
#define PROOF "invalid_dpop_proof"

static const struct problem problems[] = {
    /* Of the request. */
    {"authorization", 400, "invalid_request",
        "Authorization must be one scheme, Bearer or DPoP, and one credential."},
    {"query", 400, NULL, "The query is not one that this place takes."},
    {"body", 400, NULL, "The body is not what this place takes."},
    {"private-key", 400, NULL, "Never send a private key."},
    {"name", 400, NULL,
        "A name is 1 to 128 bytes of text that shows as what it is, without control "
        "characters."},
    {"revocation", 400, NULL, "That is nothing that can be revoked."},
    {"role", 400, NULL,
        "A role is a name of lower-case letters, digits and '_', '.', '-'."},
    {"for", 400, NULL,
        "An invitation is for a usr_... id, or for an e-mail address and the issuer "
        "that "
        "vouches for it."},
    {"service", 400, NULL, "A service is not described like this."},
    {"key", 400, NULL, "A signing key is not described like this."},
    {"authority", 409, NULL, "The authority is not renewed by this."},
    {"expires-in", 400, NULL, "An invitation lasts from 60 seconds to 30 days."},
    {"precondition-required", 428, NULL,
        "Send If-Match with the ETag that you have seen; to make something under an id "
        "of "
        "your own, If-None-Match: *."},
    {"no-ticket", 401, NULL, "An identity ticket is needed."},
    {"no-proof", 401, TOKEN,
        "Prove the ticket's key with a TLS client certificate or a DPoP proof."},
    {"key-kind", 401, TOKEN,
        "The device's key must be P-256, or RSA of 2048 to 4096 bits."},
    {"two-keys", 401, PROOF,
        "The TLS client certificate and the DPoP proof prove different keys."},
    {"dpop-proof", 401, PROOF,
        "The DPoP proof is malformed, used before, or made for another request."},
    {"dpop-nonce", 401, "use_dpop_nonce",
        "Make a new DPoP proof with the nonce in the DPoP-Nonce header."},

    /* Of the ticket: the frozen reasons of docs/tickets.md. */
    {"size", 401, TOKEN, "The credential is too long."},
    {"form", 401, TOKEN, "The credential does not hold one ticket of our form."},
    {"issuer", 401, TOKEN, "The ticket was issued elsewhere."},
    {"key-unknown", 401, TOKEN, "The ticket names a signing key that is not known."},
    {"key-revoked", 401, TOKEN, "The key that signed the ticket is revoked."},
    {"key-window", 401, TOKEN, "The ticket lies outside its signing key's time."},
    {"signature", 401, TOKEN, "The ticket's signature does not verify."},
    {"not-yet", 401, TOKEN, "The ticket is not yet valid."},
    {"expired", 401, TOKEN, "The ticket has expired; renew it or log in."},
    {"lifetime", 401, TOKEN, "The ticket's lifetime is longer than any may be."},
    {"audience", 401, TOKEN, "The ticket is not for the account service."},
    {"revoked", 401, TOKEN, "The ticket was revoked; log in again."},
    {"holder", 401, TOKEN, "The ticket is bound to another key."},
    {"not-identity", 401, TOKEN, "Only an identity ticket opens this."},
    {"session", 401, TOKEN, "The ticket's session is closed; log in again."},

    /* Of the rules. */
    {"forbidden", 403, "insufficient_scope", "No rule allows this."},
    {"not-found", 404, NULL, "There is nothing here that you may know of."},

    /* Of the graph as it stands. */
    {"version", 412, NULL, "It has changed since; read it again."},
    {"exists", 412, NULL, "There is something else under this id."},
    {"claimed", 409, NULL, "The device is claimed by another user."},
    {"key-in-use", 409, NULL, "The proven key is that of another device."},
    {"member", 409, NULL, "The user is a member already."},
    {"owner", 409, NULL, "The owner passes the folder on first."},
    {"invitation-closed", 409, NULL,
        "The invitation was accepted, declined, revoked, or has expired."},
    {"user-lives", 409, NULL, "The user still has an account: it is closed first."},
    {"key-state", 409, NULL, "The signing keys are in no state that allows this."},
    {"key-not-loaded", 409, NULL,
        "Services that were seen in the last day have not loaded the signing key."},
    {"service-taken", 409, NULL, "Another service has what this one asks for."},
    {"changes-gone", 410, NULL,
        "Changes behind that one are no longer kept, or there never was such a one; "
        "begin "
        "anew: follow `next` of this path without a query."},
    {"too-many", 409, NULL, "There are too many of these; end some first."},

    {"too-fast", 429, NULL, "Too many changes in a short time; wait and try again."},

    /* Of our own. */
    {"unavailable", 503, NULL, "The service cannot answer now; try again later."},
    {"archive", 500, NULL, "A segment of the archive is damaged, or not of this log."},
    {"internal", 500, NULL, "The service failed; it is on its log."},
};

const struct problem *
problem_named(const char *reason)
{
    size_t i = 0;

    while (i + 1 < sizeof(problems) / sizeof(*problems) &&
           (!reason || strcmp(problems[i].reason, reason) != 0))
        i++;
    return &problems[i];
}

/* RFC 9449 7.1, RFC 6750 3: both schemes, as either may carry a ticket. */
static void
write_challenge(char *line, size_t size, const char *scheme, const struct problem *p)
{
    int n = snprintf(line, size, "WWW-Authenticate: %s", scheme);

    if (p->error && n > 0 && (size_t)n < size)
        snprintf(line + n, size - (size_t)n,
            "%c error=\"%s\", error_description=\"%s\"",
            strchr(scheme, ' ') ? ',' : ' ', p->error, p->title);
}

void
problem_answer(
    struct http_exchange *x, const char *reason, const char *detail, const char *nonce)
{
    const struct problem *p = problem_named(reason);
    char dpop[384], bearer[384], fresh[96];
    const char *headers[4] = {NULL};
    size_t n = 0;

    if (p->status == 401 || p->status == 403) {
        write_challenge(dpop, sizeof(dpop), "DPoP algs=\"ES256 RS256\"", p);
        write_challenge(bearer, sizeof(bearer), "Bearer", p);
        headers[n++] = dpop;
        headers[n++] = bearer;
    }
    if (p->status == 503 || p->status == 429)
        headers[n++] = "Retry-After: 5";
    if (nonce) {
        snprintf(fresh, sizeof(fresh), "DPoP-Nonce: %s", nonce);
        headers[n++] = fresh;
    }
    http_answer_problem_with(x, p->status, p->reason, p->title, detail, headers);
}

void
problem_fail(struct http_exchange *x, const struct mauth_err *err)
{
    log_failure(http_request_id(x), err);
    problem_answer(x,
        err->rc == MAUTH_UNAVAILABLE || err->rc == MAUTH_NO_MEMORY ? "unavailable"
                                                                   : "internal",
        NULL, NULL);
}
