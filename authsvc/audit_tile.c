#include "authsvc/audit_tile.h"

#include "base/str.h"

enum {
    LEVELS = 8, /* 256^8 leaves */
    DIGITS = 3
};

/* Three digits, which go on behind those of the index. */
static bool
take_group(struct text group, uint64_t *index)
{
    if (group.len != DIGITS)
        return false;
    for (size_t i = 0; i < DIGITS; i++) {
        if (group.p[i] < '0' || group.p[i] > '9')
            return false;
        *index = *index * 10 + (uint64_t)(group.p[i] - '0');
    }
    return true;
}

/* "067.p" and "112": a partial tile. */
static bool
take_width(struct text *last, struct text number, unsigned *width)
{
    uint64_t n;

    if (last->len < 2 || last->p[last->len - 2] != '.' || last->p[last->len - 1] != 'p')
        return false;
    last->len -= 2;
    *width = str_number(number, &n) && n > 0 && n < TILE_WIDTH ? (unsigned)n : 0;
    return *width != 0;
}

bool
audit_tile_parse(
    struct text level, const struct text *parts, size_t count, struct audit_tile *out)
{
    struct text group[TILE_PARTS];
    uint64_t n;

    *out = (struct audit_tile){.width = TILE_WIDTH};
    if (!str_number(level, &n) || n >= LEVELS || !count || count > TILE_PARTS)
        return false;
    out->level = (unsigned)n;
    for (size_t i = 0; i < count; i++)
        group[i] = parts[i];
    if (count > 1 && group[count - 2].len && group[count - 2].p[0] != 'x') {
        if (!take_width(&group[count - 2], group[count - 1], &out->width))
            return false;
        count--;
    }
    for (size_t i = 0; i < count; i++) {
        struct text g = group[i];

        if (i + 1 < count) {
            if (!g.len || g.p[0] != 'x')
                return false;
            g.p++;
            g.len--;
        }
        if (!take_group(g, &out->index) || (i == 0 && count > 1 && !out->index))
            return false; /* one has one name */
    }
    return true;
}
