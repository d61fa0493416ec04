/*
 * One DEFLATE stream to us and to zlib. Aborts unless what zlib takes is taken by
 * us as well, and for the same bytes; and what we alone take is of the kinds that
 * docs/tickets.md leaves open.
 */
#ifndef TESTS_INFLATE_DIFFER_H
#define TESTS_INFLATE_DIFFER_H

#include <stddef.h>
#include <stdint.h>

enum inflate_verdict {
    INFLATE_REFUSED, /* by both */
    INFLATE_TAKEN,   /* by both */
    INFLATE_LOOSE    /* by us; zlib finds a code that RFC 1951 does not have */
};

/* No longer than a credential may be, and its first byte is not '<'. */
enum inflate_verdict inflate_ask(const uint8_t *stream, size_t len);

#endif
