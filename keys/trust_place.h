/* A trust file's place among all of its issuer: the later one is the higher one. */
#ifndef KEYS_TRUST_PLACE_H
#define KEYS_TRUST_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/trust.h>

enum {
    TRUST_PLACE_MAX = 41 /* characters of "EPOCH.SEQUENCE" */
};

struct trust_place {
    uint64_t epoch, sequence;
};

struct trust_place trust_place_of(const struct mauth_trust *trust);

/* Below, at or above zero: a is earlier than b, the same, later. */
int trust_place_compare(struct trust_place a, struct trust_place b);

/* "3.17"; false when it is not of that form. */
MAUTH_MUST_USE bool trust_place_read(struct text t, struct trust_place *out);
/* The same written, terminated. */
void trust_place_format(struct trust_place p, char out[TRUST_PLACE_MAX + 1]);

#endif
