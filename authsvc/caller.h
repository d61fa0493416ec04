/*
 * Who calls: the identity ticket of a request, its key proven, its session open. It
 * is what every endpoint but the token endpoint begins with.
 */
#ifndef AUTHSVC_CALLER_H
#define AUTHSVC_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "authsvc/http.h"
#include "authsvc/proof.h"
#include "authsvc/service.h"
#include "base/id.h"
#include "store/graph_session.h"

struct caller {
    int64_t now_s;
    struct proof proof;
    bool ticket;       /* he showed one, and it was good */
    enum id_kind kind; /* ID_USER or ID_SERVICE */
    struct id principal;
    struct id session;
    uint8_t key_hash[GRAPH_KEY_HASH];
};

/*
 * Take the ticket off a request and check it, against our own trust file and with the
 * key that the request proves. The session is looked at later, by caller_check().
 *
 * NULL when all is well, or the name of the problem (authsvc/problem.h); "unavailable"
 * and "internal" with the story in err. caller_clear() it in either case.
 */
const char *caller_take(
    struct http_exchange *x, struct caller *out, struct mauth_err *err);

/*
 * The identity ticket of a credential, plain or deflated, once out->now_s and out->proof
 * are set: checked as above, or only read. What is read says no more than which session
 * its bearer means: caller_session() has to see what is true of it.
 *
 * A code with a reason  that check failed; of one that is only read: size, form,
 *                       issuer, holder, no-proof
 * MAUTH_DENIED without  it is no identity ticket
 */
MAUTH_MUST_USE enum mauth_rc caller_verify(const struct service *service,
    struct text credential, struct caller *out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc caller_read(const struct service *service,
    struct text credential, struct caller *out, struct mauth_err *err);

/* Answer with a problem of caller_take(); strangers are counted, not recorded. */
void caller_refuse(
    struct http_exchange *x, const char *problem, const struct mauth_err *err);

/*
 * In the transaction that decides: its session is open, of this subject and key, and
 * the subject lives (so a stolen signing key opens nothing here).
 *
 * MAUTH_OK, or MAUTH_DENIED: the problem "session"
 */
MAUTH_MUST_USE enum mauth_rc caller_check(
    struct kv_txn *txn, const struct caller *c, struct mauth_err *err);

/* The same but for its end, and whether it is open. */
MAUTH_MUST_USE enum mauth_rc caller_session(struct kv_txn *txn, const struct caller *c,
    struct graph_session *out, struct mauth_err *err);

void caller_clear(struct caller *c);

#endif
