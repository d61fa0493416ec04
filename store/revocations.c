#include "store/revocations.h"

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "keys/revocations.h"
#include "store/graph_record.h"

enum {
    SET_MAX = 1 + REVOKED_IDS * (2 + REVOKED_ID_MAX),
    STEP = 256 /* entries that are looked at before some of them are put or deleted */
};

/* What is true of the whole list. */
struct summary {
    uint64_t serial;
    uint64_t count;
    int64_t latest_s; /* that was ever given */
};

struct entry {
    uint64_t state;
    int64_t listed_s; /* first; 0: not yet */
};

static enum mauth_rc
load_summary(struct kv_txn *txn, struct summary *out, struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_REVOKED_SUMMARY, NULL, 0, &r, err);
    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    out->serial = reader_u64(&r);
    out->count = reader_u64(&r);
    out->latest_s = (int64_t)reader_u64(&r);
    return reader_done(&r) ? MAUTH_OK : record_damaged("summary of revocations", err);
}

static enum mauth_rc
save_summary(struct kv_txn *txn, const struct summary *s, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, s->serial);
    buf_u64(&b, s->count);
    buf_u64(&b, (uint64_t)s->latest_s);
    return record_save(txn, SPACE_REVOKED_SUMMARY, NULL, 0, &b, err);
}

static bool
read_entry(struct reader *r, struct entry *out)
{
    out->state = reader_u64(r);
    out->listed_s = (int64_t)reader_u64(r);
    return reader_done(r);
}

static enum mauth_rc
save_entry(
    struct kv_txn *txn, struct text name, const struct entry *e, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, e->state);
    buf_u64(&b, (uint64_t)e->listed_s);
    return record_save(txn, SPACE_REVOKED, name.p, name.len, &b, err);
}

/* The set's name in the store: how many ids, then each with its length. */
static bool
name_of(const struct revoked *r, struct buf *b)
{
    struct text previous = {"", 0};

    if (r->count > REVOKED_IDS)
        return false;
    buf_u8(b, (uint8_t)r->count);
    for (size_t i = 0; i < r->count; i++) {
        struct text id = {r->id[i], strnlen(r->id[i], sizeof(r->id[i]))};

        if (!revocation_takes(id) || text_compare(previous, id) >= 0)
            return false;
        buf_field(b, id.p, id.len);
        previous = id;
    }
    return buf_ok(b);
}

struct names {
    uint8_t name[STEP][SET_MAX];
    size_t len[STEP];
    size_t count;
    bool damaged;
};

static void
note_name(struct names *n, struct text key)
{
    n->damaged |= key.len < 1 || key.len - 1 > SET_MAX;
    if (n->damaged)
        return;
    memcpy(n->name[n->count], key.p + 1, key.len - 1);
    n->len[n->count++] = key.len - 1;
}

static bool
note_any(struct text key, struct text value, void *arg)
{
    struct names *n = arg;

    (void)value;
    note_name(n, key);
    return !n->damaged && n->count < STEP;
}

static enum mauth_rc
delete_names(struct kv_txn *txn, const struct names *n, struct mauth_err *err)
{
    struct store_key key;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < n->count && rc == MAUTH_OK; i++) {
        store_key(&key, SPACE_REVOKED, n->name[i], n->len[i]);
        rc = kv_delete(txn, store_key_text(&key), err);
    }
    return rc;
}

static enum mauth_rc
delete_all(struct kv_txn *txn, struct mauth_err *err)
{
    struct store_key first, end;
    struct names n;
    enum mauth_rc rc;

    store_key_bounds(&first, &end, SPACE_REVOKED);
    do {
        n.count = 0;
        n.damaged = false;
        rc = kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, note_any,
            &n, err);
        if (rc == MAUTH_OK && n.damaged)
            rc = record_damaged("revocation", err);
        if (rc == MAUTH_OK)
            rc = delete_names(txn, &n, err);
    } while (rc == MAUTH_OK && n.count == STEP);
    return rc;
}

/* In the place of all entries: every ticket of an earlier state is dead. */
static enum mauth_rc
put_all(struct kv_txn *txn, uint64_t state, struct summary *s, struct mauth_err *err)
{
    const struct entry e = {.state = state};
    enum mauth_rc rc = delete_all(txn, err);

    s->count = 1;
    return rc ? rc : save_entry(txn, (struct text){"\0", 1}, &e, err);
}

