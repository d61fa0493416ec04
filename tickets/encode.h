/* From values to the one byte form. */
#ifndef TICKETS_ENCODE_H
#define TICKETS_ENCODE_H

#include "keys/signer.h"
#include "tickets/ticket.h"

/*
 * Complete, sign and write a ticket. Facts, permits and actions may come in any
 * order: they are sorted in place. Appends the XML to out and fills in the
 * signature's fields of t (key_id belongs to the signer).
 *
 * MAUTH_INVALID    values that the profile does not allow: what is written here
 *                  always reads back
 * MAUTH_TOO_LARGE  over MAUTH_TICKET_MAX or another bound
 */
MAUTH_MUST_USE enum mauth_rc ticket_sign(struct ticket *t, const struct signer *signer,
    struct buf *out, struct mauth_err *err);

#endif
