#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/cached.h"
#include "tests/bench/decide.h"
#include "tests/bench/options.h"
#include "tests/bench/raw.h"
#include "tests/bench/rule.h"
#include "tests/bench/threads.h"
#include "tests/bench/ticket.h"

enum {
    COUNTED = 100, /* verifications whose allocations are counted */
    VARIED = 64,   /* tickets, all different, that are gone through in turn */
    SECONDS_MAX = 3600,
    RULE_SHARE = 16,  /* of the time */
    CACHED_FROM_S = 2 /* ten thousand tickets take a while to make */
};

struct run {
    struct bench_decider *decider; /* remembers one ticket: none comes twice in turn */
    const struct bench_ticket *tickets;
    size_t count;
    size_t next;
};

static const struct bench_ticket *
next_ticket(struct run *r)
{
    return &r->tickets[r->next++ % r->count];
}

static bool
from_plain(void *state)
{
    struct run *r = state;
    const struct bench_ticket *t = next_ticket(r);

    return bench_decide(r->decider, t->plain_header, t->resource);
}

static bool
from_deflated(void *state)
{
    struct run *r = state;
    const struct bench_ticket *t = next_ticket(r);

    return bench_decide(r->decider, t->deflated_header, t->resource);
}

static bool
with_raw_openssl(void *state)
{
    return bench_raw_verify(next_ticket(state));
}

static bool
with_xmlsec(void *state)
{
    const struct bench_ticket *t = next_ticket(state);

    return xmlsec_verify(t->xml, t->xml_len, t->xmlsec_key);
}

static enum mauth_rc
count_allocations(const char *group, struct run *r, struct mauth_err *err)
{
    unsigned long before = bench_allocations(), calls;

    for (int i = 0; i < COUNTED; i++)
        if (!from_plain(r))
            return mauth_fail(err, MAUTH_INTERNAL, "bench: it fails");
    calls = bench_allocations() - before;
    bench_line(group, "allocations", 2, (double)calls / COUNTED, "calls");
    return MAUTH_OK;
}

enum {
    RAW,
    PLAIN,
    DEFLATED,
    XMLSEC,
    VARIED_RAW,
    VARIED_PLAIN,
    VARIED_DEFLATED,
    RACERS
};

static const struct {
    bool (*once)(void *state);
    bool varied;
    const char *time;
    size_t over;       /* what the ratio is over */
    const char *ratio; /* NULL: others are compared with it */
} table[RACERS] = {
    [RAW] = {with_raw_openssl, false, "raw.us", RAW, NULL},
    [PLAIN] = {from_plain, false, "us", RAW, "ratio"},
    [DEFLATED] = {from_deflated, false, "deflated.us", RAW, "deflated.ratio"},
    [XMLSEC] = {with_xmlsec, false, "xmlsec.us", RAW, "xmlsec.ratio"},
    [VARIED_RAW] = {with_raw_openssl, true, "varied.raw.us", VARIED_RAW, NULL},
    [VARIED_PLAIN] = {from_plain, true, "varied.us", VARIED_RAW, "varied.ratio"},
    [VARIED_DEFLATED] = {from_deflated, true, "varied.deflated.us", VARIED_RAW,
        "varied.deflated.ratio"},
};

static void
report(const char *group, struct bench_racer *racers, size_t rounds)
{
    double *ratios = calloc(rounds, sizeof(*ratios));

    for (size_t i = 0; i < RACERS && ratios; i++) {
        const double *raw = racers[table[i].over].each_us;

        if (!table[i].ratio)
            continue;
        for (size_t k = 0; k < rounds; k++)
            ratios[k] = racers[i].each_us[k] / raw[k];
        bench_line(group, table[i].ratio, 3, bench_quantile(ratios, rounds, 0.5), "x");
    }
    free(ratios);
    for (size_t i = 0; i < RACERS; i++) /* this sorts: no more pairs from here on */
        bench_line(group, table[i].time, 2,
            bench_quantile(racers[i].each_us, rounds, 0.5), "us");
}

static enum mauth_rc
race(const struct bench_host *host, const struct bench_ticket *tickets, const char *alg,
    double seconds, struct mauth_err *err)
{
    struct bench_decider decider;
    struct run golden = {&decider, tickets, 2, 0};
    struct run varied = {&decider, tickets + 1, VARIED, 0};
    struct bench_racer racers[RACERS] = {{0}};
    enum mauth_rc rc;
    char group[64];
    size_t rounds;

    snprintf(group, sizeof(group), "verify.%s", alg);
    bench_progress("%s, %g s", group, seconds);
    for (size_t i = 0; i < RACERS; i++) {
        racers[i].once = table[i].once;
        racers[i].state = table[i].varied ? &varied : &golden;
    }
    rc = bench_decider_open(&decider, host, 1, err);
    if (rc == MAUTH_OK)
        rc = bench_race(racers, RACERS, seconds, &rounds, err);
    if (rc == MAUTH_OK) {
        report(group, racers, rounds);
        rc = count_allocations(group, &golden, err);
    }
    for (size_t i = 0; i < RACERS; i++)
        free(racers[i].each_us);
    bench_decider_close(&decider);
    return rc;
}

/* The golden ticket, then the varied ones. */
static enum mauth_rc
race_with(const struct bench_host *host, const char *alg, double seconds,
    struct mauth_err *err)
{
    struct bench_ticket *tickets = calloc(1 + VARIED, sizeof(*tickets));
    enum mauth_rc rc = MAUTH_OK;

    if (!tickets)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t i = 0; i <= VARIED && rc == MAUTH_OK; i++)
        rc = bench_ticket_open(&tickets[i], alg, i > 0, err);
    if (rc == MAUTH_OK)
        rc = race(host, tickets, alg, seconds, err);
    if (rc == MAUTH_OK && seconds >= 1 && strcmp(alg, "p256") == 0)
        rc = bench_threads(host, tickets + 1, VARIED, err);
    for (size_t i = 0; i <= VARIED; i++)
        bench_ticket_close(&tickets[i]);
    free(tickets);
    return rc;
}

static enum mauth_rc
race_all(double seconds, struct mauth_err *err)
{
    struct bench_host host;
    enum mauth_rc rc = bench_host_open(&host, err);

    if (rc == MAUTH_OK && !xmlsec_start())
        rc = mauth_fail(err, MAUTH_INTERNAL, "bench: xmlsec1 does not start");
    if (rc == MAUTH_OK)
        rc = race_with(&host, "p256", seconds / 2, err);
    if (rc == MAUTH_OK)
        rc = race_with(&host, "rsa2048", seconds / 2, err);
    if (rc == MAUTH_OK)
        rc = bench_rule(seconds / RULE_SHARE, err);
    if (rc == MAUTH_OK && seconds >= CACHED_FROM_S)
        rc = bench_cached(&host, err);
    xmlsec_stop();
    bench_host_close(&host);
    return rc;
}

int
bench_verify(int argc, char **argv)
{
    double seconds = 10;
    const struct bench_option options[] = {
        {"seconds", .number = &seconds, .max = SECONDS_MAX},
        {.name = NULL},
    };
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!bench_options(argc, argv, options)) {
        fprintf(stderr, "meshauth-bench verify: --seconds up to %d\n", SECONDS_MAX);
        return BENCH_USAGE;
    }
    bench_pin();
    return bench_end(argv, race_all(seconds, &err), &err);
}
