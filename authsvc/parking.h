/*
 * Requests that wait for something to happen: suspended, with no thread to wait in.
 * They are woken when it does, when their time is over, and when the service ends.
 */
#ifndef AUTHSVC_PARKING_H
#define AUTHSVC_PARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "authsvc/http.h"

struct parking;

/* In a step's own state (http_set_state), zero at first. */
struct parked {
    struct parked *prev, *next;
    struct http_exchange *x;
    int64_t ends_ms; /* monotonic; set when it is parked first, and kept */
};

/* Room for so many requests at a time, which wait for_ms at most. */
MAUTH_MUST_USE enum mauth_rc parking_new(
    size_t room, int64_t for_ms, struct parking **out, struct mauth_err *err);

/* To be taken before looking whether it has happened: so that nothing is missed. */
uint64_t parking_count(struct parking *p);

/*
 * Suspend until woken; then next runs, which looks again and may park again, until
 * its first for_ms are over. At once when there was a wake since count was taken.
 *
 * False: there is no room, its time is over, or the service ends. Answer then.
 */
MAUTH_MUST_USE bool parking_wait(struct parking *p, struct parked *spot, uint64_t count,
    struct http_exchange *x, http_step *next);

/* It has happened: all look again. From any thread. */
void parking_wake(struct parking *p);

/* Wakes all, for the last time: from now on nobody waits. NULL is fine. */
void parking_close(struct parking *p);
void parking_free(struct parking *p); /* nobody is parked any more */

#endif
