/*
 * Segments of the archive: a range of records that have left the store, or are about to,
 * in one file, gzip of lines of JSON (docs/audit.md), so that zcat reads it:
 *
 *     {"segment":"meshauth audit","version":1,"first":0}
 *     {"salt":"BASE64","record":{...}}
 *     {"erased":true,"leaf":"BASE64","time":"...","ticket":"...","digest":"BASE64"}
 *     {"count":2,"root":"BASE64"}
 *
 * The second form is of a record that was erased; ticket and digest where it had them.
 * root is that of the RFC 6962 tree of these leaves alone. A file is named by its range
 * and the beginning of its root, and keeps its name when records in it are erased:
 *
 *     audit-000000000000-000000000001-0123456789abcdef.jsonl.gz
 *
 * A segment holds together by itself; that its records are the log's is known once their
 * leaves are those of the log's tree. What it says of records that were erased no leaf
 * shows: so the SHA-256 of the file is kept where nobody else writes.
 */
#ifndef AUDIT_ARCHIVE_H
#define AUDIT_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/merkle.h"
#include "audit/record.h"

enum {
    ARCHIVE_RECORDS_MAX = 1 << 16, /* of one segment */
    ARCHIVE_BYTES_FULL = 1 << 26,  /* of lines: it takes no more records */
    ARCHIVE_LINE_MAX = 1 << 18,
    ARCHIVE_NAME_MAX = 80
};

struct archive_head {
    uint64_t first; /* sequence */
    uint64_t count;
    uint8_t root[HASH_LEN];
    uint8_t sha256[HASH_LEN]; /* of the file, byte for byte */
};

/* What is pointed to is borrowed. */
struct archive_record {
    uint64_t sequence;
    uint8_t leaf[HASH_LEN];
    bool erased;
    const uint8_t *salt; /* AUDIT_SALT bytes, and */
    struct text json;    /* unless it was erased */
    int64_t time_us;
    struct text ticket; /* as the record had it; empty: it had none */
    struct text digest; /* HASH_LEN bytes, or none */
};

/*
 * What stays of a record when it is erased: of salt and json, the others are set; ticket
 * and digest only where it is the one of the ticket's issue. False: it is damaged.
 */
MAUTH_MUST_USE bool archive_erase(struct archive_record *r, uint8_t digest[HASH_LEN]);

/* Its lines, one after the other; they end in nothing. */
struct archive_lines {
    uint64_t first;
    struct merkle tree;
    uint8_t root[HASH_LEN];
    bool begun, ended;
    uint8_t salt[AUDIT_SALT], digest[HASH_LEN];
};

void archive_put_first(struct buf *out, uint64_t first);
/* Computes r->leaf, unless it was erased. */
MAUTH_MUST_USE enum mauth_rc archive_put_record(
    struct buf *out, struct archive_record *r, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc archive_put_last(
    struct buf *out, const struct merkle *tree, struct mauth_err *err);

/*
 * Reads the next line; *is_record: out was set, and lasts until the next one. l begins as
 * zeros; once the last line was taken l->ended is set, and the root was that of the leaves.
 *
 * MAUTH_MALFORMED    it is none of ours
 */
MAUTH_MUST_USE enum mauth_rc archive_lines_take(struct archive_lines *l,
    struct text line, struct archive_record *out, bool *is_record,
    struct mauth_err *err);

/* Whole files. */

void archive_name(const struct archive_head *h, char out[ARCHIVE_NAME_MAX]);
/* The root is known from its beginning only, the rest of it is zeros. */
MAUTH_MUST_USE bool archive_name_parse(const char *name, struct archive_head *out);

/* The hashes that a file may have. */
struct archive_known {
    size_t count; /* 0: any */
    uint8_t sha256[2][HASH_LEN];
};

/*
 * Hands out the records of a file, in their order, until each returns false; those that it
 * got before a failure must not be believed. known may be NULL. The head (may be NULL) is
 * set when all have been read.
 *
 * MAUTH_MALFORMED   no segment, a damaged one, one that has the name of another, or a file
 *                   with another hash than those
 * MAUTH_NOT_FOUND, MAUTH_UNAVAILABLE
 */
typedef bool archive_each(const struct archive_record *r, void *arg);
MAUTH_MUST_USE enum mauth_rc archive_read(const char *path,
    const struct archive_known *known, archive_each *each, void *arg,
    struct archive_head *head, struct mauth_err *err);

/* Writing one. The folder is made if there is none (mode 0700). */
struct archive_writer;
MAUTH_MUST_USE enum mauth_rc archive_writer_new(const char *dir, uint64_t first,
    struct archive_writer **out, struct mauth_err *err);
/* In their order; see archive_put_record(). */
MAUTH_MUST_USE enum mauth_rc archive_writer_add(
    struct archive_writer *w, struct archive_record *r, struct mauth_err *err);
bool archive_writer_is_full(const struct archive_writer *w);
/* After the last one: all is on the disk when it returns, but not under its name. */
MAUTH_MUST_USE enum mauth_rc archive_writer_end(
    struct archive_writer *w, struct archive_head *out, struct mauth_err *err);
/* Durable under its name when it returns, in place of what had that name. */
MAUTH_MUST_USE enum mauth_rc archive_writer_name(
    struct archive_writer *w, const struct archive_head *h, struct mauth_err *err);
/* Removes what has not come to its end. NULL is fine. */
void archive_writer_free(struct archive_writer *w);

#define ARCHIVE_DRAFT "audit-segment" /* names of drafts begin with it, and a dot */

/* Removes what a writer has left that was killed; there must be none at work. */
void archive_tidy(const char *path);

#endif
