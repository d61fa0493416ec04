#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/index_parts.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"

enum {
    MERGED = RUN_RECORDS_MAX / INDEX_STEP, /* files that become one */
    NAME_LEN = 16 + 1 + 5                  /* "0000000000040000-08000": first, count */
};

static char *
path_of(const struct audit_index *x, uint64_t first, uint32_t count)
{
    char name[NAME_LEN + 1];

    snprintf(name, sizeof(name), "%016" PRIx64 "-%05" PRIx32, first, count);
    return file_join(x->dir, name);
}

/* Closes it and removes its file. */
static void
discard(struct audit_index *x, struct audit_run *r)
{
    char *path = r ? path_of(x, r->first, r->count) : NULL;

    if (path && !x->read_only)
        (void)unlink(path);
    free(path);
    run_close(r);
}

static enum mauth_rc
make_key(struct audit_index *x, const char *path, struct mauth_err *err)
{
    enum mauth_rc rc = mauth_random(x->key, sizeof(x->key), err);

    return rc ? rc : file_replace(path, x->key, sizeof(x->key), FILE_PRIVATE, err);
}

static enum mauth_rc
read_key(struct audit_index *x, struct mauth_err *err)
{
    char *path = file_join(x->dir, "key");
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    if (!path)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    else
        rc = file_read(path, SIPHASH_KEY, &b, x->read_only ? err : NULL);
    if (rc == MAUTH_OK && b.len == SIPHASH_KEY)
        memcpy(x->key, b.data, SIPHASH_KEY);
    else if (path && !x->read_only)
        rc = make_key(x, path, err); /* files of the old one do not fit any more */
    else if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_MALFORMED, "audit index: its key is damaged");
    buf_clear(&b);
    free(path);
    return rc;
}

static enum mauth_rc
push(struct audit_index *x, struct audit_run *r, struct mauth_err *err)
{
    size_t cap = x->cap ? x->cap : 16;
    struct audit_run **more;

    while (cap <= x->count)
        cap *= 2;
    more = realloc(x->run, cap * sizeof(struct audit_run *));
    if (!more)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    x->run = more;
    x->cap = cap;
    x->run[x->count++] = r;
    return MAUTH_OK;
}

/* A file of the folder; what cannot be read is removed, and made again one day. */
static enum mauth_rc
take_file(struct audit_index *x, const char *name, struct mauth_err *err)
{
    char *path = file_join(x->dir, name);
    struct audit_run *r = NULL;
    enum mauth_rc rc;

    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    rc = run_open(path, x->key, &r, NULL);
    if (rc == MAUTH_OK)
        rc = push(x, r, err);
    else if (rc == MAUTH_MALFORMED && !x->read_only)
        (void)unlink(path);
    if (rc != MAUTH_NO_MEMORY)
        rc = MAUTH_OK;
    free(path);
    return rc;
}

static enum mauth_rc
take_files(struct audit_index *x, struct mauth_err *err)
{
    DIR *dir = opendir(x->dir);
    enum mauth_rc rc = MAUTH_OK;
    const struct dirent *e;

    if (!dir)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", x->dir, strerror(errno));
    while (rc == MAUTH_OK && (e = readdir(dir)))
        if (strlen(e->d_name) == NAME_LEN && e->d_name[16] == '-')
            rc = take_file(x, e->d_name, err);
    closedir(dir);
    return rc;
}

/* The lowest first; of those with the same beginning the longest. */
static int
in_order(const void *a, const void *b)
{
    const struct audit_run *x = *(struct audit_run *const *)a,
                           *y = *(struct audit_run *const *)b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (y->count > x->count) - (y->count < x->count);
}

/* Of files that overlap (a merge was cut short) the longer stays; none stays behind a
 * gap. */
static void
settle(struct audit_index *x)
{
    size_t kept = 0;

    if (x->count)
        qsort(x->run, x->count, sizeof(struct audit_run *), in_order);
    for (size_t i = 0; i < x->count; i++)
        if (kept && x->run[i]->first != index_run_end(x->run[kept - 1]))
            discard(x, x->run[i]);
        else
            x->run[kept++] = x->run[i];
    x->count = kept;
}

