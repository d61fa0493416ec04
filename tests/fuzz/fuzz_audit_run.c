/*
 * A file of the audit log's index. Its sum covers the head and the tables: it is made
 * good here, or nothing would get past it. What it does not cover, and what a table
 * says that is no table of ours, must never lead out of the file.
 */
#include <stdio.h>
#include <unistd.h>

#include "audit/index_parts.h"
#include "audit/run_file.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

enum {
    HEAD = sizeof(struct run_head),
    RECORDS = 2 * RUN_BLOCK + 1, /* that a file is made for, at most */
    POSTS = 4 * RUN_BLOCK + 1,
    FILE_MAX = HEAD + RECORDS * 24 + POSTS * 20
};

static const uint8_t key[SIPHASH_KEY]; /* zeros, as that of the corpus */

/* In memory: a disk would be waited for. */
static char folder[] = "/dev/shm/mauth-fuzz-run-XXXXXX";
static char run_path[64], key_path[64];

/* Making a file. */

static void
remove_folder(void)
{
    unlink(run_path);
    unlink(key_path);
    rmdir(folder);
}

static void
write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    MUST(f && fwrite(data, 1, len, f) == len);
    MUST(fclose(f) == 0);
}

static void
make_folder(void)
{
    if (key_path[0])
        return;
    MUST(mkdtemp(folder));
    snprintf(key_path, sizeof(key_path), "%s/key", folder);
    snprintf(run_path, sizeof(run_path), "%s/0000000000000000-00000", folder);
    atexit(remove_folder);
    write_file(key_path, key, sizeof(key));
}

/* Whatever it was: with its magic, of a size that fits its counts (the body again and
 * again, if it is too short for them), and with its sums. */
static size_t
make_good(const uint8_t *data, size_t size, uint8_t out[FILE_MAX])
{
    size_t body = size > HEAD ? size - HEAD : 0, len;
    struct run_head h = {.count = 0};

    memcpy(&h, data, size < HEAD ? size : HEAD);
    memcpy(h.magic, RUN_MAGIC, sizeof(h.magic));
    h.order = RUN_ORDER;
    h.count %= RECORDS;
    h.posts %= POSTS;
    h.key = run_check(key);
    len = run_file_size(h.count, h.posts);
    for (size_t i = HEAD; i < len; i++)
        out[i] = body ? data[HEAD + (i - HEAD) % body] : 0;
    MUST(run_sum_up(&h, out + HEAD, h.sum, NULL) == MAUTH_OK);
    memcpy(out, &h, HEAD);
    return len;
}

/* Asking it. */

/* Reads from a copy: behind a block of the heap AddressSanitizer sees each byte, behind
 * a mapping none. */
static const void *
move_to_heap(struct audit_run *r)
{
    const void *map = r->map;
    char *copy = malloc(r->size);

    MUST(copy);
    memcpy(copy, map, r->size);
    r->time =
        (const int64_t *)(void *)(copy + ((const char *)r->time - (const char *)map));
    r->hash =
        (const uint64_t *)(void *)(copy + ((const char *)r->hash - (const char *)map));
    r->record = (const uint32_t *)(void *)(copy + ((const char *)r->record -
                                                      (const char *)map));
    r->map = copy;
    return map;
}

static void
move_back(struct audit_run *r, const void *map)
{
    union {
        const void *in;
        void *out;
    } copy = {r->map};

    free(copy.out);
    r->map = map;
}

struct span {
    uint64_t first, end;
};

static bool
is_in(uint64_t sequence, void *arg)
{
    const struct span *s = arg;

    MUST(sequence >= s->first && sequence < s->end);
    return true;
}

/* As often as the memory that it takes lets us be quick. */
static void
count(struct audit_index *x, const struct audit_filter *f, struct span s)
{
    static const int by[] = {AUDIT_USER, AUDIT_ACTION, AUDIT_BY_MINUTE, AUDIT_BY_DAY};

    for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
        struct audit_tally t;

        audit_tally_init(&t, (enum audit_by)by[i], key);
        MUST(audit_index_count(x, f, s.first, s.end, &t, NULL) == MAUTH_OK);
        audit_tally_sort(&t);
        for (size_t k = 0; k < t.rows; k++)
            (void)is_in(t.row[k].sample, &s);
        audit_tally_clear(&t);
    }
}

/* Of the values that the records of the corpus have. */
static void
ask_much(struct audit_index *x, const struct audit_run *r)
{
    static const struct audit_filter filters[] = {
        {.oldest_first = true},
        {.value[AUDIT_USER] = "usr_a"},
        {.value[AUDIT_USER] = "usr_b", .oldest_first = true},
        {.value[AUDIT_USER] = "usr_a", .value[AUDIT_ACTION] = "login"},
        {.value[AUDIT_ACTION] = "login", .oldest_first = true},
        {.value[AUDIT_KEY] = "nobody"},
    };
    struct span all = {r->first, r->first + r->count},
                some = {all.first + r->count / 4, all.end - r->count / 3};

    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
        struct audit_filter f = filters[i];

        audit_index_find(x, &f, all.first, all.end, is_in, &all);
        f.since_us = r->count ? r->span[0].min_us : r->min_us;
        f.until_us = r->max_us;
        f.oldest_first = !f.oldest_first;
        audit_index_find(x, &f, some.first, some.end, is_in, &some);
    }
    count(x, &filters[0], all);
    count(x, &filters[1], some);
}

static void
range(const struct audit_run *r, uint64_t low, uint64_t high)
{
    size_t from, to;

    run_range(r, low, high, &from, &to);
    MUST(from <= to && to <= r->posts);
    run_fetch(r, low);
    run_fetch_posts(r, from, to);
}

static void
range_all(const struct audit_run *r)
{
    range(r, 0, UINT64_MAX);
    for (uint64_t field = 0; field < 16; field++)
        range(r, field << 60, field << 60 | UINT64_MAX >> 4);
    for (size_t i = 0; i < r->posts; i += 1 + r->posts / 7)
        range(r, r->hash[i], r->hash[r->posts - 1 - i]);
}

/* What a merge takes over is of one of its records. */
static void
merge(const struct audit_run *r)
{
    static struct run_draft *d;

    if (!d)
        MUST(run_draft_new(0, &d, NULL) == MAUTH_OK);
    d->first = r->first;
    d->count = 0;
    d->posts = 0;
    MUST(run_draft_add_run(d, r, NULL, NULL) == MAUTH_OK);
    for (size_t i = 0; i < d->posts; i++)
        MUST(d->post[i].record < d->count);
}

/* False: the file is refused. */
static bool
look_into(const void *data, size_t size)
{
    struct audit_index *x = NULL;
    bool is_taken;

    write_file(run_path, data, size);
    MUST(audit_index_open(folder, true, &x, NULL) == MAUTH_OK);
    is_taken = x->count == 1;
    if (is_taken) {
        const void *map = move_to_heap(x->run[0]);

        range_all(x->run[0]);
        merge(x->run[0]);
        ask_much(x, x->run[0]);
        move_back(x->run[0], map);
    }
    audit_index_close(x);
    return is_taken;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t good[FILE_MAX];

    make_folder();
    if (!look_into(data, size))
        MUST(look_into(good, make_good(data, size, good)));
    return 0;
}
