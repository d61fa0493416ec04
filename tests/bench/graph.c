/* meshauth-bench graph: what a graph costs that is a thousand times as large. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "tests/bench/bench.h"
#include "tests/bench/callers.h"
#include "tests/bench/inside.h"
#include "tests/bench/options.h"

enum {
    SECONDS_MAX = 600,
    USERS_MIN = 3 * CALLERS,
    USERS_MAX = 10000000,
    ROUNDS_MAX = 2000,
    /* Operations in a turn: some ten milliseconds each. */
    READS = 100,
    CHANGES = 20,
    INSIDE_READS = 2000,
    INSIDE_CHANGES = 500,
    SIDES = 2
};

struct options {
    double users[SIDES]; /* of the small graph and the large one */
    double crowd;
    double seconds;
    const char *programs; /* NULL: those beside this one */
    const char *parent;
};

/* One graph, with its service. */
struct side {
    struct bench_mesh mesh;
    struct bench_service service;
    struct kv *kv; /* while it is built, and looked at without the service */
    struct inside inside;
    struct callers callers;
};

static enum mauth_rc
open_store(struct side *s, struct mauth_err *err)
{
    char url[PATH_MAX + 16];
    enum mauth_rc rc;

    snprintf(url, sizeof(url), "lmdb:%s/store", s->service.home);
    rc = kv_open(url, KV_OPEN, &s->kv, err);
    s->inside = (struct inside){.kv = s->kv, .mesh = &s->mesh, .random = 1};
    return rc;
}

static enum mauth_rc
build(const struct options *o, struct side *s, const struct bench_tokens *tokens,
    struct mauth_err *err)
{
    enum mauth_rc rc = bench_service_make(
        o->parent, o->programs, bench_tokens_jwks(tokens), CALLERS, &s->service, err);

    if (rc == MAUTH_OK)
        rc = open_store(s, err);
    return rc ? rc : mesh_build(&s->mesh, s->kv, err);
}

/* What one kind of operation takes, of each side: turn by turn. */
struct race {
    const char *name;
    size_t count; /* in one turn */
    callers_fn *fn;
    enum mauth_rc (*inside)(
        struct inside *i, size_t count, double *us, struct mauth_err *err);
    double us[SIDES][ROUNDS_MAX];
    double growth[ROUNDS_MAX];
};

static enum mauth_rc
turn(struct race *r, struct side *s, double *us, struct mauth_err *err)
{
    if (r->inside)
        return r->inside(&s->inside, r->count, us, err);
    return callers_measure(&s->callers, r->fn, r->count, us, err);
}

/* Prints the medians. unit: of the lines' names, "us" or "cpu.us". */
static void
report(struct race *r, size_t rounds, const char *growth, const char *unit)
{
    static const char *const sides[SIDES] = {"small", "large"};
    char name[64];

    bench_line(r->name, growth, 2, bench_quantile(r->growth, rounds, 0.5), "x");
    for (size_t i = 0; i < SIDES; i++) {
        snprintf(name, sizeof(name), "%s.%s", sides[i], unit);
        bench_line(r->name, name, 1, bench_quantile(r->us[i], rounds, 0.5), "us");
    }
}

static enum mauth_rc
run_race(
    struct race *r, struct side sides[SIDES], double seconds, struct mauth_err *err)
{
    int64_t end;
    size_t n = 0;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < SIDES && rc == MAUTH_OK; i++) /* warm up */
        rc = turn(r, &sides[i], &r->us[i][0], err);
    end = bench_now_ns() + (int64_t)(seconds * 1e9);
    for (; rc == MAUTH_OK && n < ROUNDS_MAX && (n == 0 || bench_now_ns() < end); n++) {
        for (size_t i = 0; i < SIDES && rc == MAUTH_OK; i++)
            rc = turn(r, &sides[i], &r->us[i][n], err);
        r->growth[n] = r->us[1][n] / r->us[0][n];
    }
    if (rc == MAUTH_OK && r->inside)
        report(r, n, "inside.growth", "inside.us");
    else if (rc == MAUTH_OK)
        report(r, n, "growth", "cpu.us");
    return rc;
}

static enum mauth_rc
run_races(const struct options *o, struct side sides[SIDES], bool inside,
    struct mauth_err *err)
{
    static struct race races[] = {
        {.name = "graph.read", .count = INSIDE_READS, .inside = inside_read},
        {.name = "graph.member", .count = INSIDE_CHANGES, .inside = inside_change},
        {.name = "graph.read", .count = READS, .fn = callers_read},
        {.name = "graph.member", .count = CHANGES, .fn = callers_change},
    };
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < sizeof(races) / sizeof(*races) && rc == MAUTH_OK; i++) {
        if ((races[i].inside != NULL) != inside)
            continue;
        bench_progress("%s, %g s", races[i].name, o->seconds);
        rc = run_race(&races[i], sides, o->seconds, err);
    }
    return rc;
}

