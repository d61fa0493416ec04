/*
 * The trust file that a service reads, kept: what comes is judged, and takes the place
 * of what is there only when everything about it is right. Used by one thread.
 */
#ifndef UPDATER_KEEP_H
#define UPDATER_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "updater/witness.h"
#include <meshauth/err.h>
#include <meshauth/trust.h>

/* All borrowed for the keep's life. */
struct keep_options {
    const char *trust_file;   /* what services read */
    const char *witness_file; /* updater/witness.h */
    const char *alarm_file;   /* where a file goes that contradicts the one that is
                                 held, which goes to alarm_file.before */
    const char *root_vkey;
    const char *issuer;
    witness_prove *prove; /* NULL: nobody can be asked */
    void *arg;
};

struct keep;

/*
 * Read what is there. A trust file that is none any more is as if it were missing, and
 * *trouble says so; it stays until a good one comes.
 *
 * MAUTH_MALFORMED, MAUTH_UNAVAILABLE  the witness file: what it knew is not given up
 */
MAUTH_MUST_USE enum mauth_rc keep_open(const struct keep_options *o, struct keep **out,
    struct mauth_err *trouble, struct mauth_err *err);
void keep_close(struct keep *k);

/* What is held, or NULL; until the next keep_take(), as its bytes. */
const struct mauth_trust *keep_trust(const struct keep *k);
struct text keep_text(const struct keep *k);

struct keep_news {
    bool changed; /* the file was replaced */
    bool new_key; /* one that was not listed before: who has loaded it is waited for */
    bool rewritten; /* the audit log of the new epoch contradicts the one before */
};

/*
 * Judge a file, and put it in place (atomically, durably, for everybody to read). The
 * audit log of which it has a checkpoint must have grown from the one before: a proof is
 * demanded. Where none can be had now the file is taken all the same, for it may revoke,
 * keep_check_proofs() says so, and the proof is demanded again with the next one. The old
 * file stays on every failure:
 *
 * MAUTH_MALFORMED, MAUTH_TOO_LARGE  not a trust file, or not all of one
 * MAUTH_UNTRUSTED   not of this root, its authority, or not the list that was signed
 * MAUTH_DENIED      of another issuer, a lower number or an old epoch
 * MAUTH_EXPIRED     its time is over, or it is from the future: the clock is wrong
 * MAUTH_CONFLICT    somebody else signs with the authority's key, or the audit log was
 *                   rewritten: an alarm. Both files are kept as evidence.
 * MAUTH_UNAVAILABLE the disk
 */
MAUTH_MUST_USE enum mauth_rc keep_take(struct keep *k, struct text file, int64_t now_s,
    struct keep_news *news, struct mauth_err *err);

/* MAUTH_UNTRUSTED, in words: some growth of the audit log was never proven. Whoever rewrites
 * it has nothing better to do than to give no proofs. */
MAUTH_MUST_USE enum mauth_rc keep_check_proofs(
    const struct keep *k, struct mauth_err *err);

/* Is there evidence of an alarm, of now or before, that nobody has taken away? */
bool keep_has_alarm(const struct keep *k);

#endif
