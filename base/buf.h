/*
 * Bytes, written and read. The only place that does pointer arithmetic on
 * foreign input.
 *
 * struct buf grows by itself, or fills memory of the caller; it latches the
 * first failure, so that writing reads like the format and buf_ok() is asked
 * once, at the end. A buffer that may hold secrets is made with buf_init_secret
 * and wipes what it outgrows and what it ends with.
 *
 * struct reader walks over borrowed bytes; it latches too: after a failure all
 * reads yield zeros and empty slices, and reader_done() is false.
 *
 * struct text is a borrowed slice, not terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/api.h>

struct text {
    const char *p;
    size_t len;
};

struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool fixed;  /* data is the caller's; never grows */
    bool secret; /* wiped when freed or outgrown */
    bool failed;
};

void buf_init(struct buf *b);
void buf_init_secret(struct buf *b);
void buf_init_fixed(struct buf *b, void *data, size_t cap);
void buf_clear(struct buf *b);  /* frees; the buffer may be used again */
void buf_rewind(struct buf *b); /* length 0, memory kept, failure forgotten */
MAUTH_MUST_USE bool buf_ok(const struct buf *b);

void buf_put(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_text(struct buf *b, struct text t);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v); /* big-endian, as all below */
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_field(struct buf *b, const void *data, size_t len); /* u16 length, bytes */
/* As a JSON string (RFC 8259 7): quoted, escaped; t is UTF-8 and stays so. */
void buf_json(struct buf *b, struct text t);
/* As a JSON array of strings: each line, which ends with a newline. */
void buf_json_lines(struct buf *b, struct text lines);
/* Room for len bytes at the end, counted as written; NULL after a failure. */
MAUTH_MUST_USE void *buf_space(struct buf *b, size_t len);
/* What b holds, as a slice of it. */
struct text buf_slice(const struct buf *b);
/* The bytes with a terminator behind them, not counted; NULL after a failure. */
MAUTH_MUST_USE const char *buf_cstr(struct buf *b);
/* Gives the bytes (terminated, malloc) to the caller and empties b; NULL on failure. */
MAUTH_MUST_USE char *buf_detach(struct buf *b, size_t *len);

struct reader {
    const uint8_t *p;
    size_t left;
    bool failed;
};

void reader_init(struct reader *r, const void *data, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
const uint8_t *reader_bytes(struct reader *r, size_t len); /* NULL after a failure */
struct text reader_field(struct reader *r);                /* u16 length, bytes */
void reader_copy(struct reader *r, void *out, size_t len); /* zeros after a failure */
/* Up to the byte end, which is taken too but not returned. */
struct text reader_until(struct reader *r, char end);
/* Takes the literal, or fails. */
void reader_expect(struct reader *r, const char *literal, size_t len);
/* Takes the literal if it comes next; false and unmoved otherwise. */
bool reader_accept(struct reader *r, const char *literal, size_t len);
MAUTH_MUST_USE bool reader_ok(const struct reader *r);   /* nothing failed */
MAUTH_MUST_USE bool reader_done(const struct reader *r); /* ... and nothing is left */

#endif
