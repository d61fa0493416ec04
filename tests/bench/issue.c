#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/exchange.h"
#include "tests/bench/kdc.h"
#include "tests/bench/load.h"
#include "tests/bench/mesh.h"
#include "tests/bench/options.h"
#include "tests/bench/service.h"
#include "tests/bench/tokens.h"

enum {
    CONNECTIONS_MAX = 1000,
    SECONDS_MAX = 60,
    /* So many exchanges a second there are ID tokens for. */
    PER_S_MAX = 16000,
    PER_CONNECTION_S_MAX = 2000,
    USERS_MAX = 10000000,
    ROUNDS = 10
};

enum {
    LOGIN,
    EXCHANGE,
    SYNC,
    KINDS
};

#define WARM_UP_S 0.5

struct options {
    double users;
    double seconds;
    double connections;
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

/* What is measured, in turns: a login, an exchange, a sync. */
struct kind {
    const char *name;
    struct bench_asker asker;
    struct bench_load_result result;
    double cpu_us[ROUNDS]; /* of each round */
};

struct issue {
    const struct options *o;
    struct bench_service service;
    struct bench_tokens *tokens;
    struct bench_mesh mesh;
    struct bench_load *load;
    struct exchange exchange;
    struct kdc kdc;
    struct kind kind[KINDS];
    double kdc_us[ROUNDS], ratio[ROUNDS];
};

static void
report_kind(struct kind *k)
{
    struct bench_load_result *r = &k->result;
    double exchanges = (double)r->exchanges;

    bench_line(k->name, "per_s", 0, exchanges / r->seconds, "exchanges");
    bench_line(k->name, "cpu.us", 1, r->server_cpu_s * 1e6 / exchanges, "us");
    bench_line(
        k->name, "p50.ms", 2, bench_quantile(r->latency_ms, r->exchanges, 0.5), "ms");
    bench_line(
        k->name, "p99.ms", 2, bench_quantile(r->latency_ms, r->exchanges, 0.99), "ms");
    bench_line(k->name, "errors", 0, (double)r->errors, "answers");
    bench_line(k->name, "client.cpu.us", 1, r->client_cpu_s * 1e6 / exchanges, "us");
    if (r->errors)
        fprintf(stderr, "meshauth-bench issue: %s: %s\n", k->name, r->complaint);
}

static void
report(struct issue *b)
{
    for (size_t i = 0; i < KINDS; i++)
        report_kind(&b->kind[i]);
    if (!b->kdc.pid)
        return;
    bench_line("issue.kdc", "cpu.us", 1, bench_quantile(b->kdc_us, ROUNDS, 0.5), "us");
    bench_line("issue.exchange", "over_kdc.ratio", 2,
        bench_quantile(b->ratio, ROUNDS, 0.5), "x");
}

/* A turn of one kind, as part of a round. */
static enum mauth_rc
turn(struct issue *b, size_t round, struct kind *k, struct mauth_err *err)
{
    size_t before = k->result.exchanges;
    double cpu_s = k->result.server_cpu_s;
    enum mauth_rc rc =
        bench_load_turn(b->load, &k->asker, b->o->seconds / ROUNDS, &k->result, err);

    if (rc == MAUTH_OK && k->result.exchanges == before)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s: no answer in a turn; %s",
            k->name, k->result.complaint);
    k->cpu_us[round] = (k->result.server_cpu_s - cpu_s) * 1e6 /
                       (double)(k->result.exchanges - before + (rc != MAUTH_OK));
    return rc;
}

static enum mauth_rc
run_rounds(struct issue *b, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t round = 0; round < ROUNDS && rc == MAUTH_OK; round++) {
        bench_progress("round %zu of %d", round + 1, ROUNDS);
        for (size_t i = 0; i < KINDS && rc == MAUTH_OK; i++)
            rc = turn(b, round, &b->kind[i], err);
        if (rc != MAUTH_OK || !b->kdc.pid)
            continue;
        rc = kdc_turn(&b->kdc, &b->kdc_us[round], err);
        b->ratio[round] = b->kind[EXCHANGE].cpu_us[round] / b->kdc_us[round];
    }
    return rc;
}

/* Each kind for a moment, once all have logged in. */
static enum mauth_rc
warm_up(struct issue *b, struct mauth_err *err)
{
    enum mauth_rc rc = exchange_begin(&b->exchange, b->load, err);

    for (size_t i = 0; i < KINDS && rc == MAUTH_OK; i++) {
        struct bench_load_result unused = {.exchanges = 0};

        rc = bench_load_turn(
            b->load, &b->kind[i].asker, WARM_UP_S / KINDS, &unused, err);
        free(unused.latency_ms);
    }
    return rc;
}

