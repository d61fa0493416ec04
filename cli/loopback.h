/*
 * Where a browser comes back to (RFC 8252 7.3): a listener on loopback, at a port that
 * the system picks, for one GET of /callback with a query. All else is answered shortly
 * and forgotten: what is preconnected and says nothing, what asks for an icon, what
 * means another host (a page that rebinds a name would).
 *
 * This and no library, because one short request is all that it takes: a server would
 * bring threads, bodies and kept connections along, to be switched off one by one.
 */
#ifndef CLI_LOOPBACK_H
#define CLI_LOOPBACK_H

#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    LOOPBACK_HEAD_MAX = 16384, /* of a request: line and headers */
    LOOPBACK_CLIENTS = 8,      /* at a time */
    LOOPBACK_CLIENT_MS = 5000  /* for a request to arrive */
};

struct loopback;

/* On 127.0.0.1, or on [::1] where there is no other. MAUTH_UNAVAILABLE. */
MAUTH_MUST_USE enum mauth_rc loopback_open(
    struct loopback **out, struct mauth_err *err);
void loopback_close(struct loopback *l);

/* "http://127.0.0.1:PORT/callback"; belongs to l. */
const char *loopback_url(const struct loopback *l);

/*
 * Appends the query that the browser comes with to a buffer for secrets; it has got its
 * page by then. It may be somebody else who came: then wait once more.
 *
 * MAUTH_EXPIRED  nobody has come within so long
 */
MAUTH_MUST_USE enum mauth_rc loopback_wait(
    struct loopback *l, int64_t timeout_ms, struct buf *query, struct mauth_err *err);

enum loopback_verdict {
    LOOPBACK_MORE, /* the head is not complete */
    LOOPBACK_CAME, /* it is what we wait for */
    LOOPBACK_ELSE, /* a request for something else */
    LOOPBACK_BAD,  /* not a request that anyone should send */
};

/*
 * Judge what a client has sent so far. authority is our "127.0.0.1:PORT"; *query is a
 * slice of head, empty unless it came.
 */
enum loopback_verdict loopback_judge(
    struct text head, const char *authority, struct text *query);

#endif
