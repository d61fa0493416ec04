#include "store/backup_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/lines.h"
#include "store/key.h"

enum {
    HEAD_MAX = 2048,
    HEX = 2 * HASH_LEN,
    LENGTHS = 2 + 4,
    PIPE = 1 << 20 /* bytes that are written or read at once */
};

static const char HASH_LINE[] = "sha256 ";

/* The bytes of a file on their way, and their hash. */
struct stream {
    FILE *file;
    EVP_MD_CTX *digest;
    char path[PATH_MAX]; /* as it is called in a complaint */
};

static enum mauth_rc
stream_open(struct stream *s, const char *path, FILE *file, struct mauth_err *err)
{
    snprintf(s->path, sizeof(s->path), "%s", path);
    s->file = file;
    s->digest = EVP_MD_CTX_new();
    if (!file)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    if (!s->digest || EVP_DigestInit_ex(s->digest, EVP_sha256(), NULL) != 1)
        return mauth_fail(err, MAUTH_NO_MEMORY, "backup: no memory");
    (void)setvbuf(file, NULL, _IOFBF, PIPE);
    return MAUTH_OK;
}

static void
stream_close(struct stream *s)
{
    if (s->file)
        fclose(s->file);
    EVP_MD_CTX_free(s->digest);
}

static enum mauth_rc
stream_hash(struct stream *s, const void *data, size_t len, struct mauth_err *err)
{
    if (EVP_DigestUpdate(s->digest, data, len) != 1)
        return mauth_fail(err, MAUTH_INTERNAL, "backup: cannot hash");
    return MAUTH_OK;
}

static enum mauth_rc
stream_end(struct stream *s, uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    if (EVP_DigestFinal_ex(s->digest, hash, NULL) != 1)
        return mauth_fail(err, MAUTH_INTERNAL, "backup: cannot hash");
    return MAUTH_OK;
}

/* Writing. */

struct backup_writer {
    struct file_draft draft;
    struct stream stream;
    long hash_at; /* where the hash goes */
};

static enum mauth_rc
write_bytes(
    struct backup_writer *w, const void *data, size_t len, struct mauth_err *err)
{
    if (fwrite(data, 1, len, w->stream.file) != len)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", w->stream.path, strerror(errno));
    return MAUTH_OK;
}

static enum mauth_rc
write_hashed(
    struct backup_writer *w, const void *data, size_t len, struct mauth_err *err)
{
    enum mauth_rc rc = stream_hash(&w->stream, data, len, err);

    return rc ? rc : write_bytes(w, data, len, err);
}

static void
render_head(const struct backup_head *h, struct buf *out)
{
    char when[TIME_LEN + 1], root[64] = "";

    time_format(h->made_s, when);
    b64_encode(B64_STD, h->tree.root, sizeof(h->tree.root), root);
    buf_printf(out, "meshauth-backup v1\nissuer %s\nmade %s\n", h->issuer, when);
    buf_printf(out, "schema %" PRIu64 "\nepoch %" PRIu64 "\nsequence %" PRIu64 "\n",
        h->schema, h->epoch, h->sequence);
    buf_printf(out, "state %" PRIu64 "\ncheckpoint %" PRIu64 " %s\n", h->state,
        h->tree.size, root);
}

static enum mauth_rc
write_head(
    struct backup_writer *w, const struct backup_head *head, struct mauth_err *err)
{
    char blank[HEX + 3];
    struct buf text;
    enum mauth_rc rc;

    buf_init(&text);
    render_head(head, &text);
    if (!buf_ok(&text))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "backup: no memory");
    else
        rc = write_hashed(w, text.data, text.len, err);
    w->hash_at = (long)(text.len + strlen(HASH_LINE));
    buf_clear(&text);
    if (rc == MAUTH_OK)
        rc = write_bytes(w, HASH_LINE, strlen(HASH_LINE), err);
    memset(blank, '0', HEX);
    memcpy(blank + HEX, "\n\n", 3);
    return rc ? rc : write_bytes(w, blank, HEX + 2, err);
}

enum mauth_rc
backup_writer_open(const char *path, const struct backup_head *head,
    struct backup_writer **out, struct mauth_err *err)
{
    struct backup_writer *w = calloc(1, sizeof(*w));
    enum mauth_rc rc;
    int fd;