static enum mauth_rc
build(struct issue *b, struct mauth_err *err)
{
    char url[PATH_MAX + 16];
    struct kv *kv = NULL;
    enum mauth_rc rc = bench_service_make(b->o->parent, b->o->programs,
        bench_tokens_jwks(b->tokens), b->mesh.callers, &b->service, err);

    snprintf(url, sizeof(url), "lmdb:%s/store", b->service.home);
    if (rc == MAUTH_OK)
        rc = kv_open(url, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = mesh_build(&b->mesh, kv, err);
    if (rc == MAUTH_OK)
        rc = exchange_put_relay(kv, err);
    kv_close(kv);
    return rc;
}

static enum mauth_rc
serve(struct issue *b, struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    double disk_per_s;
    enum mauth_rc rc = bench_service_disk(&b->service, &disk_per_s, err);

    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", b->service.home);
    if (rc == MAUTH_OK)
        rc = bench_service_start(&b->service, b->o->programs, err);
    if (rc == MAUTH_OK && kdc_is_installed())
        rc = kdc_start(b->service.dir, &b->kdc, err);
    if (rc == MAUTH_OK)
        rc = bench_load_open(
            b->service.port, ca_file, b->service.pid, b->mesh.callers, &b->load, err);
    if (rc != MAUTH_OK)
        return rc;
    b->exchange.port = b->service.port;
    rc = warm_up(b, err);
    if (rc == MAUTH_OK)
        rc = run_rounds(b, err);
    if (rc != MAUTH_OK)
        return rc;
    report(b);
    bench_line("disk", "commit.per_s", 0, disk_per_s, "commits");
    return MAUTH_OK;
}

static enum mauth_rc
make_tokens(struct issue *b, struct mauth_err *err)
{
    size_t users = (size_t)b->o->connections, per_s = users * PER_CONNECTION_S_MAX,
           count;

    if (per_s > PER_S_MAX)
        per_s = PER_S_MAX;
    count = users + (size_t)((b->o->seconds + WARM_UP_S) * (double)per_s);
    bench_progress("signing %zu ID tokens", count);
    return bench_tokens_make(users, count, &b->tokens, err);
}

static enum mauth_rc
run(const struct options *o, struct mauth_err *err)
{
    static const struct kind kinds[KINDS] = {
        {"issue.login", {.write = exchange_login, .want = "\"access_token\""},
            .cpu_us = {0}},
        {"issue.exchange", {.write = exchange_rights, .want = "\"actions\":[\"read\"]"},
            .cpu_us = {0}},
        {"issue.p2p", {.write = exchange_sync, .want = "\"actions\":[\"sync\"]"},
            .cpu_us = {0}},
    };
    struct issue b = {.o = o};
    enum mauth_rc rc = make_tokens(&b, err);

    if (rc != MAUTH_OK)
        return rc;
    b.mesh = (struct bench_mesh){
        .users = (size_t)o->users, .callers = (size_t)o->connections};
    b.exchange.mesh = &b.mesh;
    b.exchange.tokens = b.tokens;
    for (size_t i = 0; i < KINDS; i++) {
        b.kind[i] = kinds[i];
        b.kind[i].asker.arg = &b.exchange;
    }
    rc = build(&b, err);
    if (rc == MAUTH_OK)
        rc = serve(&b, err);
    for (size_t i = 0; i < KINDS; i++)
        free(b.kind[i].result.latency_ms);
    exchange_clear(&b.exchange);
    bench_load_close(b.load);
    kdc_stop(&b.kdc);
    bench_service_stop(&b.service);
    bench_tokens_free(b.tokens);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    const struct bench_option options[] = {
        {"users", .number = &o->users, .max = USERS_MAX},
        {"seconds", .number = &o->seconds, .max = SECONDS_MAX},
        {"connections", .number = &o->connections, .max = CONNECTIONS_MAX},
        {"build", .word = &o->programs},
        {"dir", .word = &o->parent},
        {.name = NULL},
    };

    return bench_options(argc, argv, options) && o->connections >= 1 &&
           o->users >= 2 * o->connections;
}

int
bench_issue(int argc, char **argv)
{
    struct options o = {
        .users = 1000000, .seconds = 3, .connections = 32, .parent = bench_parent()};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
            "meshauth-bench issue: --users at least twice --connections, --seconds up "
            "to "
            "%d, --connections 1 to %d\n",
            SECONDS_MAX, CONNECTIONS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return bench_end(argv, run(&o, &err), &err);
}
