/*
 * The rights tickets that an account has fetched, kept beside it in tickets.json until
 * they expire: what serves twice is asked for once, and serves while the service is not
 * there; those that the login brought are among them. It is a cache: what cannot be read,
 * is of another login or of another key is left out, and fetched again.
 *
 * A ticket is kept with what the service said it is for, since there are tickets that
 * carry facts alone; and, of a place that was asked for by its URL, with that place.
 */
#ifndef CLI_WALLET_H
#define CLI_WALLET_H

#include "cli/token_exchange.h"

enum {
    WALLET_TICKETS = 64, /* the soonest to expire give way */
    WALLET_LINES = 64    /* that one answer may have */
};

struct wallet;

/* MAUTH_DENIED: others may read the file; MAUTH_UNAVAILABLE: nobody can. */
MAUTH_MUST_USE enum mauth_rc wallet_open(
    const struct account *a, int64_t now_s, struct wallet **out, struct mauth_err *err);
void wallet_close(struct wallet *w);

/* One that was found; all of it belongs to the wallet, until that changes. */
struct wallet_ticket {
    const char *credential;
    const struct mauth_ticket *says;
    const char *audience; /* the first that was asked for, else that of the place */
    bool by_dpop;         /* the place wants it shown so */
};

/*
 * The ticket that covers all that is wanted, on its own: of several the one that was
 * proven last. A resource that is no node is a place, which covers what lies below it;
 * without audiences only places do. What is valid until `until_s` counts.
 */
bool wallet_find(const struct wallet *w, const struct token_rights *want,
    int64_t until_s, struct wallet_ticket *out);

/* All of them: what the i-th says, and its lines (cli/wallet_line.h). */
size_t wallet_count(const struct wallet *w);
const struct mauth_ticket *wallet_at(const struct wallet *w, size_t i);
const json_t *wallet_lines(const struct wallet *w, size_t i);

/*
 * Take in the answer to asked, and keep it. It is read strictly: each ticket a rights
 * ticket of this issuer, key, subject and session.
 *
 * MAUTH_MALFORMED  the answer is not as it must be
 */
MAUTH_MUST_USE enum mauth_rc wallet_add(struct wallet *w, struct text answer,
    const struct token_rights *asked, int64_t now_s, struct mauth_err *err);

/* A service did not take it: it is not kept any longer. */
MAUTH_MUST_USE enum mauth_rc wallet_drop(
    struct wallet *w, const char *credential, int64_t now_s, struct mauth_err *err);

#endif
