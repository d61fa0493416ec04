#include "store/audit_archive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/terms.h"
#include "base/fail.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "store/audit_erase.h"

enum {
    BATCH = 2048,  /* records of one read transaction */
    DROPPED = 512, /* of one that deletes them */
    SAMPLES = 32,  /* records whose sizes are looked at */
    AROUND = 160,  /* bytes that a record takes beside its own: keys, leaf, pages */
    SLACK = 16,    /* of what may stay, this part leaves with what must */
    STAY = 1024 /* so many stay whatever their size: that some left is a record too */
};

#define DAY_US INT64_C(86400000000)

/* Gather: what is there, and how old and how large it is. */

struct look {
    const struct audit_keep *keep;
    int64_t now_us;
    uint64_t first, next;
    bool leftovers; /* records that have left, and are still there */
    bool waits;     /* an erasure is under way */
    uint64_t count; /* that are to leave, from the first on */
};

static bool
note_one(const struct audit_stored *found, void *arg)
{
    (void)found;
    *(bool *)arg = true;
    return false;
}

static enum mauth_rc
read_time(struct kv_txn *txn, uint64_t sequence, int64_t *out_us, struct mauth_err *err)
{
    struct audit_stored found;
    struct audit_terms terms;
    enum mauth_rc rc = audit_get(txn, sequence, &found, err);

    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is missing", sequence);
    if (rc)
        return rc;
    *out_us = found.time_us;
    if (found.erased)
        return MAUTH_OK;
    if (!audit_terms_read(found.json, &terms))
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is damaged", sequence);
    *out_us = terms.time_us;
    return MAUTH_OK;
}

/* How many of the first `most` records are older than that. */
static enum mauth_rc
count_older(struct kv_txn *txn, const struct look *l, int64_t than_us, uint64_t most,
    uint64_t *out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    *out = 0;
    while (most && rc == MAUTH_OK) {
        uint64_t half = most / 2;
        int64_t time_us = 0;

        rc = read_time(txn, l->first + *out + half, &time_us, err);
        if (time_us < than_us) {
            *out += half + 1;
            most -= half + 1;
        } else {
            most = half;
        }
    }
    return rc;
}

/* As many as make a segment, or once a day what there is; one alone may be what tells of
 * the last segment. */
static enum mauth_rc
decide_by_age(struct kv_txn *txn, struct look *l, uint64_t most, struct mauth_err *err)
{
    int64_t than_us = l->now_us - l->keep->age_us, oldest_us = 0;
    uint64_t older = 0;
    enum mauth_rc rc;

    if (!l->keep->age_us || !most)
        return MAUTH_OK;
    rc = read_time(txn, l->first, &oldest_us, err);
    if (rc == MAUTH_OK && oldest_us < than_us)
        rc = count_older(txn, l, than_us, most, &older, err);
    if (rc == MAUTH_OK && older > 1 &&
        (older == ARCHIVE_RECORDS_MAX || oldest_us < than_us - DAY_US))
        l->count = older;
    return rc;
}

static enum mauth_rc
decide_by_size(struct kv_txn *txn, struct look *l, uint64_t most, struct mauth_err *err)
{
    uint64_t there = l->next - l->first, bytes = 0, each, stay, count;
    enum mauth_rc rc = MAUTH_OK;

    if (!l->keep->bytes || !most)
        return MAUTH_OK;
    for (uint64_t i = 0; i < SAMPLES && rc == MAUTH_OK; i++) {
        struct audit_stored found;

        rc = audit_get(txn, l->first + there * i / SAMPLES, &found, err);
        bytes += AROUND + (rc ? 0 : found.json.len);
    }
    if (rc == MAUTH_NOT_FOUND)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "audit: a record is missing");
    if (rc)
        return rc;
    each = bytes / SAMPLES;
    stay = l->keep->bytes / each;
    stay = stay < STAY ? STAY : stay;
    count = there > stay ? there - stay + stay / SLACK : 0;
    if (count > most)
        count = most;
    l->count = l->count > count ? l->count : count;
    return MAUTH_OK;
}

/* Nothing moves while records are being erased. */
static enum mauth_rc
look_for_erasure(struct kv_txn *txn, struct look *l, struct mauth_err *err)
{
    struct audit_erasure e;
    enum mauth_rc rc = audit_erase_next(txn, NULL, &e, err);

    l->waits = rc == MAUTH_OK;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    enum mauth_rc rc = audit_bounds(txn, &l->first, &l->next, err);
    uint64_t most = l->next - l->first; /* the last one stays */

    most = most > ARCHIVE_RECORDS_MAX ? ARCHIVE_RECORDS_MAX : most ? most - 1 : 0;
    if (rc == MAUTH_OK && l->first)
        rc = audit_scan(txn, 0, l->first, KV_UP, note_one, &l->leftovers, err);
    if (rc == MAUTH_OK)
        rc = look_for_erasure(txn, l, err);
    if (rc == MAUTH_OK && !l->leftovers && !l->waits)
        rc = decide_by_age(txn, l, most, err);
    if (rc == MAUTH_OK && !l->leftovers && !l->waits)
        rc = decide_by_size(txn, l, most, err);
    return rc;
}

/* Act: the segment ... */

struct segment {
    struct archive_writer *w;
    struct kv_txn *txn;
    uint64_t from, to; /* of one transaction */
    enum mauth_rc rc;
    struct mauth_err *err;
};

