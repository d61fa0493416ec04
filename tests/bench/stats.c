#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "tests/bench/bench.h"

enum {
    TURN_NS = 500000,      /* short against what disturbs, long against the clock */
    WARM_UP_NS = 20000000, /* for each racer */
    ROUNDS_MAX = 100000
};

int64_t
bench_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
bench_line(
    const char *group, const char *name, int decimals, double value, const char *unit)
{
    printf("%s.%s %.*f %s\n", group, name, decimals, value, unit);
    fflush(stdout);
}

void
bench_progress(const char *format, ...)
{
    va_list ap;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

const char *
bench_parent(void)
{
    const char *dir = getenv("TMPDIR");

    return dir && *dir ? dir : "/tmp";
}

bool
bench_number(const char *text, double max, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out > 0 && *out <= max;
}

static int
by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double
bench_quantile(double *values, size_t count, double quantile)
{
    if (!count)
        return 0;
    qsort(values, count, sizeof(*values), by_value);
    return values[(size_t)((double)(count - 1) * quantile + 0.5)];
}

void
bench_pin(void)
{
    cpu_set_t one;
    int cpu = sched_getcpu();

    if (cpu < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    (void)sched_setaffinity(0, sizeof(one), &one);
}

void
bench_unpin(void)
{
    cpu_set_t all;

    CPU_ZERO(&all);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        CPU_SET(i, &all);
    (void)sched_setaffinity(0, sizeof(all), &all);
}

/* One turn; the time of one call in it, or a negative number when one failed. */
static double
turn(const struct bench_racer *r)
{
    int64_t start = bench_now_ns();

    for (size_t i = 0; i < r->batch; i++)
        if (!r->once(r->state))
            return -1;
    return (double)(bench_now_ns() - start) / 1000 / (double)r->batch;
}

static enum mauth_rc
warm_up(struct bench_racer *r, struct mauth_err *err)
{
    int64_t start = bench_now_ns(), now = start;
    size_t calls = 0;

    r->each_us = calloc(ROUNDS_MAX, sizeof(*r->each_us));
    if (!r->each_us)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (; now - start < WARM_UP_NS; calls++, now = bench_now_ns())
        if (!r->once(r->state))
            return mauth_fail(err, MAUTH_INTERNAL, "bench: it fails");
    r->batch = calls * TURN_NS / WARM_UP_NS + 1;
    return MAUTH_OK;
}

enum mauth_rc
bench_race(struct bench_racer *racers, size_t count, double seconds, size_t *rounds,
    struct mauth_err *err)
{
    int64_t end;
    size_t n = 0;

    *rounds = 0;
    for (size_t i = 0; i < count; i++) {
        enum mauth_rc rc = warm_up(&racers[i], err);

        if (rc)
            return rc;
    }
    end = bench_now_ns() + (int64_t)(seconds * 1e9);
    for (; n == 0 || (n < ROUNDS_MAX && bench_now_ns() < end); n++) {
        for (size_t i = 0; i < count; i++) {
            racers[i].each_us[n] = turn(&racers[i]);
            if (racers[i].each_us[n] < 0)
                return mauth_fail(err, MAUTH_INTERNAL, "bench: it fails");
        }
    }
    *rounds = n;
    return MAUTH_OK;
}
