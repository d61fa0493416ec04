#include "store/graph_user.h"

#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/graph_change.h"
#include "store/graph_device.h"
#include "store/graph_member.h"
#include "store/graph_purge.h"
#include "store/graph_record.h"
#include "store/graph_role.h"
#include "store/graph_session.h"

/* Where an address' domain begins, at the last '@'; NULL when either part is missing. */
static const char *
domain_of(struct text address)
{
    size_t at = address.len;

    while (at && address.p[at - 1] != '@')
        at--;
    return at > 1 && at < address.len ? address.p + at : NULL;
}

enum mauth_rc
graph_email_set(struct graph_email *out, struct text issuer, struct text address,
    struct mauth_err *err)
{
    memset(out, 0, sizeof(*out));
    if (!issuer.len || issuer.len > GRAPH_ISSUER_MAX || !graph_text_ok(issuer) ||
        address.len > GRAPH_EMAIL_MAX || !domain_of(address) ||
        memchr(address.p, ' ', address.len) || !graph_text_ok(address))
        return mauth_fail(err, MAUTH_INVALID, "graph: no e-mail address");
    memcpy(out->issuer, issuer.p, issuer.len);
    memcpy(out->address, address.p, address.len);
    return MAUTH_OK;
}

bool
graph_email_equal(const struct graph_email *a, const struct graph_email *b)
{
    const char *x = domain_of(text_of(a->address)), *y = domain_of(text_of(b->address));

    if (!x || !y || strcmp(a->issuer, b->issuer) != 0)
        return false;
    return x - a->address == y - b->address &&
           !memcmp(a->address, b->address, (size_t)(x - a->address)) &&
           strcasecmp(x, y) == 0;
}

void
record_put_email(struct buf *b, const struct graph_email *e)
{
    buf_field(b, e->issuer, strlen(e->issuer));
    buf_field(b, e->address, strlen(e->address));
}

bool
record_email(struct reader *r, struct graph_email *out)
{
    struct text issuer = reader_field(r), address = reader_field(r);

    memset(out, 0, sizeof(*out));
    if (!reader_ok(r))
        return false;
    if (!issuer.len && !address.len)
        return true;
    return graph_email_set(out, issuer, address, NULL) == MAUTH_OK;
}

/* The name under which an identity is found: both parts with their lengths. */
static enum mauth_rc
identity_hash(
    const struct graph_identity *who, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct buf b;

    if (who->issuer.len > GRAPH_ISSUER_MAX || who->subject.len > GRAPH_SUBJECT_MAX ||
        !who->issuer.len || !who->subject.len)
        return mauth_fail(
            err, MAUTH_INVALID, "graph: an identity that is too long or empty");
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_field(&b, who->issuer.p, who->issuer.len);
    buf_field(&b, who->subject.p, who->subject.len);
    return hash_bytes(b.data, b.len, out, err);
}

enum mauth_rc
graph_user_by_id(struct kv_txn *txn, const struct id *id, struct graph_user *out,
    struct mauth_err *err)
{
    struct id own = *id; /* which may be out's */
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_USER, own.b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = own;
    out->version = reader_u64(&r);
    out->created_s = (int64_t)reader_u64(&r);
    out->updated_s = (int64_t)reader_u64(&r);
    out->live = reader_u8(&r) == 1;
    if (record_email(&r, &out->email) && reader_done(&r))
        return MAUTH_OK;
    memset(out, 0, sizeof(*out));
    return record_damaged("user", err);
}

enum mauth_rc
graph_user_by_identity(struct kv_txn *txn, const struct graph_identity *who,
    struct graph_user *out, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    struct reader r;
    enum mauth_rc rc;
    struct id id;

    memset(out, 0, sizeof(*out));
    rc = identity_hash(who, hash, err);
    if (rc == MAUTH_OK)
        rc = record_load(txn, SPACE_IDENTITY, hash, HASH_LEN, &r, err);
    if (rc)
        return rc;
    reader_copy(&r, id.b, ID_BYTES);
    if (!text_equal(reader_field(&r), who->issuer) ||
        !text_equal(reader_field(&r), who->subject) || !reader_done(&r))
        return record_damaged("identity", err);
    rc = graph_user_by_id(txn, &id, out, err);
    return rc == MAUTH_NOT_FOUND ? record_damaged("identity without a user", err) : rc;
}

