/* Times as people say them: "in 9 min 58 s", "2 min ago"; spans as they type them. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include <meshauth/api.h>

enum {
    WHEN_LEN = 64
};

/* t_s as seen from now_s, in its two largest units; "now" when they are equal. */
void when_format(int64_t t_s, int64_t now_s, char out[WHEN_LEN]);

/* "90s", "30m", "12h", "7d" in seconds; false for anything else. */
MAUTH_MUST_USE bool when_span(const char *text, int64_t *out_s);

/*
 * "2026-11-22T10:05:00Z"; "2026-11-22", when that day begins (UTC); or a span: so long
 * before now_s (WHEN_AGO) or behind it (WHEN_AHEAD). False for anything else.
 */
enum when_way {
    WHEN_AGO = -1,
    WHEN_AHEAD = 1
};
MAUTH_MUST_USE bool when_read(
    const char *text, int64_t now_s, enum when_way way, int64_t *out_s);

#endif
