#include "store/graph_service.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/url.h"
#include "keys/key.h"
#include "store/graph_record.h"
#include "store/graph_role.h"
#include "store/graph_session.h"
#include "store/revocations.h"

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

static enum mauth_rc
put_service(struct kv_txn *txn, const struct graph_service *s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, s->version);
    buf_u64(&b, (uint64_t)s->created_s);
    buf_u64(&b, (uint64_t)s->updated_s);
    buf_u8(&b, s->live);
    buf_field(&b, s->name, strlen(s->name));
    buf_field(&b, s->url, strlen(s->url));
    buf_field(&b, s->spki, s->spki_len);
    buf_u8(&b, (uint8_t)s->actions);
    for (size_t i = 0; i < s->actions; i++)
        buf_field(&b, s->action[i], strlen(s->action[i]));
    return record_save(txn, SPACE_SERVICE, s->id.b, ID_BYTES, &b, err);
}

/* The ways by which a service is found, beside its id. */

static enum mauth_rc
find_id(struct kv_txn *txn, enum store_space space, struct text by, struct id *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc = record_load(txn, space, by.p, by.len, &r, err);

    if (rc)
        return rc;
    reader_copy(&r, out->b, ID_BYTES);
    return reader_done(&r) ? MAUTH_OK : record_damaged("way to a service", err);
}

static enum mauth_rc
find_service(struct kv_txn *txn, enum store_space space, struct text by,
    struct graph_service *out, struct mauth_err *err)
{
    struct id id;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = find_id(txn, space, by, &id, err);
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

static enum mauth_rc
put_way(struct kv_txn *txn, enum store_space space, struct text by, const struct id *id,
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    record_id(&b, id);
    return record_save(txn, space, by.p, by.len, &b, err);
}

static enum mauth_rc
drop_way(
    struct kv_txn *txn, enum store_space space, struct text by, struct mauth_err *err)
{
    struct store_key key;

    store_key(&key, space, by.p, by.len);
    return kv_delete(txn, store_key_text(&key), err);
}

/* By what it has: name, key, prefix. */
static enum mauth_rc
put_ways(struct kv_txn *txn, const struct graph_service *s, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = put_way(txn, SPACE_SERVICE_NAME, text_of(s->name), &s->id, err);

    if (rc == MAUTH_OK && s->url[0])
        rc = put_way(txn, SPACE_SERVICE_URL, text_of(s->url), &s->id, err);
    if (rc || !s->spki_len)
        return rc;
    rc = hash_bytes(s->spki, s->spki_len, hash, err);
    return rc ? rc : put_way(txn, SPACE_SERVICE_KEY, hash_text(hash), &s->id, err);
}

static enum mauth_rc
drop_ways(struct kv_txn *txn, const struct graph_service *s, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = drop_way(txn, SPACE_SERVICE_NAME, text_of(s->name), err);

    if (rc == MAUTH_OK && s->url[0])
        rc = drop_way(txn, SPACE_SERVICE_URL, text_of(s->url), err);
    if (rc || !s->spki_len)
        return rc;
    rc = hash_bytes(s->spki, s->spki_len, hash, err);
    return rc ? rc : drop_way(txn, SPACE_SERVICE_KEY, hash_text(hash), err);
}

/* What a service may be: its own form, then what others leave to it. */

/* With anything behind its slash it is a strict URL; so it has none at its own end. */
static bool
is_prefix(const char *url)
{
    char below[GRAPH_URL_MAX + sizeof("/x")];

    snprintf(below, sizeof(below), "%s/x", url);
    return url_is_strict(text_of(below));
}

static bool
are_actions(const struct graph_service *s)
{
    if (s->actions > GRAPH_ACTIONS)
        return false;
    for (size_t i = 0; i < s->actions; i++) {
        if (!str_is_name(text_of(s->action[i])))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(s->action[i], s->action[j]) == 0)
                return false;
    }
    return true;
}

static enum mauth_rc
check_form(const struct graph_service *s, struct mauth_err *err)
{
    if (!str_is_name(text_of(s->name)) ||
        id_kind_of(s->name, strlen(s->name)) != ID_KINDS)
        return mauth_fail(err, MAUTH_INVALID,
            "a service's name is [a-z][a-z0-9_.-]*, 64 characters at most, and no id");
    if (s->url[0] && !is_prefix(s->url))
        return mauth_fail(err, MAUTH_INVALID,
            "a prefix is https://HOST[:PORT][/PATH] without a slash at its end, as in "
            "docs/rules.md");
    if (s->spki_len && !key_spki_is_well_formed(s->spki, s->spki_len))
        return mauth_fail(err, MAUTH_INVALID,
            "a service's key is P-256, or RSA of 2048 to 4096 bits");
    if (!are_actions(s))
        return mauth_fail(err, MAUTH_INVALID,
            "actions are names, none twice, %d at most", (int)GRAPH_ACTIONS);
    return MAUTH_OK;
}

/* Is it free, or this service's own? */
static enum mauth_rc
check_free(struct kv_txn *txn, enum store_space space, struct text by,
    const struct graph_service *s, const char *what, struct mauth_err *err)
{
    struct id id;
    enum mauth_rc rc = find_id(txn, space, by, &id, err);

    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    if (memcmp(&id, &s->id, sizeof(id)) == 0)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_CONFLICT, "another service has this %s", what);
}

struct below {
    const struct graph_service *s;
    bool taken;
};

static bool
find_below(struct text key, struct text value, void *arg)
{
    struct below *b = arg;

    (void)key;
    b->taken = value.len < ID_BYTES ||
               memcmp(value.p + value.len - ID_BYTES, b->s->id.b, ID_BYTES) != 0;
    return !b->taken;
}

