#include "store/audit_find.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"

enum {
    SCAN = 4096,      /* records of one read transaction, when all are looked through */
    CANDIDATES = 256, /* of the index, read in one */
    SPARE = 8,        /* more than are wanted: some may have been erased */
    READERS = 16,     /* threads that have them brought from the disk */
    EACH_MIN = 4,     /* records that are worth a thread */
    FEED = 2048       /* given to the index in one */
};

/* Records to be looked through, a transaction at a time: [from, to) of them. */
struct scan {
    const struct audit_filter *f;
    struct text needle; /* what each that fits must hold somewhere */
    uint64_t from, to;
    uint64_t left; /* how many are wanted still */
    bool stopped;
    audit_each *each;          /* either this gets them ... */
    struct audit_tally *tally; /* ... or this counts them */
    void *arg;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static enum mauth_rc
damaged(uint64_t sequence, struct mauth_err *err)
{
    return mauth_fail(
        err, MAUTH_UNAVAILABLE, "audit: record %" PRIu64 " is damaged", sequence);
}

/* A record that cannot be read is not passed over: who asks must know. */
static bool
look_at(const struct audit_stored *found, void *arg)
{
    struct scan *s = arg;
    struct audit_terms terms;

    if (found->erased || (s->needle.len && !memmem(found->json.p, found->json.len,
                                               s->needle.p, s->needle.len)))
        return true;
    if (!audit_terms_read(found->json, &terms) || terms.sequence != found->sequence) {
        s->rc = damaged(found->sequence, s->err);
        return false;
    }
    if (!audit_filter_fits(s->f, &terms))
        return true;
    if (s->tally) {
        s->rc = audit_tally_record(s->tally, &terms, s->err);
        return s->rc == MAUTH_OK;
    }
    s->left--;
    s->stopped = !s->each(found->sequence, found->json, s->arg) || !s->left;
    return !s->stopped;
}

static enum mauth_rc
scan_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct scan *s = arg;
    enum mauth_rc rc = audit_scan(
        txn, s->from, s->to, s->f->oldest_first ? KV_UP : KV_DOWN, look_at, s, err);

    return rc ? rc : s->rc;
}

/* The longest of the values: it spares reading most of those that do not fit. */
static struct text
needle_of(const struct audit_filter *f)
{
    struct text best = {"", 0};

    for (int i = 0; i < AUDIT_FIELDS; i++)
        if (f->value[i] && strlen(f->value[i]) > best.len)
            best = text_of(f->value[i]);
    return best;
}

/* Looks through [from, to) in the filter's order. */
static enum mauth_rc
scan(struct kv *kv, struct scan *s, uint64_t from, uint64_t to, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && from < to && !s->stopped) {
        uint64_t n = to - from < SCAN ? to - from : SCAN;

        s->from = s->f->oldest_first ? from : to - n;
        s->to = s->from + n;
        rc = kv_read(kv, scan_some, s, err);
        if (s->f->oldest_first)
            from += n;
        else
            to -= n;
    }
    return rc;
}

/* What the index has found, before it is looked at. */
struct candidates {
    uint64_t sequence[CANDIDATES];
    size_t count, want;
    struct scan *s;
};

static bool
collect(uint64_t sequence, void *arg)
{
    struct candidates *c = arg;

    c->sequence[c->count++] = sequence;
    return c->count < c->want;
}

/* A share of the candidates, to be brought into memory. */
struct share {
    struct kv *kv;
    const struct candidates *c;
    size_t first, step;
};

static enum mauth_rc
touch(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct share *s = arg;
    struct audit_stored found;

    (void)err; /* whoever looks at it then will tell */
    for (size_t i = s->first; i < s->c->count; i += s->step)
        (void)!audit_get(txn, s->c->sequence[i], &found, NULL);
    return MAUTH_OK;
}

static void *
run_reader(void *arg)
{
    struct share *s = arg;

    (void)!kv_read(s->kv, touch, s, NULL);
    return NULL;
}

/*
 * They lie all over the store, and a disk answers many at once as fast as one: what is
 * not in memory would be waited for page by page else. Nothing depends on it.
 */
static void
bring(struct kv *kv, const struct candidates *c)
{
    size_t readers = c->count / EACH_MIN < READERS ? c->count / EACH_MIN : READERS;
    struct share share[READERS];
    pthread_t thread[READERS];
    size_t n = 0;

    for (; n < readers; n++) {
        share[n] = (struct share){kv, c, n, readers};
        if (pthread_create(&thread[n], NULL, run_reader, &share[n]) != 0)
            break;
    }
    while (n)
        pthread_join(thread[--n], NULL);
}

static enum mauth_rc
look_at_candidates(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct candidates *c = arg;
    struct audit_stored found;
    enum mauth_rc rc;

    for (size_t i = 0; i < c->count && !c->s->stopped; i++) {
        rc = audit_get(txn, c->sequence[i], &found, err);
        if (rc == MAUTH_NOT_FOUND)
            continue; /* it left meanwhile */
        if (rc)
            return rc;
        if (!look_at(&found, c->s) && c->s->rc)
            return c->s->rc;
    }
    return MAUTH_OK;
}

