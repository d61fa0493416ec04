/*
 * A service as people run it: its updater, which waits for the next trust file, and its
 * verifier, which refuses what the file says is revoked.
 */
#ifndef TESTS_BENCH_UPDATER_H
#define TESTS_BENCH_UPDATER_H

#include "tests/bench/exchange.h"
#include "tests/bench/load.h"
#include "tests/bench/service.h"
#include "tests/bench/shown.h"
#include <meshauth/verifier.h>

struct updater {
    struct bench_load *load; /* of two: a client with his tickets, and the updater */
    struct exchange exchange;
    struct mauth_verifier *verifier;
    char trust[PATH_MAX + 16], rules[PATH_MAX + 16];
    char after[48]; /* the place of its file */
    struct buf file;
    char *answer;
    uint8_t key[MAUTH_SPKI_MAX]; /* the client's */
    size_t key_len;

    struct shown ticket; /* the client's, of now */
};

/*
 * Logs both in, with tokens from the first on, and loads the file of now. Close it also
 * when this fails.
 */
MAUTH_MUST_USE enum mauth_rc updater_open(struct updater *u,
    const struct bench_service *service, const struct bench_mesh *mesh,
    const struct bench_tokens *tokens, size_t first, struct mauth_err *err);
void updater_close(struct updater *u);

/* The client gets a ticket, which the service takes. */
MAUTH_MUST_USE enum mauth_rc updater_new_ticket(
    struct updater *u, struct mauth_err *err);
/* Waits for the next file and lets the service load it. *revoked: it refuses the ticket
 * for that reason; another is a failure. */
MAUTH_MUST_USE enum mauth_rc updater_follow(
    struct updater *u, bool *revoked, struct mauth_err *err);

#endif
