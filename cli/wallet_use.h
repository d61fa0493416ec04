/*
 * What an account's kept tickets are good for now: each audience and thing once, by the
 * ticket that wallet_find() takes for it; one that a newer one stands in for is not
 * shown.
 */
#ifndef CLI_WALLET_USE_H
#define CLI_WALLET_USE_H

#include "cli/wallet.h"

struct table;

struct wallet_use {
    const char *audience;
    const char *resource; /* the node's URL; "": it speaks of none */
    const char *place;    /* where a service is, and was asked for; "": none */
    const json_t *actions;
    int64_t until_s;
};

/* By audience, then by what it is about; the caller frees *out. All points into w. */
MAUTH_MUST_USE enum mauth_rc wallet_uses(const struct wallet *w, int64_t now_s,
    struct wallet_use **out, size_t *count, struct mauth_err *err);

/* {"audience", "resource"?, "place"?, "actions", "not_on_or_after"}; NULL: no memory. */
json_t *wallet_use_json(const struct wallet_use *u);

/* A row of three: who, what, until when. */
void wallet_use_row(struct table *t, const struct wallet_use *u, int64_t now_s);

#endif
