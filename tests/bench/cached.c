/* A decision over a ticket that was seen before, among many others. */
#include "tests/bench/cached.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "tests/bench/bench.h"
#include "tests/bench/decide.h"

enum {
    ENTRIES = 10000,
    VISITS = 20000, /* in one turn */
    ROUNDS = 15,
    REQUEST_MAX = 65536,
    PATH_MAX_LEN = 256
};

struct crowd {
    struct bench_decider *decider;
    char **header; /* of ENTRIES tickets, each in memory of its own */
    size_t *len;
    char **copy; /* and once more, for memcmp: not next to it */
    char **resource;
    uint32_t *order;
    char *request;           /* where each header is copied in, as a server has it */
    char path[PATH_MAX_LEN]; /* and what is asked for, which comes with it */
    bool alone;              /* wait until one thing is done before the next begins */
    unsigned visits;
};

typedef bool visit(struct crowd *c, uint32_t which);

/*
 * A processor begins to copy the next header while it still compares this one, so
 * each would be charged for what it cannot hide of its neighbours' waiting, and
 * the shorter ones would seem to take no time at all. A server has a system call
 * in between.
 */
static void
settle(const struct crowd *c)
{
    if (!c->alone)
        return;
#if defined(__x86_64__)
    __asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
    __asm__ volatile("dsb sy\n\tisb" ::: "memory");
#endif
}

static bool
only_copy(struct crowd *c, uint32_t which)
{
    memcpy(c->path, c->resource[which], strlen(c->resource[which]) + 1);
    memcpy(c->request, c->header[which], c->len[which]);
    settle(c);
    return c->request[0] == 'B';
}

static bool
copy_and_compare(struct crowd *c, uint32_t which)
{
    return only_copy(c, which) &&
           memcmp(c->request, c->copy[which], c->len[which]) == 0;
}

static bool
copy_and_decide(struct crowd *c, uint32_t which)
{
    struct text header = {c->request, c->len[which]};

    return only_copy(c, which) && bench_decide(c->decider, header, c->path);
}

/* What lies under the resource: something else at each visit. */
static bool
copy_and_decide_anew(struct crowd *c, uint32_t which)
{
    struct text header = {c->request, c->len[which]};
    size_t len;

    if (!only_copy(c, which))
        return false;
    len = strlen(c->path);
    c->path[len] = '/';
    for (unsigned i = 0, n = c->visits++; i < 8; i++, n >>= 4)
        c->path[len + 1 + i] = (char)('a' + (n & 15));
    c->path[len + 9] = '\0';
    return bench_decide(c->decider, header, c->path);
}

/* Microseconds of one visit; negative when one failed. */
static double
turn(struct crowd *c, visit *each)
{
    int64_t start_ns = bench_now_ns();

    for (size_t i = 0; i < VISITS; i++) {
        if (!each(c, c->order[i]))
            return -1;
        settle(c);
    }
    return (double)(bench_now_ns() - start_ns) / VISITS / 1000;
}

/* After the others: what was asked last is what an entry has kept. */
static enum mauth_rc
measure_anew(struct crowd *c, const char *group, struct mauth_err *err)
{
    double hit[ROUNDS];

    c->alone = true;
    for (size_t i = 0; i < ROUNDS; i++) {
        double copy = turn(c, only_copy), decide = turn(c, copy_and_decide_anew);

        if (copy < 0 || decide < 0)
            return mauth_fail(err, MAUTH_INTERNAL, "bench: a ticket was not accepted");
        hit[i] = decide - copy;
    }
    bench_line(group, "cached.anew.us", 3, bench_quantile(hit, ROUNDS, 0.5), "us");
    return MAUTH_OK;
}

/* What the figures would be without settle(): "overlapped", for comparison. */
static const struct {
    bool alone;
    const char *ratio, *over, *plain_us, *deflated_us;
} names[] = {
    {true, "cached.ratio", "cached.deflated.over.us", "cached.us",
        "cached.deflated.us"},
    {false, "cached.overlapped.ratio", "cached.overlapped.deflated.over.us",
        "cached.overlapped.us", "cached.overlapped.deflated.us"},
};

static enum mauth_rc
measure(struct crowd *c, const char *group, bool deflated, size_t how,
    struct mauth_err *err)
{
    double ratio[ROUNDS], over[ROUNDS], hit[ROUNDS];

