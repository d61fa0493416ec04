#include "authsvc/trust_deltas.h"

#include <stdlib.h>

#include "keys/trust_delta.h"

struct entry {
    struct trust_place from;
    struct buf delta;
};

struct trust_deltas {
    struct entry entry[TRUST_DELTAS]; /* the latest first */
    size_t count;
    size_t bytes;
};

/* It was made, and neither it nor all of them are too long: then it is kept. */
static bool
keep(struct trust_deltas *d, const struct trust_sheet *newer, struct entry *e,
    enum mauth_rc made)
{
    if (made != MAUTH_OK || d->count == TRUST_DELTAS ||
        e->delta.len >= newer->text.len || d->bytes + e->delta.len > MAUTH_TRUST_MAX) {
        buf_clear(&e->delta);
        return false;
    }
    d->bytes += e->delta.len;
    d->entry[d->count++] = *e;
    return true;
}

static bool
keep_step(struct trust_deltas *d, const struct trust_sheet *older,
    const struct trust_sheet *newer)
{
    struct entry e = {.from = older->place};

    buf_init(&e.delta);
    return keep(
        d, newer, &e, trust_delta_make(older->text, newer->text, &e.delta, NULL));
}

/* What led to the older file goes on by the last step. */
static bool
keep_way(
    struct trust_deltas *d, const struct entry *way, const struct trust_sheet *newer)
{
    struct text first = buf_slice(&way->delta), step = buf_slice(&d->entry[0].delta);
    struct entry e = {.from = way->from};

    buf_init(&e.delta);
    return keep(d, newer, &e, trust_delta_join(first, step, &e.delta, NULL));
}

struct trust_deltas *
trust_deltas_new(const struct trust_deltas *before, const struct trust_sheet *older,
    const struct trust_sheet *newer)
{
    struct trust_deltas *d = calloc(1, sizeof(*d));
    bool kept = d && keep_step(d, older, newer);

    /* A longer way is seldom a shorter delta. */
    for (size_t i = 0; before && kept && i < before->count; i++)
        kept = keep_way(d, &before->entry[i], newer);
    return d;
}

void
trust_deltas_free(struct trust_deltas *d)
{
    for (size_t i = 0; d && i < d->count; i++)
        buf_clear(&d->entry[i].delta);
    free(d);
}

struct text
trust_deltas_find(const struct trust_deltas *d, struct trust_place from)
{
    for (size_t i = 0; d && i < d->count; i++)
        if (trust_place_compare(d->entry[i].from, from) == 0)
            return buf_slice(&d->entry[i].delta);
    return (struct text){"", 0};
}
