/* Tickets of all kinds with random values, and random changes to their XML. */
#ifndef TESTS_RANDOM_TICKET_H
#define TESTS_RANDOM_TICKET_H

#include "tickets/ticket.h"

/* SplitMix64: small, and the same everywhere. */
struct dice {
    uint64_t state;
};

uint64_t dice_throw(struct dice *d);
size_t dice_below(struct dice *d, size_t n); /* 0 to n - 1; n > 0 */

enum {
    RANDOM_ROOM = 1 << 16, /* bytes of a ticket's values */
    RANDOM_NOW_S = 1795341900,
};

/* A draft that is good at RANDOM_NOW_S; its values lie in room until the next. */
struct random_ticket {
    struct ticket draft;
    char room[RANDOM_ROOM];
    size_t used;
};

void random_ticket_make(struct random_ticket *r, struct dice *d, const char *issuer);

/*
 * One change to xml, of which cap bytes are there: bytes, tokens, elements, or a part
 * of other in its place. Returns the new length; 0 if it had none.
 */
size_t random_change(
    struct dice *d, char *xml, size_t len, size_t cap, struct text other);

/* One character of some value for another of its kind: often as good as before. */
void random_value_change(struct dice *d, char *xml, size_t len);

#endif
