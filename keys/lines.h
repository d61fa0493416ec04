/*
 * The words that lines of a trust file are made of, taken off a reader. What is
 * not of its form makes the reader fail.
 */
#ifndef KEYS_LINES_H
#define KEYS_LINES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

void lines_expect(struct reader *r, const char *literal);
/* A number, a time, a hash in base64, each with the byte that ends it. */
uint64_t lines_number(struct reader *r, char end);
int64_t lines_instant(struct reader *r, char end);
void lines_hash(struct reader *r, char end, uint8_t out[HASH_LEN]);
/* "issuer URL\n", which begins with https:// */
struct text lines_issuer(struct reader *r);

/* What lines_hash() reads, and other bytes. */
void lines_put_base64(struct buf *b, const void *data, size_t len);

#endif
