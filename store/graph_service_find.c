/* Services as they are read: by id, name, key and URL. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "store/graph_record.h"
#include "store/graph_service.h"

enum {
    URL_MAX = 2048 /* that may lie under a prefix */
};

static bool
read_actions(struct reader *r, struct graph_service *out)
{
    out->actions = reader_u8(r);
    if (out->actions > GRAPH_ACTIONS)
        return false;
    for (size_t i = 0; i < out->actions; i++) {
        struct text name = reader_field(r);

        if (name.len > GRAPH_NAME_MAX)
            return false;
        memcpy(out->action[i], name.p, name.len);
    }
    return reader_done(r);
}

enum mauth_rc
graph_service_by_id(struct kv_txn *txn, const struct id *id, struct graph_service *out,
    struct mauth_err *err)
{
    struct text name, url, spki;
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_SERVICE, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    name = reader_field(&r);
    url = reader_field(&r);
    spki = reader_field(&r);
    if (name.len > GRAPH_NAME_MAX || url.len > GRAPH_URL_MAX ||
        spki.len > sizeof(out->spki) || !read_actions(&r, out))
        return record_damaged("service", err);
    memcpy(out->name, name.p, name.len);
    memcpy(out->url, url.p, url.len);
    memcpy(out->spki, spki.p, spki.len);
    out->spki_len = spki.len;
    return MAUTH_OK;
}

enum mauth_rc
record_way_to_service(struct kv_txn *txn, enum store_space space, struct text by,
    struct id *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc = record_load(txn, space, by.p, by.len, &r, err);

    if (rc)
        return rc;
    reader_copy(&r, out->b, ID_BYTES);
    return reader_done(&r) ? MAUTH_OK : record_damaged("way to a service", err);
}

/* With anything behind its slash it is a strict URL; so it has none at its own end. */
bool
record_is_prefix(struct text url)
{
    char below[URL_MAX + sizeof("/x")];
    int n = snprintf(below, sizeof(below), "%.*s/x", (int)url.len, url.p);

    return url_is_strict((struct text){below, (size_t)n});
}

static enum mauth_rc
find_service(struct kv_txn *txn, enum store_space space, struct text by,
    struct graph_service *out, struct mauth_err *err)
{
    struct id id;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_way_to_service(txn, space, by, &id, err);
    if (rc)
        return rc;
    rc = graph_service_by_id(txn, &id, out, err);
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !out->live))
        return record_damaged("way to no service", err);
    return rc;
}

enum mauth_rc
graph_service_by_name(struct kv_txn *txn, const char *name, struct graph_service *out,
    struct mauth_err *err)
{
    memset(out, 0, sizeof(*out));
    if (!str_is_name(text_of(name)))
        return MAUTH_NOT_FOUND;
    return find_service(txn, SPACE_SERVICE_NAME, text_of(name), out, err);
}

static struct text
hash_text(const uint8_t hash[GRAPH_KEY_HASH])
{
    return (struct text){(const char *)hash, GRAPH_KEY_HASH};
}

enum mauth_rc
graph_service_by_key_hash(struct kv_txn *txn, const uint8_t key_hash[GRAPH_KEY_HASH],
    struct graph_service *out, struct mauth_err *err)
{
    return find_service(txn, SPACE_SERVICE_KEY, hash_text(key_hash), out, err);
}

enum mauth_rc
graph_service_by_url(struct kv_txn *txn, struct text url, struct graph_service *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_NOT_FOUND;
    struct text up = url;

    memset(out, 0, sizeof(*out));
    if (url.len > URL_MAX || (!record_is_prefix(url) && !url_is_strict(url)))
        return MAUTH_NOT_FOUND;
    for (; up.len && rc == MAUTH_NOT_FOUND; up.len--)
        if (up.len <= GRAPH_URL_MAX && (up.len == url.len || up.p[up.len] == '/'))
            rc = find_service(txn, SPACE_SERVICE_URL, up, out, err);
    return rc;
}

struct paging {
    struct graph_service_page *page;
    size_t limit;
    struct id id[GRAPH_SERVICES_PAGE];
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;
    struct reader r;

    (void)key;
    if (p->page->count == p->limit) {
        p->page->more = true;
        return false;
    }
    reader_init(&r, value.p, value.len);
    (void)reader_u8(&r);
    reader_copy(&r, p->id[p->page->count++].b, ID_BYTES);
    p->damaged = !reader_done(&r);
    return !p->damaged;
}

enum mauth_rc
graph_service_page(struct kv_txn *txn, const char *after, size_t limit,
    struct graph_service_page *out, struct mauth_err *err)
{
    struct paging p = {.page = out};
    struct store_key first, end;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    p.limit = limit && limit < GRAPH_SERVICES_PAGE ? limit : GRAPH_SERVICES_PAGE;
    store_key(&first, SPACE_SERVICE_NAME, after, after ? strlen(after) : 0);
    if (after)
        buf_u8(&first.b, 0); /* the first key behind it */
    store_key(&end, SPACE_SERVICE_NAME + 1, NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, take, &p, err);
    if (rc == MAUTH_OK && p.damaged)
        rc = record_damaged("way to a service", err);
    for (size_t i = 0; i < out->count && rc == MAUTH_OK; i++) {
        rc = graph_service_by_id(txn, &p.id[i], &out->item[i], err);
        if (rc == MAUTH_NOT_FOUND)
            rc = record_damaged("name without a service", err);
    }
    return rc;
}
