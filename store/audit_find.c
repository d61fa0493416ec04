#include "store/audit_find.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/audit_archive.h"

enum {
    SCAN = 4096,      /* records of one read transaction, when all are looked through */
    CANDIDATES = 256, /* of the index, read in one */
    SPARE = 8,        /* more than are wanted: some may have been erased */
    READERS = 16,     /* threads that have them brought from the disk */
    EACH_MIN = 4      /* records that are worth a thread */
};

/* Records to be looked through, a transaction at a time: [from, to) of them. */
struct scan {
    const struct audit_filter *f;
    struct text needle; /* what each that fits must hold somewhere */
    uint64_t from, to;
    uint64_t left; /* how many are wanted still */
    uint64_t missing;
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

static bool
hand_out(uint64_t sequence, struct text json, void *arg)
{
    struct scan *s = arg;

    s->left--;
    s->stopped = !s->each(sequence, json, s->arg) || !s->left;
    return !s->stopped;
}

/* Does it hold what each that fits must? */
static bool
may_fit(const struct scan *s, struct text json)
{
    return !s->needle.len ||
           memmem(json.p, json.len, s->needle.p, s->needle.len) != NULL;
}

/* A record that cannot be read is not passed over: who asks must know. */
static bool
look_at(const struct audit_stored *found, void *arg)
{
    struct scan *s = arg;
    struct audit_terms terms;

    if (found->erased || !may_fit(s, found->json))
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
    return hand_out(found->sequence, found->json, s);
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

static enum mauth_rc
check_stop(const struct audit_filter *f, struct mauth_err *err)
{
    if (!f->stop || !atomic_load(f->stop))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the service is ending");
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
        rc = check_stop(s->f, err);
        if (rc == MAUTH_OK)
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
        rc = check_stop(s->f, err);
        c.count = 0;
        c.want = s->left < CANDIDATES - SPARE ? (size_t)s->left + SPARE : CANDIDATES;
        if (rc == MAUTH_OK)
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

/* The stretches: what has left, what is before the index, in it, and behind it. */
struct stretch {
    uint64_t from, to;
    enum mauth_rc (*find)(struct kv *kv, struct audit_index *x, struct scan *s,
        const struct stretch *t, struct mauth_err *err);
};

enum {
    ARCHIVED,
    BEFORE,
    INDEXED,
    BEHIND,
    STRETCHES
};

static enum mauth_rc
find_in_index(struct kv *kv, struct audit_index *x, struct scan *s,
    const struct stretch *t, struct mauth_err *err)
{
    return ask_index(kv, x, s, t->from, t->to, err);
}

static enum mauth_rc
find_in_store(struct kv *kv, struct audit_index *x, struct scan *s,
    const struct stretch *t, struct mauth_err *err)
{
    (void)x;
    return scan(kv, s, t->from, t->to, err);
}

/* Of the archive: the reader has seen to it that the record is of its form. */
static bool
wants(const struct archive_record *r, void *arg)
{
    const struct scan *s = arg;
    struct audit_terms terms;

    return !r->erased && may_fit(s, r->json) && audit_terms_read(r->json, &terms) &&
           audit_filter_fits(s->f, &terms);
}

static enum mauth_rc
find_in_archive(struct kv *kv, struct audit_index *x, struct scan *s,
    const struct stretch *t, struct mauth_err *err)
{
    const struct audit_archive_ask ask = {.from = t->from,
        .to = t->to,
        .since_us = s->f->since_us,
        .order = s->f->oldest_first ? KV_UP : KV_DOWN,
        .wants = wants,
        .each = hand_out,
        .arg = s,
        .stop = s->f->stop};

    (void)x;
    return audit_archive_scan(kv, &ask, &s->missing, err);
}

static uint64_t
clamp(uint64_t v, uint64_t low, uint64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static void
take_stretches(const struct audit_range *there, struct audit_index *x,
    const struct audit_filter *f, struct stretch out[STRETCHES])
{
    uint64_t at[STRETCHES + 1] = {0};
    const struct audit_range b = *there;

    at[BEFORE] = at[INDEXED] = at[BEHIND] = b.first;
    at[STRETCHES] = b.next;
    if (x)
        audit_index_range(x, &at[INDEXED], &at[BEHIND]);
    at[INDEXED] = clamp(at[INDEXED], b.first, b.next);
    at[BEHIND] = clamp(at[BEHIND], at[INDEXED], b.next);
    if (!f->archive)
        at[ARCHIVED] = b.first;
    if (f->has_after && f->oldest_first)
        at[ARCHIVED] = clamp(f->after + (f->after < UINT64_MAX), at[ARCHIVED], b.next);
    else if (f->has_after)
        at[STRETCHES] = clamp(f->after, at[ARCHIVED], b.next);
    if (f->has_sequence) {
        at[ARCHIVED] = clamp(f->sequence, at[ARCHIVED], b.next);
        at[STRETCHES] = clamp(f->sequence + 1, at[ARCHIVED], at[STRETCHES]);
    }
    for (size_t i = 0; i < STRETCHES; i++)
        out[i] = (struct stretch){clamp(at[i], at[ARCHIVED], at[STRETCHES]),
            clamp(at[i + 1], at[ARCHIVED], at[STRETCHES]),
            i == ARCHIVED  ? find_in_archive
            : i == INDEXED ? find_in_index
                           : find_in_store};
}

enum mauth_rc
audit_find(struct kv *kv, struct audit_index *index, const struct audit_filter *f,
    audit_each *each, void *arg, struct audit_looked *looked, struct mauth_err *err)
{
    struct scan s = {.f = f,
        .needle = needle_of(f),
        .left = f->limit ? f->limit : AUDIT_LIMIT_DEFAULT,
        .each = each,
        .arg = arg,
        .err = err};
    struct stretch stretch[STRETCHES];
    struct audit_range there;
    enum mauth_rc rc = audit_range(kv, &there, err);

    if (rc)
        return rc;
    take_stretches(&there, index, f, stretch);
    for (size_t i = 0; i < STRETCHES && rc == MAUTH_OK && !s.stopped; i++) {
        const struct stretch *t = &stretch[f->oldest_first ? i : STRETCHES - 1 - i];

        if (t->from < t->to)
            rc = t->find(kv, index, &s, t, err);
    }
    if (looked)
        *looked = (struct audit_looked){there, s.missing};
    return rc;
}

enum mauth_rc
audit_count(struct kv *kv, struct audit_index *index, const struct audit_filter *f,
    struct audit_tally *t, struct mauth_err *err)
{
    struct audit_filter all = *f;
    struct scan s = {.f = &all, .needle = needle_of(f), .tally = t, .err = err};
    struct stretch stretch[STRETCHES];
    struct audit_range there;
    enum mauth_rc rc;

    all.has_after = all.archive = false;
    all.oldest_first = true;
    rc = audit_range(kv, &there, err);
    if (rc)
        return rc;
    t->first = there.first;
    take_stretches(&there, index, &all, stretch);
    for (size_t i = 0; i < STRETCHES && rc == MAUTH_OK; i++)
        if (i != INDEXED)
            rc = scan(kv, &s, stretch[i].from, stretch[i].to, err);
        else if (index)
            rc = audit_index_count(index, &all, stretch[i].from, stretch[i].to, t, err);
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