static enum mauth_rc
ask_index(struct kv *kv, struct audit_index *x, struct scan *s, uint64_t from,
    uint64_t to, struct mauth_err *err)
{
    struct candidates c = {.s = s};
    enum mauth_rc rc = MAUTH_OK;

    do {
        c.count = 0;
        c.want = s->left + SPARE < CANDIDATES ? (size_t)s->left + SPARE : CANDIDATES;
        audit_index_find(x, s->f, from, to, collect, &c);
        bring(kv, &c);
        if (c.count)
            rc = kv_read(kv, look_at_candidates, &c, err);
        if (c.count && s->f->oldest_first)
            from = c.sequence[c.count - 1] + 1;
        else if (c.count)
            to = c.sequence[c.count - 1];
    } while (rc == MAUTH_OK && c.count == c.want && !s->stopped);
    return rc;
}

/* Three stretches: what is before the index, in it, and behind it. */
struct stretch {
    uint64_t from, to;
    bool indexed;
};

struct bounds {
    uint64_t first, next;
};

static enum mauth_rc
read_bounds(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct bounds *b = arg;

    return audit_bounds(txn, &b->first, &b->next, err);
}

static uint64_t
clamp(uint64_t v, uint64_t low, uint64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static enum mauth_rc
take_stretches(struct kv *kv, struct audit_index *x, const struct audit_filter *f,
    struct stretch out[3], struct mauth_err *err)
{
    uint64_t from = 0, to = 0;
    struct bounds b;
    enum mauth_rc rc = kv_read(kv, read_bounds, &b, err);

    if (rc)
        return rc;
    if (f->has_after && f->oldest_first)
        b.first = clamp(f->after + (f->after < UINT64_MAX), b.first, b.next);
    else if (f->has_after)
        b.next = clamp(f->after, b.first, b.next);
    if (x)
        audit_index_range(x, &from, &to);
    from = clamp(from, b.first, b.next);
    to = clamp(to, from, b.next);
    out[0] = (struct stretch){b.first, from, false};
    out[1] = (struct stretch){from, to, true};
    out[2] = (struct stretch){to, b.next, false};
    return MAUTH_OK;
}

enum mauth_rc
audit_find(struct kv *kv, struct audit_index *index, const struct audit_filter *f,
    audit_each *each, void *arg, struct mauth_err *err)
{
    struct scan s = {.f = f,
        .needle = needle_of(f),
        .left = f->limit ? f->limit : AUDIT_LIMIT_DEFAULT,
        .each = each,
        .arg = arg,
        .err = err};
    struct stretch stretch[3];
    enum mauth_rc rc = take_stretches(kv, index, f, stretch, err);

    for (size_t i = 0; i < 3 && rc == MAUTH_OK && !s.stopped; i++) {
        const struct stretch *t = &stretch[f->oldest_first ? i : 2 - i];

        if (t->from == t->to)
            continue;
        if (t->indexed)
            rc = ask_index(kv, index, &s, t->from, t->to, err);
        else
            rc = scan(kv, &s, t->from, t->to, err);
    }
    return rc;
}

enum mauth_rc
audit_count(struct kv *kv, struct audit_index *index, const struct audit_filter *f,
    struct audit_tally *t, struct mauth_err *err)
{
    struct audit_filter all = *f;
    struct scan s = {.f = &all, .needle = needle_of(f), .tally = t, .err = err};
    struct stretch stretch[3];
    enum mauth_rc rc;

    all.has_after = false;
    all.oldest_first = true;
    rc = take_stretches(kv, index, &all, stretch, err);
    for (size_t i = 0; i < 3 && rc == MAUTH_OK; i++)
        if (stretch[i].indexed)
            rc = index ? audit_index_count(
                             index, &all, stretch[i].from, stretch[i].to, t, err)
                       : MAUTH_OK;
        else
            rc = scan(kv, &s, stretch[i].from, stretch[i].to, err);
    if (rc == MAUTH_OK)
        audit_tally_sort(t);
    return rc;
}

struct label {
    const struct audit_tally *t;
    const struct tally_row *row;
    struct buf *out;
};

static enum mauth_rc
read_label(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct label *l = arg;
    struct audit_stored found;
    struct audit_terms terms;
    enum mauth_rc rc = audit_get(txn, l->row->sample, &found, err);

    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && found.erased)) {
        buf_str(l->out, "(erased)");
        return MAUTH_OK;
    }
    if (rc)
        return rc;
    if (!audit_terms_read(found.json, &terms))
        return damaged(found.sequence, err);
    buf_text(l->out, audit_tally_label(l->t, l->row, &terms));
    return MAUTH_OK;
}

enum mauth_rc
audit_count_label(struct kv *kv, const struct audit_tally *t,
    const struct tally_row *row, struct buf *out, struct mauth_err *err)
{
    struct label l = {t, row, out};
    char when[AUDIT_TIME_LEN + 1];

    if (!audit_by_span(t->by))
        return kv_read(kv, read_label, &l, err);
    audit_time_format((int64_t)row->kind, when);
    buf_put(out, when, AUDIT_TIME_LEN - 8); /* to the second */
    buf_u8(out, 'Z');
    return MAUTH_OK;
}

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
audit_find_open(
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
audit_index_step(
    struct kv *kv, struct audit_index *index, bool *more, struct mauth_err *err)
{
    struct feed f = {.index = index, .err = err};
    uint64_t first, next;
    struct bounds b;
    enum mauth_rc rc = kv_read(kv, read_bounds, &b, err);

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
