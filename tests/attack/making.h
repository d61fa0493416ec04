/* The tables of attacks, the valid tickets that they begin with, and making a case. */
#ifndef TESTS_MAKING_H
#define TESTS_MAKING_H

#include "tests/attack/attack.h"

enum {
    MAKING_GROUPS = 12,
    MAKING_BASES = 10,
    MAKING_USUAL_BASES = 5 /* the first are what cases are run with */
};

extern const struct attack_group *const making_groups[MAKING_GROUPS];
/* base_load() them before they are used. */
extern struct base making_bases[MAKING_BASES];

bool making_applies(const struct attack *a, const struct base *b);
/* The forgery was just started; its step says which of a case of many it is. */
void making_make(struct forgery *f, const struct attack *a);

#endif