static enum mauth_rc
report_size(const struct side *s, struct mauth_err *err)
{
    char path[PATH_MAX + 32];
    struct stat st;

    snprintf(path, sizeof(path), "%s/store/data.mdb", s->service.home);
    if (stat(path, &st) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no store");
    bench_line("graph", "bytes_per_user", 0, (double)st.st_size / (double)s->mesh.users,
        "bytes");
    return MAUTH_OK;
}

static enum mauth_rc
read_list(struct side *s, const char *name, const char *path, size_t want,
    struct mauth_err *err)
{
    struct callers_list list;
    enum mauth_rc rc = callers_read_list(&s->callers, path, &list, err);

    if (rc == MAUTH_OK && list.items != want)
        rc = mauth_fail(err, MAUTH_INTERNAL, "bench: %s: %zu of %zu are listed", name,
            list.items, want);
    if (rc != MAUTH_OK)
        return rc;
    bench_line(name, "pages", 0, (double)list.pages, "pages");
    bench_line(name, "longest.ms", 2, list.longest_ms, "ms");
    bench_line(name, "memory.kib", 0, list.grown_kib, "kib");
    return MAUTH_OK;
}

/* user 0's crowd, in both directions. */
static enum mauth_rc
read_lists(struct side *s, struct mauth_err *err)
{
    struct id user_id = mesh_user(&s->mesh, 0), folder_id = mesh_folder(&s->mesh, 0, 0);
    char user[ID_LEN + 1], folder[ID_LEN + 1], path[128];
    size_t crowd = s->mesh.crowd;
    enum mauth_rc rc;

    id_format(ID_USER, &user_id, user);
    id_format(ID_FOLDER, &folder_id, folder);
    snprintf(path, sizeof(path), "/v1/mesh/folders/%s/members", folder);
    rc = read_list(s, "graph.members", path, crowd + 1, err);
    if (rc != MAUTH_OK)
        return rc;
    snprintf(path, sizeof(path), "/v1/mesh/users/%s/folders", user);
    return read_list(s, "graph.folders", path, crowd + MESH_FOLDERS, err);
}

static enum mauth_rc
serve(const struct options *o, struct side sides[SIDES],
    const struct bench_tokens *tokens, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < SIDES; i++) {
        kv_close(sides[i].kv);
        sides[i].kv = NULL;
    }
    for (size_t i = 0; i < SIDES && rc == MAUTH_OK; i++) {
        rc = bench_service_start(&sides[i].service, o->programs, err);
        if (rc == MAUTH_OK)
            rc = callers_open(
                &sides[i].callers, &sides[i].service, &sides[i].mesh, tokens, err);
    }
    if (rc == MAUTH_OK)
        rc = run_races(o, sides, false, err);
    return rc ? rc : read_lists(&sides[1], err);
}

static enum mauth_rc
run(const struct options *o, struct mauth_err *err)
{
    struct side sides[SIDES] = {{.kv = NULL}};
    struct bench_tokens *tokens;
    enum mauth_rc rc = bench_tokens_make(CALLERS, CALLERS, &tokens, err);
    int64_t start = bench_now_ns();

    if (rc != MAUTH_OK)
        return rc;
    for (size_t i = 0; i < SIDES && rc == MAUTH_OK; i++) {
        sides[i].mesh.users = (size_t)o->users[i];
        sides[i].mesh.callers = CALLERS;
        sides[i].mesh.crowd = i ? (size_t)o->crowd : 0;
        rc = build(o, &sides[i], tokens, err);
    }
    bench_line("graph", "build.s", 1, (double)(bench_now_ns() - start) / 1e9, "s");
    if (rc == MAUTH_OK)
        rc = report_size(&sides[1], err);
    if (rc == MAUTH_OK)
        rc = run_races(o, sides, true, err);
    if (rc == MAUTH_OK)
        rc = serve(o, sides, tokens, err);
    for (size_t i = 0; i < SIDES; i++) {
        callers_close(&sides[i].callers);
        kv_close(sides[i].kv);
        bench_service_stop(&sides[i].service);
    }
    bench_tokens_free(tokens);
    return rc;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    const struct bench_option options[] = {
        {"users", .number = &o->users[1], .max = USERS_MAX},
        {"base", .number = &o->users[0], .max = USERS_MAX},
        {"crowd", .number = &o->crowd, .max = USERS_MAX},
        {"seconds", .number = &o->seconds, .max = SECONDS_MAX},
        {"build", .word = &o->programs},
        {"dir", .word = &o->parent},
        {.name = NULL},
    };

    return bench_options(argc, argv, options) && o->users[0] >= USERS_MIN &&
           o->users[1] >= USERS_MIN && o->crowd < o->users[1];
}

int
bench_graph(int argc, char **argv)
{
    struct options o = {.users = {1000, 1000000},
        .crowd = 10000,
        .seconds = 10,
        .parent = bench_parent()};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
            "meshauth-bench graph: --users and --base from %d, --crowd below --users, "
            "--seconds up to %d\n",
            USERS_MIN, SECONDS_MAX);
        return BENCH_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    return bench_end(argv, run(&o, &err), &err);
}
