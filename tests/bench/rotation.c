/* meshauth-bench rotation: keys follow each other while clients and services work. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/exchange.h"
#include "tests/bench/options.h"
#include "tests/bench/shown.h"
#include "tests/bench/watched.h"

enum {
    SECONDS_MAX = 3600,
    ROTATIONS_MAX = 100,
    CONNECTIONS_MAX = 64,
    LOGIN_EACH_S = 20,
    TICKET_S = 60,  /* tickets of both kinds */
    YOUNG_S = 40,   /* no ticket is shown that may expire on the way */
    TRUST_S = 120,  /* a trust file */
    CUT_S = 60,     /* cut off for less than that */
    RETIRE_S = 480, /* until keys must have gone: a ticket and six minutes */
    KEPT = 8192,    /* tickets that are shown again */
    EXTRA_S = CUT_S + TRUST_S + 2 * RETIRE_S,
    PAUSE_S = 1
};

/* What the checks of a part of the run came to. */
struct tally {
    atomic_ulong checks, failed, expired; /* the trust file had expired */
    _Atomic int reason;                   /* of the last one that failed */
};

struct kept {
    struct shown shown;
    size_t connection;
    time_t got;
};

struct caller {
    uint8_t key[MAUTH_SPKI_MAX];
    size_t key_len;
    time_t next_login;
    bool logs_in;
};

struct options {
    double seconds, rotations, connections;
    bool quick;           /* no more than the keys' turns */
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

struct rotation {
    const struct options *o;
    struct bench_service service;
    struct bench_tokens *tokens;
    struct bench_mesh mesh;
    struct bench_load *load;
    struct exchange exchange;
    struct watched watched;
    struct caller caller[CONNECTIONS_MAX];
    struct kept kept[KEPT];
    size_t next_kept;

