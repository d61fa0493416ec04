/* meshauth-bench audit: a log of ten million records, asked and written. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fail.h"
#include "base/time.h"
#include "store/audit_find.h"
#include "store/audit_indexing.h"
#include "tests/bench/audit_append.h"
#include "tests/bench/audit_cold.h"
#include "tests/bench/audit_desk.h"
#include "tests/bench/audit_flood.h"
#include "tests/bench/bench.h"
#include "tests/bench/exchange.h"

enum {
    RECORDS_MAX = 100000000,
    SECONDS_MAX = 600,
    CONNECTIONS = 16,
    LOGINS_PER_S_MAX = 4000, /* so many ID tokens there are */
    ROUNDS = 8,
    COLD = 15 /* times each question is asked */
};

#define WARM_UP_S 1
#define FLOOD_S   60

struct options {
    double records, seconds;
    bool quick;
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

struct audit {
    const struct options *o;
    struct bench_service service;
    struct bench_tokens *tokens;
    struct bench_mesh mesh;
    struct audit_fill fill;
    struct bench_load *load;
    struct exchange exchange;
    struct audit_desk desk;
    struct audit_flood flood;
    char store[PATH_MAX + 16];
};

static enum mauth_rc
open_store(const struct audit *b, enum kv_mode mode, const char *name, struct kv **out,
    struct mauth_err *err)
{
    char url[PATH_MAX + 32];

