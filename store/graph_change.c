#include "store/graph_change.h"

#include <string.h>

#include "base/fail.h"
#include "store/graph_record.h"

static const struct graph_change_form forms[GRAPH_CHANGE_TYPES] = {
    [GRAPH_CHANGED_USER] = {"user", 1, {ID_USER}},
    [GRAPH_CHANGED_DEVICE] = {"device", 1, {ID_DEVICE}},
    [GRAPH_CHANGED_FOLDER] = {"folder", 1, {ID_FOLDER}},
    [GRAPH_CHANGED_CLAIM] = {"claim", 2, {ID_DEVICE, ID_USER}},
    [GRAPH_CHANGED_MEMBER] = {"member", 2, {ID_FOLDER, ID_USER}},
    [GRAPH_CHANGED_MAPPING] = {"mapping", 2, {ID_DEVICE, ID_FOLDER}},
    [GRAPH_CHANGED_INVITATION] = {"invitation", 3, {ID_INVITATION, ID_FOLDER, ID_USER}},
    [GRAPH_CHANGED_SERVICE] = {"service", 1, {ID_SERVICE}},
    [GRAPH_CHANGED_USER_ROLE] = {"role", 1, {ID_USER}},
    [GRAPH_CHANGED_SERVICE_ROLE] = {"role", 1, {ID_SERVICE}},
};

static const char *const ops[GRAPH_OPS] = {
    [GRAPH_CREATED] = "created",
    [GRAPH_UPDATED] = "updated",
    [GRAPH_DELETED] = "deleted",
};

const struct graph_change_form *
graph_change_form(enum graph_change_type type)
{
    return &forms[type];
}

const char *
graph_change_op_name(enum graph_change_op op)
{
    return ops[op];
}

enum mauth_rc
graph_change_put(struct kv_txn *txn, struct graph_change *c, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX], name[sizeof(uint64_t)];
    enum mauth_rc rc;
    struct buf b, n;

    rc = graph_advance(txn, &c->sequence, err);
    if (rc)
        return rc;
    buf_init_fixed(&n, name, sizeof(name));
    buf_u64(&n, c->sequence);
    record_open(&b, raw);
    buf_u64(&b, (uint64_t)c->time_s);
    buf_u8(&b, (uint8_t)c->op);
    buf_u8(&b, (uint8_t)c->type);
    for (size_t i = 0; i < forms[c->type].count; i++)
        record_id(&b, &c->id[i]);
    return record_save(txn, SPACE_CHANGE, name, sizeof(name), &b, err);
}

/* Both the key's number and the record. */
static bool
read_change(struct text key, struct text value, struct graph_change *out)
{
    struct reader name, r;
    unsigned op, type;

    memset(out, 0, sizeof(*out));
    reader_init(&name, key.p, key.len);
    (void)reader_u8(&name);
    out->sequence = reader_u64(&name);
    if (!record_begin(value, &r))
        return false;
    out->time_s = (int64_t)reader_u64(&r);
    op = reader_u8(&r);
    type = reader_u8(&r);
    if (op >= GRAPH_OPS || type >= GRAPH_CHANGE_TYPES)
        return false;
    out->op = (enum graph_change_op)op;
    out->type = (enum graph_change_type)type;
    for (size_t i = 0; i < forms[type].count; i++)
        reader_copy(&r, out->id[i].b, ID_BYTES);
    return reader_done(&name) && reader_done(&r);
}

/* Up to which change nothing is kept any more. */
static enum mauth_rc
forgotten(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    *out = 0;
    rc = record_load(txn, SPACE_CHANGE_GONE, NULL, 0, &r, err);
    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    *out = reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("changes", err);
}

/* Never less than is forgotten already: what is purged may lie far behind. */
static enum mauth_rc
forget(struct kv_txn *txn, uint64_t upto, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    uint64_t gone;
    struct buf b;
    enum mauth_rc rc = forgotten(txn, &gone, err);

    if (rc || gone >= upto)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, upto);
    return record_save(txn, SPACE_CHANGE_GONE, NULL, 0, &b, err);
}

