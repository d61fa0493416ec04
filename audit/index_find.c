#include <stdlib.h>
#include <string.h>

#include "audit/index_parts.h"
#include "base/fail.h"
#include "base/str.h"

enum {
    AHEAD = 16 /* files that the disk is asked for at once */
};

/* What a question comes to in one file. */
struct look {
    const struct audit_run *r;
    const struct audit_filter *f;
    uint32_t first, end; /* records */
    size_t terms;
    size_t from[AUDIT_FIELDS], to[AUDIT_FIELDS]; /* postings of each term */
};

static bool
may_fit(const struct audit_run *r, const struct audit_filter *f, uint64_t first,
    uint64_t end)
{
    return first < index_run_end(r) && end > r->first && r->max_us >= f->since_us &&
           (!f->until_us || r->min_us < f->until_us);
}

/* Has what look_into() will read of a file brought from the disk. */
static void
fetch(const struct audit_index *x, const struct audit_run *r,
    const struct audit_filter *f, uint64_t first, uint64_t end)
{
    if (!may_fit(r, f, first, end))
        return;
    for (int i = 0; i < AUDIT_FIELDS; i++)
        if (f->value[i])
            run_fetch(r, run_hash(x->key, (enum audit_field)i, text_of(f->value[i])));
}

/* False when nothing in it can fit. */
static bool
look_into(const struct audit_index *x, const struct audit_run *r,
    const struct audit_filter *f, uint64_t first, uint64_t end, struct look *out)
{
    if (!may_fit(r, f, first, end))
        return false;
    *out = (struct look){.r = r, .f = f};
    out->first = first > r->first ? (uint32_t)(first - r->first) : 0;
    out->end = end < index_run_end(r) ? (uint32_t)(end - r->first) : r->count;
    for (int i = 0; i < AUDIT_FIELDS; i++) {
        uint64_t hash;

        if (!f->value[i])
            continue;
        hash = run_hash(x->key, (enum audit_field)i, text_of(f->value[i]));
        run_range(r, hash, hash, &out->from[out->terms], &out->to[out->terms]);
        if (out->from[out->terms] == out->to[out->terms])
            return false;
        out->terms++;
    }
    return true;
}

