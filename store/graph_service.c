#include "store/graph_service.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "keys/key.h"
#include "store/graph_record.h"
#include "store/graph_role.h"
#include "store/graph_session.h"
#include "store/readiness.h"
#include "store/reported.h"
#include "store/revocations.h"

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

static struct text
hash_text(const uint8_t hash[GRAPH_KEY_HASH])
{
    return (struct text){(const char *)hash, GRAPH_KEY_HASH};
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
    if (s->url[0] && !record_is_prefix(text_of(s->url)))
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
    enum mauth_rc rc = record_way_to_service(txn, space, by, &id, err);

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
    if (rc == MAUTH_OK)
        rc = readiness_forget(txn, id, err);
    if (rc == MAUTH_OK)
        rc = reported_forget(txn, id, err);
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
