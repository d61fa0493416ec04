/*
 * Failing allocations: of our own code, not of the libraries below it. A program
 * that is made by mauth_starve_test() has its malloc, calloc, realloc, aligned_alloc,
 * strdup and strndup here.
 */
#ifndef TESTS_STARVE_H
#define TESTS_STARVE_H

#include "tests/unit/unit.h"
#include <meshauth/err.h>

/* One call, that leaves nothing behind when it fails (and checks that it does). */
typedef enum mauth_rc starve_call(void *arg, struct mauth_err *err);

/*
 * Makes the call with its first allocation failing, then with its second, and so
 * on, until it makes fewer than that. Each of the calls before must have said
 * MAUTH_NO_MEMORY, and this last one MAUTH_OK. At least one allocation is expected.
 */
void starve(const char *name, starve_call *call, void *arg);

/* The same where it may also go well without the memory: a cache that keeps nothing. */
void starve_or_do_without(const char *name, starve_call *call, void *arg);

#endif
