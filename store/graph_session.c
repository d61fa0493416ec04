#include "store/graph_session.h"

#include <string.h>

#include "base/fail.h"
#include "store/graph_device.h"
#include "store/graph_link.h"
#include "store/graph_purge.h"
#include "store/graph_record.h"
#include "store/revocations.h"

enum {
    BATCH = 64,
    LOOK_AGAIN_S = 24 * 3600, /* at a session that goes on behind its end */
    FLAG_OPEN = 1,            /* in its record */
    FLAG_CERTIFICATE = 2,
    OPEN_KEY = 1 + 1 + ID_BYTES /* where the key's hash stands in SPACE_SESSION_OPEN */
};

static enum mauth_rc
put_session(struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u8(&b, (uint8_t)s->subject_kind);
    record_id(&b, &s->subject);
    buf_put(&b, s->key_hash, GRAPH_KEY_HASH);
    buf_u64(&b, (uint64_t)s->started_s);
    buf_u64(&b, (uint64_t)s->ends_s);
    buf_u8(&b, (uint8_t)((s->open ? FLAG_OPEN : 0) |
                         (s->by_certificate ? FLAG_CERTIFICATE : 0)));
    return record_save(txn, SPACE_SESSION, s->id.b, ID_BYTES, &b, err);
}

/* What the open sessions of a subject, or of one key of it, begin with. */
static void
open_key(struct store_key *k, enum id_kind kind, const struct id *subject,
    const uint8_t *key_hash)
{
    store_key(k, SPACE_SESSION_OPEN, NULL, 0);
    buf_u8(&k->b, (uint8_t)kind);
    record_id(&k->b, subject);
    if (key_hash)
        buf_put(&k->b, key_hash, GRAPH_KEY_HASH);
}

/* Behind all that begin so. */
static void
open_end(struct store_key *end, const struct store_key *prefix)
{
    struct text name = store_key_text(prefix);
    uint8_t last[GRAPH_KEY_HASH + ID_BYTES + 1];

    memset(last, 0xff, sizeof(last));
    store_key(end, SPACE_SESSION_OPEN, name.p + 1, name.len - 1);
    buf_put(&end->b, last, sizeof(last));
}

enum mauth_rc
graph_session_create(
    struct kv_txn *txn, const struct graph_session *s, struct mauth_err *err)
{
    struct store_key open;
    enum mauth_rc rc;

    if (s->subject_kind != ID_USER && s->subject_kind != ID_SERVICE)
        return mauth_fail(err, MAUTH_INVALID, "graph: a session of no principal");
    rc = put_session(txn, s, err);
    if (rc == MAUTH_OK)
        rc = graph_purge_at(txn, ID_SESSION, &s->id, s->ends_s, err);
    if (rc || !s->open)
        return rc;
    open_key(&open, s->subject_kind, &s->subject, s->key_hash);
    record_id(&open.b, &s->id);
    return kv_put(txn, store_key_text(&open), (struct text){"", 0}, err);
}

enum mauth_rc
graph_session_by_id(struct kv_txn *txn, const struct id *id, struct graph_session *out,
    struct mauth_err *err)
{
    struct reader r;
    unsigned kind, flags;
    enum mauth_rc rc;

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
    flags = reader_u8(&r);
    out->open = flags & FLAG_OPEN;
    out->by_certificate = flags & FLAG_CERTIFICATE;
    if (!reader_done(&r) || kind != (unsigned)out->subject_kind ||
        flags > (FLAG_OPEN | FLAG_CERTIFICATE))
        return record_damaged("session", err);
    return MAUTH_OK;
}

static enum mauth_rc
is_unattended(
    struct kv_txn *txn, const struct graph_session *s, bool *out, struct mauth_err *err)
{
    struct graph_device d;
    struct graph_link claim;
    enum mauth_rc rc = graph_device_by_key(txn, s->key_hash, &d, err);

    *out = false;
    if (rc == MAUTH_OK && d.unattended)
        rc = graph_link_find(
            txn, GRAPH_CLAIMED_BY_DEVICE, &d.id, &s->subject, &claim, err);
    *out = rc == MAUTH_OK && d.unattended;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

enum mauth_rc
graph_session_goes_on(struct kv_txn *txn, const struct graph_session *s, int64_t now_s,
    bool *out, struct mauth_err *err)
{
    *out = s->open && now_s < s->ends_s;
    if (*out || !s->open || s->subject_kind != ID_USER)
        return MAUTH_OK;
    return is_unattended(txn, s, out, err);
}

enum mauth_rc
graph_session_extend(
    struct kv_txn *txn, const struct id *id, int64_t ends_s, struct mauth_err *err)
{
    struct graph_session s;
    enum mauth_rc rc = graph_session_by_id(txn, id, &s, err);

