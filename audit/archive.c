#include "audit/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

enum {
    PIECE = 1 << 16,
    GZIP = 16 + MAX_WBITS, /* for zlib: with the head and tail of a gzip file */
    ROOT_SHOWN = 8,        /* bytes of it in a file's name */
    LINES_MAX = 1 << 28,   /* bytes of a segment's lines */
    FILE_MAX = 1 << 27     /* bytes of its file */
};

void
archive_name(const struct archive_head *h, char out[ARCHIVE_NAME_MAX])
{
    char root[2 * ROOT_SHOWN + 1];

    str_hex(h->root, ROOT_SHOWN, root);
    snprintf(out, ARCHIVE_NAME_MAX, "audit-%012" PRIu64 "-%012" PRIu64 "-%s.jsonl.gz",
        h->first, h->first + h->count - 1, root);
}

/* A number with zeros before it, up to the next hyphen. */
static bool
read_padded(struct text *rest, uint64_t *out)
{
    struct text digits;

    if (!text_cut(rest, '-', &digits))
        return false;
    while (digits.len > 1 && digits.p[0] == '0') {
        digits.p++;
        digits.len--;
    }
    return str_number(digits, out);
}

bool
archive_name_parse(const char *name, struct archive_head *out)
{
    struct text rest = text_of(name), word, root;
    char again[ARCHIVE_NAME_MAX];
    uint64_t first, last;

    memset(out, 0, sizeof(*out));
    if (!text_cut(&rest, '-', &word) || !read_padded(&rest, &first) ||
        !read_padded(&rest, &last) || !text_cut(&rest, '.', &root) || last < first ||
        !str_unhex(root, ROOT_SHOWN, out->root))
        return false;
    out->first = first;
    out->count = last - first + 1;
    archive_name(out, again);
    return strcmp(name, again) == 0;
}

/* Reading: pieces of the file, inflated to lines. */

struct input {
    struct archive_lines lines;
    z_stream z;
    bool at_end; /* of the gzip stream */
    uint64_t total;
    struct buf line;
    archive_each *each;
    void *arg;
    bool stopped;
    struct mauth_err *err;
};

static enum mauth_rc
take_line(struct input *in, struct text line)
{
    struct archive_record r;
    bool is_record;
    enum mauth_rc rc = archive_lines_take(&in->lines, line, &r, &is_record, in->err);

    if (rc == MAUTH_OK && is_record)
        in->stopped = !in->each(&r, in->arg);
    return rc;
}

static enum mauth_rc
take_lines(struct input *in, struct text piece)
{
    enum mauth_rc rc = MAUTH_OK;
    struct text part;

    in->total += piece.len;
    while (rc == MAUTH_OK && !in->stopped && text_cut(&piece, '\n', &part)) {
        buf_text(&in->line, part);
        if (!buf_ok(&in->line))
            return mauth_fail(in->err, MAUTH_NO_MEMORY, "audit: no memory");
        rc = take_line(in, buf_slice(&in->line));
        buf_rewind(&in->line);
    }
    buf_text(&in->line, piece);
    if (rc == MAUTH_OK && (in->line.len > ARCHIVE_LINE_MAX || in->total > LINES_MAX))
        rc = mauth_fail(in->err, MAUTH_MALFORMED, "the segment is too long");
    return rc;
}

static enum mauth_rc
inflate_piece(struct input *in, uint8_t *piece, size_t len)
{
    enum mauth_rc rc = MAUTH_OK;
    uint8_t out[PIECE];
    int z;

    in->z.next_in = piece;
    in->z.avail_in = (uInt)len;
    do {
        in->z.next_out = out;
        in->z.avail_out = sizeof(out);
        z = in->at_end ? Z_DATA_ERROR : inflate(&in->z, Z_NO_FLUSH);
        in->at_end = z == Z_STREAM_END;
        if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
            rc = mauth_fail(in->err, MAUTH_MALFORMED, "the segment is damaged (gzip)");
        else
            rc = take_lines(
                in, (struct text){(const char *)out, sizeof(out) - in->z.avail_out});
    } while (rc == MAUTH_OK && !in->stopped &&
             (in->z.avail_in || (!in->z.avail_out && !in->at_end)));
    in->z.next_in = in->z.next_out = NULL;
    return rc;
}

