/*
 * Which tile of the log's tree a path names (https://c2sp.org/tlog-tiles): level, the index
 * in groups of three digits, and of a partial tile its width. Pure.
 */
#ifndef AUTHSVC_AUDIT_TILE_H
#define AUTHSVC_AUDIT_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    TILE_WIDTH = 256,
    TILE_SHIFT = 8, /* levels of the tree in one of tiles */
    TILE_PARTS = 5  /* of a path: indexes below 10^9, and a width */
};

struct audit_tile {
    unsigned level;
    uint64_t index;
    unsigned width; /* TILE_WIDTH, or fewer hashes */
};

/* "5", {"x001", "x234", "067.p", "112"}: level 5, index 1234067, the first 112 hashes. */
MAUTH_MUST_USE bool audit_tile_parse(
    struct text level, const struct text *parts, size_t count, struct audit_tile *out);

#endif
