#include "audit/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"

enum {
    PAGE = 4096,
    RADIX_BITS = 16,
    TERMS_USUAL = 14 /* of a record */
};

/*
 * The file: this, in the byte order of the machine; then spans, fences, hashes, times,
 * records. The sum is over the head (with a sum of zeros), the spans and the fences.
 */
struct head {
    char magic[8];
    uint32_t order; /* ORDER, as this machine writes it */
    uint32_t count;
    uint64_t first;
    uint64_t posts;
    int64_t min_us, max_us;
    uint64_t mark;
    uint64_t key; /* what the key makes of the magic */
    uint8_t sum[HASH_LEN];
};

static const char MAGIC[8] = {'m', 'a', 'u', 'd', 'i', 't', 'x', '2'};
static const uint32_t ORDER = 0x01020304;

uint64_t
run_hash(const uint8_t key[SIPHASH_KEY], enum audit_field field, struct text value)
{
    return (uint64_t)field << RUN_FIELD_SHIFT |
           siphash(key, value.p, value.len) >> (64 - RUN_FIELD_SHIFT);
}

/* Blocks that n records, or hashes, fill or begin. */
static size_t
blocks_of(size_t n)
{
    return (n + RUN_BLOCK - 1) / RUN_BLOCK;
}

/* What is kept in memory: spans and fences. */
static size_t
table_size(size_t count, size_t posts)
{
    return blocks_of(count) * sizeof(struct run_span) +
           blocks_of(posts) * sizeof(uint64_t);
}

static size_t
file_size(size_t count, size_t posts)
{
    return sizeof(struct head) + table_size(count, posts) +
           posts * (sizeof(uint64_t) + sizeof(uint32_t)) + count * sizeof(int64_t);
}

static enum mauth_rc
sum_up(const struct head *h, const void *table, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    struct head bare = *h;
    struct text pieces[2] = {{(const char *)&bare, sizeof(bare)},
        {(const char *)table, table_size(h->count, h->posts)}};

    memset(bare.sum, 0, sizeof(bare.sum));
    return hash_sha256(pieces, 2, out, err);
}

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

/* Where the parts of a file lie. */
struct parts {
    struct run_span *span;
    uint64_t *fence, *hash;
    int64_t *time;
    uint32_t *record;
};

