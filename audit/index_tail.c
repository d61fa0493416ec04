/* The newest records, for which there is no file yet: in memory, in the order in which
 * they came. */
#include <stdlib.h>
#include <string.h>

#include "audit/index_parts.h"
#include "base/fail.h"
#include "base/str.h"

/* A question, as hashes. */
struct ask {
    const struct audit_filter *f;
    const struct run_draft *d;
    uint64_t hash[AUDIT_FIELDS];
    size_t hashes;
    uint32_t first, end; /* records */
};

static struct ask
make_ask(const struct audit_index *x, const struct audit_filter *f, uint64_t first,
    uint64_t end)
{
    struct ask a = {.f = f, .d = x->tail};
    uint64_t last = a.d ? a.d->first + a.d->count : 0;

    if (!a.d || end <= a.d->first || first >= last)
        return a;
    a.first = first > a.d->first ? (uint32_t)(first - a.d->first) : 0;
    a.end = end < last ? (uint32_t)(end - a.d->first) : a.d->count;
    for (int i = 0; i < AUDIT_FIELDS; i++)
        if (f->value[i])
            a.hash[a.hashes++] =
                run_hash(x->key, (enum audit_field)i, text_of(f->value[i]));
    return a;
}

/* The first posting of this record, or of one behind it. */
static size_t
posts_of(const struct run_draft *d, uint32_t record)
{
    size_t low = 0, count = d->posts;

    while (count) {
        size_t half = count / 2;

        if (d->post[low + half].record < record) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* Does it have all that is asked for? Its postings are [from, to), each another term. */
static bool
fits(const struct ask *a, uint32_t record, size_t from, size_t to)
{
    int64_t t = a->d->time[record];
    size_t found = 0;

    if (t < a->f->since_us || (a->f->until_us && t >= a->f->until_us))
        return false;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < a->hashes; k++)
            found += a->d->post[i].hash == a->hash[k];
    return found == a->hashes;
}

bool
index_tail_find(const struct audit_index *x, const struct audit_filter *f,
    uint64_t first, uint64_t end, audit_index_each *each, void *arg)
{
    struct ask a = make_ask(x, f, first, end);
    size_t from, to;

    if (!a.d)
        return true;
    from = to = posts_of(a.d, f->oldest_first ? a.first : a.end);
    for (uint32_t i = 0; i < a.end - a.first; i++) {
        uint32_t record = f->oldest_first ? a.first + i : a.end - 1 - i;

        if (f->oldest_first)
            for (from = to; to < a.d->posts && a.d->post[to].record == record;)
                to++;
        else
            for (to = from; from && a.d->post[from - 1].record == record;)
                from--;
        if (fits(&a, record, from, to) && !each(a.d->first + record, arg))
            return false;
    }
    return true;
}

static enum mauth_rc
count_one(const struct ask *a, uint32_t record, size_t from, size_t to,
    struct audit_tally *t, struct mauth_err *err)
{
    int64_t span = audit_by_span(t->by), time = a->d->time[record];
    uint64_t sequence = a->d->first + record;
    enum mauth_rc rc = MAUTH_OK;

    t->total++;
    if (span)
        return audit_tally_add(t, (uint64_t)(time - time % span), 1, sequence, err);
    for (size_t i = from; i < to && rc == MAUTH_OK; i++)
        if (a->d->post[i].hash >> RUN_FIELD_SHIFT == (uint64_t)t->by)
            rc = audit_tally_add(t, a->d->post[i].hash, 1, sequence, err);
    return rc;
}

enum mauth_rc
index_tail_count(const struct audit_index *x, const struct audit_filter *f,
    uint64_t first, uint64_t end, struct audit_tally *t, struct mauth_err *err)
{
    struct ask a = make_ask(x, f, first, end);
    enum mauth_rc rc = MAUTH_OK;
    size_t from, to;

    if (!a.d)
        return MAUTH_OK;
    to = posts_of(a.d, a.first);
    for (uint32_t record = a.first; record < a.end && rc == MAUTH_OK; record++) {
        for (from = to; to < a.d->posts && a.d->post[to].record == record;)
            to++;
        if (from < to && fits(&a, record, from, to)) /* not one that was erased */
            rc = count_one(&a, record, from, to, t, err);
    }
    return rc;
}

void
index_tail_forget(struct audit_index *x, const uint64_t *sequences, size_t count)
{
    struct run_draft *d = x->tail;
    size_t kept = 0, k = 0;

    for (size_t i = 0; d && i < d->posts; i++) {
        while (k < count && sequences[k] < d->first + d->post[i].record)
            k++;
        if (k == count || sequences[k] != d->first + d->post[i].record)
            d->post[kept++] = d->post[i];
    }
    if (d)
        d->posts = kept;
}

/* Behind the last file, or at the beginning of the one that the record will be in. */
static enum mauth_rc
begin(struct audit_index *x, uint64_t sequence, struct mauth_err *err)
{
    uint64_t first = x->count ? index_run_end(x->run[x->count - 1])
                              : sequence / INDEX_STEP * INDEX_STEP;

    return x->tail ? MAUTH_OK : run_draft_new(first, &x->tail, err);
}

/* Numbers before this one that have no record. */
static enum mauth_rc
pass_over(struct audit_index *x, uint64_t sequence, struct mauth_err *err)
{
    struct run_draft *d = x->tail;
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && d->first + d->count < sequence && d->count < INDEX_STEP)
        rc = run_draft_add(d, x->key, 0, NULL, err);
    return rc;
}

enum mauth_rc
audit_index_note(struct audit_index *x, uint64_t sequence, int64_t time_us,
    const struct audit_terms *terms, struct mauth_err *err)
{
    enum mauth_rc rc;

    pthread_rwlock_wrlock(&x->lock);
    rc = begin(x, sequence, err);
    if (rc == MAUTH_OK)
        rc = pass_over(x, sequence, err);
    if (rc == MAUTH_OK && x->tail->first + x->tail->count == sequence &&
        x->tail->count < INDEX_STEP)
        rc = run_draft_add(x->tail, x->key, time_us, terms, err);
    pthread_rwlock_unlock(&x->lock);
    return rc;
}

enum mauth_rc
audit_index_pass(struct audit_index *x, uint64_t sequence, struct mauth_err *err)
{
    enum mauth_rc rc;

    pthread_rwlock_wrlock(&x->lock);
    rc = begin(x, sequence, err);
    if (rc == MAUTH_OK)
        rc = pass_over(x, sequence, err);
    pthread_rwlock_unlock(&x->lock);
    return rc;
}

bool
audit_index_is_due(const struct audit_index *x)
{
    return x->tail && x->tail->count == INDEX_STEP; /* whoever asks is who notes */
}
