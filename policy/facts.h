/*
 * Facts, and where the evaluator has them from: an iterator that the caller
 * supplies, over one ticket or over one moment of the graph.
 */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/predicate.h"
#include <meshauth/err.h>

struct fact {
    enum predicate predicate; /* none that is computed */
    struct text arg[PREDICATE_ARGS_MAX];
};

enum {
    FACTS_ROOM = 72 /* bytes for a value that the source has to write out */
};

/*
 * One walk over the facts of a predicate. The evaluator makes it and says what
 * it wants; at and state are zero at first and then the source's alone.
 */
struct fact_cursor {
    enum predicate predicate;
    unsigned bound; /* bit i: want[i] has a value */
    unsigned key;   /* of those, the declared pattern to look up by */
    struct text want[PREDICATE_ARGS_MAX]; /* empty where bound has no bit */
    struct text arg[PREDICATE_ARGS_MAX];  /* out: the fact, all its arguments */
    uint64_t at[2];
    void *state;
    char room[PREDICATE_ARGS_MAX][FACTS_ROOM]; /* for arguments to point into */
};

/*
 * A source of facts.
 *
 *   next   the next fact that has want's values where key has bits; others may
 *          be left out or not, the evaluator looks again. MAUTH_OK, or
 *          MAUTH_NOT_FOUND at the end; anything else ends the evaluation with
 *          that code. Values lie in the cursor's room, or live as long as the
 *          decision is looked at.
 *   close  ends a walk, at its end or earlier, once for each; next may not have
 *          been called yet (state is NULL). May be NULL.
 *
 * next is never asked for a predicate that has no patterns on this side.
 */
struct fact_source {
    enum side side;
    void *self;
    enum mauth_rc (*next)(void *self, struct fact_cursor *c, struct mauth_err *err);
    void (*close)(void *self, struct fact_cursor *c);
};

/* An array of facts, in any order, as a source for either side. */
struct fact_list {
    const struct fact *fact;
    size_t count;
};

/* Borrows list. */
struct fact_source fact_list_source(struct fact_list *list, enum side side);

#endif