    /* Of the thread that turns the keys. */
    struct tally turned, cut, closed;
    struct tally *_Atomic part; /* the one of now */
    atomic_bool done;
    char active[32]; /* key */
    size_t switches;
    double reopened_ms;
    enum mauth_rc rc;
    struct mauth_err err;
};

/* Clients and the service. */

static size_t
write_request(void *arg, size_t connection, char *out, size_t max)
{
    struct rotation *b = arg;
    struct caller *c = &b->caller[connection];
    time_t now = time(NULL);

    c->logs_in = now >= c->next_login;
    if (!c->logs_in)
        return exchange_rights(&b->exchange, connection, out, max);
    c->next_login = now + LOGIN_EACH_S;
    return exchange_login(&b->exchange, connection, out, max);
}

static void
check(struct rotation *b, const struct kept *k)
{
    const struct caller *c = &b->caller[k->connection];
    struct tally *t = atomic_load(&b->part);
    struct mauth_decision d;

    if (shown_ask(b->watched.verifier, &k->shown, c->key, c->key_len, &d, NULL) !=
        MAUTH_OK)
        return;
    atomic_fetch_add(&t->checks, 1);
    if (d.verdict == MAUTH_ALLOW)
        return;
    if (d.reason == MAUTH_REASON_TRUST_EXPIRED && t == &b->closed) {
        atomic_fetch_add(&t->expired, 1);
        return;
    }
    atomic_fetch_add(&t->failed, 1);
    atomic_store(&t->reason, (int)d.reason);
}

/* The new ticket, and one that another key may have signed. */
static void
check_both(struct rotation *b, size_t connection, struct text credential)
{
    struct kept *k = &b->kept[b->next_kept++ % KEPT];
    const struct kept *older = &b->kept[b->next_kept * 7919 % KEPT];

    if (shown_take(&k->shown, credential, NULL) != MAUTH_OK) {
        atomic_fetch_add(&atomic_load(&b->part)->failed, 1);
        return;
    }
    k->connection = connection;
    k->got = time(NULL);
    check(b, k);
    if (older->shown.header && k->got - older->got < YOUNG_S)
        check(b, older);
}

static void
took(void *arg, size_t connection, const char *answer)
{
    struct rotation *b = arg;
    struct text credential = shown_find(answer);
    char **ticket = &b->exchange.ticket[connection];

    if (!b->caller[connection].logs_in) {
        check_both(b, connection, credential);
        return;
    }
    free(*ticket);
    *ticket = strndup(credential.p, credential.len);
}

/* The admin, in a thread of his own. */

static const char *const prepare_words[] = {"keys", "prepare", NULL};
static const char *const list_words[] = {"keys", "list", NULL};

static enum mauth_rc
prepare(struct rotation *b, char id[32], struct mauth_err *err)
{
    char out[WATCHED_OUTPUT];
    enum mauth_rc rc = watched_run(&b->watched, prepare_words, out, err);

    if (rc == MAUTH_OK && !watched_member(out, "id", id, 32))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: the key has no id");
    return rc;
}

/* Once the service has loaded it. */
static enum mauth_rc
activate(struct rotation *b, const char *id, struct mauth_err *err)
{
    const char *const words[] = {"keys", "activate", id, "--wait", NULL};
    char out[WATCHED_OUTPUT];
    enum mauth_rc rc;

    rc = watched_run(&b->watched, words, out, err);
    b->switches += rc == MAUTH_OK;
    sleep(PAUSE_S);
    return rc;
}

/* There, back, and there again. */
static enum mauth_rc
rotate(struct rotation *b, struct mauth_err *err)
{
    char next[32];
    enum mauth_rc rc = prepare(b, next, err);

    if (rc == MAUTH_OK)
        rc = activate(b, next, err);
    if (rc == MAUTH_OK)
        rc = activate(b, b->active, err);
    if (rc == MAUTH_OK)
        rc = activate(b, next, err);
    snprintf(b->active, sizeof(b->active), "%s", next);
    return rc;
}

static enum mauth_rc
find_active(struct rotation *b, struct mauth_err *err)
{
    char out[WATCHED_OUTPUT];
    enum mauth_rc rc = watched_run(&b->watched, list_words, out, err);

    if (rc == MAUTH_OK && !watched_member(out, "id", b->active, sizeof(b->active)))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: no key");
    return rc;
}

static size_t
occurrences(const char *text, const char *word)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

/* Until no key but the active one is left. */
static enum mauth_rc
await_retirement(struct rotation *b, struct mauth_err *err)
{
    int64_t end = bench_now_ns() + RETIRE_S * INT64_C(1000000000);
    char out[WATCHED_OUTPUT];
    enum mauth_rc rc;

    do {
        sleep(PAUSE_S);
        rc = watched_run(&b->watched, list_words, out, err);
        if (rc == MAUTH_OK && occurrences(out, "\"state\":\"retiring\"") == 0)
            return MAUTH_OK;
        bench_progress("%zu keys retire", occurrences(out, "\"state\":\"retiring\""));
    } while (rc == MAUTH_OK && bench_now_ns() < end);
    if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_INTERNAL, "bench: keys do not go");
    return rc;
}

static enum mauth_rc
turn_keys(struct rotation *b, struct mauth_err *err)
{
    int64_t start = bench_now_ns();
    double each_s = b->o->seconds / b->o->rotations;
    enum mauth_rc rc = find_active(b, err);

    for (size_t i = 0; i < (size_t)b->o->rotations && rc == MAUTH_OK; i++) {
        bench_progress("rotation %zu of %.0f", i + 1, b->o->rotations);
        rc = rotate(b, err);
        while (rc == MAUTH_OK &&
               (double)(bench_now_ns() - start) / 1e9 < each_s * (double)(i + 1))
            sleep(PAUSE_S);
    }
    return rc;
}

/* No news for less than the file lives: the next key waits until the service has it. */
static enum mauth_rc
cut_off(struct rotation *b, struct mauth_err *err)
{
    char next[32], out[WATCHED_OUTPUT];
    const char *const words[] = {"keys", "activate", next, NULL};
    enum mauth_rc rc;

    atomic_store(&b->part, &b->cut);
    bench_progress("the updater is cut off for %d s", CUT_S);
    watched_stop(&b->watched);
    rc = prepare(b, next, err);
    if (rc == MAUTH_OK && watched_run(&b->watched, words, out, NULL) == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_INTERNAL, "bench: nobody asked the service");
    if (rc == MAUTH_OK)
        sleep(CUT_S);
    watched_go_on(&b->watched);
    if (rc == MAUTH_OK)
        rc = activate(b, next, err);
    sleep(PAUSE_S);
    return rc;
}