enum mauth_rc
audit_index_open(
    const char *dir, bool read_only, struct audit_index **out, struct mauth_err *err)
{
    struct audit_index *x = calloc(1, sizeof(*x));
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (!x || !(x->dir = strdup(dir))) {
        free(x);
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    }
    x->read_only = read_only;
    pthread_rwlock_init(&x->lock, NULL);
    if (!read_only && mkdir(dir, 0700) != 0 && errno != EEXIST)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    if (rc == MAUTH_OK)
        rc = read_key(x, err);
    if (rc == MAUTH_OK)
        rc = take_files(x, err);
    settle(x);
    if (rc) {
        audit_index_close(x);
        return rc;
    }
    *out = x;
    return MAUTH_OK;
}

void
audit_index_close(struct audit_index *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->count; i++)
        run_close(x->run[i]);
    run_draft_free(x->tail);
    pthread_rwlock_destroy(&x->lock);
    free(x->run);
    free(x->dir);
    free(x);
}

static void
lock_to_read(const struct audit_index *x)
{
    union {
        const struct audit_index *in;
        struct audit_index *out;
    } p = {x};

    pthread_rwlock_rdlock(&p.out->lock);
}

static void
unlock(const struct audit_index *x)
{
    union {
        const struct audit_index *in;
        struct audit_index *out;
    } p = {x};

    pthread_rwlock_unlock(&p.out->lock);
}

void
audit_index_range(const struct audit_index *x, uint64_t *first, uint64_t *next)
{
    lock_to_read(x);
    *first = x->count ? x->run[0]->first : x->tail ? x->tail->first : 0;
    *next = x->tail    ? x->tail->first + x->tail->count
            : x->count ? index_run_end(x->run[x->count - 1])
                       : 0;
    unlock(x);
}

const uint8_t *
audit_index_key(const struct audit_index *x)
{
    return x->key;
}

/* Writes a draft and opens what was written. */
static enum mauth_rc
write_run(struct audit_index *x, struct run_draft *d, struct audit_run **out,
    struct mauth_err *err)
{
    char *path = path_of(x, d->first, d->count);
    enum mauth_rc rc;

    *out = NULL;
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    rc = run_draft_write(d, x->key, path, err);
    if (rc == MAUTH_OK)
        rc = run_open(path, x->key, out, err);
    free(path);
    return rc;
}

/* Puts one run in the place of count others, whose files go unless one has its name. */
static void
swap(struct audit_index *x, size_t at, size_t count, struct audit_run *by)
{
    struct audit_run *old[MERGED];

    pthread_rwlock_wrlock(&x->lock);
    memcpy(old, &x->run[at], count * sizeof(struct audit_run *));
    x->run[at] = by;
    memmove(&x->run[at + 1], &x->run[at + count],
        (x->count - at - count) * sizeof(struct audit_run *));
    x->count -= count - 1;
    pthread_rwlock_unlock(&x->lock);
    for (size_t i = 0; i < count; i++)
        if (old[i]->first == by->first && old[i]->count == by->count)
            run_close(old[i]);
        else
            discard(x, old[i]);
}

/* The newest files, once they are so many that they make a whole one. */
static enum mauth_rc
merge(struct audit_index *x, struct mauth_err *err)
{
    struct run_draft *d = NULL;
    struct audit_run *made = NULL;
    enum mauth_rc rc;
    size_t at;

    if (x->count < MERGED)
        return MAUTH_OK;
    at = x->count - MERGED;
    for (size_t i = at; i < x->count; i++)
        if (x->run[i]->count != INDEX_STEP)
            return MAUTH_OK;
    if (x->run[at]->first % RUN_RECORDS_MAX != 0)
        return MAUTH_OK;
    rc = run_draft_new(x->run[at]->first, &d, err);
    for (size_t i = at; i < x->count && rc == MAUTH_OK; i++)
        rc = run_draft_add_run(d, x->run[i], NULL, err);
    if (rc == MAUTH_OK)
        rc = write_run(x, d, &made, err);
    run_draft_free(d);
    if (rc == MAUTH_OK)
        swap(x, at, MERGED, made);
    return rc;
}

