#include "store/audit_segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "store/graph_record.h"

char *
audit_segments_folder(const struct kv *kv)
{
    return file_join(kv_folder(kv), "audit-archive");
}

enum mauth_rc
audit_segments_put(struct kv_txn *txn, const char *name,
    const struct archive_known *known, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u8(&b, (uint8_t)known->count);
    buf_put(&b, known->sha256, known->count * HASH_LEN);
    return record_save(txn, SPACE_AUDIT_SEGMENT, name, strlen(name), &b, err);
}

struct list {
    struct audit_segments *out;
    const char *dir;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
read_value(struct text value, struct archive_known *out)
{
    struct reader r;

    if (!record_begin(value, &r))
        return false;
    out->count = reader_u8(&r);
    if (!out->count || out->count > sizeof(out->sha256) / HASH_LEN)
        return false;
    reader_copy(&r, out->sha256, out->count * HASH_LEN);
    return reader_done(&r);
}

/* A name as the key has it, behind the byte of its space. */
static bool
read_segment(struct text key, struct text value, struct audit_segment *s)
{
    if (key.len < 2 || key.len > sizeof(s->name))
        return false;
    memcpy(s->name, key.p + 1, key.len - 1);
    return archive_name_parse(s->name, &s->head) && read_value(value, &s->known);
}

static bool
add(struct text key, struct text value, void *arg)
{
    struct list *l = arg;
    struct audit_segments *all = l->out;
    struct audit_segment *grown =
        realloc(all->item, (all->count + 1) * sizeof(*all->item));

    if (!grown) {
        l->rc = mauth_fail(l->err, MAUTH_NO_MEMORY, "audit: no memory");
        return false;
    }
    all->item = grown;
    grown += all->count;
    memset(grown, 0, sizeof(*grown));
    if (!read_segment(key, value, grown))
        l->rc = record_damaged("segment of the archive", l->err);
    else if (!(grown->path = file_join(l->dir, grown->name)))
        l->rc = mauth_fail(l->err, MAUTH_NO_MEMORY, "audit: no memory");
    all->count += l->rc == MAUTH_OK;
    return l->rc == MAUTH_OK;
}

static enum mauth_rc
list(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct store_key first, end;
    struct list *l = arg;
    enum mauth_rc rc;

    store_key_bounds(&first, &end, SPACE_AUDIT_SEGMENT);
    rc = kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, add, l, err);
    return rc ? rc : l->rc;
}

enum mauth_rc
audit_segments_read(struct kv *kv, struct audit_segments *out, struct mauth_err *err)
{
    char *dir = audit_segments_folder(kv);
    struct list l = {.out = out, .dir = dir, .err = err};
    enum mauth_rc rc;

    *out = (struct audit_segments){0};
    if (!dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    rc = kv_read(kv, list, &l, err);
    if (rc)
        audit_segments_clear(out);
    free(dir);
    return rc;
}

void
audit_segments_clear(struct audit_segments *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->item[i].path);
    free(s->item);
    *s = (struct audit_segments){0};
}
