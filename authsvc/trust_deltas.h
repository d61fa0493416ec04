/*
 * What changed since each of the last trust files, up to the one of now: made once, for
 * all who will ask. Immutable, and made anew from the one before with each file.
 *
 * Of the last 64 files, as long as a delta is smaller than the file; 16 MiB of them.
 */
#ifndef AUTHSVC_TRUST_DELTAS_H
#define AUTHSVC_TRUST_DELTAS_H

#include "base/buf.h"
#include "keys/trust_place.h"

enum {
    TRUST_DELTAS = 64
};

struct trust_deltas;

/* A trust file, borrowed. */
struct trust_sheet {
    struct trust_place place;
    struct text text;
};

/*
 * Those up to newer: of older, and of all that before has (NULL: none), which go up to
 * older. The caller's to free. NULL: there are none, for want of memory if for nothing
 * else; then everybody gets the whole file.
 */
struct trust_deltas *trust_deltas_new(const struct trust_deltas *before,
    const struct trust_sheet *older, const struct trust_sheet *newer);
void trust_deltas_free(struct trust_deltas *d); /* NULL is fine */

/* From this file on; empty: it cannot be said, or the whole file is shorter. d may be NULL. */
struct text trust_deltas_find(const struct trust_deltas *d, struct trust_place from);

#endif
