#include "cli/keys_line.h"

void
keys_line_scale(
    const struct keys_line *k, size_t count, int64_t now_s, struct keys_line_scale *out)
{
    *out = (struct keys_line_scale){now_s, now_s, now_s};
    for (size_t i = 0; i < count; i++) {
        if (k[i].from_s < out->first_s)
            out->first_s = k[i].from_s;
        if (k[i].until_s > out->last_s)
            out->last_s = k[i].until_s;
    }
}

static int64_t
width_s(const struct keys_line_scale *s)
{
    int64_t span = s->last_s - s->first_s;

    return span / KEYS_LINE_WIDTH + 1; /* of a column; so the last lies within */
}

size_t
keys_line_column(const struct keys_line_scale *s, int64_t t_s)
{
    if (t_s <= s->first_s)
        return 0;
    if (t_s >= s->last_s)
        t_s = s->last_s;
    return (size_t)((t_s - s->first_s) / width_s(s));
}

static const char marks[] = {
    [TRUST_NEXT] = '.',
    [TRUST_ACTIVE] = '=',
    [TRUST_RETIRING] = '-',
    [TRUST_REVOKED] = 'x',
};

static char
mark_at(const struct keys_line *k, size_t at, const struct keys_line_scale *s)
{
    size_t now = keys_line_column(s, s->now_s);
    int64_t end_s = k->state == TRUST_RETIRING ? k->retires_s : k->until_s;

    if (at < keys_line_column(s, k->from_s) || at > keys_line_column(s, end_s))
        return ' ';
    if (k->state == TRUST_REVOKED || at == now)
        return marks[k->state];
    if (!k->active_s || at < keys_line_column(s, k->active_s))
        return marks[TRUST_NEXT];
    return at < now ? marks[TRUST_ACTIVE] : marks[k->state];
}

void
keys_line_draw(const struct keys_line *k, const struct keys_line_scale *s,
    char out[KEYS_LINE_WIDTH + 1])
{
    for (size_t i = 0; i < KEYS_LINE_WIDTH; i++)
        out[i] = mark_at(k, i, s);
    out[KEYS_LINE_WIDTH] = '\0';
}
