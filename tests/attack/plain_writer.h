/*
 * A ticket's XML, written from what the ticket says by its accessors, and from the
 * parts of its signature. It shares nothing with tickets/: where the two differ, one
 * is wrong.
 */
#ifndef TESTS_PLAIN_WRITER_H
#define TESTS_PLAIN_WRITER_H

#include "tickets/decode.h"

/* Appended to out. */
void plain_write(const struct mauth_ticket *t, struct buf *out);

#endif
