/*
 * A backup as a file: a head in text, then every key of a store with its value.
 *
 *     meshauth-backup v1
 *     issuer URL
 *     made TIME
 *     schema N
 *     epoch N
 *     sequence N
 *     state N
 *     checkpoint SIZE BASE64
 *     sha256 HEX
 *
 * and an empty line. The hash is over all that stands before its line and all behind the
 * empty one: for each key its length (2 bytes), that of the value (4 bytes, big-endian
 * both), key and value; a length of 0 ends it, and nothing follows.
 */
#ifndef STORE_BACKUP_FILE_H
#define STORE_BACKUP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "store/audit.h"
#include "store/kv.h"

enum {
    BACKUP_ISSUER_MAX = 512,
    BACKUP_VALUE_MAX = 64 << 20
};

struct backup_head {
    char issuer[BACKUP_ISSUER_MAX + 1];
    int64_t made_s;
    uint64_t schema;
    uint64_t epoch;    /* of the authority */
    uint64_t sequence; /* of the last trust file */
    uint64_t state;
    struct audit_head tree;
    uint8_t
        hash[HASH_LEN]; /* found: when it is finished, or has been read to its end */
};

/* Writing. The file is there only once it is finished. */
struct backup_writer;
MAUTH_MUST_USE enum mauth_rc backup_writer_open(const char *path,
    const struct backup_head *head, struct backup_writer **out, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc backup_writer_put(
    struct backup_writer *w, struct text key, struct text value, struct mauth_err *err);
/* MAUTH_CONFLICT: there is a file of that name. */
MAUTH_MUST_USE enum mauth_rc backup_writer_finish(
    struct backup_writer *w, uint8_t hash[HASH_LEN], struct mauth_err *err);
void backup_writer_free(struct backup_writer *w);

/* Reading. What it yields is to be believed only once it has been read to its end. */
struct backup_reader;
/* MAUTH_MALFORMED: no backup, or of another version. */
MAUTH_MUST_USE enum mauth_rc backup_reader_open(
    const char *path, struct backup_reader **out, struct mauth_err *err);
const struct backup_head *backup_reader_head(const struct backup_reader *r);
/*
 * The next one, borrowed until the next call. *more is false at the end, once the hash
 * has been found to be right.
 *
 * MAUTH_MALFORMED  damaged, or cut off
 */
MAUTH_MUST_USE enum mauth_rc backup_reader_next(struct backup_reader *r,
    struct text *key, struct text *value, bool *more, struct mauth_err *err);
void backup_reader_free(struct backup_reader *r);

#endif