/* All of a plain file, which may be open to be written as well. */
static enum mauth_rc
read_all(int fd, struct buf *out, struct mauth_err *err)
{
    struct stat st;
    uint8_t *room;
    size_t have = 0, size;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        return mauth_fail(err, MAUTH_MALFORMED, "no segment of the archive");
    size = (size_t)st.st_size;
    room = buf_space(out, size);
    if (!buf_ok(out))
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    while (have < size) {
        ssize_t n = pread(fd, room + have, size - have, (off_t)have);

        if (n == 0 || (n < 0 && errno != EINTR))
            return mauth_fail(err, MAUTH_UNAVAILABLE, "%s",
                n ? strerror(errno) : "it became shorter while it was read");
        have += n > 0 ? (size_t)n : 0;
    }
    return MAUTH_OK;
}

static enum mauth_rc
take_file(struct input *in, const struct buf *file)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t at = 0; rc == MAUTH_OK && at < file->len && !in->stopped; at += PIECE)
        rc = inflate_piece(
            in, file->data + at, file->len - at < PIECE ? file->len - at : PIECE);
    if (rc == MAUTH_OK && !in->stopped &&
        (!in->at_end || !in->lines.ended || in->line.len))
        rc = mauth_fail(in->err, MAUTH_MALFORMED, "the segment was cut");
    return rc;
}

static bool
is_known(const struct archive_known *known, const uint8_t sha256[HASH_LEN])
{
    for (size_t i = 0; known && i < known->count; i++)
        if (memcmp(known->sha256[i], sha256, HASH_LEN) == 0)
            return true;
    return !known || !known->count;
}

/* A file that calls itself a segment must be that one. */
static enum mauth_rc
check_name(const char *path, const struct archive_head *h, struct mauth_err *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char right[ARCHIVE_NAME_MAX];

    archive_name(h, right);
    if (strncmp(name, "audit-", 6) == 0 && strcmp(name, right) != 0)
        return mauth_fail(err, MAUTH_MALFORMED, "it holds %s", right);
    return MAUTH_OK;
}

static enum mauth_rc
read_segment(struct input *in, const char *path, const struct archive_known *known,
    struct archive_head *head, struct buf *file)
{
    /* Nobody waits for the other end of a pipe that somebody has put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    enum mauth_rc rc;

    if (fd < 0)
        return mauth_fail(in->err,
            errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE, "%s",
            strerror(errno));
    rc = read_all(fd, file, in->err);
    close(fd);
    if (rc == MAUTH_OK)
        rc = hash_bytes(file->data, file->len, head->sha256, in->err);
    if (rc == MAUTH_OK && !is_known(known, head->sha256))
        rc = mauth_fail(in->err, MAUTH_MALFORMED,
            "it is not the file that was written: somebody has changed it");
    if (rc == MAUTH_OK)
        rc = take_file(in, file);
    if (rc || in->stopped)
        return rc;
    head->first = in->lines.first;
    head->count = in->lines.tree.size;
    memcpy(head->root, in->lines.root, HASH_LEN);
    return check_name(path, head, in->err);
}

enum mauth_rc
archive_read(const char *path, const struct archive_known *known, archive_each *each,
    void *arg, struct archive_head *head, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct input in = {.each = each, .arg = arg, .err = &why};
    const char *slash = strrchr(path, '/');
    struct archive_head unasked;
    struct buf file;
    enum mauth_rc rc;

    memset(head ? head : &unasked, 0, sizeof(*head));
    if (inflateInit2(&in.z, GZIP) != Z_OK)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    buf_init(&in.line);
    buf_init(&file);
    rc = read_segment(&in, path, known, head ? head : &unasked, &file);
    buf_clear(&in.line);
    buf_clear(&file);
    inflateEnd(&in.z);
    return rc ? mauth_fail(err, rc, "%s: %s", slash ? slash + 1 : path, why.text) : rc;
}

/* Writing. */

struct archive_writer {
    char *dir;
    uint64_t first;
    struct merkle tree;
    uint64_t bytes; /* of lines */
    struct file_draft draft;
    struct buf line;
    z_stream z;
    bool deflates;
};

static bool
write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno != EINTR)
            return false;
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What w->line holds, as a line. */
static enum mauth_rc
put_line(struct archive_writer *w, int flush, struct mauth_err *err)
{
    uint8_t out[PIECE];

    buf_u8(&w->line, '\n');
    if (!buf_ok(&w->line))
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    w->bytes += w->line.len;
    w->z.next_in = w->line.data;
    w->z.avail_in = (uInt)w->line.len;
    do {
        w->z.next_out = out;
        w->z.avail_out = sizeof(out);
        (void)deflate(&w->z, flush);
        if (!write_all(w->draft.fd, out, sizeof(out) - w->z.avail_out))
            return mauth_fail(
                err, MAUTH_UNAVAILABLE, "%s: %s", w->draft.name, strerror(errno));
    } while (!w->z.avail_out);
    buf_rewind(&w->line);
    return MAUTH_OK;
}

