/* Users of a graph who call a meshauthd, each on a connection that stays open. */
#ifndef TESTS_BENCH_CALLERS_H
#define TESTS_BENCH_CALLERS_H

#include <time.h>

#include <openssl/ssl.h>

#include "tests/bench/mesh.h"
#include "tests/bench/service.h"
#include "tests/bench/tokens.h"

enum {
    CALLERS = 9
};

struct callers {
    const struct bench_service *service;
    const struct bench_mesh *mesh;
    clockid_t cpu; /* of the service */
    SSL *ssl[CALLERS];
    char *ticket[CALLERS]; /* an identity ticket each */
    size_t turn;           /* whose it is; user 0 has none: he has a crowd around him */
    char *answer;
};

/* Logs all of them in. Close it also when this fails. */
MAUTH_MUST_USE enum mauth_rc callers_open(struct callers *c,
    const struct bench_service *service, const struct bench_mesh *mesh,
    const struct bench_tokens *tokens, struct mauth_err *err);
void callers_close(struct callers *c);

/* Each an operation of the caller whose turn it is. */
typedef enum mauth_rc callers_fn(struct callers *c, struct mauth_err *err);

/* GET of one of the caller's own folders. */
callers_fn callers_read;
/* PATCH of another one's role in the caller's first folder. */
callers_fn callers_change;

/* Microseconds of the service's CPU time for one of count operations in a row. */
MAUTH_MUST_USE enum mauth_rc callers_measure(struct callers *c, callers_fn *fn,
    size_t count, double *cpu_us, struct mauth_err *err);

struct callers_list {
    size_t pages;
    size_t items;
    double longest_ms; /* of one page */
    double grown_kib;  /* the most by which the service's own memory grew */
};

/* user 0 reads a list of the graph to its end. */
MAUTH_MUST_USE enum mauth_rc callers_read_list(struct callers *c, const char *path,
    struct callers_list *out, struct mauth_err *err);

#endif