    snprintf(url, sizeof(url), "lmdb:%s/%s", b->service.home, name);
    return kv_open(url, mode, out, err);
}

static double
file_bytes(const char *dir, const char *name)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static double
cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A file of the index for all records that make one. */
static enum mauth_rc
make_index(struct kv *kv, struct mauth_err *err)
{
    struct audit_index *x = NULL;
    uint64_t first, next = 0;
    double start = cpu_s();
    bool more = true;
    enum mauth_rc rc = audit_indexing_open(kv, false, &x, err);

    while (rc == MAUTH_OK && more)
        rc = audit_indexing_step(kv, x, &more, err);
    if (rc == MAUTH_OK)
        audit_index_range(x, &first, &next);
    audit_index_close(x);
    if (rc == MAUTH_OK && next)
        bench_line(
            "audit.index", "cpu.us", 2, (cpu_s() - start) * 1e6 / (double)next, "us");
    return rc;
}

static enum mauth_rc
fill(struct audit *b, struct kv *kv, struct mauth_err *err)
{
    double before = file_bytes(b->store, "data.mdb");
    int64_t start = bench_now_ns();
    enum mauth_rc rc = audit_fill_store(&b->fill, kv, err);

    if (rc)
        return rc;
    bench_line("audit", "fill.s", 1, (double)(bench_now_ns() - start) / 1e9, "s");
    bench_line("audit", "records", 0, (double)b->fill.records, "records");
    bench_line("audit", "bytes_per_record", 0,
        (file_bytes(b->store, "data.mdb") - before) / (double)b->fill.records, "bytes");
    bench_progress("indexing");
    return make_index(kv, err);
}

static enum mauth_rc
build(struct audit *b, struct mauth_err *err)
{
    struct kv *kv = NULL;
    enum mauth_rc rc = bench_service_make(b->o->parent, b->o->programs,
        bench_tokens_jwks(b->tokens), CONNECTIONS, &b->service, err);

    snprintf(b->store, sizeof(b->store), "%s/store", b->service.home);
    if (rc == MAUTH_OK)
        rc = open_store(b, KV_OPEN, "store", &kv, err);
    if (rc == MAUTH_OK)
        rc = mesh_build(&b->mesh, kv, err);
    if (rc == MAUTH_OK)
        rc = exchange_put_relay(kv, err);
    if (rc == MAUTH_OK)
        rc = fill(b, kv, err);
    kv_close(kv);
    return rc;
}

static enum mauth_rc
append(const struct audit *b, struct mauth_err *err)
{
    struct kv *full = NULL, *empty = NULL;
    double disk_per_s;
    enum mauth_rc rc = open_store(b, KV_OPEN, "store", &full, err);

    if (rc == MAUTH_OK)
        rc = open_store(b, KV_CREATE, "empty", &empty, err);
    if (rc == MAUTH_OK)
        rc = bench_service_disk(&b->service, &disk_per_s, err);
    if (rc == MAUTH_OK)
        rc = audit_append_race(&b->fill, full, empty, b->o->seconds, err);
    if (rc == MAUTH_OK)
        bench_line("disk", "commit.per_s", 0, disk_per_s, "commits");
    kv_close(full);
    kv_close(empty);
    return rc;
}

/* Logins a second while the auditor asks, or rests. */
static enum mauth_rc
turn(struct audit *b, bool asks, double *per_s, struct mauth_err *err)
{
    const struct bench_asker asker = {
        .write = exchange_login, .arg = &b->exchange, .want = "\"access_token\""};
    struct bench_load_result r = {.exchanges = 0};
    enum mauth_rc rc;

    atomic_store(&b->desk.asks, asks);
    rc = bench_load_turn(b->load, &asker, b->o->seconds / ROUNDS / 2, &r, err);
    if (rc == MAUTH_OK && r.errors)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: a login: %s", r.complaint);
    *per_s = rc == MAUTH_OK ? (double)r.exchanges / r.seconds : 0;
    free(r.latency_ms);
    return rc;
}

static enum mauth_rc
race(struct audit *b, struct mauth_err *err)
{
    double asked[ROUNDS], alone[ROUNDS], ratio[ROUNDS], unused;
    enum mauth_rc rc = turn(b, false, &unused, err);

    for (size_t i = 0; i < ROUNDS && rc == MAUTH_OK; i++) {
        rc = turn(b, false, &alone[i], err);
        if (rc == MAUTH_OK)
            rc = turn(b, true, &asked[i], err);
        ratio[i] = asked[i] / alone[i];
    }
    if (rc)
        return rc;
    bench_line(
        "audit.login", "per_s", 0, bench_quantile(alone, ROUNDS, 0.5), "exchanges");
    bench_line("audit.login", "asked.per_s", 0, bench_quantile(asked, ROUNDS, 0.5),
        "exchanges");
    bench_line("audit.login", "ratio", 2, bench_quantile(ratio, ROUNDS, 0.5), "x");
    return MAUTH_OK;
}

static enum mauth_rc
serve(struct audit *b, struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    enum mauth_rc rc = bench_service_start(&b->service, b->o->programs, err), ended;

    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", b->service.home);
    if (rc == MAUTH_OK)
        rc = bench_load_open(
            b->service.port, ca_file, b->service.pid, CONNECTIONS, &b->load, err);
    if (rc != MAUTH_OK)
        return rc;
    b->exchange.port = b->flood.port = b->service.port;
    b->flood.tokens = b->tokens;
    rc = exchange_begin(&b->exchange, b->load, err);
    if (rc == MAUTH_OK)
        rc = audit_desk_start(&b->desk, &b->service, &b->fill, err);
    bench_progress("logins, with an auditor and without");
    if (rc == MAUTH_OK)
        rc = race(b, err);
    ended = audit_desk_end(&b->desk, rc ? NULL : err);
    if (rc == MAUTH_OK && ended == MAUTH_OK)
        bench_line("audit.login", "answers", 0, (double)b->desk.answers, "answers");
    if (rc == MAUTH_OK)
        rc = ended;
    if (rc == MAUTH_OK)
        rc = audit_flood(&b->flood, b->load, b->o->quick ? 1 : FLOOD_S, err);
    return rc;
}

/* Of refusals that are counted together the last are written when the service ends. */
static enum mauth_rc
look_at_flood(struct audit *b, struct mauth_err *err)
{
    struct kv *kv = NULL;
    enum mauth_rc rc;

    bench_service_end(&b->service);
    rc = open_store(b, KV_OPEN, "store", &kv, err);
    if (rc == MAUTH_OK)
        rc = audit_flood_left(&b->flood, kv, err);
    kv_close(kv);
    return rc;
}

static enum mauth_rc
run(const struct options *o, struct mauth_err *err)
{
    struct audit b = {.o = o,
        .mesh = {
            .users = audit_fill_users((uint64_t)o->records), .callers = CONNECTIONS}};
    size_t tokens = (size_t)((o->seconds + WARM_UP_S) * LOGINS_PER_S_MAX);
    enum mauth_rc rc = bench_tokens_make(CONNECTIONS, tokens, &b.tokens, err);

    if (rc != MAUTH_OK)
        return rc;
    b.exchange.mesh = &b.mesh;
    b.exchange.tokens = b.tokens;
    b.fill = (struct audit_fill){&b.mesh, (uint64_t)o->records,
        time_now_us() - (int64_t)o->records * AUDIT_FILL_STEP_US};
    rc = build(&b, err);
    if (rc == MAUTH_OK)
        rc = audit_cold(&b.fill, b.store, o->quick ? 1 : COLD, err);
    if (rc == MAUTH_OK)
        rc = append(&b, err);
    if (rc == MAUTH_OK)
        rc = serve(&b, err);
    if (rc == MAUTH_OK)
        rc = look_at_flood(&b, err);
    exchange_clear(&b.exchange);
    bench_load_close(b.load);
    bench_service_stop(&b.service);
    bench_tokens_free(b.tokens);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"records", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"quick", no_argument, NULL, 'q'},
        {"build", required_argument, NULL, 'b'},
        {"dir", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'r': good = bench_number(optarg, RECORDS_MAX, &o->records); break;
        case 's': good = bench_number(optarg, SECONDS_MAX, &o->seconds); break;
        case 'q': o->quick = true; break;
        case 'b': o->programs = optarg; break;
        case 'd': o->parent = optarg; break;
        default: good = false;
        }
    }
    return good && optind == argc && o->records >= AUDIT_FILL_EACH;
}

int
bench_audit(int argc, char **argv)
{
    struct options o = {.records = 10000000, .seconds = 10, .parent = bench_parent()};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
            "meshauth-bench audit: --records %d to %d, --seconds up to %d\n",
            AUDIT_FILL_EACH, RECORDS_MAX, SECONDS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    if (run(&o, &err) == MAUTH_OK)
        return BENCH_DONE;
    fprintf(stderr, "meshauth-bench audit: %s (%s)\n", err.text, err.where);
    return BENCH_FAILED;
}
