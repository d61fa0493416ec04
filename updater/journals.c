#include "updater/journals.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "keys/lines.h"

enum {
    KINDS = 2,
    NAME_ROOM = 32,
    LINE_MAX_LEN = 64
};

static const char *const kinds[KINDS] = {"accepted", "decisions"};
static const size_t most_of[KINDS] = {JOURNALS_ENTRIES, JOURNALS_DECISIONS};

/* How far one has been read. */
struct place {
    uint8_t id[RING_ID];
    uint64_t next;
};

struct journals {
    const char *file;
    size_t turn; /* the next one to look at, of all that there can be */
    size_t count;
    struct place at[JOURNALS_KNOWN]; /* the one that moved last first */
};

/* Places. */

static bool
parse(const struct buf *file, struct journals *j)
{
    struct reader r;

    reader_init(&r, file->data, file->len);
    lines_expect(&r, "meshauth-journals v1\n");
    while (j->count < JOURNALS_KNOWN && reader_accept(&r, "journal ", 8)) {
        struct place *p = &j->at[j->count++];

        if (!str_unhex(reader_until(&r, ' '), RING_ID, p->id))
            return false;
        p->next = lines_number(&r, '\n');
        if (!p->next) /* the first is 1 */
            return false;
    }
    return reader_done(&r);
}

enum mauth_rc
journals_open(const char *file, struct journals **out, struct mauth_err *trouble,
    struct mauth_err *err)
{
    struct journals *j = calloc(1, sizeof(*j));
    enum mauth_rc rc;
    struct buf text;

    *out = NULL;
    if (!j)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    j->file = file;
    buf_init(&text);
    rc = file_read(file, (size_t)(JOURNALS_KNOWN + 1) * LINE_MAX_LEN, &text, trouble);
    if (rc == MAUTH_NOT_FOUND)
        mauth_err_reset(trouble);
    if (rc == MAUTH_OK && !parse(&text, j)) {
        rc = mauth_fail(trouble, MAUTH_MALFORMED,
            "%s: not a list of places (meshauth-journals v1)", file);
        j->count = 0;
    }
    buf_clear(&text);
    if (rc == MAUTH_NO_MEMORY) {
        journals_close(j);
        return mauth_fail(err, rc, "no memory");
    }
    *out = j;
    return MAUTH_OK;
}

void
journals_close(struct journals *j)
{
    free(j);
}

static uint64_t
next_of(const struct journals *j, const uint8_t id[RING_ID])
{
    for (size_t i = 0; i < j->count; i++)
        if (memcmp(j->at[i].id, id, RING_ID) == 0)
            return j->at[i].next;
    return 1;
}

static void
set_next(struct journals *j, const uint8_t id[RING_ID], uint64_t next)
{
    size_t i = 0;

    while (i < j->count && memcmp(j->at[i].id, id, RING_ID) != 0)
        i++;
    if (i == j->count && j->count < JOURNALS_KNOWN)
        j->count++;
    else if (i == j->count)
        i--; /* the one that has not moved for longest goes */
    memmove(&j->at[1], &j->at[0], i * sizeof(j->at[0]));
    memcpy(j->at[0].id, id, RING_ID);
    j->at[0].next = next;
}

enum mauth_rc
journals_done(struct journals *j, const struct journal_batch *b, struct mauth_err *err)
{
    char hex[2 * RING_ID + 1];
    enum mauth_rc rc;
    struct buf text;

    set_next(j, b->id, b->next);
    buf_init(&text);
    buf_str(&text, "meshauth-journals v1\n");
    for (size_t i = 0; i < j->count; i++) {
        str_hex(j->at[i].id, RING_ID, hex);
        buf_printf(&text, "journal %s %" PRIu64 "\n", hex, j->at[i].next);
    }
    if (buf_ok(&text))
        rc = file_replace(j->file, text.data, text.len, FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&text);
    return rc;
}

/* Batches. */

void
journal_batch_clear(struct journal_batch *b)
{
    buf_clear(&b->bytes);
    b->count = 0;
}

static void
add_entry(struct journal_batch *b, const void *data, size_t len, size_t *end)
{
    buf_put(&b->bytes, data, len);
    b->number[b->count] = b->next;
    *end = b->bytes.len;
    b->count++;
}

/* Fills b from one file. Offsets at first: the bytes may move. */
static void
read_entries(const struct journals *j, const struct ring_view *v, size_t most,
    struct journal_batch *b)
{
    uint8_t data[RING_SLOT_MAX];
    size_t len, end[JOURNALS_ENTRIES] = {0};
    uint64_t expected;

    memcpy(b->id, v->id, RING_ID);
    b->next = expected = next_of(j, v->id);
    b->lost = 0; /* of one before, which had no entry: told with its next one */
    while (b->count < most && b->bytes.len + RING_SLOT_MAX <= JOURNALS_BYTES &&
           ring_view_read(v, &b->next, data, &len)) {
        b->lost += b->next - expected;
        if (len)
            add_entry(b, data, len, &end[b->count]);
        else
            b->lost++;
        expected = ++b->next;
    }
    b->next = expected;
    for (size_t i = 0, at = 0; i < b->count && buf_ok(&b->bytes); at = end[i++])
        b->entry[i] = (struct text){(const char *)b->bytes.data + at, end[i] - at};
}

static enum mauth_rc
look_at(const struct journals *j, const char *dir, size_t which, size_t most,
    struct journal_batch *b, struct mauth_err *err)
{
    const char *kind = kinds[which / RING_FILES];
    char name[NAME_ROOM];
    struct ring_view v;
    char *path;

    snprintf(name, sizeof(name), "%s.%zu", kind, which % RING_FILES);
    path = file_join(dir, name);
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    b->of_decisions = which / RING_FILES == 1;
    if (most > most_of[which / RING_FILES])
        most = most_of[which / RING_FILES];
    if (ring_view_open(path, &v, NULL) == MAUTH_OK) {
        read_entries(j, &v, most, b);
        ring_view_close(&v);
    }
    free(path);
    return buf_ok(&b->bytes) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

static void
note_name(const char *name, bool there[KINDS * RING_FILES])
{
    for (size_t k = 0; k < KINDS; k++)
        if (ring_is_name(kinds[k], name))
            there[k * RING_FILES + strtoul(strchr(name, '.') + 1, NULL, 10)] = true;
}

static enum mauth_rc
list(const char *dir, bool there[KINDS * RING_FILES], struct mauth_err *err)
{
    const struct dirent *entry;
    DIR *d = opendir(dir);

    if (!d && errno == ENOENT)
        return MAUTH_OK;
    if (!d)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    while ((entry = readdir(d)) != NULL)
        note_name(entry->d_name, there);
    closedir(d);
    return MAUTH_OK;
}

enum mauth_rc
journals_take(struct journals *j, const char *dir, size_t most,
    struct journal_batch *out, struct mauth_err *err)
{
    bool there[KINDS * RING_FILES] = {false};
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&out->bytes);
    rc = list(dir, there, err);
    for (size_t n = 0; n < (size_t)KINDS * RING_FILES && rc == MAUTH_OK && !out->count;
         n++) {
        size_t which = j->turn++ % ((size_t)KINDS * RING_FILES);

        if (there[which])
            rc = look_at(j, dir, which, most, out, err);
    }
    if (rc)
        journal_batch_clear(out);
    return rc;
}
