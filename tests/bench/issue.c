#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/bench/service.h"
#include "tests/bench/tokens.h"

enum {
    CONNECTIONS_MAX = 1000,
    SECONDS_MAX = 60,
    /* So many exchanges a second there are ID tokens for. */
    PER_S_MAX = 16000,
    PER_CONNECTION_S_MAX = 2000
};

#define WARM_UP_S 0.5

struct options {
    double seconds;
    size_t connections;
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

static void
report(struct bench_load_result *r, double disk_per_s)
{
    double exchanges = (double)r->exchanges;

    bench_line("issue.login", "per_s", 0, exchanges / r->seconds, "exchanges");
    bench_line("issue.login", "cpu.us", 1, r->server_cpu_s * 1e6 / exchanges, "us");
    bench_line("issue.login", "p50.ms", 2,
        bench_quantile(r->latency_ms, r->exchanges, 0.5), "ms");
    bench_line("issue.login", "p99.ms", 2,
        bench_quantile(r->latency_ms, r->exchanges, 0.99), "ms");
    bench_line("issue.login", "errors", 0, (double)r->errors, "answers");
    bench_line(
        "issue.login", "client.cpu.us", 1, r->client_cpu_s * 1e6 / exchanges, "us");
    bench_line("disk", "commit.per_s", 0, disk_per_s, "commits");
    if (r->errors)
        fprintf(stderr, "meshauth-bench issue: %s\n", r->complaint);
}

static enum mauth_rc
run_load(const struct options *o, const struct bench_service *s,
    const struct bench_tokens *tokens, double disk_per_s, struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    struct bench_load load = {
        .port = s->port,
        .ca_file = ca_file,
        .connections = o->connections,
        .warm_up_s = WARM_UP_S,
        .seconds = o->seconds,
        .tokens = tokens,
        .server = s->pid,
    };
    struct bench_load_result result;
    enum mauth_rc rc;

    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", s->home);
    rc = bench_load_run(&load, &result, err);
    if (rc == MAUTH_OK)
        report(&result, disk_per_s);
    free(result.latency_ms);
    return rc;
}

static enum mauth_rc
run(const struct options *o, struct mauth_err *err)
{
    size_t per_s = o->connections * PER_CONNECTION_S_MAX;
    size_t count;
    struct bench_service service = {.pid = 0};
    struct bench_tokens *tokens;
    double disk_per_s;
    enum mauth_rc rc;

    if (per_s > PER_S_MAX)
        per_s = PER_S_MAX;
    count = (size_t)((o->seconds + WARM_UP_S) * (double)per_s);
    bench_progress("signing %zu ID tokens", count);
    rc = bench_tokens_make(o->connections, count, &tokens, err);
    if (rc)
        return rc;
    rc = bench_service_make(o->parent, o->programs, bench_tokens_jwks(tokens),
        o->connections, &service, err);
    if (rc == MAUTH_OK)
        rc = bench_service_disk(&service, &disk_per_s, err);
    if (rc == MAUTH_OK)
        rc = bench_service_start(&service, o->programs, err);
    if (rc == MAUTH_OK) {
        bench_progress("%zu connections, %g s", o->connections, o->seconds);
        rc = run_load(o, &service, tokens, disk_per_s, err);
    }
    bench_service_stop(&service);
    bench_tokens_free(tokens);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'},
        {"connections", required_argument, NULL, 'c'},
        {"build", required_argument, NULL, 'b'},
        {"dir", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    double connections = (double)o->connections;
    bool good = true;
    int option;

    while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's': good = bench_number(optarg, SECONDS_MAX, &o->seconds); break;
        case 'c': good = bench_number(optarg, CONNECTIONS_MAX, &connections); break;
        case 'b': o->programs = optarg; break;
        case 'd': o->parent = optarg; break;
        default: good = false;
        }
    }
    o->connections = (size_t)connections;
    return good && optind == argc && o->connections > 0;
}

int
bench_issue(int argc, char **argv)
{
    struct options o = {.seconds = 3, .connections = 32, .parent = getenv("TMPDIR")};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!o.parent || !*o.parent)
        o.parent = "/tmp";
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
            "meshauth-bench issue: --seconds up to %d, --connections 1 to %d\n",
            SECONDS_MAX, CONNECTIONS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    if (run(&o, &err) == MAUTH_OK)
        return BENCH_DONE;
    fprintf(stderr, "meshauth-bench issue: %s (%s)\n", err.text, err.where);
    return BENCH_FAILED;
}