/* The first of its postings of a term that is not before record. */
static size_t
seek(const struct look *l, size_t term, uint32_t record)
{
    size_t low = l->from[term], count = l->to[term] - low;

    while (count) {
        size_t half = count / 2;

        if (l->r->record[low + half] < record) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static bool
fits(const struct look *l, uint32_t record, size_t but)
{
    if (record < l->first || record >= l->end ||
        !run_is_within(l->r, record, l->f->since_us, l->f->until_us))
        return false;
    for (size_t i = 0; i < l->terms; i++) {
        size_t at;

        if (i == but)
            continue;
        at = seek(l, i, record);
        if (at == l->to[i] || l->r->record[at] != record)
            return false;
    }
    return true;
}

/* The term with the fewest postings; what is left is asked of each of these. */
static size_t
rarest(const struct look *l)
{
    size_t best = 0;

    for (size_t i = 1; i < l->terms; i++)
        if (l->to[i] - l->from[i] < l->to[best] - l->from[best])
            best = i;
    return best;
}

/* In the order of the filter; false when each wants no more. */
static bool
find_in(const struct look *l, audit_index_each *each, void *arg)
{
    size_t term = l->terms ? rarest(l) : AUDIT_FIELDS;
    size_t from = l->terms ? seek(l, term, l->first) : l->first;
    size_t to = l->terms ? seek(l, term, l->end) : l->end;

    for (size_t i = 0; i < to - from; i++) {
        size_t at = l->f->oldest_first ? from + i : to - 1 - i;
        uint32_t record = l->terms ? l->r->record[at] : (uint32_t)at;

        if (fits(l, record, term) && !each(l->r->first + record, arg))
            return false;
    }
    return true;
}

/* The i-th file in the filter's order. */
static const struct audit_run *
run_at(const struct audit_index *x, const struct audit_filter *f, size_t i)
{
    return x->run[f->oldest_first ? i : x->count - 1 - i];
}

void
audit_index_find(struct audit_index *x, const struct audit_filter *f, uint64_t first,
    uint64_t end, audit_index_each *each, void *arg)
{
    bool more = true;
    size_t ahead = 0;

    pthread_rwlock_rdlock(&x->lock);
    if (!f->oldest_first)
        more = index_tail_find(x, f, first, end, each, arg);
    for (size_t i = 0; i < x->count && more; i++) {
        const struct audit_run *r = run_at(x, f, i);
        struct look l;

        for (; ahead < x->count && ahead < i + AHEAD; ahead++)
            fetch(x, run_at(x, f, ahead), f, first, end);
        if (look_into(x, r, f, first, end, &l))
            more = find_in(&l, each, arg);
    }
    if (f->oldest_first && more)
        (void)index_tail_find(x, f, first, end, each, arg);
    pthread_rwlock_unlock(&x->lock);
}

/* All postings of a field, those of each value one after the other. */
static void
field_range(const struct audit_run *r, enum audit_field field, size_t *from, size_t *to)
{
    const uint64_t low = (uint64_t)field << RUN_FIELD_SHIFT;

    run_range(r, low, low | UINT64_MAX >> (64 - RUN_FIELD_SHIFT), from, to);
    run_fetch_posts(r, *from, *to);
}

/* Marks every record of a file that fits, and says how many they are. Each has an action,
 * but those that were erased. */
static uint64_t
mark(const struct look *l, uint8_t *marks)
{
    size_t term = AUDIT_FIELDS, from, to;
    uint64_t count = 0;

    if (l->terms) {
        term = rarest(l);
        from = seek(l, term, l->first);
        to = seek(l, term, l->end);
    } else {
        field_range(l->r, AUDIT_ACTION, &from, &to);
    }
    for (size_t at = from; at < to; at++) {
        uint32_t record = l->r->record[at];

        if (fits(l, record, term) && !marks[record]) {
            marks[record] = 1;
            count++;
        }
    }
    return count;
}

/* In a damaged file times may be any, and the end of a span beyond all of them. */
static bool
is_of_span(int64_t time_us, int64_t begins_us, int64_t span_us)
{
    return time_us >= begins_us &&
           (uint64_t)time_us - (uint64_t)begins_us < (uint64_t)span_us;
}

static enum mauth_rc
count_spans(const struct look *l, const uint8_t *marks, struct audit_tally *t,
    struct mauth_err *err)
{
    int64_t span = audit_by_span(t->by), begins = 0;
    enum mauth_rc rc = MAUTH_OK;
    uint64_t n = 0, sample = 0;

    for (uint32_t i = l->first; i < l->end && rc == MAUTH_OK; i++) {
        if (!marks[i])
            continue;
        if (n && !is_of_span(l->r->time[i], begins, span)) {
            rc = audit_tally_add(t, (uint64_t)begins, n, sample, err);
            n = 0;
        }
        if (!n++) {
            begins = l->r->time[i] - l->r->time[i] % span;
            sample = l->r->first + i;
        }
    }
    if (rc == MAUTH_OK && n)
        rc = audit_tally_add(t, (uint64_t)begins, n, sample, err);
    return rc;
}

static enum mauth_rc
count_values(const struct look *l, const uint8_t *marks, struct audit_tally *t,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    size_t at, to;

    field_range(l->r, (enum audit_field)t->by, &at, &to);
    while (at < to && rc == MAUTH_OK) {
        uint64_t hash = l->r->hash[at], n = 0, sample = 0;

        for (; at < to && l->r->hash[at] == hash; at++)
            if (l->r->record[at] < l->r->count && marks[l->r->record[at]] && !n++)
                sample = l->r->first + l->r->record[at];
        if (n)
            rc = audit_tally_add(t, hash, n, sample, err);
    }
    return rc;
}

enum mauth_rc
audit_index_count(struct audit_index *x, const struct audit_filter *f, uint64_t first,
    uint64_t end, struct audit_tally *t, struct mauth_err *err)
{
    uint8_t *marks = malloc(RUN_RECORDS_MAX);
    enum mauth_rc rc = MAUTH_OK;

    if (!marks)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit index: no memory");
    pthread_rwlock_rdlock(&x->lock);
    for (size_t i = 0; i < x->count && rc == MAUTH_OK; i++) {
        struct look l;
        uint64_t n;

        if (!look_into(x, x->run[i], f, first, end, &l))
            continue;
        memset(marks, 0, l.r->count);
        n = mark(&l, marks);
        t->total += n;
        if (n && audit_by_span(t->by))
            rc = count_spans(&l, marks, t, err);
        else if (n)
            rc = count_values(&l, marks, t, err);
    }
    if (rc == MAUTH_OK)
        rc = index_tail_count(x, f, first, end, t, err);
    pthread_rwlock_unlock(&x->lock);
    free(marks);
    return rc;
}
