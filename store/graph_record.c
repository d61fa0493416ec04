#include "store/graph_record.h"

#include <string.h>

#include "base/fail.h"
#include "store/revocations.h"

enum {
    RECORD_VERSION = 1
};

const uint8_t record_last[ID_BYTES + 1] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};

enum mauth_rc
record_damaged(const char *what, struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_UNAVAILABLE, "graph: a damaged record (%s)", what);
}

/* A record of this space, from behind its version byte. */
enum mauth_rc
record_load(struct kv_txn *txn, enum store_space space, const void *name, size_t len,
    struct reader *r, struct mauth_err *err)
{
    struct store_key key;
    struct text value;
    enum mauth_rc rc;

    store_key(&key, space, name, len);
    rc = kv_get(txn, store_key_text(&key), &value, err);
    if (rc)
        return rc;
    return record_begin(value, r) ? MAUTH_OK : record_damaged("version", err);
}

bool
record_begin(struct text value, struct reader *r)
{
    reader_init(r, value.p, value.len);
    return reader_u8(r) == RECORD_VERSION;
}

enum mauth_rc
record_save(struct kv_txn *txn, enum store_space space, const void *name, size_t len,
    const struct buf *record, struct mauth_err *err)
{
    struct store_key key;

    if (!buf_ok(record))
        return mauth_fail(err, MAUTH_INVALID, "graph: a record that is too long");
    store_key(&key, space, name, len);
    return kv_put(txn, store_key_text(&key), buf_slice(record), err);
}

void
record_open(struct buf *b, uint8_t raw[RECORD_MAX])
{
    buf_init_fixed(b, raw, RECORD_MAX);
    buf_u8(b, RECORD_VERSION);
}

void
record_id(struct buf *b, const struct id *id)
{
    buf_put(b, id->b, ID_BYTES);
}

struct paging {
    struct graph_ids *out;
    size_t prefix;
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;
    struct reader r;

    (void)value;
    if (p->out->count == GRAPH_PAGE_MAX) {
        p->out->more = true;
        return false;
    }
    reader_init(&r, key.p, key.len);
    (void)reader_bytes(&r, p->prefix);
    reader_copy(&r, p->out->ids[p->out->count++].b, ID_BYTES);
    p->damaged = !reader_done(&r);
    return !p->damaged;
}

enum mauth_rc
record_page(struct kv_txn *txn, const struct store_key *prefix, const struct id *after,
    struct graph_ids *out, struct mauth_err *err)
{
    struct paging p = {.out = out, .prefix = prefix->b.len};
    struct store_key first, end;
    enum mauth_rc rc;

    store_key(&first, prefix->bytes[0], prefix->bytes + 1, p.prefix - 1);
    if (after) {
        record_id(&first.b, after); /* which may be out's */
        buf_u8(&first.b, 0);        /* the first key behind it */
    }
    memset(out, 0, sizeof(*out));
    store_key(&end, prefix->bytes[0], prefix->bytes + 1, p.prefix - 1);
    buf_put(&end.b, record_last, sizeof(record_last));
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, take, &p, err);
    if (rc == MAUTH_OK && p.damaged)
        rc = record_damaged("list", err);
    if (rc)
        memset(out, 0, sizeof(*out));
    return rc;
}

enum mauth_rc
graph_revoke(
    struct kv_txn *txn, const struct graph_change *c, size_t ids, struct mauth_err *err)
{
    const struct graph_change_form *form = graph_change_form(c->type);
    struct revoked gone = {.state = c->sequence, .count = ids};

    for (size_t i = 0; i < ids && i < REVOKED_IDS;
         i++) /* the kinds of a form are in order */
        id_format(form->kind[i], &c->id[i], gone.id[i]);
    return revocations_add(txn, &gone, err);
}
