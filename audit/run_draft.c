#include <stdlib.h>
#include <string.h>

#include "audit/run_file.h"
#include "base/fail.h"
#include "base/file.h"

enum {
    RADIX_BITS = 16,
    TERMS_USUAL = 14 /* of a record */
};

enum mauth_rc
run_draft_new(uint64_t first, struct run_draft **out, struct mauth_err *err)
{
    struct run_draft *d = calloc(1, sizeof(*d));

    *out = NULL;
    if (d)
        d->time = malloc(RUN_RECORDS_MAX * sizeof(*d->time));
    if (!d || !d->time) {
        free(d);
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    }
    d->first = first;
    *out = d;
    return MAUTH_OK;
}

void
run_draft_free(struct run_draft *d)
{
    if (!d)
        return;
    free(d->time);
    free(d->post);
    free(d);
}

static enum mauth_rc
make_room(struct run_draft *d, size_t more, struct mauth_err *err)
{
    size_t cap = d->cap ? d->cap : (size_t)TERMS_USUAL << 15;
    struct run_post *post;

    while (cap < d->posts + more)
        cap *= 2;
    if (cap == d->cap)
        return MAUTH_OK;
    post = realloc(d->post, cap * sizeof(*post));
    if (!post)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    d->post = post;
    d->cap = cap;
    return MAUTH_OK;
}

enum mauth_rc
run_draft_add(struct run_draft *d, const uint8_t key[SIPHASH_KEY], int64_t time_us,
    const struct audit_terms *terms, struct mauth_err *err)
{
    size_t more = terms ? terms->count : 0;
    enum mauth_rc rc;

    if (d->count == RUN_RECORDS_MAX)
        return mauth_fail(err, MAUTH_INVALID, "audit index: a file is full");
    rc = make_room(d, more, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < more; i++)
        d->post[d->posts++] = (struct run_post){
            run_hash(key, terms->term[i].field, terms->term[i].value), d->count};
    d->time[d->count++] = time_us;
    return MAUTH_OK;
}

enum mauth_rc
run_draft_copy(const struct run_draft *d, struct run_draft **out, struct mauth_err *err)
{
    enum mauth_rc rc = run_draft_new(d->first, out, err);

    if (rc == MAUTH_OK)
        rc = make_room(*out, d->posts, err);
    if (rc) {
        run_draft_free(*out);
        *out = NULL;
        return rc;
    }
    memcpy((*out)->post, d->post, d->posts * sizeof(*d->post));
    memcpy((*out)->time, d->time, d->count * sizeof(*d->time));
    (*out)->posts = d->posts;
    (*out)->count = d->count;
    return MAUTH_OK;
}

enum mauth_rc
run_draft_add_run(struct run_draft *d, const struct audit_run *r, const uint8_t *gone,
    struct mauth_err *err)
{
    enum mauth_rc rc;

    if (d->first + d->count != r->first || r->count > RUN_RECORDS_MAX - d->count)
        return mauth_fail(err, MAUTH_INVALID, "audit index: files do not meet");
    rc = make_room(d, r->posts, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < r->posts; i++)
        if (r->record[i] < r->count && !(gone && gone[r->record[i]]))
            d->post[d->posts++] =
                (struct run_post){r->hash[i], d->count + r->record[i]};
    memcpy(d->time + d->count, r->time, r->count * sizeof(*d->time));
    d->count += r->count;
    d->mark = r->mark;
    return MAUTH_OK;
}

/*
 * By hash, and by record where they are equal: stable, and they come in the order of
 * records (those of several files one after the other). Four passes, 16 bits each.
 */
static enum mauth_rc
sort(struct run_draft *d, struct mauth_err *err)
{
    struct run_post *other = malloc((d->posts + 1) * sizeof(*other)), *swap;
    size_t *at = malloc(((size_t)1 << RADIX_BITS) * sizeof(*at));
    enum mauth_rc rc = MAUTH_OK;

    if (!other || !at)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    for (int shift = 0; rc == MAUTH_OK && shift < 64; shift += RADIX_BITS) {
        const size_t mask = ((size_t)1 << RADIX_BITS) - 1;
        size_t sum = 0;

        memset(at, 0, (mask + 1) * sizeof(*at));
        for (size_t i = 0; i < d->posts; i++)
            at[d->post[i].hash >> shift & mask]++;
        for (size_t i = 0; i <= mask; i++) {
            size_t n = at[i];

            at[i] = sum;
            sum += n;
        }
        for (size_t i = 0; i < d->posts; i++)
            other[at[d->post[i].hash >> shift & mask]++] = d->post[i];
        swap = d->post;
        d->post = other;
        other = swap;
    }
    free(other);
    free(at);
    if (rc == MAUTH_OK)
        d->cap = d->posts + 1;
    return rc;
}

static struct run_span
span_of(const int64_t *time, size_t count)
{
    struct run_span s = {0, 0};

    for (size_t i = 0; i < count; i++) {
        s.min_us = i && s.min_us < time[i] ? s.min_us : time[i];
        s.max_us = i && s.max_us > time[i] ? s.max_us : time[i];
    }
    return s;
}

static void
fill_tables(const struct run_draft *d, const struct run_parts *p)
{
    for (size_t i = 0; i < run_blocks(d->count); i++) {
        size_t from = i * RUN_BLOCK, left = d->count - from;

        p->span[i] = span_of(d->time + from, left < RUN_BLOCK ? left : RUN_BLOCK);
    }
    for (size_t i = 0; i < run_blocks(d->posts); i++)
        p->fence[i] = p->hash[i * RUN_BLOCK];
}

static void
fill(const struct run_draft *d, const uint8_t key[SIPHASH_KEY], void *file)
{
    struct run_span all = span_of(d->time, d->count);
    struct run_parts p = run_parts_of(file, d->count, d->posts);
    struct run_head h = {.order = RUN_ORDER,
        .count = d->count,
        .first = d->first,
        .posts = d->posts,
        .mark = d->mark,
        .min_us = all.min_us,
        .max_us = all.max_us,
        .key = run_check(key)};

    memcpy(h.magic, RUN_MAGIC, sizeof(RUN_MAGIC) - 1);
    for (size_t i = 0; i < d->posts; i++) {
        p.hash[i] = d->post[i].hash;
        p.record[i] = d->post[i].record;
    }
    memcpy(p.time, d->time, d->count * sizeof(*d->time));
    fill_tables(d, &p);
    memcpy(file, &h, sizeof(h));
}

enum mauth_rc
run_draft_write(struct run_draft *d, const uint8_t key[SIPHASH_KEY], const char *path,
    struct mauth_err *err)
{
    enum mauth_rc rc = sort(d, err);
    size_t size = run_file_size(d->count, d->posts);
    char *file = NULL;
    struct run_head h;

    if (rc == MAUTH_OK && !(file = calloc(1, size)))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    if (rc == MAUTH_OK) {
        fill(d, key, file);
        memcpy(&h, file, sizeof(h));
        rc = run_sum_up(&h, file + sizeof(h), h.sum, err);
        memcpy(file, &h, sizeof(h));
    }
    if (rc == MAUTH_OK)
        rc = file_replace(path, file, size, FILE_PRIVATE, err);
    free(file);
    return rc;
}
