/*
 * When keys are to follow each other by themselves: for each list of audiences that a
 * key signs for, another is made some time before it takes its place.
 *
 * A key is published for ahead_s before it signs. If that is no shorter than the life of
 * a trust file, whoever still trusts any file knows it by then.
 */
#ifndef STORE_KEY_PLAN_H
#define STORE_KEY_PLAN_H

#include "keys/signer.h"
#include "store/key_life.h"

struct key_plan {
    int64_t period_s; /* how long a key signs; 0: nothing happens by itself */
    int64_t ahead_s;
    const enum signer_kind *kind; /* of new keys; NULL: as the one that they follow */
    size_t skip;                  /* so many steps that are due, and were refused */
};

enum key_step_kind {
    KEY_STEP_NONE,
    KEY_STEP_PREPARE,
    KEY_STEP_ACTIVATE
};

struct key_step {
    enum key_step_kind kind;
    char id[MAUTH_KEY_ID_LEN + 1]; /* to be activated */
    /* Of the key to be prepared: */
    enum signer_kind algorithm;
    char audiences[SIGNING_KEY_AUDIENCES + 1];
};

/*
 * What is due now, one step at a time; now->longest_s is that of a ticket. A key that
 * would end before the next was due makes it due earlier: so that the last ticket still
 * lies within its time.
 */
MAUTH_MUST_USE enum mauth_rc key_plan_next(struct kv_txn *txn,
    const struct key_plan *plan, const struct key_change *now, struct key_step *out,
    struct mauth_err *err);

#endif
