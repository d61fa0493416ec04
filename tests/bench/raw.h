/* What nobody who verifies a ticket can do without. */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include "tests/bench/ticket.h"

/*
 * SHA-256 over what DigestValue is over, and EVP_DigestVerify over SignedInfo with a
 * fresh context and the key loaded before; nothing is left to find or to decode.
 */
MAUTH_MUST_USE bool bench_raw_verify(const struct bench_ticket *t);

#endif
