#include "audit/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/run_file.h"
#include "base/fail.h"

enum {
    PAGE = 4096
};

uint64_t
run_hash(const uint8_t key[SIPHASH_KEY], enum audit_field field, struct text value)
{
    return (uint64_t)field << RUN_FIELD_SHIFT |
           siphash(key, value.p, value.len) >> (64 - RUN_FIELD_SHIFT);
}

size_t
run_blocks(size_t n)
{
    return (n + RUN_BLOCK - 1) / RUN_BLOCK;
}

size_t
run_table_size(size_t count, size_t posts)
{
    return run_blocks(count) * sizeof(struct run_span) +
           run_blocks(posts) * sizeof(uint64_t);
}

size_t
run_file_size(size_t count, size_t posts)
{
    return sizeof(struct run_head) + run_table_size(count, posts) +
           posts * (sizeof(uint64_t) + sizeof(uint32_t)) + count * sizeof(int64_t);
}

enum mauth_rc
run_sum_up(const struct run_head *h, const void *table, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    struct run_head bare = *h;
    struct text pieces[2] = {{(const char *)&bare, sizeof(bare)},
        {(const char *)table, run_table_size(h->count, h->posts)}};

    memset(bare.sum, 0, sizeof(bare.sum));
    return hash_sha256(pieces, 2, out, err);
}

uint64_t
run_check(const uint8_t key[SIPHASH_KEY])
{
    return siphash(key, RUN_MAGIC, sizeof(RUN_MAGIC) - 1);
}

struct run_parts
run_parts_of(void *file, size_t count, size_t posts)
{
    struct run_parts p;

    p.span = (struct run_span *)(void *)((char *)file + sizeof(struct run_head));
    p.fence = (uint64_t *)(void *)(p.span + run_blocks(count));
    p.hash = p.fence + run_blocks(posts);
    p.time = (int64_t *)(void *)(p.hash + posts);
    p.record = (uint32_t *)(void *)(p.time + count);
    return p;
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
        (size_t)st.st_size < sizeof(struct run_head)) {
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
    struct run_parts p;
    struct run_head h;
    size_t table;

    memcpy(&h, r->map, sizeof(h));
    if (memcmp(h.magic, RUN_MAGIC, sizeof(RUN_MAGIC) - 1) != 0 ||
        h.order != RUN_ORDER || h.key != run_check(key) || h.count > RUN_RECORDS_MAX ||
        h.posts > (uint64_t)RUN_RECORDS_MAX * AUDIT_TERMS_MAX ||
        run_file_size(h.count, h.posts) != r->size)
        return mauth_fail(err, MAUTH_MALFORMED, "audit index: a file of another kind");
    p = run_parts_of(map.out, h.count, h.posts);
    table = run_table_size(h.count, h.posts);
    r->span = malloc(table + 1);
    if (!r->span)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    memcpy(r->span, p.span, table);
    r->fence = (uint64_t *)(void *)(r->span + run_blocks(h.count));
    if (run_sum_up(&h, r->span, sum, err) || memcmp(sum, h.sum, HASH_LEN) != 0)
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
    size_t page = bound(r->fence, run_blocks(r->posts), v, above), from, count;

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
    size_t page = bound(r->fence, run_blocks(r->posts), hash, false), from, left;

    if (!r->posts)
        return;
    from = (page ? page - 1 : 0) * RUN_BLOCK;
    left = r->posts - from;
    run_fetch_posts(r, from, from + (left < RUN_BLOCK ? left : RUN_BLOCK));
}