    if (rc)
        return rc;
    if (!s.open)
        return MAUTH_NOT_FOUND;
    if (ends_s <= s.ends_s)
        return MAUTH_OK;
    s.ends_s = ends_s; /* graph_session_purge() finds out when it looks */
    return put_session(txn, &s, err);
}

static enum mauth_rc
close_one(struct kv_txn *txn, struct graph_session *s, struct mauth_err *err)
{
    struct store_key open;
    enum mauth_rc rc;

    s->open = false;
    rc = put_session(txn, s, err);
    if (rc)
        return rc;
    open_key(&open, s->subject_kind, &s->subject, s->key_hash);
    record_id(&open.b, &s->id);
    return kv_delete(txn, store_key_text(&open), err);
}

/*
 * Nothing outlives its session: when its time is over nobody needs to know of it, unless
 * a device that is unattended may still come to renew it.
 */
enum mauth_rc
graph_session_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_session s;
    struct store_key key;
    enum mauth_rc rc = graph_session_by_id(txn, id, &s, err);
    bool goes_on;

    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    if (s.ends_s > now_s)
        return graph_purge_at(txn, ID_SESSION, id, s.ends_s, err);
    rc = graph_session_goes_on(txn, &s, now_s, &goes_on, err);
    if (rc == MAUTH_OK && goes_on)
        return graph_purge_at(txn, ID_SESSION, id, now_s + LOOK_AGAIN_S, err);
    if (rc == MAUTH_OK && s.open)
        rc = close_one(txn, &s, err);
    if (rc)
        return rc;
    store_key(&key, SPACE_SESSION, id->b, ID_BYTES);
    return kv_delete(txn, store_key_text(&key), err);
}

static enum mauth_rc
revoke(struct kv_txn *txn, enum id_kind kind, const struct id *id, uint64_t state,
    struct mauth_err *err)
{
    struct revoked gone = {.count = 1, .state = state};

    id_format(kind, id, gone.id[0]);
    return revocations_add(txn, &gone, err);
}

enum mauth_rc
graph_session_close(struct kv_txn *txn, const struct id *id, struct mauth_err *err)
{
    struct graph_session s;
    uint64_t state;
    enum mauth_rc rc;

    rc = graph_session_by_id(txn, id, &s, err);
    if (rc)
        return rc;
    if (!s.open)
        return MAUTH_NOT_FOUND;
    rc = close_one(txn, &s, err);
    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    return rc ? rc : revoke(txn, ID_SESSION, id, state, err);
}

struct found {
    size_t count;
    struct id id[BATCH];
};

static bool
find(struct text key, struct text value, void *arg)
{
    struct found *f = arg;

    (void)value;
    memcpy(f->id[f->count].b, key.p + key.len - ID_BYTES, ID_BYTES);
    return ++f->count < BATCH;
}

/* Some of those whose key begins so: none may be deleted while they are looked for. */
static enum mauth_rc
find_some(struct kv_txn *txn, const struct store_key *prefix, struct found *out,
    struct mauth_err *err)
{
    struct store_key end;

    open_end(&end, prefix);
    out->count = 0;
    return kv_scan(
        txn, store_key_text(prefix), store_key_text(&end), KV_UP, find, out, err);
}

/* From the first key of a walk to its end, one more than the page. */
struct paging {
    struct id id[GRAPH_PAGE_MAX + 1];
    size_t count, max;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;

    (void)value;
    memcpy(p->id[p->count].b, key.p + key.len - ID_BYTES, ID_BYTES);
    return ++p->count < p->max;
}

/* The first key behind that of a session, which may be closed by now. */
static enum mauth_rc
key_behind(struct kv_txn *txn, enum id_kind kind, const struct id *subject,
    const struct id *after, struct store_key *out, struct mauth_err *err)
{
    struct graph_session s;
    enum mauth_rc rc = graph_session_by_id(txn, after, &s, err);

    if (rc != MAUTH_OK)
        return rc;
    if (s.subject_kind != kind || memcmp(s.subject.b, subject->b, ID_BYTES) != 0)
        return MAUTH_NOT_FOUND;
    open_key(out, kind, subject, s.key_hash);
    record_id(&out->b, after);
    buf_u8(&out->b, 0);
    return MAUTH_OK;
}

enum mauth_rc
graph_session_page(struct kv_txn *txn, enum id_kind kind, const struct id *subject,
    const struct id *after, size_t limit, struct graph_sessions *out,
    struct mauth_err *err)
{
    struct paging p = {.count = 0};
    struct store_key first, end;
    enum mauth_rc rc = MAUTH_OK;

    p.max = (limit && limit < GRAPH_PAGE_MAX ? limit : GRAPH_PAGE_MAX) + 1;
    out->count = 0;
    out->more = false;
    open_key(&first, kind, subject, NULL);
    open_end(&end, &first);
    if (after)
        rc = key_behind(txn, kind, subject, after, &first, err);
    if (rc == MAUTH_OK)
        rc = kv_scan(
            txn, store_key_text(&first), store_key_text(&end), KV_UP, take, &p, err);
    if (rc != MAUTH_OK)
        return rc;
    out->more = p.count == p.max;
    for (size_t n = p.count - out->more; out->count < n && rc == MAUTH_OK; out->count++)
        rc = graph_session_by_id(txn, &p.id[out->count], &out->items[out->count], err);
    return rc == MAUTH_NOT_FOUND
               ? record_damaged("an open session that is not there", err)
               : rc;
}

