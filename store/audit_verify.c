#include "store/audit_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/proof.h"
#include "audit/terms.h"
#include "base/fail.h"
#include "store/audit_archive.h"
#include "store/audit_gaps.h"

enum {
    BATCH = 4096 /* records of one read transaction */
};

struct walk {
    const struct audit_verify_options *o;
    struct audit_verdict *v;
    struct kv_txn *txn;
    uint64_t first; /* that is in the store */
    uint64_t from, to;
    struct audit_gaps gaps;
    uint64_t erased; /* each of them once */
    struct mauth_err *err;
    enum mauth_rc rc;
};

static bool find_fault(struct audit_verdict *v, enum audit_fault fault, uint64_t at,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Notes the first fault; false, for callers to hand on. */
static bool
find_fault(struct audit_verdict *v, enum audit_fault fault, uint64_t at,
    const char *format, ...)
{
    va_list args;

    if (v->fault)
        return false;
    v->fault = fault;
    v->at = at;
    va_start(args, format);
    vsnprintf(v->where, sizeof(v->where), format, args);
    va_end(args);
    return false;
}

/* The node that the walk has come to is the one that is stored? */
static enum mauth_rc
compare_node(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    struct walk *w = arg;
    uint8_t stored[HASH_LEN];
    uint64_t last = ((index + 1) << level) - 1;
    enum mauth_rc rc = audit_node(w->txn, level, index, stored, err);

    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND && rc != MAUTH_UNAVAILABLE)
        return rc;
    mauth_err_reset(err);
    if (rc != MAUTH_OK || memcmp(stored, hash, HASH_LEN) != 0) {
        if (level)
            find_fault(w->v, AUDIT_TREE, last,
                "The tree above record %" PRIu64 " is not of its leaves.", last);
        else
            find_fault(w->v, AUDIT_ALTERED, index,
                "Record %" PRIu64 " is not the one that was appended.", index);
    }
    return MAUTH_OK;
}

/* What others have seen of the tree as it was now. */
static enum mauth_rc
compare_seen(struct walk *w)
{
    uint8_t root[HASH_LEN];

    for (size_t i = 0; i < w->o->seen_count; i++) {
        const struct audit_seen *s = &w->o->seen[i];
        enum mauth_rc rc;

        if (s->at.size != w->v->tree.size)
            continue;
        rc = merkle_root(&w->v->tree, root, w->err);
        if (rc)
            return rc;
        if (memcmp(root, s->at.root, HASH_LEN) != 0)
            find_fault(w->v, AUDIT_FORKED, s->at.size,
                "The first %" PRIu64 " records are not those of the checkpoint in %s.",
                s->at.size, s->by);
    }
    return MAUTH_OK;
}

/* The next leaf of the tree. */
static bool
take_leaf(struct walk *w, const uint8_t leaf[HASH_LEN])
{
    w->rc = merkle_append(&w->v->tree, leaf, compare_node, w, w->err);
    if (w->rc == MAUTH_OK && !w->v->fault)
        w->rc = compare_seen(w);
    return w->rc == MAUTH_OK && !w->v->fault;
}

/* Records without a place in the store: fine before the first one, else missing. */
static bool
pass_over(struct walk *w, uint64_t next)
{
    uint8_t leaf[HASH_LEN];

    while (w->v->tree.size < next) {
        uint64_t at = w->v->tree.size;

        if (at >= w->first)
            return find_fault(
                w->v, AUDIT_MISSING, at, "Record %" PRIu64 " is missing.", at);
        if (audit_node(w->txn, 0, at, leaf, NULL) != MAUTH_OK)
            return find_fault(
                w->v, AUDIT_TREE, at, "The leaf of record %" PRIu64 " is missing.", at);
        if (!take_leaf(w, leaf))
            return false;
    }
    return true;
}

/* The record says itself which one it is: none can take the place of another. */
static bool
is_itself(const struct audit_stored *found)
{
    struct audit_terms terms;

    return audit_terms_read(found->json, &terms) && terms.sequence == found->sequence;
}

