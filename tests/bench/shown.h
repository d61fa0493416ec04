/* A ticket as a client shows it to a service, and what the service's verifier says of it. */
#ifndef TESTS_BENCH_SHOWN_H
#define TESTS_BENCH_SHOWN_H

#include "base/str.h"
#include <meshauth/verifier.h>

struct shown {
    char *header;   /* Authorization */
    char *resource; /* that it permits to read */
    char id[64];
};

/* Of a credential; what it held before is freed. */
MAUTH_MUST_USE enum mauth_rc shown_take(
    struct shown *s, struct text credential, struct mauth_err *err);
/* The member "access_token" of an answer; an empty text if it has none. */
struct text shown_find(const char *answer);
void shown_clear(struct shown *s);

/* May who has proven this key read the resource? */
MAUTH_MUST_USE enum mauth_rc shown_ask(struct mauth_verifier *v, const struct shown *s,
    const uint8_t *spki, size_t spki_len, struct mauth_decision *d,
    struct mauth_err *err);

#endif