enum mauth_rc
revocations_find(struct kv_txn *txn, const struct revoked *set, uint64_t *state,
    struct mauth_err *err)
{
    uint8_t name[SET_MAX];
    struct entry e;
    struct reader r;
    enum mauth_rc rc;
    struct buf n;

    *state = 0;
    buf_init_fixed(&n, name, sizeof(name));
    if (!name_of(set, &n))
        return mauth_fail(err, MAUTH_INVALID, "revocation: not 0 to 3 ascending ids");
    rc = record_load(txn, SPACE_REVOKED, n.data, n.len, &r, err);
    if (rc)
        return rc;
    if (!read_entry(&r, &e))
        return record_damaged("revocation", err);
    *state = e.state;
    return MAUTH_OK;
}

/* A walk over a page. */
struct paging {
    struct revoked_entry *out;
    size_t count, limit;
    bool more, damaged;
};

static bool
read_set(struct text name, struct revoked *out)
{
    struct reader r;

    memset(out, 0, sizeof(*out));
    reader_init(&r, name.p, name.len);
    out->count = reader_u8(&r);
    for (size_t i = 0; i < out->count && i < REVOKED_IDS; i++) {
        struct text id = reader_field(&r);

        if (id.len > REVOKED_ID_MAX)
            return false;
        memcpy(out->id[i], id.p, id.len);
    }
    return reader_done(&r);
}

static bool
take_entry(struct text key, struct text value, void *arg)
{
    struct paging *p = arg;
    struct revoked_entry *e = &p->out[p->count];
    struct entry entry;
    struct reader r;

    p->more = p->count == p->limit;
    if (p->more)
        return false;
    p->damaged = !record_begin(value, &r) || !read_entry(&r, &entry) ||
                 !read_set((struct text){key.p + 1, key.len - 1}, &e->set);
    if (p->damaged)
        return false;
    e->set.state = entry.state;
    e->listed_s = entry.listed_s;
    p->count++;
    return true;
}

enum mauth_rc
revocations_page(struct kv_txn *txn, const struct revoked *after, size_t limit,
    struct revoked_entry *out, size_t *count, bool *more, struct mauth_err *err)
{
    struct paging p = {.out = out, .limit = limit};
    struct store_key first, end;
    enum mauth_rc rc;

    *count = 0;
    store_key_bounds(&first, &end, SPACE_REVOKED);
    if (after && !name_of(after, &first.b))
        return mauth_fail(err, MAUTH_INVALID, "revocation: not 0 to 3 ascending ids");
    if (after)
        buf_u8(&first.b, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, take_entry, &p, err);
    *count = p.count;
    *more = p.more;
    return rc == MAUTH_OK && p.damaged ? record_damaged("revocation", err) : rc;
}

/* No more than the list can hold: what does not fit is a "*" of the present state. */
static enum mauth_rc
put_one(struct kv_txn *txn, const struct revoked *r, bool known, struct summary *s,
    struct mauth_err *err)
{
    const struct entry e = {.state = r->state};
    uint8_t name[SET_MAX];
    uint64_t state;
    enum mauth_rc rc;
    struct buf n;

    if (!known && s->count >= REVOKED_MAX) {
        rc = graph_state(txn, &state, err);
        return rc ? rc : put_all(txn, state > r->state ? state : r->state, s, err);
    }
    s->count += !known;
    buf_init_fixed(&n, name, sizeof(name));
    if (!name_of(r, &n))
        return mauth_fail(err, MAUTH_INVALID, "revocation: not 0 to 3 ascending ids");
    return save_entry(txn, buf_slice(&n), &e, err);
}

enum mauth_rc
revocations_add(struct kv_txn *txn, const struct revoked *r, struct mauth_err *err)
{
    struct summary s;
    uint64_t before;
    enum mauth_rc rc = revocations_find(txn, r, &before, err);
    bool known = rc == MAUTH_OK;

    if (known && before >= r->state)
        return MAUTH_OK;
    if (!known && rc != MAUTH_NOT_FOUND)
        return rc;
    rc = load_summary(txn, &s, err);
    if (rc)
        return rc;
    s.serial++;
    if (r->count)
        rc = put_one(txn, r, known, &s, err);
    else
        rc = put_all(txn, r->state, &s, err);
    return rc ? rc : save_summary(txn, &s, err);
}