static bool
take_record(const struct audit_stored *found, void *arg)
{
    struct walk *w = arg;
    uint8_t leaf[HASH_LEN];

    if (!pass_over(w, found->sequence))
        return false;
    if (found->erased) {
        w->v->erased++;
        w->erased +=
            found->sequence >= w->first; /* else it is in the archive as well */
        if (audit_node(w->txn, 0, found->sequence, leaf, NULL) != MAUTH_OK)
            return find_fault(w->v, AUDIT_TREE, found->sequence,
                "The leaf of record %" PRIu64 " is missing.", found->sequence);
        return take_leaf(w, leaf);
    }
    w->v->records++;
    audit_gaps_note(&w->gaps, found->json);
    w->rc = audit_leaf(found->salt, found->json, leaf, w->err);
    if (w->rc)
        return false;
    if (!is_itself(found))
        return find_fault(w->v, AUDIT_ALTERED, found->sequence,
            "In the place of record %" PRIu64 " stands another one.", found->sequence);
    return take_leaf(w, leaf);
}

static enum mauth_rc
walk_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct walk *w = arg;
    enum mauth_rc rc;
    uint64_t next;

    w->txn = txn;
    rc = audit_bounds(txn, &w->first, &next, err);
    if (rc == MAUTH_OK)
        rc = audit_scan(txn, w->from, w->to, KV_UP, take_record, w, err);
    if (rc == MAUTH_UNAVAILABLE) { /* a record that is not even of its form */
        uint64_t at = w->v->tree.size;

        mauth_err_reset(err);
        find_fault(w->v, AUDIT_ALTERED, at, "Record %" PRIu64 " is damaged.", at);
        return MAUTH_OK;
    }
    if (rc == MAUTH_OK && w->rc == MAUTH_OK && !w->v->fault)
        (void)pass_over(w, w->to);
    return rc ? rc : w->rc;
}

struct ends {
    struct audit_head head;
    uint64_t from;
    struct merkle tree; /* of the records before from */
    bool stray;         /* there is a record behind the head */
};

static bool
note_stray(const struct audit_stored *found, void *arg)
{
    (void)found;
    *(bool *)arg = true;
    return false;
}