/* None for longer: the service refuses everything, and takes up again. */
static enum mauth_rc
cut_off_for_long(struct rotation *b, struct mauth_err *err)
{
    int64_t end = bench_now_ns() + 2 * TRUST_S * INT64_C(1000000000), start;
    unsigned long before;

    atomic_store(&b->part, &b->closed);
    bench_progress("the updater is cut off for more than %d s", TRUST_S);
    watched_stop(&b->watched);
    while (!atomic_load(&b->closed.expired) && bench_now_ns() < end)
        sleep(PAUSE_S);
    sleep(PAUSE_S);
    start = bench_now_ns();
    watched_go_on(&b->watched);
    do {
        before = atomic_load(&b->closed.expired);
        b->reopened_ms = (double)(bench_now_ns() - start) / 1e6;
        nanosleep(&(const struct timespec){.tv_nsec = 50000000}, NULL);
    } while (atomic_load(&b->closed.expired) != before && bench_now_ns() < end);
    if (!before || bench_now_ns() >= end)
        return mauth_fail(err, MAUTH_INTERNAL, "bench: it %s",
            before ? "does not take up again" : "goes on without news");
    return MAUTH_OK;
}

static void *
administer(void *arg)
{
    struct rotation *b = arg;

    b->rc = turn_keys(b, &b->err);
    if (b->rc == MAUTH_OK && !b->o->quick)
        b->rc = await_retirement(b, &b->err);
    if (b->rc == MAUTH_OK && !b->o->quick)
        b->rc = cut_off(b, &b->err);
    if (b->rc == MAUTH_OK && !b->o->quick)
        b->rc = cut_off_for_long(b, &b->err);
    atomic_store(&b->done, true);
    return NULL;
}

/* All together. */

static void
report_part(const char *name, struct tally *t)
{
    char line[64];

    snprintf(line, sizeof(line), "%schecks", name);
    bench_line("rotation", line, 0, (double)atomic_load(&t->checks), "checks");
    snprintf(line, sizeof(line), "%sfailed", name);
    bench_line("rotation", line, 0, (double)atomic_load(&t->failed), "checks");
    if (atomic_load(&t->failed))
        fprintf(stderr, "the last one for the reason %s\n",
            mauth_reason_name((enum mauth_reason)atomic_load(&t->reason)));
}

static void
report(struct rotation *b, const struct bench_load_result *r)
{
    double checks = (double)(b->turned.checks + b->cut.checks + b->closed.checks);

    bench_line("rotation", "switches", 0, (double)b->switches, "switches");
    bench_line("rotation", "per_s", 0, ((double)r->exchanges + checks) / r->seconds,
        "operations");
    bench_line("rotation", "issued", 0, (double)r->exchanges, "answers");
    bench_line("rotation", "errors", 0, (double)r->errors, "answers");
    if (r->errors)
        fprintf(stderr, "%s\n", r->complaint);
    report_part("", &b->turned);
    if (b->o->quick)
        return;
    report_part("cut.", &b->cut);
    report_part("closed.", &b->closed);
    bench_line("rotation", "closed.expired", 0, (double)b->closed.expired, "checks");
    bench_line("rotation", "closed.reopened.ms", 0, b->reopened_ms, "ms");
}

