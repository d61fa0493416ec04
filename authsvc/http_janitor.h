/*
 * Cuts connections that take too long. The library below counts idle time only:
 * a client that sends a byte now and then would stay for ever.
 *
 * Each connection has a lease, with a time until which it must have got on. The
 * janitor's thread shuts down the sockets of leases that ran out; the thread
 * that serves the connection then sees its end and cleans up as usual.
 */
#ifndef AUTHSVC_HTTP_JANITOR_H
#define AUTHSVC_HTTP_JANITOR_H

#include <stdatomic.h>
#include <stdint.h>

#include <meshauth/err.h>

struct janitor;

/* In the caller's memory, between janitor_watch() and janitor_leave(). */
struct lease {
    struct lease *prev, *next;
    int fd;
    _Atomic int64_t ends_ms; /* monotonic */
};

/* tick_ms: how often it looks. */
MAUTH_MUST_USE enum mauth_rc janitor_new(
    int64_t tick_ms, struct janitor **out, struct mauth_err *err);
void janitor_free(struct janitor *j); /* ends the thread; leases may still be there */

/* The fd must stay open until janitor_leave() has returned: another connection
 * may have its number right after. */
void janitor_watch(struct janitor *j, struct lease *l, int fd, int64_t for_ms);
void janitor_leave(struct janitor *j, struct lease *l);

/* It has so long from now; or as long as it likes. From any thread. */
void lease_extend(struct lease *l, int64_t for_ms);
void lease_hold(struct lease *l);

#endif
