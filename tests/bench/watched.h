/*
 * A service as people set it up: a folder where the root is pinned, `meshauth trust watch`
 * beside it, and a verifier that says what it has loaded.
 */
#ifndef TESTS_BENCH_WATCHED_H
#define TESTS_BENCH_WATCHED_H

#include "tests/bench/service.h"
#include <meshauth/verifier.h>

enum {
    WATCHED_OUTPUT = 32 << 10,
    WATCHED_WORDS = 6
};

struct watched {
    const struct bench_service *service;
    char program[PATH_MAX]; /* meshauth */
    char config[PATH_MAX + 16];
    char dir[PATH_MAX + 16], loaded[PATH_MAX + 16];
    pid_t updater;
    struct mauth_verifier *verifier;
};

/* Registers it, and starts its updater. Close it also when this fails. */
MAUTH_MUST_USE enum mauth_rc watched_open(struct watched *w,
    const struct bench_service *service, const char *programs, struct mauth_err *err);
void watched_close(struct watched *w);

/*
 * `meshauth WORDS... -c CONFIG --json`, and what it prints. NULL ends the words, of which
 * there are WATCHED_WORDS at most.
 */
MAUTH_MUST_USE enum mauth_rc watched_run(const struct watched *w,
    const char *const *words, char out[WATCHED_OUTPUT], struct mauth_err *err);

/* The text of a member in what was printed, from a place on; false: there is none. */
MAUTH_MUST_USE bool watched_member(
    const char *json, const char *name, char *out, size_t size);

/* Nothing comes from it until it goes on. */
void watched_stop(const struct watched *w);
void watched_go_on(const struct watched *w);

#endif
