/*
 * A second opinion: xmlsec1 on the signature, libxml2 on what the XML says. Only in
 * this test process, and as narrow as a profile of these tickets has to be.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include <meshauth/key.h>
#include <meshauth/ticket.h>

MAUTH_MUST_USE bool oracle_open(void);
void oracle_close(void);

struct oracle_key;

struct oracle_key *oracle_key_new(const struct mauth_key *key); /* NULL: it cannot */
void oracle_key_free(struct oracle_key *key);

/* Is this one assertion, whose one signature by this key is over all of it? */
MAUTH_MUST_USE bool oracle_accepts(
    const char *xml, size_t len, const struct oracle_key *key);

/* Does it say what the ticket says? Else where they differ, static. */
MAUTH_MUST_USE const char *oracle_differs(
    const char *xml, size_t len, const struct mauth_ticket *t);

#endif