enum mauth_rc
revocations_serial(struct kv_txn *txn, uint64_t *out, struct mauth_err *err)
{
    struct summary s;
    enum mauth_rc rc = load_summary(txn, &s, err);

    *out = s.serial;
    return rc;
}

/* Listing: what is due goes, what was never listed is stamped, the rest is written. */
struct listing {
    int64_t now_s;
    struct buf *lines;
    size_t count;
    struct names due;
    struct names fresh;
    uint64_t fresh_state[STEP];
    uint8_t last[SET_MAX]; /* that was looked at */
    size_t last_len;
    size_t seen;
    bool damaged;
};

static bool
write_line(struct listing *l, struct text name, uint64_t state)
{
    struct reader r;
    unsigned count;

    reader_init(&r, name.p, name.len);
    count = reader_u8(&r);
    buf_printf(l->lines, "revoke %" PRIu64, state);
    for (unsigned i = 0; i < count; i++) {
        buf_u8(l->lines, ' ');
        buf_text(l->lines, reader_field(&r));
    }
    buf_str(l->lines, count ? "" : " *");
    buf_u8(l->lines, '\0');
    l->count++;
    return reader_done(&r);
}

static bool
look_at(struct text key, struct text value, void *arg)
{
    struct listing *l = arg;
    struct text name = {key.p + 1, key.len - 1};
    struct reader r;
    struct entry e;

    l->damaged =
        !record_begin(value, &r) || !read_entry(&r, &e) || name.len > sizeof(l->last);
    if (l->damaged)
        return false;
    memcpy(l->last, name.p, name.len);
    l->last_len = name.len;
    if (e.listed_s && l->now_s - e.listed_s >= REVOKED_FOR_S) {
        note_name(&l->due, key);
        return ++l->seen < STEP;
    }
    if (!e.listed_s) {
        l->fresh_state[l->fresh.count] = e.state;
        note_name(&l->fresh, key);
    }
    l->damaged = !write_line(l, name, e.state);
    return !l->damaged && ++l->seen < STEP;
}

static enum mauth_rc
stamp(struct kv_txn *txn, const struct listing *l, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < l->fresh.count && rc == MAUTH_OK; i++) {
        struct entry e = {.state = l->fresh_state[i], .listed_s = l->now_s};
        struct text name = {(const char *)l->fresh.name[i], l->fresh.len[i]};

        rc = save_entry(txn, name, &e, err);
    }
    return rc;
}

/* The next entries behind the last one that was looked at. */
static enum mauth_rc
list_some(struct kv_txn *txn, struct listing *l, struct mauth_err *err)
{
    struct store_key first, end;
    enum mauth_rc rc;

    store_key_bounds(&first, &end, SPACE_REVOKED);
    if (l->last_len) {
        buf_put(&first.b, l->last, l->last_len);
        buf_u8(&first.b, 0);
    }
    l->seen = l->due.count = l->fresh.count = 0;
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, look_at, l, err);
    if (rc == MAUTH_OK && (l->damaged || l->due.damaged || l->fresh.damaged))
        rc = record_damaged("revocation", err);
    if (rc == MAUTH_OK)
        rc = delete_names(txn, &l->due, err);
    return rc ? rc : stamp(txn, l, err);
}

enum mauth_rc
revocations_list(struct kv_txn *txn, int64_t now_s, struct buf *lines, size_t *count,
    struct mauth_err *err)
{
    struct listing l = {.lines = lines};
    struct summary s;
    enum mauth_rc rc = load_summary(txn, &s, err);

    *count = 0;
    if (rc)
        return rc;
    if (now_s > s.latest_s)
        s.latest_s = now_s;
    l.now_s = s.latest_s;
    do
        rc = list_some(txn, &l, err);
    while (rc == MAUTH_OK && l.seen == STEP);
    if (rc == MAUTH_OK && !buf_ok(lines))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "revocations: no memory");
    s.count = *count = l.count;
    return rc ? rc : save_summary(txn, &s, err);
}