static enum mauth_rc
node_of(unsigned level, uint64_t index, uint8_t out[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    return audit_node(arg, level, index, out, err);
}

static enum mauth_rc
read_ends(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct ends *e = arg;
    enum mauth_rc rc = audit_head(txn, &e->head, err);

    if (rc == MAUTH_OK)
        rc = audit_scan(
            txn, e->head.size, UINT64_MAX, KV_UP, note_stray, &e->stray, err);
    if (rc == MAUTH_OK && e->from && e->from <= e->head.size &&
        proof_tree(e->from, node_of, txn, &e->tree, NULL) != MAUTH_OK)
        memset(&e->tree, 0, sizeof(e->tree)); /* no tree that anybody has seen */
    return rc;
}

/* What can be said before any record is looked at. */
static enum mauth_rc
look_at_ends(const struct audit_verify_options *o, const struct ends *e,
    struct audit_verdict *v, struct mauth_err *err)
{
    uint64_t size = e->head.size;
    uint8_t root[HASH_LEN];
    enum mauth_rc rc;

    if (e->stray)
        find_fault(v, AUDIT_STRAY, size,
            "Record %" PRIu64 " stands behind the end of the tree.", size);
    for (size_t i = 0; i < o->seen_count; i++)
        if (o->seen[i].at.size > size)
            find_fault(v, AUDIT_TRUNCATED, o->seen[i].at.size,
                "There are %" PRIu64 " records; the checkpoint in %s has %" PRIu64 ".",
                size, o->seen[i].by, o->seen[i].at.size);
    if (o->from.size > size)
        find_fault(v, AUDIT_TRUNCATED, o->from.size,
            "There are %" PRIu64 " records; %" PRIu64 " were verified before.", size,
            o->from.size);
    if (v->fault || !o->from.size)
        return MAUTH_OK;
    rc = merkle_root(&e->tree, root, err);
    if (rc == MAUTH_OK && memcmp(root, o->from.root, HASH_LEN) != 0)
        find_fault(v, AUDIT_FORKED, o->from.size,
            "The first %" PRIu64 " records are not those that were verified before.",
            o->from.size);
    return rc;
}

static bool
count_archived(const struct archive_record *r, void *arg)
{
    struct walk *w = arg;

    w->v->archived++;
    w->v->erased += r->erased;
    w->erased += r->erased;
    if (!r->erased)
        audit_gaps_note(&w->gaps, r->json);
    return false;
}

static bool
take_none(uint64_t sequence, struct text json, void *arg)
{
    (void)sequence;
    (void)json;
    (void)arg;
    return false;
}

/* What has left, from a record on: each must be the one of its leaf. */
static enum mauth_rc
look_at_archive(struct kv *kv, struct walk *w, uint64_t first, struct mauth_err *err)
{
    uint64_t from = w->o->from.size, missing;
    struct audit_archive_ask ask = {.from = from,
        .to = first,
        .wants = count_archived,
        .each = take_none,
        .arg = w};
    struct audit_verdict *v = w->v;
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (first <= from)
        return MAUTH_OK;
    v->left = first - from;
    rc = audit_archive_scan(kv, &ask, &missing, &why);
    if (rc == MAUTH_MALFORMED) {
        find_fault(v, AUDIT_ARCHIVE, from + v->archived, "%s.", why.text);
        return MAUTH_OK;
    }
    return rc ? mauth_fail(err, rc, "%s", why.text) : MAUTH_OK;
}

/* What is gone, in the whole log: does it tell of that? */
static enum mauth_rc
look_for_gaps(struct kv *kv, struct walk *w, struct mauth_err *err)
{
    struct audit_verdict *v = w->v;
    struct audit_range there;
    struct audit_gap gap;
    enum mauth_rc rc = audit_range(kv, &there, err);

    if (rc == MAUTH_OK)
        rc = look_at_archive(kv, w, there.first, err);
    if (rc != MAUTH_OK || v->fault || w->o->from.size)
        return rc;
    rc =
        audit_gaps_check(kv, &w->gaps, there.first, w->erased, v->head.size, &gap, err);
    if (rc == MAUTH_OK && gap.where[0])
        find_fault(v, AUDIT_MISSING, gap.at, "%s", gap.where);
    return rc;
}

enum mauth_rc
audit_verify(struct kv *kv, const struct audit_verify_options *o,
    struct audit_verdict *out, struct mauth_err *err)
{
    struct walk w = {.o = o, .v = out, .err = err};
    struct ends e = {.from = o->from.size};
    uint8_t root[HASH_LEN];
    enum mauth_rc rc = audit_gaps_open(kv, &w.gaps, err);

    memset(out, 0, sizeof(*out));
    if (rc == MAUTH_OK)
        rc = kv_read(kv, read_ends, &e, err);
    if (rc == MAUTH_OK)
        rc = look_at_ends(o, &e, out, err);
    out->tree = e.tree;
    out->head.size = e.head.size;
    memcpy(out->head.root, e.head.root, HASH_LEN);
    while (rc == MAUTH_OK && !out->fault && out->tree.size < e.head.size) {
        w.from = out->tree.size;
        w.to = e.head.size - w.from < BATCH ? e.head.size : w.from + BATCH;
        rc = kv_read(kv, walk_some, &w, err);
        if (o->progress)
            o->progress(out->tree.size, e.head.size, o->arg);
    }
    if (rc == MAUTH_OK && !out->fault)
        rc = merkle_root(&out->tree, root, err);
    if (rc == MAUTH_OK && !out->fault && memcmp(root, e.head.root, HASH_LEN) != 0)
        find_fault(out, AUDIT_TREE, e.head.size,
            "The root of the tree is not of its %" PRIu64 " leaves.", e.head.size);
    if (rc == MAUTH_OK && !out->fault)
        rc = look_for_gaps(kv, &w, err);
    audit_gaps_clear(&w.gaps);
    return rc;
}
