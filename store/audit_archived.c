#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/audit_archive.h"

#define SET_BACK_US INT64_C(86400000000)

/* A record that is handed out later, for a segment can only be read from its beginning. */
struct kept {
    uint64_t sequence;
    char *json;
    size_t len;
};

struct scan {
    const struct audit_archive_ask *ask;
    uint64_t from, to; /* what is left to be handed out */
    uint64_t missing;
    const struct audit_segment *segment; /* at hand */
    uint8_t (*leaf)[HASH_LEN];           /* of each of its records */
    int64_t max_us;                      /* of its records; INT64_MIN: none */
    struct kept *kept;
    size_t count, cap;
    bool stopped;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static enum mauth_rc
keep(struct scan *s, const struct archive_record *r)
{
    struct kept *k;

    if (s->count == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;

        k = realloc(s->kept, cap * sizeof(*k));
        if (!k)
            return mauth_fail(s->err, MAUTH_NO_MEMORY, "audit: no memory");
        s->kept = k;
        s->cap = cap;
    }
    k = &s->kept[s->count];
    *k = (struct kept){r->sequence, strndup(r->json.p, r->json.len), r->json.len};
    if (!k->json)
        return mauth_fail(s->err, MAUTH_NO_MEMORY, "audit: no memory");
    s->count++;
    return MAUTH_OK;
}

/* The leaves of a segment as the log's tree has them, all at once: no transaction is open
 * while its file is read, from a disk that may be slow. */
struct leaves {
    uint64_t first, count;
    uint8_t (*leaf)[HASH_LEN];
};

static enum mauth_rc
read_leaves(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct leaves *l = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (uint64_t i = 0; i < l->count && rc == MAUTH_OK; i++)
        rc = audit_node(txn, 0, l->first + i, l->leaf[i], err);
    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the tree is damaged");
    return rc;
}

static enum mauth_rc
check_leaf(struct scan *s, const struct archive_record *r)
{
    uint64_t at = r->sequence - s->segment->head.first;

    if (at < s->segment->head.count && memcmp(s->leaf[at], r->leaf, HASH_LEN) == 0)
        return MAUTH_OK;
    return mauth_fail(s->err, MAUTH_MALFORMED,
        "%s: its record %" PRIu64 " is not the log's", s->segment->name, r->sequence);
}

static bool
take(const struct archive_record *r, void *arg)
{
    struct scan *s = arg;

    if (r->sequence < s->from || r->sequence >= s->to)
        return true;
    if (s->ask->stop && atomic_load(s->ask->stop)) {
        s->rc = mauth_fail(s->err, MAUTH_UNAVAILABLE, "audit: the service is ending");
        return false;
    }
    s->rc = check_leaf(s, r);
    if (s->rc)
        return false;
    s->max_us = r->time_us > s->max_us ? r->time_us : s->max_us;
    if (!s->ask->wants(r, s->ask->arg))
        return true;
    if (s->ask->order == KV_DOWN)
        s->rc = keep(s, r);
    else
        s->stopped = !s->ask->each(r->sequence, r->json, s->ask->arg);
    return s->rc == MAUTH_OK && !s->stopped;
}

static enum mauth_rc
read_segment(struct kv *kv, struct scan *s, struct mauth_err *err)
{
    const struct audit_segment *segment = s->segment;
    struct leaves l = {.first = segment->head.first, .count = segment->head.count};
    enum mauth_rc rc;

    if (l.count > ARCHIVE_RECORDS_MAX)
        return mauth_fail(err, MAUTH_MALFORMED, "%s: no segment", segment->name);
    l.leaf = malloc(l.count * sizeof(*l.leaf));
    if (!l.leaf)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    s->leaf = l.leaf;
    rc = kv_read(kv, read_leaves, &l, err);
    if (rc == MAUTH_OK)
        rc = archive_read(segment->path, &segment->known, take, s, NULL, err);
    free(l.leaf);
    return rc ? rc : s->rc;
}

static void
hand_out_kept(struct scan *s)
{
    for (size_t i = s->count; i-- > 0;) {
        struct kept *k = &s->kept[i];

        if (!s->stopped)
            s->stopped =
                !s->ask->each(k->sequence, (struct text){k->json, k->len}, s->ask->arg);
        free(k->json);
    }
    s->count = 0;
}

/*
 * Is all that comes older than what is wanted? A clock may have been set back by then, for
 * a while. Going up there is no such end: what was refused is put on record when its
 * minute is over, or when the disk has room again, with the time at which that began.
 */
static bool
is_past(const struct scan *s)
{
    return s->max_us != INT64_MIN && s->ask->order == KV_DOWN &&
           s->max_us < s->ask->since_us - SET_BACK_US;
}

static enum mauth_rc
scan_segment(struct kv *kv, struct scan *s, const struct audit_segment *segment)
{
    uint64_t first = segment->head.first, end = first + segment->head.count;
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (end <= s->from || first >= s->to)
        return MAUTH_OK;
    s->segment = segment;
    s->max_us = INT64_MIN;
    rc = read_segment(kv, s, &why);
    s->stopped = s->stopped || (rc && rc != MAUTH_NOT_FOUND);
    hand_out_kept(s);
    if (rc == MAUTH_NOT_FOUND)
        s->missing += (end < s->to ? end : s->to) - (first > s->from ? first : s->from);
    else if (rc)
        return mauth_fail(s->err, rc, "%s", why.text);
    s->stopped = s->stopped || is_past(s);
    return MAUTH_OK;
}

enum mauth_rc
audit_archive_scan(struct kv *kv, const struct audit_archive_ask *ask,
    uint64_t *missing, struct mauth_err *err)
{
    struct scan s = {.ask = ask, .from = ask->from, .to = ask->to, .err = err};
    struct audit_segments all;
    enum mauth_rc rc = audit_segments_read(kv, &all, err);

    for (size_t i = 0; i < all.count && rc == MAUTH_OK && !s.stopped; i++)
        rc = scan_segment(
            kv, &s, &all.item[ask->order == KV_UP ? i : all.count - 1 - i]);
    audit_segments_clear(&all);
    free(s.kept);
    *missing = s.missing;
    return rc;
}
