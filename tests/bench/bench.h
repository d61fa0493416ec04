/*
 * meshauth-bench: what its parts share. Figures go to standard output as
 * "name value unit" lines and nothing else does; what is under way is told on
 * standard error when that is a terminal.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

int64_t bench_now_ns(void); /* monotonic */

/* "GROUP.NAME value unit" */
void bench_line(
    const char *group, const char *name, int decimals, double value, const char *unit);
void bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where folders for a run are made: $TMPDIR or /tmp. */
const char *bench_parent(void);

/* A positive number, at most max; false otherwise. */
MAUTH_MUST_USE bool bench_number(const char *text, double max, double *out);

/* Sorts values; quantile 0 to 1, 0.5 is the median. */
double bench_quantile(double *values, size_t count, double quantile);

/* Keeps this thread on one processor, where that can be had. */
void bench_pin(void);
/* Lets it, and threads that it starts, run on all of them again. */
void bench_unpin(void);

/* One of several things that are timed against each other. */
struct bench_racer {
    bool (*once)(void *state);
    void *state;
    size_t batch;    /* calls in one turn; set by bench_race() */
    double *each_us; /* microseconds of a call, for each round; the caller frees */
};

/*
 * Rounds in which each racer has one short turn, so that what disturbs the
 * machine disturbs all of them alike; *rounds of them fitted into the time.
 * MAUTH_INTERNAL when a call of one failed: nothing wrong is ever timed.
 */
MAUTH_MUST_USE enum mauth_rc bench_race(struct bench_racer *racers, size_t count,
    double seconds, size_t *rounds, struct mauth_err *err);

/*
 * Calls of malloc, calloc, realloc, strdup and strndup that this thread has made
 * from our own object code. Those of libcrypto, libdeflate and others are not in it.
 */
unsigned long bench_allocations(void);

/* The commands: arguments in, exit code out. */
enum {
    BENCH_DONE = 0,
    BENCH_USAGE = 2,
    BENCH_FAILED = 3
};

int bench_verify(int argc, char **argv);
int bench_issue(int argc, char **argv);
int bench_graph(int argc, char **argv);
int bench_revocation(int argc, char **argv);
int bench_rotation(int argc, char **argv);
int bench_audit(int argc, char **argv);

#endif
