/*
 * Load on a service: keep-alive TLS connections, each with a device of its own, each
 * with one request under way at any time.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <sys/types.h>

#include <meshauth/err.h>
#include <meshauth/key.h>

struct bench_load;

/* Dials all of them. ca_file: the server's certificate; server: whose CPU time is taken. */
MAUTH_MUST_USE enum mauth_rc bench_load_open(int port, const char *ca_file,
    pid_t server, size_t connections, struct bench_load **out, struct mauth_err *err);
void bench_load_close(struct bench_load *l);

/* One request out of turn, as wire_ask() does it. */
int bench_load_ask(struct bench_load *l, size_t connection, const char *request,
    size_t len, char *answer, size_t max);

/* The public half of a connection's key, DER; its length, 0 on failure. */
size_t bench_load_key(
    const struct bench_load *l, size_t connection, uint8_t out[MAUTH_SPKI_MAX]);

/* What is asked. */
struct bench_asker {
    /* The next request of a connection; its length, 0 when there is none any more. */
    size_t (*write)(void *arg, size_t connection, char *out, size_t max);
    void *arg;
    const char *want; /* a good answer holds it */
    /* Sees each good answer, before the next request is written; NULL: nobody does. */
    void (*took)(void *arg, size_t connection, const char *answer);
    int status; /* of a good answer; 0: 200 */
};

/* Zeros at first; turns add to it. */
struct bench_load_result {
    size_t exchanges; /* good ones */
    size_t errors;
    double seconds;
    double server_cpu_s;
    double client_cpu_s;
    double *latency_ms;  /* of each exchange; the caller frees */
    size_t room;         /* of it */
    char complaint[200]; /* what the first error was */
};

/*
 * A turn: ask on all connections for so long, then wait for the last answers. Ends
 * early when there is nothing more to ask. MAUTH_UNAVAILABLE also: no good answer.
 */
MAUTH_MUST_USE enum mauth_rc bench_load_turn(struct bench_load *l,
    const struct bench_asker *asker, double seconds, struct bench_load_result *result,
    struct mauth_err *err);

#endif