enum mauth_rc
graph_change_forget_all(struct kv_txn *txn, struct mauth_err *err)
{
    uint64_t state;
    enum mauth_rc rc = graph_state(txn, &state, err);

    return rc ? rc : forget(txn, state, err);
}

struct walk {
    struct graph_changes *out;
    size_t max;
    uint64_t old;     /* when purging: what is kept only... */
    int64_t before_s; /* ...if it is neither so old nor from before then */
    bool purging;
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct walk *w = arg;
    struct graph_change *c = &w->out->items[w->out->count];

    if (w->out->count == w->max) {
        w->out->more = true;
        return false;
    }
    w->damaged = !read_change(key, value, c);
    if (w->damaged || (w->purging && c->sequence > w->old && c->time_s >= w->before_s))
        return false;
    w->out->count++;
    return true;
}

static enum mauth_rc
walk(struct kv_txn *txn, uint64_t first, struct walk *w, struct mauth_err *err)
{
    struct store_key from, end;
    enum mauth_rc rc;

    memset(w->out, 0, sizeof(*w->out));
    if (w->max > GRAPH_PAGE_MAX)
        w->max = GRAPH_PAGE_MAX;
    store_key(&from, SPACE_CHANGE, NULL, 0);
    buf_u64(&from.b, first);
    store_key(&end, SPACE_CHANGE, NULL, 0);
    buf_u64(&end.b, UINT64_MAX);
    rc = kv_scan(txn, store_key_text(&from), store_key_text(&end), KV_UP, take, w, err);
    if (rc == MAUTH_OK && w->damaged)
        rc = record_damaged("change", err);
    if (rc)
        memset(w->out, 0, sizeof(*w->out));
    return rc;
}

enum mauth_rc
graph_change_page(struct kv_txn *txn, uint64_t after, size_t max,
    struct graph_changes *out, struct mauth_err *err)
{
    struct walk w = {.out = out, .max = max};
    uint64_t gone, state;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = forgotten(txn, &gone, err);
    if (rc == MAUTH_OK)
        rc = graph_state(txn, &state, err);
    if (rc)
        return rc;
    if (after < gone || after > state)
        return mauth_fail(err, MAUTH_NOT_FOUND, "graph: changes that are not kept");
    return walk(txn, after + 1, &w, err);
}

static enum mauth_rc
purge_step(struct kv_txn *txn, uint64_t old, int64_t before_s, size_t max,
    size_t *count, struct mauth_err *err)
{
    struct graph_changes gone = {.count = 0};
    struct walk w = {
        .out = &gone, .max = max, .old = old, .before_s = before_s, .purging = true};
    struct store_key key;
    enum mauth_rc rc;

    *count = 0;
    rc = walk(txn, 0, &w, err);
    for (size_t i = 0; i < gone.count && rc == MAUTH_OK; i++) {
        store_key(&key, SPACE_CHANGE, NULL, 0);
        buf_u64(&key.b, gone.items[i].sequence);
        rc = kv_delete(txn, store_key_text(&key), err);
    }
    if (rc || !gone.count)
        return rc;
    *count = gone.count;
    return forget(txn, gone.items[gone.count - 1].sequence, err);
}

enum mauth_rc
graph_change_purge(
    struct kv_txn *txn, int64_t now_s, size_t max, size_t *count, struct mauth_err *err)
{
    uint64_t state, old;
    enum mauth_rc rc;
    size_t step;

    *count = 0;
    rc = graph_state(txn, &state, err);
    if (rc)
        return rc;
    old = state > GRAPH_CHANGES_KEPT ? state - GRAPH_CHANGES_KEPT : 0;
    do {
        rc = purge_step(
            txn, old, now_s - GRAPH_CHANGES_KEPT_S, max - *count, &step, err);
        *count += step;
    } while (rc == MAUTH_OK && step == GRAPH_PAGE_MAX && *count < max);
    return rc;
}
