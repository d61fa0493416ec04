#include "tests/bench/audit_append.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "store/audit.h"
#include "tests/bench/bench.h"

enum {
    IN_FLIGHT =
        768, /* requests that wait for their commit: three batches of the store */
    ROUNDS = 10
};

/* A request: its record goes to the committer and comes back, again and again. */
struct request {
    struct kv_job job; /* first: the store hands back a pointer to it */
    struct audit_entry *entry;
    struct side *side;
    struct request *next;
};

struct side {
    struct kv *kv;
    uint64_t at; /* of the next record */
    double per_s[ROUNDS];
    pthread_mutex_t lock;
    pthread_cond_t back;
    struct request *free; /* those that have come back */
    size_t away;
    enum mauth_rc rc;
    struct mauth_err err;
};

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct request *r = arg;

    return audit_append(txn, r->entry, err);
}

static void
came_back(struct kv_job *job)
{
    struct request *r = (struct request *)job;
    struct side *s = r->side;

    pthread_mutex_lock(&s->lock);
    if (job->rc && !s->rc) {
        s->rc = job->rc;
        s->err = job->err;
    }
    r->next = s->free;
    s->free = r;
    s->away--;
    pthread_cond_signal(&s->back);
    pthread_mutex_unlock(&s->lock);
}

/* Waits for one; all: for all that are away, and NULL then. */
static struct request *
wait_for(struct side *s, bool all)
{
    struct request *r = NULL;

    pthread_mutex_lock(&s->lock);
    while (all ? s->away : !s->free)
        pthread_cond_wait(&s->back, &s->lock);
    if (!all) {
        r = s->free;
        s->free = r->next;
        s->away++;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

static enum mauth_rc
send(const struct audit_fill *f, struct side *s, struct request *r,
    struct mauth_err *err)
{
    enum mauth_rc rc;

    audit_entry_free(r->entry);
    rc = audit_fill_entry(f, s->at++, &r->entry, err);
    r->side = s;
    r->job = (struct kv_job){.fn = append, .arg = r, .done = came_back};
    if (rc == MAUTH_OK)
        kv_submit(s->kv, &r->job);
    else
        came_back(&r->job);
    return rc;
}

static enum mauth_rc
turn(const struct audit_fill *f, struct side *s, struct request *requests,
    double seconds, double *per_s, struct mauth_err *err)
{
    int64_t start = bench_now_ns(), end = start + (int64_t)(seconds * 1e9);
    uint64_t before = s->at;
    enum mauth_rc rc = MAUTH_OK;

    s->free = NULL;
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        requests[i].next = s->free;
        s->free = &requests[i];
    }
    while (rc == MAUTH_OK && bench_now_ns() < end)
        rc = send(f, s, wait_for(s, false), err);
    (void)wait_for(s, true);
    *per_s = (double)(s->at - before) * 1e9 / (double)(bench_now_ns() - start);
    if (rc == MAUTH_OK && s->rc)
        rc = mauth_fail(err, s->rc, "%s", s->err.text);
    return rc;
}

static enum mauth_rc
race(const struct audit_fill *f, struct side sides[2], struct request *requests,
    double seconds, struct mauth_err *err)
{
    double ratio[ROUNDS], unused;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < 2 && rc == MAUTH_OK; i++) /* warm up */
        rc = turn(f, &sides[i], requests, seconds / ROUNDS / 2, &unused, err);
    for (size_t n = 0; n < ROUNDS && rc == MAUTH_OK; n++) {
        for (size_t i = 0; i < 2 && rc == MAUTH_OK; i++)
            rc = turn(
                f, &sides[i], requests, seconds / ROUNDS / 2, &sides[i].per_s[n], err);
        ratio[n] = sides[0].per_s[n] / sides[1].per_s[n];
    }
    if (rc)
        return rc;
    bench_line("audit.append", "per_s", 0, bench_quantile(sides[0].per_s, ROUNDS, 0.5),
        "records");
    bench_line("audit.append", "empty.per_s", 0,
        bench_quantile(sides[1].per_s, ROUNDS, 0.5), "records");
    bench_line("audit.append", "ratio", 2, bench_quantile(ratio, ROUNDS, 0.5), "x");
    return MAUTH_OK;
}

enum mauth_rc
audit_append_race(const struct audit_fill *f, struct kv *full, struct kv *empty,
    double seconds, struct mauth_err *err)
{
    struct side sides[2] = {{.kv = full, .at = f->records}, {.kv = empty}};
    struct request *requests = calloc(IN_FLIGHT, sizeof(*requests));
    enum mauth_rc rc;

    if (!requests)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t i = 0; i < 2; i++) {
        pthread_mutex_init(&sides[i].lock, NULL);
        pthread_cond_init(&sides[i].back, NULL);
    }
    bench_progress("appending, %g s", seconds);
    rc = race(f, sides, requests, seconds, err);
    for (size_t i = 0; i < 2; i++) {
        pthread_cond_destroy(&sides[i].back);
        pthread_mutex_destroy(&sides[i].lock);
    }
    for (size_t i = 0; i < IN_FLIGHT; i++)
        audit_entry_free(requests[i].entry);
    free(requests);
    return rc;
}
