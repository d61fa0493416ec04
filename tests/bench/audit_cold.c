#include "tests/bench/audit_cold.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "store/audit_find.h"
#include "store/audit_indexing.h"
#include "tests/bench/bench.h"

enum {
    ROUNDS_MAX = 100,
    LAST = 100,    /* of a user */
    DAY = 1000000, /* records */
    LABELS = 100   /* kinds that are told by name, as at the service */
};

#define HOUR_US INT64_C(3600000000)
#define DAY_US  (24 * HOUR_US)

/* A question, and what it comes to. */
struct cold {
    const struct audit_fill *f;
    struct kv *kv;
    struct audit_index *index;
    uint64_t about; /* a record */
    struct audit_filter filter;
    enum audit_by by; /* AUDIT_BYS: nothing is counted */
    uint64_t found;
    uint64_t least, most; /* that must be found */
    char name[AUDIT_FILL_NAME];
};

static void
drop_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int fd = -1;

    if (snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path))
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static void
drop_files(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    while (d && (e = readdir(d)))
        drop_file(dir, e->d_name);
    if (d)
        closedir(d);
}

static bool
take(uint64_t sequence, struct text json, void *arg)
{
    struct cold *c = arg;

    (void)sequence;
    (void)json;
    c->found++;
    return true;
}

static enum mauth_rc
count(struct cold *c, struct mauth_err *err)
{
    struct audit_tally t;
    struct buf label;
    enum mauth_rc rc;

    buf_init(&label);
    audit_tally_init(&t, c->by, audit_index_key(c->index));
    rc = audit_count(c->kv, c->index, &c->filter, &t, err);
    for (size_t i = 0; i < t.rows && i < LABELS && rc == MAUTH_OK; i++)
        rc = audit_count_label(c->kv, &t, &t.row[i], &label, err);
    c->found = t.total;
    audit_tally_clear(&t);
    buf_clear(&label);
    return rc;
}

/* The last of one user. */
static void
ask_user(struct cold *c)
{
    audit_fill_user(c->f, c->about, c->name);
    c->filter.value[AUDIT_USER] = c->name;
    c->filter.limit = LAST;
    c->least = 1;
    c->most = LAST;
}

static void
ask_ticket(struct cold *c)
{
    while (!audit_fill_has_ticket(c->about))
        c->about = (c->about + 1) % c->f->records;
    audit_fill_ticket(c->about, c->name);
    c->filter.value[AUDIT_TICKET] = c->name;
    c->least = c->most = 1;
}

static void
ask_folder(struct cold *c)
{
    int64_t end = c->f->first_us + (int64_t)c->about * AUDIT_FILL_STEP_US;

    audit_fill_folder(c->f, c->about % AUDIT_FILL_SHARED, c->name);
    c->filter.value[AUDIT_FOLDER] = c->name;
    c->filter.since_us = end - HOUR_US;
    c->filter.until_us = end;
    c->filter.limit = AUDIT_LIMIT_MAX;
    c->most = AUDIT_LIMIT_MAX;
}

/* A day's records, or all where there are fewer. */
static void
ask_day(struct cold *c)
{
    uint64_t first = c->f->records > DAY ? c->about % (c->f->records - DAY) : 0;

    c->filter.since_us = c->f->first_us + (int64_t)first * AUDIT_FILL_STEP_US;
    c->filter.until_us = c->filter.since_us + DAY_US;
    c->least = c->f->records > DAY ? DAY : c->f->records;
    c->most = c->least + 1;
}

/* What a service has in memory: what the index keeps there, and the newest records' terms. */
static enum mauth_rc
open_index(struct cold *c, const char *url, struct mauth_err *err)
{
    struct kv *kv = NULL;
    bool more = true;
    enum mauth_rc rc = kv_open(url, KV_OPEN, &kv, err);

    if (rc == MAUTH_OK)
        rc = audit_indexing_open(kv, false, &c->index, err);
    while (rc == MAUTH_OK && more)
        rc = audit_indexing_step(kv, c->index, &more, err);
    kv_close(kv);
    return rc;
}

/* All else is on the disk alone. */
static enum mauth_rc
open_cold(struct cold *c, const char *dir, struct mauth_err *err)
{
    char url[PATH_MAX + 16], index[PATH_MAX + 16];
    enum mauth_rc rc;

    snprintf(index, sizeof(index), "%s/audit-index", dir);
    snprintf(url, sizeof(url), "lmdb:%s", dir);
    rc = open_index(c, url, err);
    drop_files(dir);
    drop_files(index);
    return rc ? rc : kv_open(url, KV_OPEN, &c->kv, err);
}

static enum mauth_rc
ask_once(struct cold *c, const char *dir, double *ms, struct mauth_err *err)
{
    enum mauth_rc rc = open_cold(c, dir, err);
    int64_t start = bench_now_ns();

    if (rc == MAUTH_OK && c->by == AUDIT_BYS)
        rc = audit_find(c->kv, c->index, &c->filter, take, c, NULL, err);
    else if (rc == MAUTH_OK)
        rc = count(c, err);
    *ms = (double)(bench_now_ns() - start) / 1e6;
    audit_index_close(c->index);
    kv_close(c->kv);
    if (rc == MAUTH_OK && (c->found < c->least || c->found > c->most))
        rc = mauth_fail(err, MAUTH_INTERNAL,
            "bench: %llu records were found, of %llu to %llu",
            (unsigned long long)c->found, (unsigned long long)c->least,
            (unsigned long long)c->most);
    return rc;
}

static const struct {
    const char *name;
    void (*make)(struct cold *c);
    enum audit_by by;
} questions[] = {
    {"query_user", ask_user, AUDIT_BYS},
    {"query_ticket", ask_ticket, AUDIT_BYS},
    {"query_folder", ask_folder, AUDIT_BYS},
    {"count_day", ask_day, (enum audit_by)AUDIT_ACTION},
    {"count_day.hours", ask_day, AUDIT_BY_HOUR},
    {"count_day.users", ask_day, (enum audit_by)AUDIT_USER},
};

static enum mauth_rc
ask(const struct audit_fill *f, const char *dir, size_t q, size_t rounds,
    struct mauth_err *err)
{
    double ms[ROUNDS_MAX], found[ROUNDS_MAX];
    enum mauth_rc rc = MAUTH_OK;
    char name[64];

    for (size_t i = 0; i < rounds && rc == MAUTH_OK; i++) {
        struct cold c = {.f = f, .by = questions[q].by};

        c.about = (i * UINT64_C(0x9e3779b97f4a7c15) >> 8) % f->records;
        questions[q].make(&c);
        rc = ask_once(&c, dir, &ms[i], err);
        found[i] = (double)c.found;
    }
    if (rc)
        return rc;
    snprintf(name, sizeof(name), "%s.ms", questions[q].name);
    bench_line("audit", name, 2, bench_quantile(ms, rounds, 0.5), "ms");
    snprintf(name, sizeof(name), "%s.longest.ms", questions[q].name);
    bench_line("audit", name, 2, bench_quantile(ms, rounds, 1), "ms");
    snprintf(name, sizeof(name), "%s.found", questions[q].name);
    bench_line("audit", name, 0, bench_quantile(found, rounds, 0.5), "records");
    return MAUTH_OK;
}

enum mauth_rc
audit_cold(
    const struct audit_fill *f, const char *dir, size_t rounds, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    if (rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    for (size_t q = 0; q < sizeof(questions) / sizeof(*questions) && rc == MAUTH_OK;
         q++) {
        bench_progress("%s, cold", questions[q].name);
        rc = ask(f, dir, q, rounds, err);
    }
    return rc;
}
