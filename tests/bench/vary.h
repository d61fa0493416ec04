/* Tickets of one kind that are all different, as those that a service meets. */
#ifndef TESTS_BENCH_VARY_H
#define TESTS_BENCH_VARY_H

#include "base/buf.h"
#include <meshauth/err.h>

/*
 * lines holds a ticket's plain and deflated credential, each with its newline.
 * Replaces them by those of the same ticket with other ids, signed anew with the
 * PKCS#8 key in pem.
 */
MAUTH_MUST_USE enum mauth_rc bench_vary(
    struct buf *lines, const struct buf *pem, struct mauth_err *err);

#endif
