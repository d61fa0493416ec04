#include "tests/bench/audit_flood.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/time.h"
#include "store/audit_find.h"
#include "tests/bench/bench.h"
#include "tests/bench/wire.h"

#define MINUTE_US INT64_C(60000000)

/* A token whose signature has another end: it is looked at like a good one, up to there. */
static size_t
write_bad(void *arg, size_t connection, char *out, size_t max)
{
    struct audit_flood *f = arg;
    size_t len = wire_exchange(f->port,
        bench_token(f->tokens, f->next++ % bench_tokens_count(f->tokens)), out, max);

    (void)connection;
    if (len > 8 && len < max)
        out[len - 8] = out[len - 8] == 'A' ? 'B' : 'A';
    return len;
}

enum mauth_rc
audit_flood(
    struct audit_flood *f, struct bench_load *l, double seconds, struct mauth_err *err)
{
    const struct bench_asker asker = {
        .write = write_bad, .arg = f, .status = 400, .want = "\"error\""};
    struct bench_load_result r = {.exchanges = 0};
    enum mauth_rc rc;

    f->since_us =
        time_now_us() / MINUTE_US * MINUTE_US; /* they are counted by minutes */
    bench_progress("bad logins, %g s", seconds);
    rc = bench_load_turn(l, &asker, seconds, &r, err);
    if (rc == MAUTH_OK && r.errors)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: a bad login: %s", r.complaint);
    if (rc == MAUTH_OK) {
        bench_line(
            "audit.flood", "per_s", 0, (double)r.exchanges / r.seconds, "logins");
        bench_line("audit.flood", "logins", 0, (double)r.exchanges, "logins");
    }
    free(r.latency_ms);
    return rc;
}

struct sum {
    uint64_t records, bytes;
};

static bool
add(uint64_t sequence, struct text json, void *arg)
{
    struct sum *s = arg;

    (void)sequence;
    s->records++;
    s->bytes += json.len;
    return true;
}

enum mauth_rc
audit_flood_left(const struct audit_flood *f, struct kv *kv, struct mauth_err *err)
{
    const struct audit_filter all = {
        .since_us = f->since_us, .limit = UINT64_MAX, .value[AUDIT_ACTION] = "refused"};
    struct sum s = {0, 0};
    enum mauth_rc rc = audit_find(kv, NULL, &all, add, &s, NULL, err);

    if (rc)
        return rc;
    bench_line("audit.flood", "records", 0, (double)s.records, "records");
    bench_line("audit.flood", "bytes", 0, (double)s.bytes, "bytes");
    return MAUTH_OK;
}
