/*
 * The account's identity ticket traded at its service (RFC 8693), with the device's key
 * proven by TLS: for a new one, or for rights.
 */
#ifndef CLI_TOKEN_EXCHANGE_H
#define CLI_TOKEN_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/account.h"
#include "cli/token_post.h"

/* What rights are asked for; each list as long as it says. */
struct token_rights {
    const char *const *audience;
    size_t audiences;
    const char *const *resource;
    size_t resources;
    const char *const *action;
    size_t actions;
    bool by_dpop; /* not asked for: how the place wants them shown, kept with them */
};

/*
 * Ask for rights. answer is a buffer for secrets; it holds JSON on MAUTH_OK.
 *
 * MAUTH_DENIED       refused, no tells why
 * MAUTH_UNAVAILABLE  the service failed or is busy (no->status), or is not there
 */
MAUTH_MUST_USE enum mauth_rc token_exchange(const struct account *a,
    const struct token_rights *rights, struct buf *answer, struct token_refusal *no,
    struct mauth_err *err);

/* Is the identity ticket dead, or near its end? */
bool token_is_due(const struct account *a, int64_t now_s);

/* Renew it, and keep it in the account; refusals as above. */
MAUTH_MUST_USE enum mauth_rc token_renew(
    struct account *a, struct token_refusal *no, struct mauth_err *err);

/*
 * Renew it when it is due; one that is still valid serves while the service is not
 * there.
 */
MAUTH_MUST_USE enum mauth_rc token_keep_fresh(
    struct account *a, int64_t now_s, struct token_refusal *no, struct mauth_err *err);

/* How long before its end a ticket counts as old, while there is a new one to be had. */
int64_t token_margin_s(const struct mauth_ticket *t);

#endif
