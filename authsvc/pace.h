/*
 * How fast each principal may change things: so many at once, and so many a minute from
 * then on. Bounded in memory: of more principals than it remembers, those that were quiet
 * for longest begin anew. Safe from any thread.
 */
#ifndef AUTHSVC_PACE_H
#define AUTHSVC_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include <meshauth/err.h>

enum {
    PACE_PRINCIPALS = 1 << 14 /* remembered at a time */
};

struct pace;

MAUTH_MUST_USE enum mauth_rc pace_new(
    int per_minute, struct pace **out, struct mauth_err *err);
void pace_free(struct pace *p);

/* One more, at this time of the monotonic clock; false: too fast, and it does not count. */
MAUTH_MUST_USE bool pace_take(struct pace *p, const struct id *who, int64_t now_ms);

/* What was taken turned out to be so many more: all of it counts, also what is not left. */
void pace_spend(struct pace *p, const struct id *who, uint32_t more, int64_t now_ms);

#endif
