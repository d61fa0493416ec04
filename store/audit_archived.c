#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/audit_archive.h"

/* A record that is handed out later, for a segment can only be read from its beginning. */
struct kept {
    uint64_t sequence;
    char *json;
    size_t len;
};

struct scan {
    const struct audit_archive_ask *ask;
    uint64_t from, to; /* what is left to be handed out */
    const char *path;  /* of the segment at hand */
    struct kv_txn *txn;
    int64_t min_us, max_us; /* of its records */
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

static enum mauth_rc
check_leaf(struct scan *s, const struct archive_record *r)
{
    uint8_t leaf[HASH_LEN];
    enum mauth_rc rc = audit_node(s->txn, 0, r->sequence, leaf, s->err);

    if (rc == MAUTH_OK && memcmp(leaf, r->leaf, HASH_LEN) == 0)
        return MAUTH_OK;
    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return rc;
    return mauth_fail(s->err, MAUTH_MALFORMED,
        "%s: its record %" PRIu64 " is not the log's", s->path, r->sequence);
}

static bool
take(const struct archive_record *r, void *arg)
{
    struct scan *s = arg;

    if (r->sequence < s->from || r->sequence >= s->to)
        return true;
    s->rc = check_leaf(s, r);
    if (s->rc)
        return false;
    s->min_us = r->time_us < s->min_us ? r->time_us : s->min_us;
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
read_segment(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct scan *s = arg;
    enum mauth_rc rc;

    s->txn = txn;
    rc = archive_read(s->path, take, s, NULL, &why);
    if (rc && !s->rc)
        return mauth_fail(err, rc, "%s: %s", s->path, why.text);
    return s->rc;
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

/* Nothing that is older, or newer, can be wanted. */
static bool
is_past(const struct scan *s)
{
    if (s->min_us > s->max_us)
        return false; /* none was looked at */
    if (s->ask->order == KV_DOWN)
        return s->max_us < s->ask->since_us;
    return s->ask->until_us && s->min_us >= s->ask->until_us;
}

static enum mauth_rc
scan_file(struct kv *kv, struct scan *s, const struct archive_file *f)
{
    uint64_t first = f->head.first, end = first + f->head.count;
    enum mauth_rc rc;

    if (end <= s->from || first >= s->to)
        return MAUTH_OK;
    s->path = f->path;
    s->min_us = INT64_MAX;
    s->max_us = INT64_MIN;
    rc = kv_read(kv, read_segment, s, s->err);
    hand_out_kept(s);
    if (s->ask->order == KV_UP)
        s->from = end > s->from ? end : s->from;
    else
        s->to = first < s->to ? first : s->to;
    s->stopped = s->stopped || is_past(s);
    return rc;
}

enum mauth_rc
audit_archive_scan(
    struct kv *kv, const struct audit_archive_ask *ask, struct mauth_err *err)
{
    struct scan s = {.ask = ask, .from = ask->from, .to = ask->to, .err = err};
    char *dir = audit_archive_folder(kv);
    struct archive_list list = {0};
    enum mauth_rc rc;

    if (!dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = archive_list(dir, &list, NULL);
    if (rc == MAUTH_NOT_FOUND)
        rc = MAUTH_OK; /* no record has left */
    else if (rc)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s cannot be read", dir);
    for (size_t i = 0; i < list.count && rc == MAUTH_OK && !s.stopped; i++)
        rc =
            scan_file(kv, &s, &list.file[ask->order == KV_UP ? i : list.count - 1 - i]);
    archive_list_clear(&list);
    free(s.kept);
    free(dir);
    return rc;
}
