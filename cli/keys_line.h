/*
 * The windows of signing keys as lines of characters, one for each key, over the same
 * stretch of time: what each does when.
 */
#ifndef CLI_KEYS_LINE_H
#define CLI_KEYS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "keys/trust_key.h"

enum {
    KEYS_LINE_WIDTH = 58
};

struct keys_line {
    enum trust_state state;
    int64_t from_s, until_s;
    int64_t active_s;  /* 0: never */
    int64_t retires_s; /* of a retiring one */
};

struct keys_line_scale {
    int64_t first_s, last_s, now_s;
};

/* From the first window's beginning to the last one's end; now lies within. */
void keys_line_scale(const struct keys_line *k, size_t count, int64_t now_s,
    struct keys_line_scale *out);

/* The column in which a time lies. */
size_t keys_line_column(const struct keys_line_scale *s, int64_t t_s);

/* '.' verifies, '=' signs, '-' retires, 'x' is revoked, ' ' is not there. */
void keys_line_draw(const struct keys_line *k, const struct keys_line_scale *s,
    char out[KEYS_LINE_WIDTH + 1]);

#endif