    c->alone = names[how].alone;
    for (size_t i = 0; i < ROUNDS; i++) {
        double copy = turn(c, only_copy), compare = turn(c, copy_and_compare),
               decide = turn(c, copy_and_decide);

        if (copy < 0 || compare < 0 || decide < 0)
            return mauth_fail(err, MAUTH_INTERNAL, "bench: a ticket was not accepted");
        hit[i] = decide - copy;
        ratio[i] = (decide - copy) / (compare - copy);
        over[i] = decide - compare;
    }
    if (deflated)
        bench_line(group, names[how].over, 3, bench_quantile(over, ROUNDS, 0.5), "us");
    else
        bench_line(group, names[how].ratio, 3, bench_quantile(ratio, ROUNDS, 0.5), "x");
    bench_line(group, deflated ? names[how].deflated_us : names[how].plain_us, 3,
        bench_quantile(hit, ROUNDS, 0.5), "us");
    return MAUTH_OK;
}

/* Of our own code, in one turn of decisions. */
static enum mauth_rc
count_allocations(struct crowd *c, const char *group, struct mauth_err *err)
{
    unsigned long before = bench_allocations();

    if (turn(c, copy_and_decide) < 0 || turn(c, copy_and_decide_anew) < 0)
        return mauth_fail(err, MAUTH_INTERNAL, "bench: a ticket was not accepted");
    bench_line(group, "cached.allocations", 2,
        (double)(bench_allocations() - before) / (2 * VISITS), "calls");
    return MAUTH_OK;
}

static void
discard(struct crowd *c)
{
    for (size_t i = 0; i < ENTRIES && c->header && c->copy && c->resource; i++) {
        free(c->header[i]);
        free(c->copy[i]);
        free(c->resource[i]);
    }
    free(c->header);
    free(c->copy);
    free(c->resource);
    free(c->len);
    free(c->order);
    free(c->request);
}

static enum mauth_rc
fill_one(struct crowd *c, size_t i, bool deflated, struct mauth_err *err)
{
    struct bench_ticket t;
    enum mauth_rc rc = bench_ticket_open(&t, "p256", true, err);
    struct text header = deflated ? t.deflated_header : t.plain_header;

    if (rc == MAUTH_OK) {
        c->header[i] = strdup(header.p);
        c->resource[i] = strdup(t.resource);
        c->len[i] = header.len;
        if (!c->header[i] || !c->resource[i] ||
            strlen(t.resource) + 10 > sizeof(c->path))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    }
    bench_ticket_close(&t);
    return rc;
}

/* A fixed order that looks like none: the same for whoever is timed. */
static void
shuffle(uint32_t *order)
{
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < VISITS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        order[i] = (uint32_t)(x % ENTRIES);
    }
}

static enum mauth_rc
fill(struct crowd *c, bool deflated, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    c->header = calloc(ENTRIES, sizeof(*c->header));
    c->copy = calloc(ENTRIES, sizeof(*c->copy));
    c->len = calloc(ENTRIES, sizeof(*c->len));
    c->resource = calloc(ENTRIES, sizeof(*c->resource));
    c->order = calloc(VISITS, sizeof(*c->order));
    c->request = malloc(REQUEST_MAX);
    if (!c->header || !c->copy || !c->len || !c->resource || !c->order || !c->request)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    shuffle(c->order);
    for (size_t i = 0; i < ENTRIES && rc == MAUTH_OK; i++)
        rc = fill_one(c, i, deflated, err);
    /* Not one after the other: copying a header would bring its copy near. */
    for (size_t i = 0; i < ENTRIES && rc == MAUTH_OK; i++) {
        c->copy[i] = strdup(c->header[i]);
        if (!c->copy[i])
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    }
    return rc;
}

static enum mauth_rc
visit_all(const struct bench_host *host, bool deflated, struct mauth_err *err)
{
    struct bench_decider decider;
    struct crowd c = {.decider = &decider};
    enum mauth_rc rc = bench_decider_open(&decider, host, ENTRIES, err);

    bench_progress("%d %s tickets", ENTRIES, deflated ? "deflated" : "plain");
    if (rc == MAUTH_OK)
        rc = fill(&c, deflated, err);
    for (size_t i = 0; i < ENTRIES && rc == MAUTH_OK; i++)
        if (!bench_decide(&decider, text_of(c.header[i]), c.resource[i]))
            rc = mauth_fail(err, MAUTH_INTERNAL, "bench: %s", decider.decision.why);
    for (size_t how = 0; how < 2 && rc == MAUTH_OK; how++)
        rc = measure(&c, "verify", deflated, how, err);
    if (rc == MAUTH_OK && !deflated)
        rc = measure_anew(&c, "verify", err);
    if (rc == MAUTH_OK && !deflated)
        rc = count_allocations(&c, "verify", err);
    discard(&c);
    bench_decider_close(&decider);
    return rc;
}

enum mauth_rc
bench_cached(const struct bench_host *host, struct mauth_err *err)
{
    enum mauth_rc rc = visit_all(host, false, err);

    return rc ? rc : visit_all(host, true, err);
}
