/*
 * What a verifier tells the account service of: which tickets it has accepted, and the
 * decisions that its service hands in. Two rings (base/ring.h) in the status directory,
 * "accepted" and "decisions", that the service's updater reads; an entry is a JSON object
 * (docs/library.md). Safe from any thread.
 *
 * A ticket that was signed with a stolen key is good to every verifier. But the account
 * service has all of its own on record, so it knows one that is not.
 */
#ifndef VERIFIER_JOURNAL_H
#define VERIFIER_JOURNAL_H

#include "base/ring.h"
#include <meshauth/ticket.h>
#include <meshauth/verifier.h>

extern const struct ring_kind journal_accepted, journal_decisions;

struct journal;

/* As ring_open(): a directory that cannot be written is no failure. */
MAUTH_MUST_USE enum mauth_rc journal_open(
    const char *dir, struct journal **out, struct mauth_err *err);
void journal_close(struct journal *j); /* NULL is fine */

/* What is to be said of a ticket: a plain value, for it may be gone by then. */
struct journal_ticket {
    char id[MAUTH_DECISION_ID];
    char key[MAUTH_DECISION_ID];
    uint8_t digest[32];
};

/* It was seen for the first time, and all about it was right. One that cannot be written
 * is passed over: decisions do not hang on it. */
void journal_accept(struct journal *j, const struct journal_ticket *t, int64_t now_s);

/* As mauth_verifier_record(). */
MAUTH_MUST_USE enum mauth_rc journal_record(struct journal *j,
    const struct mauth_decision *d, const struct mauth_request *r,
    struct mauth_err *err);

#endif
