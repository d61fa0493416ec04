/* meshauth-bench revocation: how fast one is heard of, and what a long list costs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fail.h"
#include "store/revocations.h"
#include "tests/bench/bench.h"
#include "tests/bench/list.h"
#include "tests/bench/options.h"
#include "tests/bench/spawn.h"
#include "tests/bench/updater.h"
#include "tests/bench/waiters.h"

enum {
    ENTRIES_MAX = REVOKED_MAX,
    SECONDS_MAX = 600,
    UPDATERS_MAX = 2000,
    REVOCATIONS_MAX = 10000,
    OTHER_FILES = 256,
    FILES_TRIED = 100, /* until a revocation must have come */
    USERS_EACH = 2
};

struct options {
    double entries, seconds, updaters, live, revocations;
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

struct run {
    const struct options *o;
    size_t updaters;
    struct bench_service service;
    struct bench_tokens *tokens;
    struct bench_mesh mesh, pair;
    struct bench_load *load;
    struct exchange exchange;
    struct waiters waiters;
    struct updater updater;
    char program[PATH_MAX], config[PATH_MAX + 16];
    double ms[REVOCATIONS_MAX];
};

static enum mauth_rc
add_live(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    size_t count = *(const size_t *)arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        struct revoked r = {.state = 1, .count = 1};
        struct id id;

        rc = id_new(&id, err);
        id_format(ID_DEVICE, &id, r.id[0]);
        if (rc == MAUTH_OK)
            rc = revocations_add(txn, &r, err);
    }
    return rc;
}