/* It must not be gone after a power cut, once records have left for it. */
static enum mauth_rc
make_folder(const char *dir, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    char *parent;

    if (mkdir(dir, 0700) != 0)
        return errno == EEXIST
                   ? MAUTH_OK
                   : mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    parent = file_join(dir, "..");
    if (!parent)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = file_sync_folder(parent, err);
    free(parent);
    return rc;
}

static enum mauth_rc
open_draft(struct archive_writer *w, const char *dir, struct mauth_err *err)
{
    enum mauth_rc rc;
    char *path;

    rc = make_folder(dir, err);
    if (rc)
        return rc;
    path = file_join(dir, ARCHIVE_DRAFT);
    w->dir = strdup(dir);
    if (!path || !w->dir)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    else
        rc = file_draft_open(path, FILE_PRIVATE, &w->draft, err);
    free(path);
    return rc;
}

enum mauth_rc
archive_writer_new(
    const char *dir, uint64_t first, struct archive_writer **out, struct mauth_err *err)
{
    struct archive_writer *w = calloc(1, sizeof(*w));
    enum mauth_rc rc;

    *out = NULL;
    if (!w)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    w->first = first;
    w->draft.fd = -1;
    buf_init(&w->line);
    rc = open_draft(w, dir, err);
    if (rc == MAUTH_OK) {
        w->deflates = deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK;
        if (!w->deflates)
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    }
    if (rc == MAUTH_OK) {
        archive_put_first(&w->line, first);
        rc = put_line(w, Z_NO_FLUSH, err);
    }
    if (rc) {
        archive_writer_free(w);
        return rc;
    }
    *out = w;
    return MAUTH_OK;
}

enum mauth_rc
archive_writer_add(
    struct archive_writer *w, struct archive_record *r, struct mauth_err *err)
{
    enum mauth_rc rc = archive_put_record(&w->line, r, err);

    if (rc == MAUTH_OK)
        rc = put_line(w, Z_NO_FLUSH, err);
    return rc ? rc : merkle_append(&w->tree, r->leaf, NULL, NULL, err);
}

bool
archive_writer_is_full(const struct archive_writer *w)
{
    return w->tree.size >= ARCHIVE_RECORDS_MAX || w->bytes >= ARCHIVE_BYTES_FULL;
}

enum mauth_rc
archive_writer_name(
    struct archive_writer *w, const struct archive_head *h, struct mauth_err *err)
{
    char name[ARCHIVE_NAME_MAX], *path;
    enum mauth_rc rc = MAUTH_OK;

    archive_name(h, name);
    path = file_join(w->dir, name);
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    fault_point("archive.written");
    if (rename(w->draft.name, path) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    free(path);
    fault_point("archive.renamed");
    return rc ? rc : file_sync_folder(w->dir, err);
}

static enum mauth_rc
hash_draft(struct archive_writer *w, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = read_all(w->draft.fd, &file, err);
    if (rc == MAUTH_OK)
        rc = hash_bytes(file.data, file.len, out, err);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
archive_writer_end(
    struct archive_writer *w, struct archive_head *out, struct mauth_err *err)
{
    enum mauth_rc rc;

    out->first = w->first;
    out->count = w->tree.size;
    rc = merkle_root(&w->tree, out->root, err);
    if (rc == MAUTH_OK)
        rc = archive_put_last(&w->line, &w->tree, err);
    if (rc == MAUTH_OK)
        rc = put_line(w, Z_FINISH, err);
    if (rc == MAUTH_OK && fsync(w->draft.fd) != 0)
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: %s", w->draft.name, strerror(errno));
    return rc ? rc : hash_draft(w, out->sha256, err);
}

void
archive_writer_free(struct archive_writer *w)
{
    if (!w)
        return;
    if (w->deflates)
        deflateEnd(&w->z);
    file_draft_close(&w->draft);
    buf_clear(&w->line);
    free(w->dir);
    free(w);
}

void
archive_tidy(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (strncmp(entry->d_name, ARCHIVE_DRAFT ".", sizeof(ARCHIVE_DRAFT)) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}