/* The file in the place of the tail, at once: a question sees the one or the other. */
static enum mauth_rc
replace_tail(struct audit_index *x, struct audit_run *made, struct mauth_err *err)
{
    struct run_draft *old = NULL;
    enum mauth_rc rc;

    pthread_rwlock_wrlock(&x->lock);
    rc = push(x, made, err);
    if (rc == MAUTH_OK) {
        old = x->tail;
        x->tail = NULL;
    }
    pthread_rwlock_unlock(&x->lock);
    run_draft_free(old);
    return rc;
}

enum mauth_rc
audit_index_write(struct audit_index *x, uint64_t mark, struct mauth_err *err)
{
    struct audit_run *made = NULL;
    struct run_draft *d = NULL;
    enum mauth_rc rc;

    if (!audit_index_is_due(x))
        return mauth_fail(err, MAUTH_INVALID, "audit index: no file is due");
    rc = run_draft_copy(x->tail, &d, err); /* writing it sorts it */
    if (rc)
        return rc;
    d->mark = mark;
    rc = write_run(x, d, &made, err);
    run_draft_free(d);
    if (rc)
        return rc;
    rc = replace_tail(x, made, err);
    if (rc) {
        run_close(made);
        return rc;
    }
    return merge(x, err);
}

void
audit_index_check(struct audit_index *x, audit_index_is_mark *is_mark, void *arg)
{
    size_t good = 0;

    while (good < x->count &&
           is_mark(index_run_end(x->run[good]) - 1, x->run[good]->mark, arg))
        good++;
    pthread_rwlock_wrlock(&x->lock);
    while (x->count > good)
        discard(x, x->run[--x->count]);
    run_draft_free(x->tail);
    x->tail = NULL;
    pthread_rwlock_unlock(&x->lock);
}

void
audit_index_drop_before(struct audit_index *x, uint64_t sequence)
{
    for (;;) {
        struct audit_run *old = NULL;

        pthread_rwlock_wrlock(&x->lock);
        if (x->count && index_run_end(x->run[0]) <= sequence) {
            old = x->run[0];
            x->count--;
            memmove(x->run, x->run + 1, x->count * sizeof(struct audit_run *));
        }
        if (x->tail && x->tail->first + x->tail->count <= sequence) {
            run_draft_free(x->tail);
            x->tail = NULL;
        }
        pthread_rwlock_unlock(&x->lock);
        if (!old)
            return;
        discard(x, old);
    }
}

/* Makes one file anew without some of its records. */
static enum mauth_rc
forget_in(struct audit_index *x, size_t at, const uint64_t *sequences, size_t count,
    struct mauth_err *err)
{
    const struct audit_run *r = x->run[at];
    uint8_t *gone = calloc(r->count, 1);
    struct run_draft *d = NULL;
    struct audit_run *made = NULL;
    enum mauth_rc rc;

    if (!gone)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    for (size_t i = 0; i < count; i++)
        gone[sequences[i] - r->first] = 1;
    rc = run_draft_new(r->first, &d, err);
    if (rc == MAUTH_OK)
        rc = run_draft_add_run(d, r, gone, err);
    if (rc == MAUTH_OK)
        rc = write_run(x, d, &made, err);
    run_draft_free(d);
    free(gone);
    if (rc == MAUTH_OK)
        swap(x, at, 1, made);
    return rc;
}

enum mauth_rc
audit_index_forget(struct audit_index *x, const uint64_t *sequences, size_t count,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    size_t i = 0;

    for (size_t at = 0; at < x->count && rc == MAUTH_OK; at++) {
        size_t from;

        while (i < count && sequences[i] < x->run[at]->first)
            i++;
        for (from = i; i < count && sequences[i] < index_run_end(x->run[at]);)
            i++;
        if (i > from)
            rc = forget_in(x, at, sequences + from, i - from, err);
    }
    pthread_rwlock_wrlock(&x->lock);
    index_tail_forget(x, sequences, count);
    pthread_rwlock_unlock(&x->lock);
    return rc;
}