static struct parts
parts_of(void *file, size_t count, size_t posts)
{
    struct parts p;

    p.span = (struct run_span *)(void *)((char *)file + sizeof(struct head));
    p.fence = (uint64_t *)(void *)(p.span + blocks_of(count));
    p.hash = p.fence + blocks_of(posts);
    p.time = (int64_t *)(void *)(p.hash + posts);
    p.record = (uint32_t *)(void *)(p.time + count);
    return p;
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
fill_tables(const struct run_draft *d, const struct parts *p)
{
    for (size_t i = 0; i < blocks_of(d->count); i++) {
        size_t from = i * RUN_BLOCK, left = d->count - from;

        p->span[i] = span_of(d->time + from, left < RUN_BLOCK ? left : RUN_BLOCK);
    }
    for (size_t i = 0; i < blocks_of(d->posts); i++)
        p->fence[i] = p->hash[i * RUN_BLOCK];
}

static void
fill(const struct run_draft *d, const uint8_t key[SIPHASH_KEY], void *file)
{
    struct run_span all = span_of(d->time, d->count);
    struct parts p = parts_of(file, d->count, d->posts);
    struct head h = {.order = ORDER,
        .count = d->count,
        .first = d->first,
        .posts = d->posts,
        .mark = d->mark,
        .min_us = all.min_us,
        .max_us = all.max_us,
        .key = siphash(key, MAGIC, sizeof(MAGIC))};

    memcpy(h.magic, MAGIC, sizeof(MAGIC));
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
    size_t size = file_size(d->count, d->posts);
    char *file = NULL;
    struct head h;

    if (rc == MAUTH_OK && !(file = calloc(1, size)))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    if (rc == MAUTH_OK) {
        fill(d, key, file);
        memcpy(&h, file, sizeof(h));
        rc = sum_up(&h, file + sizeof(h), h.sum, err);
        memcpy(file, &h, sizeof(h));
    }
    if (rc == MAUTH_OK)
        rc = file_replace(path, file, size, FILE_PRIVATE, err);
    free(file);
    return rc;
}

static enum mauth_rc
map_file(const char *path, struct audit_run *r, struct mauth_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    void *map;

    if (fd < 0)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        (size_t)st.st_size < sizeof(struct head)) {
        close(fd);
        return mauth_fail(err, MAUTH_MALFORMED, "%s: no file of the index", path);
    }
    r->size = (size_t)st.st_size;
    map = mmap(NULL, r->size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    r->map = map;
    (void)madvise(map, r->size, MADV_RANDOM);
    return MAUTH_OK;
}

/* Takes the head, checks it, and keeps the tables; the rest stays on the disk. */
static enum mauth_rc
read_head(struct audit_run *r, const uint8_t key[SIPHASH_KEY], struct mauth_err *err)
{
    union {
        const void *in;
        void *out;
    } map = {r->map};
    uint8_t sum[HASH_LEN];
    struct parts p;
    struct head h;
    size_t table;

    memcpy(&h, r->map, sizeof(h));
    if (memcmp(h.magic, MAGIC, sizeof(MAGIC)) != 0 || h.order != ORDER ||
        h.key != siphash(key, MAGIC, sizeof(MAGIC)) || h.count > RUN_RECORDS_MAX ||
        h.posts > (uint64_t)RUN_RECORDS_MAX * AUDIT_TERMS_MAX ||
        file_size(h.count, h.posts) != r->size)
        return mauth_fail(err, MAUTH_MALFORMED, "audit index: a file of another kind");
    p = parts_of(map.out, h.count, h.posts);
    table = table_size(h.count, h.posts);
    r->span = malloc(table + 1);
    if (!r->span)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    memcpy(r->span, p.span, table);
    r->fence = (uint64_t *)(void *)(r->span + blocks_of(h.count));
    if (sum_up(&h, r->span, sum, err) || memcmp(sum, h.sum, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_MALFORMED, "audit index: a damaged file");
    r->first = h.first;
    r->count = h.count;
    r->min_us = h.min_us;
    r->max_us = h.max_us;
    r->mark = h.mark;
    r->posts = h.posts;
    r->time = p.time;
    r->hash = p.hash;
    r->record = p.record;
    return MAUTH_OK;
}

enum mauth_rc
run_open(const char *path, const uint8_t key[SIPHASH_KEY], struct audit_run **out,
    struct mauth_err *err)
{
    struct audit_run *r = calloc(1, sizeof(*r));
    enum mauth_rc rc;

    *out = NULL;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    rc = map_file(path, r, err);
    if (rc == MAUTH_OK)
        rc = read_head(r, key, err);
    if (rc) {
        run_close(r);
        return rc;
    }
    *out = r;
    return MAUTH_OK;
}

void
run_close(struct audit_run *r)
{
    union {
        const void *in;
        void *out;
    } map;

    if (!r)
        return;
    map.in = r->map;
    if (r->map)
        munmap(map.out, r->size);
    free(r->span);
    free(r);
}

/* The first of count sorted values that is not below v (or, above: that is above v). */
static size_t
bound(const uint64_t *sorted, size_t count, uint64_t v, bool above)
{
    size_t low = 0;

    while (count) {
        size_t half = count / 2;

        if (sorted[low + half] < v || (above && sorted[low + half] == v)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* The same of all hashes: first by the fences, then in the one page between two. */
static size_t
find(const struct audit_run *r, uint64_t v, bool above)
{
    size_t page = bound(r->fence, blocks_of(r->posts), v, above), from, count;

    if (!page)
        return 0;
    from = (page - 1) * RUN_BLOCK;
    count = r->posts - from < RUN_BLOCK ? r->posts - from : RUN_BLOCK;
    return from + bound(r->hash + from, count, v, above);
}

void
run_range(
    const struct audit_run *r, uint64_t low, uint64_t high, size_t *from, size_t *to)
{
    *from = find(r, low, false);
    *to = find(r, high, true);
    if (*to < *from) /* a damaged file */
        *to = *from;
}

bool
run_is_within(
    const struct audit_run *r, uint32_t record, int64_t since_us, int64_t until_us)
{
    const struct run_span *s = &r->span[record / RUN_BLOCK];
    int64_t t;

    if (s->max_us < since_us || (until_us && s->min_us >= until_us))
        return false;
    if (s->min_us >= since_us && (!until_us || s->max_us < until_us))
        return true;
    t = r->time[record];
    return t >= since_us && (!until_us || t < until_us);
}

static void
fetch(const struct audit_run *r, const void *from, size_t len)
{
    size_t at = (size_t)((const char *)from - (const char *)r->map) / PAGE * PAGE;
    union {
        const char *in;
        void *out;
    } p = {(const char *)r->map + at};

    len += (size_t)((const char *)from - p.in);
    (void)madvise(p.out, len, MADV_WILLNEED);
}

void
run_fetch_posts(const struct audit_run *r, size_t from, size_t to)
{
    if (from == to)
        return;
    fetch(r, r->hash + from, (to - from) * sizeof(*r->hash));
    fetch(r, r->record + from, (to - from) * sizeof(*r->record));
}

void
run_fetch(const struct audit_run *r, uint64_t hash)
{
    size_t page = bound(r->fence, blocks_of(r->posts), hash, false), from, left;

    if (!r->posts)
        return;
    from = (page ? page - 1 : 0) * RUN_BLOCK;
    left = r->posts - from;
    run_fetch_posts(r, from, from + (left < RUN_BLOCK ? left : RUN_BLOCK));
}
