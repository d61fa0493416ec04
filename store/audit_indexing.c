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

/* Records for the index. */
struct feed {
    struct audit_index *index;
    uint64_t from, to; /* of one transaction */
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
feed_one(const struct audit_stored *found, void *arg)
{
    struct feed *f = arg;
    struct audit_terms terms;
    int64_t time_us = found->time_us;

    if (!found->erased) {
        /* One that is damaged is found by nothing: `audit verify` tells of it. */
        if (!audit_terms_read(found->json, &terms))
            terms.count = 0;
        time_us = terms.time_us;
    }
    f->rc = audit_index_note(
        f->index, found->sequence, time_us, found->erased ? NULL : &terms, f->err);
    return f->rc == MAUTH_OK && !audit_index_is_due(f->index);
}

static enum mauth_rc
feed_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct feed *f = arg;
    enum mauth_rc rc = audit_scan(txn, f->from, f->to, KV_UP, feed_one, f, err);

    return rc ? rc : f->rc;
}

struct mark {
    uint64_t sequence, mark;
};

static enum mauth_rc
take_mark(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct mark *m = arg;

    return read_mark(txn, m->sequence, &m->mark, err);
}

static enum mauth_rc
write_file(struct kv *kv, struct audit_index *index, struct mauth_err *err)
{
    struct mark m;
    uint64_t first, next;
    enum mauth_rc rc;

    audit_index_range(index, &first, &next);
    m.sequence = next - 1;
    rc = kv_read(kv, take_mark, &m, err);
    return rc ? rc : audit_index_write(index, m.mark, err);
}

enum mauth_rc
audit_indexing_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err)
{
    struct feed f = {.index = index, .err = err};
    struct audit_range there;
    uint64_t first, next;
    enum mauth_rc rc = audit_range(kv, &there, err);

    *more = false;
    if (rc)
        return rc;
    audit_index_drop_before(index, there.first);
    audit_index_range(index, &first, &next);
    f.from = next > there.first ? next : there.first;
    f.to = there.next - f.from < FEED ? there.next : f.from + FEED;
    if (f.from >= there.next)
        return MAUTH_OK;
    rc = kv_read(kv, feed_some, &f, err);
    if (rc == MAUTH_OK) /* also where the last of them are missing */
        rc = audit_index_pass(index, f.to, err);
    if (rc == MAUTH_OK && audit_index_is_due(index))
        rc = write_file(kv, index, err);
    *more = rc == MAUTH_OK && f.to < there.next;
    return rc;
}