static enum mauth_rc
work(struct rotation *b, struct mauth_err *err)
{
    const struct bench_asker asker = {
        .write = write_request, .arg = b, .want = "\"access_token\"", .took = took};
    struct bench_load_result result = {.exchanges = 0};
    enum mauth_rc rc = MAUTH_OK;
    pthread_t admin;

    atomic_store(&b->part, &b->turned);
    if (pthread_create(&admin, NULL, administer, b) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no thread");
    while (!atomic_load(&b->done) && rc == MAUTH_OK)
        rc = bench_load_turn(b->load, &asker, 1, &result, err);
    pthread_join(admin, NULL);
    if (rc == MAUTH_OK && b->rc != MAUTH_OK) {
        rc = b->rc;
        *err = b->err;
    }
    report(b, &result);
    free(result.latency_ms);
    return rc;
}

static enum mauth_rc
build(struct rotation *b, struct mauth_err *err)
{
    char url[PATH_MAX + 16], more[96];
    struct kv *kv = NULL;
    enum mauth_rc rc = bench_service_make(b->o->parent, b->o->programs,
        bench_tokens_jwks(b->tokens), b->mesh.callers, &b->service, err);

    snprintf(more, sizeof(more),
        "tickets: { identity_s = %d; rights_s = %d; trust_s = %d; };\n", TICKET_S,
        TICKET_S, TRUST_S);
    snprintf(url, sizeof(url), "lmdb:%s/store", b->service.home);
    if (rc == MAUTH_OK)
        rc = bench_service_configure(&b->service, more, err);
    if (rc == MAUTH_OK)
        rc = kv_open(url, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = mesh_build(&b->mesh, kv, err);
    kv_close(kv);
    return rc ? rc : bench_service_start(&b->service, b->o->programs, err);
}

static enum mauth_rc
gather(struct rotation *b, struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    enum mauth_rc rc = watched_open(&b->watched, &b->service, b->o->programs, err);

    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", b->service.home);
    b->exchange = (struct exchange){
        .port = b->service.port, .mesh = &b->mesh, .tokens = b->tokens};
    if (rc == MAUTH_OK)
        rc = bench_load_open(
            b->service.port, ca_file, b->service.pid, b->mesh.callers, &b->load, err);
    if (rc == MAUTH_OK)
        rc = exchange_begin(&b->exchange, b->load, err);
    for (size_t i = 0; i < b->mesh.callers && rc == MAUTH_OK; i++)
        b->caller[i].key_len = bench_load_key(b->load, i, b->caller[i].key);
    return rc;
}

static enum mauth_rc
run(const struct options *o, struct mauth_err *err)
{
    size_t callers = (size_t)o->connections, logins;
    struct rotation *b = calloc(1, sizeof(*b));
    enum mauth_rc rc;

    if (!b)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    b->o = o;
    b->mesh = (struct bench_mesh){.users = 2 * callers, .callers = callers};
    logins = (size_t)(2 * o->seconds + EXTRA_S) / LOGIN_EACH_S + 2;
    rc = bench_tokens_make(callers, callers * logins, &b->tokens, err);
    if (rc == MAUTH_OK)
        rc = build(b, err);
    if (rc == MAUTH_OK)
        rc = gather(b, err);
    if (rc == MAUTH_OK)
        rc = work(b, err);
    watched_close(&b->watched);
    exchange_clear(&b->exchange);
    bench_load_close(b->load);
    bench_service_stop(&b->service);
    bench_tokens_free(b->tokens);
    for (size_t i = 0; i < KEPT; i++)
        shown_clear(&b->kept[i].shown);
    free(b);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    const struct bench_option options[] = {
        {"seconds", .number = &o->seconds, .max = SECONDS_MAX},
        {"rotations", .number = &o->rotations, .max = ROTATIONS_MAX},
        {"connections", .number = &o->connections, .max = CONNECTIONS_MAX},
        {"quick", .flag = &o->quick},
        {"build", .word = &o->programs},
        {"dir", .word = &o->parent},
        {.name = NULL},
    };

    return bench_options(argc, argv, options) && o->rotations >= 1 &&
           o->connections >= 1;
}

int
bench_rotation(int argc, char **argv)
{
    struct options o = {
        .seconds = 120, .rotations = 10, .connections = 16, .parent = bench_parent()};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
            "meshauth-bench rotation: --seconds up to %d, --rotations 1 to %d, "
            "--connections 1 to %d\n",
            SECONDS_MAX, ROTATIONS_MAX, CONNECTIONS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return bench_end(argv, run(&o, &err), &err);
}
