/*
 * A pass over the form of a ticket, in one of two directions: each step puts a
 * literal or a value, or takes the same literal or a value of the same kind out of
 * the input. Failures latch; pass_ok() is asked at the end.
 */
#ifndef TICKETS_PASS_H
#define TICKETS_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct pass {
    bool reading;
    bool again; /* writing what was read: its values need no second look */
    bool failed;
    struct reader in; /* reading: what is left of the input */
    struct buf *out;  /* writing: appended to */
    struct buf *pool; /* reading: where values go, terminated; has room for all */
};

/* Whether everything so far was of the form (reading) or fitted (writing). */
MAUTH_MUST_USE bool pass_ok(const struct pass *p);

/* Fixed bytes. */
void pass_fixed(struct pass *p, const char *literal, size_t len);
#define PASS_FIXED(p, literal) pass_fixed((p), "" literal, sizeof(literal) - 1)

/* Is there another one? (Writing: as more says.) Its first bytes are put or taken. */
bool pass_another(struct pass *p, bool more, const char *literal, size_t len);
#define PASS_ANOTHER(p, more, literal) \
    pass_another((p), (more), "" literal, sizeof(literal) - 1)

/* A value up to the byte end, which belongs to the form as well. */
typedef bool pass_valid(struct text t);
void pass_value(struct pass *p, struct text *v, pass_valid *valid, char end);

/* A time, and bytes in base64. */
void pass_instant(struct pass *p, int64_t *t_s, char end);
void pass_bytes(struct pass *p, struct text *v, char end);

#endif
