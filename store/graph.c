#include "store/graph.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_record.h"

enum mauth_rc
graph_state(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    *out = 1;
    rc = record_load(txn, SPACE_GRAPH_STATE, NULL, 0, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc)
        return rc;
    *out = reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("state", err);
}

enum mauth_rc
graph_advance(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = graph_state(txn, out, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, ++*out);
    return record_save(txn, SPACE_GRAPH_STATE, NULL, 0, &b, err);
}

static enum mauth_rc
advance(struct kv_txn *txn, struct mauth_err *err)
{
    uint64_t state;

    return graph_advance(txn, &state, err);
}

static enum mauth_rc
service_by_id(struct kv_txn *txn, const struct id *id, struct graph_service *out,
    struct mauth_err *err)
{
    struct text name, spki;
    struct reader r;
    enum mauth_rc rc;

    rc = record_load(txn, SPACE_SERVICE, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    name = reader_field(&r);
    spki = reader_field(&r);
    if (!reader_done(&r) || name.len > GRAPH_NAME_MAX || spki.len > sizeof(out->spki))
        return record_damaged("service", err);
    memcpy(out->name, name.p, name.len);
    memcpy(out->spki, spki.p, spki.len);
    out->spki_len = spki.len;
    return MAUTH_OK;
}

enum mauth_rc
graph_service_by_name(struct kv_txn *txn, const char *name, struct graph_service *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;
    struct id id;

    memset(out, 0, sizeof(*out));
    if (!str_is_name(text_of(name)))
        return MAUTH_NOT_FOUND;
    rc = record_load(txn, SPACE_SERVICE_NAME, name, strlen(name), &r, err);
    if (rc)
        return rc;
    reader_copy(&r, id.b, ID_BYTES);
    if (!reader_done(&r))
        return record_damaged("service name", err);
    rc = service_by_id(txn, &id, out, err);
    return rc == MAUTH_NOT_FOUND ? record_damaged("name without a service", err) : rc;
}

static enum mauth_rc
put_service(struct kv_txn *txn, const struct id *id, const char *name, int64_t now_s,
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, 1); /* version */
    buf_u64(&b, (uint64_t)now_s);
    buf_u8(&b, true); /* live */
    buf_field(&b, name, strlen(name));
    buf_field(&b, NULL, 0); /* no key: an audience only */
    return record_save(txn, SPACE_SERVICE, id->b, ID_BYTES, &b, err);
}

enum mauth_rc
graph_service_create(struct kv_txn *txn, const struct id *id, const char *name,
    int64_t now_s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct reader r;
    enum mauth_rc rc;
    struct buf b;

    if (!str_is_name(text_of(name)))
        return mauth_fail(err, MAUTH_INVALID,
            "graph: a service's name is [a-z][a-z0-9_.-]*, 64 characters at most");
    rc = record_load(txn, SPACE_SERVICE_NAME, name, strlen(name), &r, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: there is a service %s", name);
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = put_service(txn, id, name, now_s, err);
    if (rc)
        return rc;
    record_open(&b, raw);
    record_id(&b, id);
    rc = record_save(txn, SPACE_SERVICE_NAME, name, strlen(name), &b, err);
    return rc ? rc : advance(txn, err);
}

enum mauth_rc
graph_session_create(
    struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    if (s->subject_kind != ID_USER && s->subject_kind != ID_SERVICE)
        return mauth_fail(err, MAUTH_INVALID, "graph: a session of no principal");
    record_open(&b, raw);
    buf_u8(&b, (uint8_t)s->subject_kind);
    record_id(&b, &s->subject);
    buf_put(&b, s->key_hash, GRAPH_KEY_HASH);
    buf_u64(&b, (uint64_t)s->started_s);
    buf_u64(&b, (uint64_t)s->ends_s);
    buf_u8(&b, s->open);
    return record_save(txn, SPACE_SESSION, s->id.b, ID_BYTES, &b, err);
}

enum mauth_rc
graph_session_by_id(struct kv_txn *txn, const struct id *id, struct graph_session *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;
    unsigned kind;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_SESSION, id->b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = *id;
    kind = reader_u8(&r);
    out->subject_kind = kind == ID_SERVICE ? ID_SERVICE : ID_USER;
    reader_copy(&r, out->subject.b, ID_BYTES);
    reader_copy(&r, out->key_hash, GRAPH_KEY_HASH);
    out->started_s = (int64_t)reader_u64(&r);
    out->ends_s = (int64_t)reader_u64(&r);
    out->open = reader_u8(&r) == 1;
    if (!reader_done(&r) || kind != (unsigned)out->subject_kind)
        return record_damaged("session", err);
    return MAUTH_OK;
}
