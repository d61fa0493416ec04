/*
 * The terms of a ticket: what is checked of it each time that it is shown. A
 * ticket that is kept has a copy of them in one small piece, since waiting for
 * memory is most of what looking at one of many tickets costs.
 */
#ifndef TICKETS_TERMS_H
#define TICKETS_TERMS_H

#include "tickets/ticket.h"

struct ticket_terms {
    int64_t issued_s;
    int64_t not_before_s;
    int64_t not_on_or_after_s;
    struct text issuer;
    struct text key_id; /* terminated, as in the ticket */
    struct text holder; /* SPKI; p is NULL for a bearer ticket */
    size_t audiences;
    struct text audience[TICKET_AUDIENCES];
};

struct mauth_ticket;

/* Slices of the ticket. */
struct ticket_terms ticket_terms_of(const struct mauth_ticket *t);

/* A copy with all that it points to, in room, which has as many bytes as
 * ticket_terms_room() says and is aligned for any type. */
size_t ticket_terms_room(const struct mauth_ticket *t);
struct ticket_terms *ticket_terms_keep(const struct mauth_ticket *t, void *room);

#endif