static enum mauth_rc
build(struct run *b, struct mauth_err *err)
{
    size_t live = (size_t)b->o->live;
    char url[PATH_MAX + 16];
    struct kv *kv = NULL;
    enum mauth_rc rc;

    /* Half of the connections may wait. */
    rc = bench_service_make(b->o->parent, b->o->programs, bench_tokens_jwks(b->tokens),
        2 * b->updaters + OTHER_FILES, &b->service, err);
    snprintf(url, sizeof(url), "lmdb:%s/store", b->service.home);
    if (rc == MAUTH_OK)
        rc = kv_open(url, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = mesh_build(&b->mesh, kv, err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, add_live, &live, err);
    kv_close(kv);
    return rc ? rc : bench_service_start(&b->service, b->o->programs, err);
}

static enum mauth_rc
gather_crowd(struct run *b, struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    enum mauth_rc rc;

    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", b->service.home);
    b->exchange = (struct exchange){
        .port = b->service.port, .mesh = &b->mesh, .tokens = b->tokens};
    bench_progress("%zu updaters log in", b->updaters);
    rc = bench_load_open(
        b->service.port, ca_file, b->service.pid, b->updaters, &b->load, err);
    if (rc == MAUTH_OK)
        rc = exchange_begin(&b->exchange, b->load, err);
    if (rc == MAUTH_OK)
        rc = updater_open(
            &b->updater, &b->service, &b->pair, b->tokens, b->updaters, err);
    if (rc == MAUTH_OK)
        rc = waiters_start(
            &b->waiters, b->load, &b->exchange, b->updaters, b->updater.after, err);
    return rc;
}

/* From the command's start to the service's refusal. */
static enum mauth_rc
revoke_one(struct run *b, double *ms, struct mauth_err *err)
{
    const char *const argv[] = {
        b->program, "revoke", b->updater.ticket.id, "-c", b->config, NULL};
    enum mauth_rc rc = updater_new_ticket(&b->updater, err);
    int64_t start = bench_now_ns();
    bool revoked = false;
    pid_t pid;

    if (rc != MAUTH_OK)
        return rc;
    pid = spawn(b->service.dir, argv);
    for (int i = 0; i < FILES_TRIED && rc == MAUTH_OK && !revoked; i++)
        rc = updater_follow(&b->updater, &revoked, err);
    *ms = (double)(bench_now_ns() - start) / 1e6;
    if (!spawn_wait(pid) && rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: meshauth revoke failed");
    if (rc == MAUTH_OK && !revoked)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: it is never refused");
    return rc;
}

static enum mauth_rc
measure(struct run *b, struct mauth_err *err)
{
    size_t count = (size_t)b->o->revocations;
    enum mauth_rc rc = gather_crowd(b, err), ended;
    double last_ms;

    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        bench_progress("revocation %zu of %zu", i + 1, count);
        rc = revoke_one(b, &b->ms[i], err);
    }
    waiters_stop(&b->waiters);
    if (rc == MAUTH_OK) /* whoever still waits gets his last answer */
        rc = revoke_one(b, &last_ms, err);
    if (rc != MAUTH_OK)
        bench_service_stop(&b->service);
    ended = waiters_end(&b->waiters, rc == MAUTH_OK ? err : NULL);
    if (rc == MAUTH_OK)
        rc = ended;
    if (rc != MAUTH_OK)
        return rc;
    bench_line("revocation", "updaters", 0, (double)b->updaters, "updaters");
    bench_line("revocation", "p50.ms", 1, bench_quantile(b->ms, count, 0.5), "ms");
    bench_line("revocation", "p99.ms", 1, bench_quantile(b->ms, count, 0.99), "ms");
    return MAUTH_OK;
}

static enum mauth_rc
run_service(const struct options *o, struct mauth_err *err)
{
    struct run *b = calloc(1, sizeof(*b));
    enum mauth_rc rc;

    if (!b)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    b->o = o;
    b->updaters = (size_t)o->updaters;
    b->mesh =
        (struct bench_mesh){.users = USERS_EACH * b->updaters, .callers = b->updaters};
    b->pair = (struct bench_mesh){.users = b->mesh.users, .callers = 2};
    rc = bench_tokens_make(b->updaters, 2 * b->updaters, &b->tokens, err);
    if (rc == MAUTH_OK)
        rc = build(b, err);
    snprintf(b->config, sizeof(b->config), "%s/meshauth.conf", b->service.home);
    if (rc == MAUTH_OK && !bench_service_find(o->programs, "cli/meshauth", b->program))
        rc = mauth_fail(err, MAUTH_NOT_FOUND, "bench: no program cli/meshauth");
    if (rc == MAUTH_OK)
        rc = measure(b, err);
    updater_close(&b->updater);
    exchange_clear(&b->exchange);
    bench_load_close(b->load);
    bench_service_stop(&b->service);
    bench_tokens_free(b->tokens);
    free(b);
    return rc;
}

/* A connection for each updater, at both ends. */
static bool
allow_files(size_t updaters)
{
    const rlim_t need = 3 * (rlim_t)updaters + OTHER_FILES;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return false;
    if (files.rlim_cur >= need)
        return true;
    files.rlim_cur = need;
    return files.rlim_max >= need && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    const struct bench_option options[] = {
        {"entries", .number = &o->entries, .max = ENTRIES_MAX},
        {"seconds", .number = &o->seconds, .max = SECONDS_MAX},
        {"updaters", .number = &o->updaters, .max = UPDATERS_MAX},
        {"live", .number = &o->live, .max = ENTRIES_MAX / 2},
        {"revocations", .number = &o->revocations, .max = REVOCATIONS_MAX},
        {"build", .word = &o->programs},
        {"dir", .word = &o->parent},
        {.name = NULL},
    };

    return bench_options(argc, argv, options) && o->entries >= 1 &&
           o->revocations >= 1 && o->updaters >= 2 && (size_t)o->updaters % 2 == 0;
}

int
bench_revocation(int argc, char **argv)
{
    struct options o = {.entries = 100000,
        .seconds = 10,
        .updaters = 1000,
        .live = 1000,
        .revocations = 200,
        .parent = bench_parent()};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (!parse(argc, argv, &o) || !allow_files((size_t)o.updaters)) {
        fprintf(stderr,
            "meshauth-bench revocation: --entries up to %d, --seconds up to %d, "
            "--updaters an even number up to %d, --revocations up to %d, --live; and "
            "as many open files as that takes\n",
            ENTRIES_MAX, SECONDS_MAX, UPDATERS_MAX, REVOCATIONS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    rc = bench_list((size_t)o.entries, o.seconds, &err);
    return bench_end(argv, rc ? rc : run_service(&o, &err), &err);
}
