/* What a long list of revocations costs those who check tickets. */
#ifndef TESTS_BENCH_LIST_H
#define TESTS_BENCH_LIST_H

#include <stddef.h>

#include <meshauth/err.h>

/*
 * Prints revocation.list.*: the bytes of a trust file with so many entries, how long it
 * takes to load, and what a look into it adds to a check of a ticket.
 */
MAUTH_MUST_USE enum mauth_rc bench_list(
    size_t entries, double seconds, struct mauth_err *err);

#endif