    *out = NULL;
    if (!w)
        return mauth_fail(err, MAUTH_NO_MEMORY, "backup: no memory");
    rc = file_draft_open(path, FILE_PRIVATE, &w->draft, err);
    fd = rc ? -1 : dup(w->draft.fd);
    if (rc == MAUTH_OK)
        rc = stream_open(&w->stream, path, fd < 0 ? NULL : fdopen(fd, "w"), err);
    if (fd >= 0 && !w->stream.file)
        close(fd);
    if (rc == MAUTH_OK)
        rc = write_head(w, head, err);
    if (rc != MAUTH_OK) {
        backup_writer_free(w);
        return rc;
    }
    *out = w;
    return MAUTH_OK;
}

enum mauth_rc
backup_writer_put(
    struct backup_writer *w, struct text key, struct text value, struct mauth_err *err)
{
    uint8_t raw[LENGTHS];
    struct buf lengths;
    enum mauth_rc rc;

    if (!key.len || key.len > KV_KEY_MAX || value.len > BACKUP_VALUE_MAX)
        return mauth_fail(
            err, MAUTH_INTERNAL, "backup: a value of %zu bytes", value.len);
    buf_init_fixed(&lengths, raw, sizeof(raw));
    buf_u16(&lengths, (uint16_t)key.len);
    buf_u32(&lengths, (uint32_t)value.len);
    rc = write_hashed(w, raw, sizeof(raw), err);
    if (rc == MAUTH_OK)
        rc = write_hashed(w, key.p, key.len, err);
    return rc ? rc : write_hashed(w, value.p, value.len, err);
}

enum mauth_rc
backup_writer_finish(
    struct backup_writer *w, uint8_t hash[HASH_LEN], struct mauth_err *err)
{
    static const uint8_t end[2] = {0, 0};
    char hex[HEX + 1];
    enum mauth_rc rc = write_hashed(w, end, sizeof(end), err);

    if (rc == MAUTH_OK)
        rc = stream_end(&w->stream, hash, err);
    if (rc != MAUTH_OK)
        return rc;
    str_hex(hash, HASH_LEN, hex);
    if (fseek(w->stream.file, w->hash_at, SEEK_SET) != 0 ||
        fwrite(hex, 1, HEX, w->stream.file) != HEX || fflush(w->stream.file) != 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", w->stream.path, strerror(errno));
    return file_draft_create(&w->draft, err);
}

void
backup_writer_free(struct backup_writer *w)
{
    if (!w)
        return;
    stream_close(&w->stream);
    file_draft_close(&w->draft);
    free(w);
}

/* Reading. */

struct backup_reader {
    struct stream stream;
    struct backup_head head;
    uint8_t said[HASH_LEN];
    uint8_t key[KV_KEY_MAX];
    struct buf value;
};

static enum mauth_rc
damaged(const struct backup_reader *r, const char *what, struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_MALFORMED, "%s: %s", r->stream.path, what);
}

static enum mauth_rc
read_bytes(struct backup_reader *r, void *out, size_t len, struct mauth_err *err)
{
    if (fread(out, 1, len, r->stream.file) == len)
        return stream_hash(&r->stream, out, len, err);
    if (ferror(r->stream.file))
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", r->stream.path, strerror(errno));
    return damaged(r, "the backup ends too early", err);
}

/* Lines up to the empty one; the hash is over those before its own. */
static enum mauth_rc
read_head_text(struct backup_reader *r, char text[HEAD_MAX], struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    size_t len = 0, line;

    while (rc == MAUTH_OK) {
        if (!fgets(text + len, (int)(HEAD_MAX - len), r->stream.file))
            return damaged(r, "this is no backup of meshauth", err);
        line = strlen(text + len);
        if (!line || text[len + line - 1] != '\n')
            return damaged(r, "this is no backup of meshauth", err);
        if (line == 1)
            return MAUTH_OK;
        if (strncmp(text + len, HASH_LINE, strlen(HASH_LINE)) != 0)
            rc = stream_hash(&r->stream, text + len, line, err);
        len += line;
    }
    return rc;
}

static void
read_hash(struct reader *r, uint8_t out[HASH_LEN])
{
    struct text hex = reader_until(r, '\n');

    if (!str_unhex(hex, HASH_LEN, out))
        r->failed = true;
}

