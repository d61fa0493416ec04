/*
 * Refusals before authentication, counted per address prefix, reason and
 * minute, so that strangers cannot fill the disk with records. Safe from any
 * thread.
 */
#ifndef AUTHSVC_REFUSALS_H
#define AUTHSVC_REFUSALS_H

#include <stdint.h>

#include "store/kv.h"
#include <meshauth/err.h>

enum {
    REFUSALS_ROWS = 512, /* in a minute; what does not fit is counted as "other" */
    REFUSALS_PREFIX = 64
};

struct refusals;

MAUTH_MUST_USE enum mauth_rc refusals_new(struct refusals **out, struct mauth_err *err);
void refusals_free(struct refusals *r);

/* reason is a static name; client an address, or any other word. */
void refusals_count(
    struct refusals *r, int64_t now_s, const char *client, const char *reason);

/*
 * Put one audit record for each row so far and start over. When the store
 * cannot take them, or its disk is nearly full, the rows are kept for the next time.
 */
MAUTH_MUST_USE enum mauth_rc refusals_flush(
    struct refusals *r, struct kv *kv, struct mauth_err *err);

/* "192.0.2.0/24" (also of ::ffff:192.0.2.1) or "2001:db8:1:2::/64"; another word
 * stays as it is. */
void refusals_prefix(const char *client, char out[REFUSALS_PREFIX]);

#endif
