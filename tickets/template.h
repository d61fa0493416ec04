/*
 * The one byte form of a ticket, written down once (docs/tickets.md). The same
 * functions write it and read it: see tickets/pass.h.
 */
#ifndef TICKETS_TEMPLATE_H
#define TICKETS_TEMPLATE_H

#include "tickets/pass.h"
#include "tickets/ticket.h"

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
