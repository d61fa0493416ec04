/*
 * The one byte form of a ticket, written down once (docs/tickets.md). The same
 * functions write it and read it: each step puts a literal or a value, or takes
 * the same literal or a value of the same kind out of the input.
 */
#ifndef TICKETS_TEMPLATE_H
#define TICKETS_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "tickets/ticket.h"

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

/*
 * The parts, in their order. head, then the signature's three, then tail; the
 * digest is over head and tail, the signature over SIGNED_INFO_OPEN and what
 * follows template_signed_info()'s first tag.
 */
void template_head(struct pass *p, struct ticket *t);
void template_signature_open(struct pass *p); /* up to and with <ds:SignedInfo> */
void template_signed_info(struct pass *p, struct ticket *t);
void template_signature_value(struct pass *p, struct ticket *t);
void template_tail(struct pass *p, struct ticket *t);

/* <ds:SignedInfo> as its canonical form begins. */
extern const char TEMPLATE_SIGNED_INFO[];

#endif
