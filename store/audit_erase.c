#include "store/audit_erase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/terms.h"
#include "base/fail.h"
#include "base/fault.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/audit_archive.h"
#include "store/graph_record.h"

enum {
    CHUNK = 1 << 18, /* records of the store in one step */
    BATCH = 4096,    /* of one read transaction */
    ERASED = 256     /* of one that erases them */
};

/* The request, in the store. */

static enum mauth_rc
put(struct kv_txn *txn, const struct audit_erasure *e, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, e->end);
    buf_u64(&b, e->segments);
    buf_u64(&b, e->at);
    buf_u64(&b, e->erased);
    buf_u64(&b, e->missing);
    return record_save(txn, SPACE_AUDIT_ERASURE, e->user.b, ID_BYTES, &b, err);
}

static enum mauth_rc
load(struct kv_txn *txn, const struct id *user, struct audit_erasure *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    *out = (struct audit_erasure){.user = *user};
    rc = record_load(txn, SPACE_AUDIT_ERASURE, user->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->end = reader_u64(&r);
    out->segments = reader_u64(&r);
    out->at = reader_u64(&r);
    out->erased = reader_u64(&r);
    out->missing = reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("erasure", err);
}

enum mauth_rc
audit_erase_begin(struct kv_txn *txn, const struct id *user, struct mauth_err *err)
{
    struct audit_erasure e;
    uint64_t first;
    enum mauth_rc rc = load(txn, user, &e, err);

    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "The records are being erased already.");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = audit_bounds(txn, &first, &e.end, err);
    return rc ? rc : put(txn, &e, err);
}

enum mauth_rc
audit_erase_next(struct kv_txn *txn, const struct id *after, struct audit_erasure *out,
    struct mauth_err *err)
{
    struct store_key prefix;
    struct graph_ids ids;
    enum mauth_rc rc;

    store_key(&prefix, SPACE_AUDIT_ERASURE, NULL, 0);
    rc = record_page(txn, &prefix, after, &ids, err);
    if (rc)
        return rc;
    return ids.count ? load(txn, &ids.ids[0], out, err) : MAUTH_NOT_FOUND;
}

/* What there is to do. */

struct work {
    struct audit_erasure *e;
    char user[ID_LEN + 1];
    bool found;     /* there is one */
    uint64_t first; /* that is in the store */
    bool leftovers; /* what has left lies in the store still, as well */
    /* Those of a chunk that are about the user, ascending. */
    uint64_t *sequence;
    size_t count, cap;
    uint64_t from, to; /* of one transaction */
    size_t done;
    enum mauth_rc rc;
    struct mauth_err *err;
};

/*
 * What he did, and what others did to him or asked about him and got. What others were
 * refused stays theirs, or they could hide it behind him (but what a service denied is
 * what it denied to him, though the service has handed it in); and that this was asked
 * for, and done, stays on record.
 */
static bool
is_about(struct work *w, struct text json)
{
    const struct text user = {w->user, ID_LEN};
    struct audit_terms terms;
    bool own;

    if (!memmem(json.p, json.len, w->user, ID_LEN) || !audit_terms_read(json, &terms) ||
        !audit_terms_have(&terms, AUDIT_USER, user))
        return false;
    own = audit_terms_have(&terms, AUDIT_ACTOR, user);
    if (!own && audit_terms_have(&terms, AUDIT_OUTCOME, text_of("deny")) &&
        !audit_terms_have(&terms, AUDIT_ACTION, text_of("decision")))
        return false;
    return own ||
           !(audit_terms_have(&terms, AUDIT_ACTION, text_of(AUDIT_ERASE_ACTION)) ||
               audit_terms_have(&terms, AUDIT_ACTION, text_of(AUDIT_ERASED_ACTION)));
}

static bool
note_leftover(const struct audit_stored *found, void *arg)
{
    (void)found;
    *(bool *)arg = true;
    return false;
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct work *w = arg;
    enum mauth_rc rc = audit_erase_next(txn, NULL, w->e, err);
    uint64_t next;

    w->found = rc == MAUTH_OK;
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc == MAUTH_OK)
        rc = audit_bounds(txn, &w->first, &next, err);
    if (rc == MAUTH_OK && w->first)
        rc = audit_scan(txn, 0, w->first, KV_UP, note_leftover, &w->leftovers, err);
    return rc;
}