enum mauth_rc
graph_user_page(struct kv_txn *txn, const struct id *after, struct graph_ids *out,
    struct mauth_err *err)
{
    struct store_key prefix;

    store_key(&prefix, SPACE_USER, NULL, 0);
    return record_page(txn, &prefix, after, out, err);
}

/* The record, and the change that made it so. */
static enum mauth_rc
put_user(struct kv_txn *txn, const struct graph_user *u, struct graph_change *c,
    struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    record_open(&b, raw);
    buf_u64(&b, u->version);
    buf_u64(&b, (uint64_t)u->created_s);
    buf_u64(&b, (uint64_t)u->updated_s);
    buf_u8(&b, u->live);
    record_put_email(&b, &u->email);
    rc = record_save(txn, SPACE_USER, u->id.b, ID_BYTES, &b, err);
    c->type = GRAPH_CHANGED_USER;
    c->time_s = u->updated_s;
    c->id[0] = u->id;
    return rc ? rc : graph_change_put(txn, c, err);
}

/* From the identity to the user, and back. */
static enum mauth_rc
put_identity(struct kv_txn *txn, const struct graph_identity *who,
    const uint8_t hash[HASH_LEN], const struct id *user, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct store_key back;
    enum mauth_rc rc;
    struct buf b;

    record_open(&b, raw);
    record_id(&b, user);
    buf_field(&b, who->issuer.p, who->issuer.len);
    buf_field(&b, who->subject.p, who->subject.len);
    rc = record_save(txn, SPACE_IDENTITY, hash, HASH_LEN, &b, err);
    if (rc)
        return rc;
    store_key(&back, SPACE_USER_IDENTITY, user->b, ID_BYTES);
    buf_put(&back.b, hash, HASH_LEN);
    return kv_put(txn, store_key_text(&back), (struct text){"", 0}, err);
}

enum mauth_rc
graph_user_create(struct kv_txn *txn, const struct id *id,
    const struct graph_identity *who, int64_t now_s, struct mauth_err *err)
{
    struct graph_user user = {
        .id = *id, .version = 1, .created_s = now_s, .updated_s = now_s, .live = true};
    struct graph_change c = {.op = GRAPH_CREATED};
    uint8_t hash[HASH_LEN];
    struct reader r;
    enum mauth_rc rc;

    rc = identity_hash(who, hash, err);
    if (rc)
        return rc;
    rc = record_load(txn, SPACE_IDENTITY, hash, HASH_LEN, &r, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this identity has a user");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = graph_purge_taken(txn, ID_USER, id, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: a user's id is taken");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = put_identity(txn, who, hash, id, err);
    return rc ? rc : put_user(txn, &user, &c, err);
}

static enum mauth_rc
live_user(struct kv_txn *txn, const struct id *id, struct graph_user *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = graph_user_by_id(txn, id, out, err);

    return rc || out->live ? rc : MAUTH_NOT_FOUND;
}

enum mauth_rc
graph_user_set_email(struct kv_txn *txn, const struct id *id,
    const struct graph_email *email, int64_t now_s, struct mauth_err *err)
{
    static const struct graph_email none;
    struct graph_change c = {.op = GRAPH_UPDATED};
    struct graph_user u;
    enum mauth_rc rc;

    if (!email)
        email = &none;
    rc = live_user(txn, id, &u, err);
    if (rc)
        return rc;
    if (!strcmp(u.email.issuer, email->issuer) &&
        !strcmp(u.email.address, email->address))
        return MAUTH_OK;
    u.email = *email;
    u.version++;
    u.updated_s = now_s;
    return put_user(txn, &u, &c, err);
}

/* One that the graph shows to this user: what is not there is damage. */
static enum mauth_rc
must(enum mauth_rc rc, struct mauth_err *err)
{
    return rc == MAUTH_NOT_FOUND ? record_damaged("link to nothing", err) : rc;
}

