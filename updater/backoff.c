#include "updater/backoff.h"

enum {
    SPREAD = 8, /* the shortest wait is this part of the longest */
    ASKED_SPREAD = 4
};

static int64_t
limit_ms(const struct backoff *b)
{
    int64_t ms = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < b->failures && ms < BACKOFF_MAX_MS; i++)
        ms *= 2;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

/* Somewhere from low to high. */
static int64_t
between(int64_t low, int64_t high, uint64_t random)
{
    return low + (int64_t)(random % (uint64_t)(high - low + 1));
}

int64_t
backoff_wait_ms(struct backoff *b, int64_t asked_s, uint64_t random)
{
    int64_t high, asked_ms;

    if (b->failures < UINT32_MAX)
        b->failures++;
    high = limit_ms(b);
    if (asked_s > BACKOFF_ASKED_MAX_S)
        asked_s = BACKOFF_ASKED_MAX_S;
    asked_ms = asked_s > 0 ? asked_s * 1000 : 0;
    if (asked_ms >= high) /* everybody was told the same */
        return between(asked_ms, asked_ms + asked_ms / ASKED_SPREAD, random);
    if (asked_ms > high / SPREAD)
        return between(asked_ms, high, random);
    return between(high / SPREAD, high, random);
}