static enum mauth_rc
put_progress(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return put(txn, arg, err);
}

/* In the archive: a segment that has such records is written anew, under its name. */

struct rewriting {
    struct work *w;
    struct archive_writer *out;
    uint64_t erased; /* how many are to be, or were */
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
count_one(const struct archive_record *r, void *arg)
{
    struct rewriting *re = arg;

    re->erased += !r->erased && is_about(re->w, r->json);
    return true;
}

static bool
copy_one(const struct archive_record *r, void *arg)
{
    struct rewriting *re = arg;
    struct archive_record copy = *r;
    uint8_t digest[HASH_LEN];

    if (!copy.erased && is_about(re->w, copy.json) && !archive_erase(&copy, digest))
        re->rc = mauth_fail(re->err, MAUTH_MALFORMED,
            "audit: record %" PRIu64 " is damaged", r->sequence);
    else
        re->rc = archive_writer_add(re->out, &copy, re->err);
    return re->rc == MAUTH_OK;
}

struct replacing {
    const char *name;
    struct archive_known known;
};

static enum mauth_rc
put_known(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct replacing *r = arg;

    return audit_segments_put(txn, r->name, &r->known, err);
}

static enum mauth_rc
make_known(struct kv *kv, const char *name, const uint8_t now[HASH_LEN],
    const uint8_t next[HASH_LEN], struct mauth_err *err)
{
    struct replacing r = {.name = name, .known = {.count = next ? 2 : 1}};

    memcpy(r.known.sha256[0], now, HASH_LEN);
    if (next)
        memcpy(r.known.sha256[1], next, HASH_LEN);
    return kv_write(kv, put_known, &r, err);
}

/* Whatever interrupts it: the file that is there is one of those that are known. */
static enum mauth_rc
replace(struct kv *kv, const struct audit_segment *segment,
    const struct archive_head *head, struct archive_writer *w, struct mauth_err *err)
{
    struct archive_head made;
    enum mauth_rc rc = archive_writer_end(w, &made, err);

    if (rc == MAUTH_OK)
        rc = make_known(kv, segment->name, head->sha256, made.sha256, err);
    if (rc == MAUTH_OK)
        rc = archive_writer_name(w, &made, err);
    return rc ? rc : make_known(kv, segment->name, made.sha256, NULL, err);
}

static enum mauth_rc
rewrite(struct kv *kv, struct work *w, const struct audit_segment *segment,
    const struct archive_head *head, struct mauth_err *err)
{
    struct rewriting re = {.w = w, .err = err};
    char *dir = audit_segments_folder(kv);
    enum mauth_rc rc;

    if (!dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = archive_writer_new(dir, head->first, &re.out, err);
    if (rc == MAUTH_OK)
        rc = archive_read(segment->path, &segment->known, copy_one, &re, NULL, err);
    if (rc == MAUTH_OK)
        rc = re.rc;
    if (rc == MAUTH_OK)
        rc = replace(kv, segment, head, re.out, err);
    archive_writer_free(re.out);
    free(dir);
    return rc;
}

/* One that is not there cannot be looked at: that goes on record. */
static enum mauth_rc
erase_in_segment(struct kv *kv, struct work *w, const struct audit_segment *segment,
    struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct rewriting re = {.w = w};
    struct archive_head head;
    enum mauth_rc rc =
        archive_read(segment->path, &segment->known, count_one, &re, &head, &why);

    if (rc == MAUTH_NOT_FOUND) {
        w->e->missing++;
        return MAUTH_OK;
    }
    if (rc)
        return mauth_fail(err, rc, "%s", why.text);
    if (re.erased)
        rc = rewrite(kv, w, segment, &head, err);
    else if (segment->known.count > 1) /* a run before this one has done it */
        rc = make_known(kv, segment->name, head.sha256, NULL, err);
    w->e->erased += rc ? 0 : re.erased;
    return rc;
}

/* *none: all of them have been looked at. */
static enum mauth_rc
erase_in_archive(struct kv *kv, struct work *w, bool *none, struct mauth_err *err)
{
    struct audit_segments all;
    enum mauth_rc rc = audit_segments_read(kv, &all, err);

    *none = w->e->segments >= all.count;
    if (rc == MAUTH_OK && !*none)
        rc = erase_in_segment(kv, w, &all.item[w->e->segments], err);
    audit_segments_clear(&all);
    fault_point("erase.segment");
    w->e->segments++;
    return rc || *none ? rc : kv_write(kv, put_progress, w->e, err);
}

/* In the store: the index forgets them first, for then nobody could tell any more which. */

static bool
note(const struct audit_stored *found, void *arg)
{
    struct work *w = arg;

    if (found->erased || !is_about(w, found->json))
        return true;
    if (w->count == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 256;
        uint64_t *grown = realloc(w->sequence, cap * sizeof(*grown));

        if (!grown) {
            w->rc = mauth_fail(w->err, MAUTH_NO_MEMORY, "audit: no memory");
            return false;
        }
        w->sequence = grown;
        w->cap = cap;
    }
    w->sequence[w->count++] = found->sequence;
    return true;
}

static enum mauth_rc
note_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct work *w = arg;
    enum mauth_rc rc = audit_scan(txn, w->from, w->to, KV_UP, note, w, err);

    return rc ? rc : w->rc;
}

static enum mauth_rc
erase_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct work *w = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = w->done; i < w->count && i < w->done + ERASED && !rc; i++)
        rc = audit_erase(txn, w->sequence[i], err);
    return rc;
}

