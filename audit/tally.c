#include "audit/tally.h"

#include <stdlib.h>
#include <string.h>

#include "audit/run.h"
#include "base/fail.h"
#include "base/str.h"

enum {
    FIRST_CAP = 256
};

static const struct {
    const char *name;
    int64_t span_us;
} spans[] = {{"minute", INT64_C(60000000)}, {"hour", INT64_C(3600000000)},
    {"day", INT64_C(86400000000)}};

enum audit_by
audit_by_of(const char *name)
{
    for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++)
        if (strcmp(spans[i].name, name) == 0)
            return (enum audit_by)(AUDIT_BY_MINUTE + (int)i);
    if (audit_field_of(name) == AUDIT_FIELDS)
        return AUDIT_BYS;
    return (enum audit_by)audit_field_of(name);
}

int64_t
audit_by_span(enum audit_by by)
{
    return by < AUDIT_BY_MINUTE ? 0 : spans[by - AUDIT_BY_MINUTE].span_us;
}

void
audit_tally_init(
    struct audit_tally *t, enum audit_by by, const uint8_t key[SIPHASH_KEY])
{
    memset(t, 0, sizeof(*t));
    t->by = by;
    memcpy(t->key, key, SIPHASH_KEY);
}

void
audit_tally_clear(struct audit_tally *t)
{
    free(t->row);
    t->row = NULL;
    t->rows = t->cap = 0;
}

/* Where it stands, or may stand: kinds are hashes already, or few. */
static struct tally_row *
place(struct tally_row *row, size_t cap, uint64_t kind)
{
    uint64_t at = kind * UINT64_C(0x9e3779b97f4a7c15) >> 20;

    while (row[at & (cap - 1)].count && row[at & (cap - 1)].kind != kind)
        at++;
    return &row[at & (cap - 1)];
}

static enum mauth_rc
grow(struct audit_tally *t, struct mauth_err *err)
{
    size_t cap = t->cap ? t->cap * 2 : FIRST_CAP;
    struct tally_row *row = calloc(cap, sizeof(*row));

    if (!row)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory to count so many");
    for (size_t i = 0; i < t->cap; i++)
        if (t->row[i].count)
            *place(row, cap, t->row[i].kind) = t->row[i];
    free(t->row);
    t->row = row;
    t->cap = cap;
    return MAUTH_OK;
}

enum mauth_rc
audit_tally_add(struct audit_tally *t, uint64_t kind, uint64_t count, uint64_t sample,
    struct mauth_err *err)
{
    struct tally_row *row;
    enum mauth_rc rc;

    if (t->rows * 2 >= t->cap) {
        rc = grow(t, err);
        if (rc)
            return rc;
    }
    row = place(t->row, t->cap, kind);
    if (!row->count) {
        t->rows++;
        row->kind = kind;
        row->sample = sample;
    }
    row->count += count;
    return MAUTH_OK;
}

enum mauth_rc
audit_tally_record(
    struct audit_tally *t, const struct audit_terms *terms, struct mauth_err *err)
{
    int64_t span = audit_by_span(t->by);
    enum mauth_rc rc = MAUTH_OK;

    t->total++;
    if (span)
        return audit_tally_add(t, (uint64_t)(terms->time_us - terms->time_us % span), 1,
            terms->sequence, err);
    for (size_t i = 0; i < terms->count && rc == MAUTH_OK; i++)
        if ((int)terms->term[i].field == (int)t->by)
            rc = audit_tally_add(t,
                run_hash(t->key, terms->term[i].field, terms->term[i].value), 1,
                terms->sequence, err);
    return rc;
}

static int
by_time(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;

    return (x->kind > y->kind) - (x->kind < y->kind);
}

static int
by_count(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

void
audit_tally_sort(struct audit_tally *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->cap; i++)
        if (t->row[i].count)
            t->row[n++] = t->row[i];
    t->cap = 0; /* it is no table any more */
    if (n)
        qsort(t->row, n, sizeof(*t->row), audit_by_span(t->by) ? by_time : by_count);
}

struct text
audit_tally_label(const struct audit_tally *t, const struct tally_row *row,
    const struct audit_terms *sample)
{
    for (size_t i = 0; i < sample->count; i++)
        if ((int)sample->term[i].field == (int)t->by &&
            run_hash(t->key, sample->term[i].field, sample->term[i].value) == row->kind)
            return sample->term[i].value;
    return (struct text){"", 0};
}