/* Each is held against its leaf: what is not the log's does not get into its archive. */
static bool
put_record(const struct audit_stored *found, void *arg)
{
    struct segment *s = arg;
    uint8_t leaf[HASH_LEN] = {0};
    struct archive_record r = {.sequence = found->sequence,
        .erased = found->erased,
        .salt = found->salt,
        .json = found->json,
        .time_us = found->time_us,
        .ticket = found->ticket,
        .digest = found->digest};

    if (found->sequence != s->from)
        s->rc = mauth_fail(
            s->err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is missing", s->from);
    else
        s->rc = audit_node(s->txn, 0, r.sequence, leaf, s->err);
    memcpy(r.leaf, leaf, HASH_LEN);
    if (s->rc == MAUTH_OK)
        s->rc = archive_writer_add(s->w, &r, s->err);
    if (s->rc == MAUTH_OK && memcmp(r.leaf, leaf, HASH_LEN) != 0)
        s->rc = mauth_fail(s->err, MAUTH_UNAVAILABLE,
            "audit: record %" PRIu64 " is not the one that was appended", r.sequence);
    s->from++;
    return s->rc == MAUTH_OK && !archive_writer_is_full(s->w);
}

static enum mauth_rc
put_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct segment *s = arg;
    enum mauth_rc rc;

    s->txn = txn;
    rc = audit_scan(txn, s->from, s->to, KV_UP, put_record, s, err);
    if (rc == MAUTH_OK && s->rc == MAUTH_OK && s->from < s->to &&
        !archive_writer_is_full(s->w))
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is missing", s->from);
    return rc ? rc : s->rc;
}

static enum mauth_rc
write_segment(struct kv *kv, const struct look *l, const char *dir,
    struct archive_head *out, struct mauth_err *err)
{
    struct segment s = {.from = l->first, .err = err};
    uint64_t end = l->first + l->count;
    enum mauth_rc rc = archive_writer_new(dir, l->first, &s.w, err);

    while (rc == MAUTH_OK && s.from < end && !archive_writer_is_full(s.w)) {
        s.to = end - s.from < BATCH ? end : s.from + BATCH;
        rc = kv_read(kv, put_some, &s, err);
    }
    if (rc == MAUTH_OK)
        rc = archive_writer_end(s.w, out, err);
    if (rc == MAUTH_OK)
        rc = archive_writer_name(s.w, out, err);
    archive_writer_free(s.w);
    return rc;
}

/* ... which is read back, from a disk that may have lied ... */

static bool
pass(const struct archive_record *r, void *arg)
{
    (void)r;
    (void)arg;
    return true;
}

static struct archive_known
known_of(const struct archive_head *h)
{
    struct archive_known known = {.count = 1};

    memcpy(known.sha256[0], h->sha256, HASH_LEN);
    return known;
}

static enum mauth_rc
read_back(const char *dir, const struct archive_head *h, struct mauth_err *err)
{
    const struct archive_known known = known_of(h);
    char name[ARCHIVE_NAME_MAX], *path;
    enum mauth_rc rc;

    archive_name(h, name);
    path = file_join(dir, name);
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = archive_read(path, &known, pass, NULL, NULL, err);
    free(path);
    return rc;
}

/* ... and only then do they leave, which is on record. */

struct leave {
    const struct archive_head *head;
    uint8_t salt[AUDIT_SALT];
    int64_t now_us;
};

static enum mauth_rc
leave(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct leave *l = arg;
    const struct archive_known known = known_of(l->head);
    char name[ARCHIVE_NAME_MAX];
    const struct audit_record r = {.time_us = l->now_us,
        .actor = "meshauthd",
        .action = "audit.archive",
        .outcome = "done",
        .resources = {name},
        .resource_count = 1,
        .digest = l->head->sha256};
    enum mauth_rc rc;

    archive_name(l->head, name);
    rc = audit_leave(txn, l->head->first + l->head->count, err);
    if (rc == MAUTH_OK)
        rc = audit_segments_put(txn, name, &known, err);
    return rc ? rc : audit_append_record(txn, &r, l->salt, err);
}

static enum mauth_rc
archive(struct kv *kv, const struct look *l, struct mauth_err *err)
{
    char *dir = audit_segments_folder(kv);
    struct archive_head head;
    struct leave out = {.head = &head, .now_us = l->now_us};
    enum mauth_rc rc = mauth_random(out.salt, sizeof(out.salt), err);

    if (!dir)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    if (rc == MAUTH_OK)
        rc = write_segment(kv, l, dir, &head, err);
    if (rc == MAUTH_OK)
        rc = read_back(dir, &head, err);
    fault_point("archive.read-back");
    if (rc == MAUTH_OK)
        rc = kv_write(kv, leave, &out, err);
    fault_point("archive.left");
    free(dir);
    return rc;
}

static enum mauth_rc
drop_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_drop(txn, DROPPED, arg, err);
}

static enum mauth_rc
drop(struct kv *kv, struct audit_index *index, const struct look *l,
    struct mauth_err *err)
{
    size_t count = 0;
    enum mauth_rc rc;

    if (l->keep->dropping)
        l->keep->dropping(true, l->keep->arg);
    rc = kv_write(kv, drop_some, &count, err);
    if (l->keep->dropping)
        l->keep->dropping(false, l->keep->arg);
    fault_point("archive.dropped");
    if (rc == MAUTH_OK && count < DROPPED && index)
        audit_index_drop_before(index, l->first);
    return rc;
}

enum mauth_rc
audit_archive_step(struct kv *kv, struct audit_index *index,
    const struct audit_keep *keep, int64_t now_us, bool *more, struct mauth_err *err)
{
    struct look l = {.keep = keep, .now_us = now_us};
    enum mauth_rc rc = kv_read(kv, look, &l, err);

    *more = rc == MAUTH_OK && (l.leftovers || l.count);
    if (rc == MAUTH_OK && l.leftovers)
        rc = drop(kv, index, &l, err);
    else if (rc == MAUTH_OK && l.count)
        rc = archive(kv, &l, err);
    return rc;
}