static enum mauth_rc
erase_in_store(
    struct kv *kv, struct audit_index *index, struct work *w, struct mauth_err *err)
{
    uint64_t at = w->e->at < w->first ? w->first : w->e->at;
    uint64_t end =
        w->e->end < at / CHUNK * CHUNK + CHUNK ? w->e->end : at / CHUNK * CHUNK + CHUNK;
    enum mauth_rc rc = MAUTH_OK;

    for (w->from = at; w->from < end && rc == MAUTH_OK; w->from = w->to) {
        w->to = end - w->from < BATCH ? end : w->from + BATCH;
        rc = kv_read(kv, note_some, w, err);
    }
    if (rc == MAUTH_OK && index && w->count)
        rc = audit_index_forget(index, w->sequence, w->count, err);
    fault_point("erase.forgotten");
    for (; rc == MAUTH_OK && w->done < w->count; w->done += ERASED) {
        rc = kv_write(kv, erase_some, w, err);
        fault_point("erase.some");
    }
    if (rc)
        return rc;
    w->e->erased += w->count;
    w->e->at = end;
    return kv_write(kv, put_progress, w->e, err);
}

struct ending {
    const struct work *w;
    uint8_t salt[AUDIT_SALT];
};

static enum mauth_rc
end(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct ending *ending = arg;
    const struct audit_erasure *e = ending->w->e;
    char note[96];
    const struct audit_record r = {.time_us = time_now_us(),
        .actor = "meshauthd",
        .action = AUDIT_ERASED_ACTION,
        .outcome = "done",
        .resources = {ending->w->user},
        .resource_count = 1,
        .note = e->missing ? note : NULL,
        .count = e->erased};
    struct store_key key;
    enum mauth_rc rc;

    snprintf(
        note, sizeof(note), "%" PRIu64 " segments were not in the archive", e->missing);
    store_key(&key, SPACE_AUDIT_ERASURE, e->user.b, ID_BYTES);
    rc = kv_delete(txn, store_key_text(&key), err);
    return rc ? rc : audit_append_record(txn, &r, ending->salt, err);
}

static enum mauth_rc
finish(struct kv *kv, const struct work *w, struct mauth_err *err)
{
    struct ending ending = {.w = w};
    enum mauth_rc rc = mauth_random(ending.salt, sizeof(ending.salt), err);

    return rc ? rc : kv_write(kv, end, &ending, err);
}

enum mauth_rc
audit_erase_step(struct kv *kv, struct audit_index *index, struct audit_erasure *out,
    bool *more, struct mauth_err *err)
{
    struct work w = {.e = out, .err = err};
    bool none = true;
    enum mauth_rc rc = kv_read(kv, look, &w, err);

    *more = rc == MAUTH_OK && w.found;
    if (!*more || w.leftovers)
        return rc;
    id_format(ID_USER, &out->user, w.user);
    if (!out->at)
        rc = erase_in_archive(kv, &w, &none, err);
    if (rc == MAUTH_OK && none && out->at < out->end)
        rc = erase_in_store(kv, index, &w, err);
    else if (rc == MAUTH_OK && none)
        rc = finish(kv, &w, err);
    free(w.sequence);
    return rc;
}
