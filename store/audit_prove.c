#include "store/audit_prove.h"

#include <string.h>

#include "audit/terms.h"
#include "base/fail.h"
#include "base/str.h"
#include "store/audit_archive.h"

enum {
    BATCH = 4096
};

struct search {
    struct text ticket;
    uint64_t from, to;
    struct audit_evidence *out;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
is_about(const struct audit_stored *found, struct text ticket)
{
    struct audit_terms terms;

    if (found->erased)
        return text_equal(found->ticket, ticket);
    return memmem(found->json.p, found->json.len, ticket.p, ticket.len) &&
           audit_terms_read(found->json, &terms) && terms.sequence == found->sequence &&
           audit_terms_have(&terms, AUDIT_TICKET, ticket) &&
           audit_terms_are_of_issue(&terms);
}

/* The first record of a ticket is the one of its issue. */
static bool
look_at(const struct audit_stored *found, void *arg)
{
    struct search *s = arg;

    if (!is_about(found, s->ticket))
        return true;
    s->out->found = true;
    s->out->erased = found->erased;
    s->out->sequence = found->sequence;
    if (found->erased) {
        if (found->digest.len == HASH_LEN)
            memcpy(s->out->digest, found->digest.p, HASH_LEN);
        return false;
    }
    buf_text(&s->out->json, found->json);
    s->rc = audit_leaf(found->salt, found->json, s->out->leaf, s->err);
    return false;
}

static enum mauth_rc
search_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct search *s = arg;
    enum mauth_rc rc = audit_scan(txn, s->from, s->to, KV_UP, look_at, s, err);

    return rc ? rc : s->rc;
}

/* What has left comes first: the record of the issue is the oldest of a ticket's. */

static bool
look_at_archived(const struct archive_record *r, void *arg)
{
    const struct audit_stored record = {.sequence = r->sequence,
        .erased = r->erased,
        .salt = r->salt,
        .json = r->json,
        .time_us = r->time_us,
        .ticket = r->ticket,
        .digest = r->digest};
    struct search *s = arg;

    return !look_at(&record, s);
}

static bool
stop(uint64_t sequence, struct text json, void *arg)
{
    (void)sequence;
    (void)json;
    (void)arg;
    return false;
}

static enum mauth_rc
search_archive(
    struct kv *kv, struct search *s, uint64_t from, uint64_t to, struct mauth_err *err)
{
    struct audit_archive_ask ask = {
        .from = from, .to = to, .wants = look_at_archived, .each = stop, .arg = s};
    uint64_t missing = 0;
    enum mauth_rc rc =
        from < to ? audit_archive_scan(kv, &ask, &missing, err) : MAUTH_OK;

    s->out->unseen += missing;
    return rc ? rc : s->rc;
}

static enum mauth_rc
search_store(struct kv *kv, struct search *s,
    void (*progress)(uint64_t done, uint64_t of, void *arg), void *arg,
    struct mauth_err *err)
{
    uint64_t size = s->out->head.size;
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && !s->out->found && s->from < size) {
        s->to = size - s->from < BATCH ? size : s->from + BATCH;
        rc = kv_read(kv, search_some, s, err);
        s->from = s->to;
        if (progress)
            progress(s->to, size, arg);
    }
    return rc;
}

static enum mauth_rc
read_head(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_evidence *e = arg;
    struct audit_head head;
    enum mauth_rc rc = audit_head(txn, &head, err);

    e->head.size = head.size;
    memcpy(e->head.root, head.root, HASH_LEN);
    return rc;
}

static enum mauth_rc
node_of(unsigned level, uint64_t index, uint8_t out[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    return audit_node(arg, level, index, out, err);
}

static enum mauth_rc
make_proof(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_evidence *e = arg;
    enum mauth_rc rc = MAUTH_OK;

    if (e->erased)
        rc = audit_node(txn, 0, e->sequence, e->leaf, err);
    return rc ? rc
              : proof_of_leaf(e->sequence, e->head.size, node_of, txn, &e->proof, err);
}

enum mauth_rc
audit_prove(struct kv *kv, const char *ticket,
    void (*progress)(uint64_t done, uint64_t of, void *arg), void *arg,
    struct audit_evidence *out, struct mauth_err *err)
{
    struct search s = {.ticket = text_of(ticket), .out = out, .err = err};
    struct audit_range there = {0, 0}, later = {0, 0};
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&out->json);
    rc = audit_range(kv, &there, err);
    if (rc == MAUTH_OK)
        rc = kv_read(kv, read_head, out, err);
    if (rc == MAUTH_OK)
        rc = search_archive(kv, &s, 0, there.first, err);
    s.from = there.first;
    if (rc == MAUTH_OK)
        rc = search_store(kv, &s, progress, arg, err);
    if (rc == MAUTH_OK && !out->found)
        rc = audit_range(kv, &later, err);
    if (rc == MAUTH_OK && !out->found) /* what left meanwhile may not have been seen */
        rc = search_archive(kv, &s, there.first, later.first, err);
    if (rc != MAUTH_OK || !out->found)
        return rc;
    rc = kv_read(kv, make_proof, out, err);
    if (rc == MAUTH_OK)
        rc = proof_check_leaf(
            out->leaf, out->sequence, out->head.size, out->head.root, &out->proof, err);
    return rc;
}