/* What is being closed, and how far that is. */
struct closing {
    bool revokes;
    uint64_t state; /* taken before the first one */
    size_t count;
    struct id told; /* the subject that was revoked last */
};

/* Where there are many their subjects stand for the rest, so that they do not fill the
 * list. Those of one subject follow each other. */
static enum mauth_rc
revoke_next(struct kv_txn *txn, const struct graph_session *s, struct closing *c,
    struct mauth_err *err)
{
    if (c->count < GRAPH_SESSIONS_REVOKED)
        return revoke(txn, ID_SESSION, &s->id, c->state, err);
    if (c->count > GRAPH_SESSIONS_REVOKED &&
        memcmp(c->told.b, s->subject.b, ID_BYTES) == 0)
        return MAUTH_OK;
    c->told = s->subject;
    return revoke(txn, s->subject_kind, &s->subject, c->state, err);
}

/* *last: the last one that was found. */
static enum mauth_rc
close_found(struct kv_txn *txn, const struct found *found, struct closing *c,
    struct graph_session *last, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    if (c->revokes && !c->count && found->count)
        rc = graph_advance(txn, &c->state, err);
    for (size_t i = 0; i < found->count && rc == MAUTH_OK; i++, c->count++) {
        rc = graph_session_by_id(txn, &found->id[i], last, err);
        if (rc == MAUTH_NOT_FOUND)
            rc = record_damaged("an open session that is not there", err);
        if (rc == MAUTH_OK)
            rc = close_one(txn, last, err);
        if (rc == MAUTH_OK && c->revokes)
            rc = revoke_next(txn, last, c, err);
    }
    return rc;
}

static enum mauth_rc
close_those(struct kv_txn *txn, const struct store_key *prefix, bool revokes,
    size_t *count, struct mauth_err *err)
{
    struct closing c = {.revokes = revokes};
    struct graph_session last;
    struct found found;
    enum mauth_rc rc;

    do {
        rc = find_some(txn, prefix, &found, err);
        if (rc == MAUTH_OK)
            rc = close_found(txn, &found, &c, &last, err);
    } while (rc == MAUTH_OK && found.count);
    *count = c.count;
    return rc;
}

enum mauth_rc
graph_session_close_of_key(struct kv_txn *txn, enum id_kind kind,
    const struct id *subject, const uint8_t key_hash[GRAPH_KEY_HASH], size_t *count,
    struct mauth_err *err)
{
    struct store_key prefix;

    open_key(&prefix, kind, subject, key_hash);
    return close_those(txn, &prefix, true, count, err);
}

enum mauth_rc
graph_session_close_all(struct kv_txn *txn, enum id_kind kind, const struct id *subject,
    struct mauth_err *err)
{
    struct store_key prefix;
    size_t count;

    open_key(&prefix, kind, subject, NULL);
    return close_those(txn, &prefix, false, &count, err);
}

enum mauth_rc
graph_session_close_everybody(struct kv_txn *txn, size_t *count, struct mauth_err *err)
{
    struct store_key prefix;

    store_key(&prefix, SPACE_SESSION_OPEN, NULL, 0);
    return close_those(txn, &prefix, false, count, err);
}

enum mauth_rc
graph_session_revoke_all(struct kv_txn *txn, enum id_kind kind,
    const struct id *subject, struct mauth_err *err)
{
    uint64_t state;
    enum mauth_rc rc = graph_session_close_all(txn, kind, subject, err);

    if (rc == MAUTH_OK)
        rc = graph_advance(txn, &state, err);
    return rc ? rc : revoke(txn, kind, subject, state, err);
}

/* Those of one key, among all that are open. */
struct found_on_key {
    struct found found;
    const uint8_t *key_hash;
};

static bool
find_on_key(struct text key, struct text value, void *arg)
{
    struct found_on_key *f = arg;

    if (memcmp(key.p + OPEN_KEY, f->key_hash, GRAPH_KEY_HASH) != 0)
        return true;
    return find(key, value, &f->found);
}

/* Each look goes on behind the last one that was found. */
enum mauth_rc
graph_session_close_on_key(
    struct kv_txn *txn, const uint8_t key_hash[GRAPH_KEY_HASH], struct mauth_err *err)
{
    struct found_on_key f = {.key_hash = key_hash};
    struct closing c = {.revokes = true};
    struct store_key first, end;
    struct graph_session last;
    enum mauth_rc rc;

    store_key_bounds(&first, &end, SPACE_SESSION_OPEN);
    do {
        f.found.count = 0;
        rc = kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP,
            find_on_key, &f, err);
        if (rc == MAUTH_OK)
            rc = close_found(txn, &f.found, &c, &last, err);
        if (rc != MAUTH_OK || f.found.count < BATCH)
            return rc;
        open_key(&first, last.subject_kind, &last.subject, last.key_hash);
        record_id(&first.b, &last.id);
    } while (true);
}
