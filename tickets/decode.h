/* From the one byte form to its values; nothing is trusted yet. */
#ifndef TICKETS_DECODE_H
#define TICKETS_DECODE_H

#include "tickets/ticket.h"

/* A ticket read: its values, and which of the input's bytes were signed. */
struct mauth_ticket {
    uint8_t digest[HASH_LEN]; /* computed over head and tail */
    struct text head, tail;   /* of the input: what DigestValue is over */
    struct text signed_info;  /* of the input, from behind its first tag */
    struct ticket says;
    uint64_t asof;
    size_t pool_len;
    char pool[];
};

/*
 * MAUTH_REASON_SIZE, MAUTH_REASON_FORM. head, tail and signed_info point into
 * xml: they are good while xml is.
 */
MAUTH_MUST_USE enum mauth_rc ticket_decode(
    const char *xml, size_t len, struct mauth_ticket **out, struct mauth_err *err);

/* Before the ticket goes where its input may be gone. */
void ticket_forget_input(struct mauth_ticket *t);

#endif
