/*
 * Load on the token endpoint: keep-alive TLS connections, each with a device
 * and a user of its own, each with one exchange under way at any time.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/bench/tokens.h"
#include <meshauth/err.h>

struct bench_load {
    int port;            /* on 127.0.0.1 */
    const char *ca_file; /* the server's certificate */
    size_t connections;
    double warm_up_s; /* exchanges that are not measured: users are made in it */
    double seconds;
    const struct bench_tokens *tokens; /* for as many users as connections */
    pid_t server;                      /* whose CPU time is taken */
};

struct bench_load_result {
    size_t exchanges; /* good ones */
    size_t errors;
    double seconds;
    double server_cpu_s;
    double client_cpu_s;
    double *latency_ms;  /* of each exchange; the caller frees */
    char complaint[200]; /* what the first error was */
};

/* Ends early when the tokens are used up. */
MAUTH_MUST_USE enum mauth_rc bench_load_run(const struct bench_load *load,
    struct bench_load_result *out, struct mauth_err *err);

#endif
