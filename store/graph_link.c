#include "store/graph_link.h"

#include <string.h>

#include "base/str.h"
#include "store/graph_record.h"

static const struct {
    enum store_space space;
    enum graph_way back; /* the same link from its other end */
} ways[GRAPH_WAYS] = {
    [GRAPH_CLAIMED_BY_DEVICE] = {SPACE_CLAIM_DEVICE, GRAPH_CLAIMED_BY_USER},
    [GRAPH_CLAIMED_BY_USER] = {SPACE_CLAIM_USER, GRAPH_CLAIMED_BY_DEVICE},
    [GRAPH_MEMBER_BY_FOLDER] = {SPACE_MEMBER_FOLDER, GRAPH_MEMBER_BY_USER},
    [GRAPH_MEMBER_BY_USER] = {SPACE_MEMBER_USER, GRAPH_MEMBER_BY_FOLDER},
    [GRAPH_MAPPED_BY_DEVICE] = {SPACE_MAPPED_DEVICE, GRAPH_MAPPED_BY_FOLDER},
    [GRAPH_MAPPED_BY_FOLDER] = {SPACE_MAPPED_FOLDER, GRAPH_MAPPED_BY_DEVICE},
};

bool
graph_role_is(const char *role, const char *other)
{
    return strcmp(role, other) == 0;
}

bool
graph_role_can_be_given(const char *role)
{
    return str_is_name(text_of(role)) && !graph_role_is(role, GRAPH_OWNER);
}

struct ends {
    uint8_t b[2 * ID_BYTES];
};

static struct ends
ends_of(const struct id *from, const struct id *to)
{
    struct ends e;

    memcpy(e.b, from->b, ID_BYTES);
    memcpy(e.b + ID_BYTES, to->b, ID_BYTES);
    return e;
}

static bool
read_link(struct reader *r, struct graph_link *out)
{
    struct text role = reader_field(r);
    bool good = role.len == 0 || str_is_name(role);

    memset(out->role, 0, sizeof(out->role));
    if (good)
        memcpy(out->role, role.p, role.len);
    out->version = reader_u64(r);
    out->created_s = (int64_t)reader_u64(r);
    out->updated_s = (int64_t)reader_u64(r);
    return reader_done(r) && good;
}

enum mauth_rc
graph_link_find(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct id *to, struct graph_link *out, struct mauth_err *err)
{
    struct ends e = ends_of(from, to);
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, ways[way].space, e.b, sizeof(e.b), &r, err);
    if (rc)
        return rc;
    if (!read_link(&r, out)) {
        memset(out, 0, sizeof(*out));
        return record_damaged("link", err);
    }
    out->to = *to;
    return MAUTH_OK;
}

struct paging {
    struct graph_link *links;
    size_t max;
    size_t count;
    bool more;
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;
    struct graph_link *l;
    struct reader name, r;

    if (p->count == p->max) {
        p->more = true;
        return false;
    }
    l = &p->links[p->count];
    reader_init(&name, key.p, key.len);
    (void)reader_bytes(&name, 1 + ID_BYTES);
    reader_copy(&name, l->to.b, ID_BYTES);
    p->damaged = !reader_done(&name) || !record_begin(value, &r) || !read_link(&r, l);
    p->count++;
    return !p->damaged;
}

/* At most p->max links of from behind after, or none. */
static enum mauth_rc
list(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct id *after, struct paging *p, struct mauth_err *err)
{
    struct store_key first, end;
    enum mauth_rc rc;

    store_key(&first, ways[way].space, from->b, ID_BYTES);
    if (after) {
        buf_put(&first.b, after->b, ID_BYTES);
        buf_u8(&first.b, 0); /* the first key behind it */
    }
    store_key(&end, ways[way].space, from->b, ID_BYTES);
    buf_put(&end.b, record_last, sizeof(record_last));
    rc =
        kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, take, p, err);
    return rc == MAUTH_OK && p->damaged ? record_damaged("link", err) : rc;
}

enum mauth_rc
graph_link_page(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct id *after, struct graph_page *out, struct mauth_err *err)
{
    struct paging p = {.max = GRAPH_PAGE_MAX};
    struct id behind; /* after may be out's */
    enum mauth_rc rc;

    if (after)
        behind = *after;
    memset(out, 0, sizeof(*out));
    p.links = out->links;
    rc = list(txn, way, from, after ? &behind : NULL, &p, err);
    if (rc) {
        memset(out, 0, sizeof(*out));
        return rc;
    }
    out->count = p.count;
    out->more = p.more;
    return MAUTH_OK;
}

enum mauth_rc
graph_link_next(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct id *after, struct graph_link *out, struct mauth_err *err)
{
    struct graph_link next = {.role = GRAPH_NO_ROLE};
    struct paging p = {.links = &next, .max = 1};
    enum mauth_rc rc = list(txn, way, from, after, &p, err);

    if (rc == MAUTH_OK && !p.count)
        rc = MAUTH_NOT_FOUND;
    if (rc)
        memset(out, 0, sizeof(*out));
    else
        *out = next;
    return rc;
}

static enum mauth_rc
put_one(struct kv_txn *txn, enum graph_way way, struct ends e,
    const struct graph_link *l, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_field(&b, l->role, strlen(l->role));
    buf_u64(&b, l->version);
    buf_u64(&b, (uint64_t)l->created_s);
    buf_u64(&b, (uint64_t)l->updated_s);
    return record_save(txn, ways[way].space, e.b, sizeof(e.b), &b, err);
}

enum mauth_rc
graph_link_put(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct graph_link *l, struct mauth_err *err)
{
    enum mauth_rc rc;

    rc = put_one(txn, way, ends_of(from, &l->to), l, err);
    return rc ? rc : put_one(txn, ways[way].back, ends_of(&l->to, from), l, err);
}

enum mauth_rc
graph_link_delete(struct kv_txn *txn, enum graph_way way, const struct id *from,
    const struct id *to, struct mauth_err *err)
{
    struct ends there = ends_of(from, to), back = ends_of(to, from);
    struct store_key key;
    enum mauth_rc rc;

    store_key(&key, ways[way].space, there.b, sizeof(there.b));
    rc = kv_delete(txn, store_key_text(&key), err);
    if (rc)
        return rc;
    store_key(&key, ways[ways[way].back].space, back.b, sizeof(back.b));
    return kv_delete(txn, store_key_text(&key), err);
}

enum mauth_rc
graph_link_delete_all(struct kv_txn *txn, enum graph_way way, const struct id *from,
    size_t *count, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc;

    *count = 0;
    do {
        rc = graph_link_page(txn, way, from, NULL, &page, err);
        for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++)
            rc = graph_link_delete(txn, way, from, &page.links[i].to, err);
        *count += page.count;
    } while (rc == MAUTH_OK && page.more);
    return rc;
}