static bool
parse_head(const char *text, struct backup_head *h, uint8_t said[HASH_LEN])
{
    struct text issuer;
    struct reader r;

    reader_init(&r, text, strlen(text));
    lines_expect(&r, "meshauth-backup v1\n");
    issuer = lines_issuer(&r);
    lines_expect(&r, "made ");
    h->made_s = lines_instant(&r, '\n');
    lines_expect(&r, "schema ");
    h->schema = lines_number(&r, '\n');
    lines_expect(&r, "epoch ");
    h->epoch = lines_number(&r, '\n');
    lines_expect(&r, "sequence ");
    h->sequence = lines_number(&r, '\n');
    lines_expect(&r, "state ");
    h->state = lines_number(&r, '\n');
    lines_expect(&r, "checkpoint ");
    h->tree.size = lines_number(&r, ' ');
    lines_hash(&r, '\n', h->tree.root);
    lines_expect(&r, HASH_LINE);
    read_hash(&r, said);
    lines_expect(&r, "\n");
    if (!reader_done(&r) || issuer.len > BACKUP_ISSUER_MAX)
        return false;
    memcpy(h->issuer, issuer.p, issuer.len);
    return true;
}

static enum mauth_rc
read_head(struct backup_reader *r, struct mauth_err *err)
{
    char text[HEAD_MAX] = "";
    enum mauth_rc rc = read_head_text(r, text, err);

    if (rc != MAUTH_OK)
        return rc;
    if (!parse_head(text, &r->head, r->said))
        return damaged(r, "this is no backup of meshauth, or of another version", err);
    if (r->head.schema != KV_SCHEMA)
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s: a store of schema version %" PRIu64 ", this meshauth knows %d",
            r->stream.path, r->head.schema, KV_SCHEMA);
    return MAUTH_OK;
}

enum mauth_rc
backup_reader_open(const char *path, struct backup_reader **out, struct mauth_err *err)
{
    struct backup_reader *r = calloc(1, sizeof(*r));
    enum mauth_rc rc;

    *out = NULL;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "backup: no memory");
    buf_init(&r->value);
    rc = stream_open(&r->stream, path, fopen(path, "re"), err);
    if (rc == MAUTH_OK)
        rc = read_head(r, err);
    if (rc != MAUTH_OK) {
        backup_reader_free(r);
        return rc;
    }
    *out = r;
    return MAUTH_OK;
}

const struct backup_head *
backup_reader_head(const struct backup_reader *r)
{
    return &r->head;
}

static enum mauth_rc
read_end(struct backup_reader *r, struct mauth_err *err)
{
    enum mauth_rc rc = stream_end(&r->stream, r->head.hash, err);

    if (rc != MAUTH_OK)
        return rc;
    if (fgetc(r->stream.file) != EOF)
        return damaged(r, "something follows the end of the backup", err);
    if (memcmp(r->head.hash, r->said, HASH_LEN) != 0)
        return damaged(r, "the backup is damaged: its SHA-256 is another", err);
    return MAUTH_OK;
}

enum mauth_rc
backup_reader_next(struct backup_reader *r, struct text *key, struct text *value,
    bool *more, struct mauth_err *err)
{
    uint8_t raw[LENGTHS];
    struct reader lengths;
    size_t key_len, value_len;
    enum mauth_rc rc = read_bytes(r, raw, 2, err);

    *more = false;
    reader_init(&lengths, raw, sizeof(raw));
    key_len = reader_u16(&lengths);
    if (rc != MAUTH_OK || !key_len)
        return rc ? rc : read_end(r, err);
    rc = read_bytes(r, raw + 2, 4, err);
    value_len = reader_u32(&lengths);
    if (rc == MAUTH_OK && (key_len > KV_KEY_MAX || value_len > BACKUP_VALUE_MAX))
        rc = damaged(r, "the backup is damaged: lengths that no store has", err);
    if (rc == MAUTH_OK)
        rc = read_bytes(r, r->key, key_len, err);
    if (rc != MAUTH_OK)
        return rc;
    buf_rewind(&r->value);
    if (value_len) {
        void *at = buf_space(&r->value, value_len);

        if (!at)
            return mauth_fail(err, MAUTH_NO_MEMORY, "backup: no memory");
        rc = read_bytes(r, at, value_len, err);
    }
    *key = (struct text){(const char *)r->key, key_len};
    *value = buf_slice(&r->value);
    *more = rc == MAUTH_OK;
    return rc;
}

void
backup_reader_free(struct backup_reader *r)
{
    if (!r)
        return;
    stream_close(&r->stream);
    buf_clear(&r->value);
    free(r);
}