/* A URL below two prefixes would have two audiences. */
static enum mauth_rc
check_prefix(struct kv_txn *txn, const struct graph_service *s, struct mauth_err *err)
{
    struct text up = text_of(s->url);
    struct below below = {.s = s};
    struct store_key first, end;
    enum mauth_rc rc = MAUTH_OK;

    for (; up.len && rc == MAUTH_OK; up.len--)
        if (up.len == strlen(s->url) || up.p[up.len] == '/')
            rc = check_free(txn, SPACE_SERVICE_URL, up, s, "prefix, or one above", err);
    if (rc)
        return rc;
    store_key(&first, SPACE_SERVICE_URL, s->url, strlen(s->url));
    buf_u8(&first.b, '/');
    store_key(&end, SPACE_SERVICE_URL, s->url, strlen(s->url));
    buf_u8(&end.b, '/' + 1);
    rc = kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, find_below,
        &below, err);
    if (rc == MAUTH_OK && below.taken)
        rc = mauth_fail(err, MAUTH_CONFLICT, "another service has a prefix below this");
    return rc;
}

static enum mauth_rc
check(struct kv_txn *txn, const struct graph_service *s, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = check_form(s, err);

    if (rc == MAUTH_OK)
        rc = check_free(txn, SPACE_SERVICE_NAME, text_of(s->name), s, "name", err);
    if (rc == MAUTH_OK && s->url[0])
        rc = check_prefix(txn, s, err);
    if (rc || !s->spki_len)
        return rc;
    rc = hash_bytes(s->spki, s->spki_len, hash, err);
    return rc ? rc : check_free(txn, SPACE_SERVICE_KEY, hash_text(hash), s, "key", err);
}

/* *state: the number of the state that it makes. */
static enum mauth_rc
put_change(struct kv_txn *txn, enum graph_change_op op, const struct graph_service *s,
    uint64_t *state, struct mauth_err *err)
{
    struct graph_change c = {
        .time_s = s->updated_s, .op = op, .type = GRAPH_CHANGED_SERVICE, .id = {s->id}};
    enum mauth_rc rc = graph_change_put(txn, &c, err);

    *state = c.sequence;
    return rc;
}

enum mauth_rc
graph_service_create(
    struct kv_txn *txn, const struct graph_service *want, struct mauth_err *err)
{
    struct graph_service s;
    uint64_t state;
    enum mauth_rc rc;

    rc = graph_service_by_id(txn, &want->id, &s, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "another service has this id");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = check(txn, want, err);
    if (rc)
        return rc;
    s = *want;
    s.version = 1;
    s.updated_s = want->created_s;
    s.live = true;
    rc = put_service(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = put_ways(txn, &s, err);
    return rc ? rc : put_change(txn, GRAPH_CREATED, &s, &state, err);
}

static enum mauth_rc
live_service(struct kv_txn *txn, const struct id *id, struct graph_service *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_service_by_id(txn, id, out, err);

    return rc == MAUTH_OK && !out->live ? MAUTH_NOT_FOUND : rc;
}

static enum mauth_rc
revoke(struct kv_txn *txn, const struct id *id, uint64_t state, struct mauth_err *err)
{
    struct revoked gone = {.count = 1, .state = state};

    id_format(ID_SERVICE, id, gone.id[0]);
    return revocations_add(txn, &gone, err);
}

static bool
has_key_of(const struct graph_service *a, const struct graph_service *b)
{
    return a->spki_len == b->spki_len && memcmp(a->spki, b->spki, a->spki_len) == 0;
}

static bool
has_action(const struct graph_service *s, const char *action)
{
    for (size_t i = 0; i < s->actions; i++)
        if (strcmp(s->action[i], action) == 0)
            return true;
    return s->actions == 0;
}

/* Has it lost an action that tickets may carry? */
static bool
has_fewer(const struct graph_service *s, const struct graph_service *than)
{
    if (s->actions && !than->actions)
        return true;
    for (size_t i = 0; i < than->actions; i++)
        if (!has_action(s, than->action[i]))
            return true;
    return false;
}

enum mauth_rc
graph_service_update(
    struct kv_txn *txn, const struct graph_service *want, struct mauth_err *err)
{
    struct graph_service old, s;
    bool other_key;
    uint64_t state;
    enum mauth_rc rc;

    rc = live_service(txn, &want->id, &old, err);
    if (rc)
        return rc;
    s = *want;
    s.version = old.version + 1;
    s.created_s = old.created_s;
    s.live = true;
    memcpy(s.name, old.name, sizeof(s.name));
    other_key = !has_key_of(&s, &old);
    rc = check(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = drop_ways(txn, &old, err);
    if (rc == MAUTH_OK)
        rc = put_ways(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = put_service(txn, &s, err);
    if (rc == MAUTH_OK && other_key)
        rc = graph_session_close_all(txn, ID_SERVICE, &s.id, err);
    if (rc == MAUTH_OK)
        rc = put_change(txn, GRAPH_UPDATED, &s, &state, err);
    if (rc || (!other_key && !has_fewer(&s, &old)))
        return rc;
    return revoke(txn, &s.id, state, err);
}

enum mauth_rc
graph_service_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    const struct graph_principal p = {ID_SERVICE, *id};
    struct graph_service s;
    uint64_t state;
    enum mauth_rc rc;

    rc = live_service(txn, id, &s, err);
    if (rc)
        return rc;
    rc = drop_ways(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = graph_role_drop_all(txn, &p, err);
    if (rc == MAUTH_OK)
        rc = graph_session_close_all(txn, ID_SERVICE, id, err);
    if (rc)
        return rc;
    s.live = false;
    s.version++;
    s.updated_s = now_s;
    rc = put_service(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = put_change(txn, GRAPH_DELETED, &s, &state, err);
    return rc ? rc : revoke(txn, id, state, err);
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