static enum mauth_rc
leave_folders(
    struct kv_txn *txn, const struct id *user, int64_t now_s, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc;

    do {
        rc = graph_link_page(txn, GRAPH_MEMBER_BY_USER, user, NULL, &page, err);
        for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++) {
            const struct graph_link *m = &page.links[i];

            if (graph_role_is(m->role, GRAPH_OWNER))
                rc = must(graph_folder_delete(txn, &m->to, now_s, err), err);
            else
                rc = must(graph_member_remove(txn, &m->to, user, now_s, err), err);
        }
    } while (rc == MAUTH_OK && page.more);
    return rc;
}

static enum mauth_rc
release_devices(
    struct kv_txn *txn, const struct id *user, int64_t now_s, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc;

    do {
        rc = graph_link_page(txn, GRAPH_CLAIMED_BY_USER, user, NULL, &page, err);
        for (size_t i = 0; i < page.count && rc == MAUTH_OK; i++)
            rc = must(
                graph_device_release(txn, &page.links[i].to, user, now_s, err), err);
    } while (rc == MAUTH_OK && page.more);
    return rc;
}

enum mauth_rc
graph_user_delete(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_principal self = {ID_USER, *id};
    struct graph_change c = {.op = GRAPH_DELETED};
    struct graph_user u;
    enum mauth_rc rc;

    rc = live_user(txn, id, &u, err);
    if (rc)
        return rc;
    rc = leave_folders(txn, id, now_s, err);
    if (rc == MAUTH_OK)
        rc = release_devices(txn, id, now_s, err);
    if (rc == MAUTH_OK)
        rc = graph_role_drop_all(txn, &self, err);
    if (rc == MAUTH_OK)
        rc = graph_session_close_all(txn, ID_USER, id, err);
    if (rc == MAUTH_OK)
        rc = graph_purge_at(txn, ID_USER, id, now_s + GRAPH_KEPT_S, err);
    if (rc)
        return rc;
    u.live = false;
    memset(&u.email, 0, sizeof(u.email));
    u.version++;
    u.updated_s = now_s;
    rc = put_user(txn, &u, &c, err);
    return rc ? rc : graph_revoke(txn, &c, 1, err);
}

struct identity_of {
    bool found;
    bool damaged;
    uint8_t name[ID_BYTES + HASH_LEN];
};

static bool
take_identity(struct text key, struct text value, void *arg)
{
    struct identity_of *i = arg;
    struct reader r;

    (void)value;
    reader_init(&r, key.p, key.len);
    (void)reader_u8(&r);
    reader_copy(&r, i->name, sizeof(i->name));
    i->found = true;
    i->damaged = !reader_done(&r);
    return false;
}

/* One of the user's identities, and the way back. */
static enum mauth_rc
purge_identity(
    struct kv_txn *txn, const struct id *user, bool *found, struct mauth_err *err)
{
    struct identity_of i = {.found = false};
    struct store_key first, end, key;
    enum mauth_rc rc;

    store_key(&first, SPACE_USER_IDENTITY, user->b, ID_BYTES);
    store_key(&end, SPACE_USER_IDENTITY, user->b, ID_BYTES);
    for (size_t n = 0; n <= HASH_LEN; n++)
        buf_u8(&end.b, 0xff);
    rc = kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP,
        take_identity, &i, err);
    *found = i.found;
    if (rc || !i.found)
        return rc;
    if (i.damaged)
        return record_damaged("identity of a user", err);
    store_key(&key, SPACE_USER_IDENTITY, i.name, sizeof(i.name));
    rc = kv_delete(txn, store_key_text(&key), err);
    if (rc)
        return rc;
    store_key(&key, SPACE_IDENTITY, i.name + ID_BYTES, HASH_LEN);
    return kv_delete(txn, store_key_text(&key), err);
}

enum mauth_rc
graph_user_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    enum mauth_rc rc;
    bool found;

    (void)now_s; /* it was closed once, when its time was set */
    do
        rc = purge_identity(txn, id, &found, err);
    while (rc == MAUTH_OK && found);
    return rc ? rc : record_purge(txn, ID_USER, id, err);
}
