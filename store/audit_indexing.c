#include "store/audit_indexing.h"

#include <stdlib.h>
#include <string.h>

#include "audit/terms.h"
#include "base/fail.h"
#include "base/file.h"
#include "store/audit.h"

enum {
    FEED = 2048 /* records of one read transaction */
};

/* What a file is known by: the leaf of its last record. */
static enum mauth_rc
read_mark(struct kv_txn *txn, uint64_t sequence, uint64_t *out, struct mauth_err *err)
{
    uint8_t leaf[HASH_LEN];
    enum mauth_rc rc = audit_node(txn, 0, sequence, leaf, err);

    if (rc == MAUTH_OK)
        memcpy(out, leaf, sizeof(*out));
    return rc;
}

static bool
is_mark(uint64_t sequence, uint64_t mark, void *arg)
{
    uint64_t there;

    return read_mark(arg, sequence, &there, NULL) == MAUTH_OK && there == mark;
}

static enum mauth_rc
check_marks(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)err;
    audit_index_check(arg, is_mark, txn);
    return MAUTH_OK;
}

enum mauth_rc
audit_indexing_open(
    struct kv *kv, bool read_only, struct audit_index **out, struct mauth_err *err)
{
    char *dir = file_join(kv_folder(kv), "audit-index");
    enum mauth_rc rc;

    *out = NULL;
    if (!dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = audit_index_open(dir, read_only, out, err);
    free(dir);
    return rc ? rc : kv_read(kv, check_marks, *out, err);
}

/* Records for one file of the index. */
struct feed {
    struct audit_index *index;
    struct run_draft *draft;
    uint64_t from, to; /* of one transaction */
    enum mauth_rc rc;
    struct mauth_err *err;
};

/* The numbers up to this one have no record: it left the store before it was indexed. */
static enum mauth_rc
pass_over(struct feed *f, uint64_t sequence)
{
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && f->draft->first + f->draft->count < sequence)
        rc = run_draft_add(f->draft, audit_index_key(f->index), 0, NULL, f->err);
    return rc;
}

static bool
feed_one(const struct audit_stored *found, void *arg)
{
    struct feed *f = arg;
    struct audit_terms terms;
    int64_t time_us = found->time_us;

    f->rc = pass_over(f, found->sequence);
    if (f->rc == MAUTH_OK && !found->erased) {
        /* One that is damaged is found by nothing: `audit verify` tells of it. */
        if (!audit_terms_read(found->json, &terms))
            terms.count = 0;
        time_us = terms.time_us;
    }
    if (f->rc == MAUTH_OK)
        f->rc = run_draft_add(f->draft, audit_index_key(f->index), time_us,
            found->erased ? NULL : &terms, f->err);
    return f->rc == MAUTH_OK;
}

static enum mauth_rc
feed_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct feed *f = arg;
    enum mauth_rc rc = audit_scan(txn, f->from, f->to, KV_UP, feed_one, f, err);

    return rc ? rc : f->rc;
}

static enum mauth_rc
mark_draft(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct feed *f = arg;

    return read_mark(txn, f->draft->first + INDEX_STEP - 1, &f->draft->mark, err);
}

static enum mauth_rc
feed(struct kv *kv, struct feed *f, uint64_t first, struct mauth_err *err)
{
    enum mauth_rc rc = run_draft_new(first, &f->draft, err);

    for (uint64_t at = first; at < first + INDEX_STEP && rc == MAUTH_OK; at += FEED) {
        f->from = at;
        f->to = at + FEED;
        rc = kv_read(kv, feed_some, f, err);
    }
    if (rc == MAUTH_OK)
        rc = pass_over(f, first + INDEX_STEP);
    return rc ? rc : kv_read(kv, mark_draft, f, err);
}

enum mauth_rc
audit_indexing_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err)
{
    struct feed f = {.index = index, .err = err};
    uint64_t first, next;
    struct audit_range b;
    enum mauth_rc rc = audit_range(kv, &b, err);

    *more = false;
    if (rc)
        return rc;
    audit_index_range(index, &first, &next);
    if (!next)
        next = b.first / INDEX_STEP * INDEX_STEP;
    if (next + INDEX_STEP > b.next)
        return MAUTH_OK;
    *more = true;
    rc = feed(kv, &f, next, err);
    if (rc) {
        run_draft_free(f.draft);
        return rc;
    }
    return audit_index_add(index, f.draft, err);
}
