#include "store/graph_invitation.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/graph_change.h"
#include "store/graph_member.h"
#include "store/graph_purge.h"
#include "store/graph_record.h"

static const char *const states[] = {
    [GRAPH_PENDING] = "pending",
    [GRAPH_ACCEPTED] = "accepted",
    [GRAPH_DECLINED] = "declined",
    [GRAPH_REVOKED] = "revoked",
    [GRAPH_EXPIRED] = "expired",
};

const char *
graph_invitation_state_name(enum graph_invitation_state state)
{
    return states[state];
}

enum mauth_rc
graph_invitation_hash(const uint8_t secret[GRAPH_SECRET],
    uint8_t out[GRAPH_SECRET_HASH], struct mauth_err *err)
{
    return hash_bytes(secret, GRAPH_SECRET, out, err);
}

bool
graph_invitation_shows(
    const struct graph_invitation *i, const uint8_t secret[GRAPH_SECRET])
{
    uint8_t hash[GRAPH_SECRET_HASH];

    return graph_invitation_hash(secret, hash, NULL) == MAUTH_OK &&
           mauth_equal_ct(hash, i->secret_hash, sizeof(hash));
}

bool
graph_invitation_is_for(const struct graph_invitation *i, const struct graph_user *user)
{
    switch (i->addressee) {
    case GRAPH_FOR_BEARER: return true;
    case GRAPH_FOR_USER: return !memcmp(&i->user, &user->id, sizeof(user->id));
    case GRAPH_FOR_EMAIL: return graph_email_equal(&i->email, &user->email);
    }
    return false;
}

/* The enumerated fields of a record. */
static bool
read_kinds(struct reader *r, struct graph_invitation *out)
{
    unsigned state = reader_u8(r), addressee = reader_u8(r);
    struct text role = reader_field(r);

    if (!str_is_name(role) || state > GRAPH_EXPIRED || addressee > GRAPH_FOR_EMAIL)
        return false;
    memcpy(out->role, role.p, role.len);
    out->state = (enum graph_invitation_state)state;
    out->addressee = (enum graph_addressee)addressee;
    return true;
}

static bool
read_invitation(struct reader *r, struct graph_invitation *out)
{
    reader_copy(r, out->folder.b, ID_BYTES);
    reader_copy(r, out->inviter.b, ID_BYTES);
    out->version = reader_u64(r);
    out->created_s = (int64_t)reader_u64(r);
    out->updated_s = (int64_t)reader_u64(r);
    out->expires_s = (int64_t)reader_u64(r);
    reader_copy(r, out->secret_hash, GRAPH_SECRET_HASH);
    reader_copy(r, out->user.b, ID_BYTES);
    return read_kinds(r, out) && record_email(r, &out->email) && reader_done(r);
}

static bool
is_over(const struct graph_invitation *i, int64_t now_s)
{
    return i->state == GRAPH_PENDING && now_s >= i->expires_s;
}

static void
change_state(
    struct graph_invitation *i, enum graph_invitation_state state, int64_t at_s)
{
    i->state = state;
    i->version++;
    i->updated_s = at_s;
}

/* As it was last put. */
static enum mauth_rc
load(struct kv_txn *txn, const struct id *id, struct graph_invitation *out,
    struct mauth_err *err)
{
    struct id own = *id; /* which may be out's */
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    rc = record_load(txn, SPACE_INVITATION, own.b, ID_BYTES, &r, err);
    if (rc)
        return rc;
    out->id = own;
    if (read_invitation(&r, out))
        return MAUTH_OK;
    memset(out, 0, sizeof(*out));
    return record_damaged("invitation", err);
}

enum mauth_rc
graph_invitation_by_id(struct kv_txn *txn, const struct id *id, int64_t now_s,
    struct graph_invitation *out, struct mauth_err *err)
{
    enum mauth_rc rc = load(txn, id, out, err);

    if (rc == MAUTH_OK && is_over(out, now_s))
        change_state(out, GRAPH_EXPIRED, out->expires_s);
    return rc;
}

/* The start of a key in which an invitation is listed. */
static void
list_key(struct store_key *key, enum store_space space, const struct id *folder,
    const struct id *inviter)
{
    store_key(key, space, folder->b, ID_BYTES);
    if (inviter)
        record_id(&key->b, inviter);
}

enum mauth_rc
graph_invitation_page(struct kv_txn *txn, const struct id *folder,
    const struct id *inviter, const struct id *after, struct graph_ids *out,
    struct mauth_err *err)
{
    struct store_key prefix;

    list_key(&prefix, SPACE_INVITATION_BY, folder, inviter);
    return record_page(txn, &prefix, after, out, err);
}

/* Its record and the change that made it so. */
static enum mauth_rc
put(struct kv_txn *txn, const struct graph_invitation *i, enum graph_change_op op,
    int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {.time_s = now_s,
        .op = op,
        .type = GRAPH_CHANGED_INVITATION,
        .id = {i->id, i->folder, i->inviter}};
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    record_open(&b, raw);
    record_id(&b, &i->folder);
    record_id(&b, &i->inviter);
    buf_u64(&b, i->version);
    buf_u64(&b, (uint64_t)i->created_s);
    buf_u64(&b, (uint64_t)i->updated_s);
    buf_u64(&b, (uint64_t)i->expires_s);
    buf_put(&b, i->secret_hash, GRAPH_SECRET_HASH);
    record_id(&b, &i->user);
    buf_u8(&b, (uint8_t)i->state);
    buf_u8(&b, (uint8_t)i->addressee);
    buf_field(&b, i->role, strlen(i->role));
    record_put_email(&b, &i->email);
    rc = record_save(txn, SPACE_INVITATION, i->id.b, ID_BYTES, &b, err);
    return rc ? rc : graph_change_put(txn, &c, err);
}

static enum mauth_rc
unlist(struct kv_txn *txn, enum store_space space, const struct graph_invitation *i,
    struct mauth_err *err)
{
    struct store_key key;

    list_key(&key, space, &i->folder, &i->inviter);
    record_id(&key.b, &i->id);
    return kv_delete(txn, store_key_text(&key), err);
}

/* From pending to a state that is final: expired, whatever is wanted, when it is over. */
static enum mauth_rc
finish(struct kv_txn *txn, struct graph_invitation *i,
    enum graph_invitation_state state, int64_t now_s, struct mauth_err *err)
{
    enum mauth_rc rc = unlist(txn, SPACE_PENDING, i, err);

    if (rc)
        return rc;
    if (is_over(i, now_s))
        change_state(i, GRAPH_EXPIRED, i->expires_s);
    else
        change_state(i, state, now_s);
    return put(txn, i, GRAPH_UPDATED, now_s, err);
}

/* The pending invitations to a folder, as far as they are to be finished. */
struct pending {
    int64_t before_s; /* those that expire until then */
    const struct id *inviter;
    size_t by_inviter; /* the others: how many, and of one inviter */
    size_t others;
    size_t count;
    struct id ids[GRAPH_PAGE_MAX];
    bool damaged;
};

static bool
take(struct text key, struct text value, void *arg)
{
    struct pending *p = arg;
    struct id inviter = {{0}}, id = {{0}};
    struct reader r, v;
    int64_t expires_s;

    reader_init(&r, key.p, key.len);
    (void)reader_bytes(&r, 1 + ID_BYTES);
    reader_copy(&r, inviter.b, ID_BYTES);
    reader_copy(&r, id.b, ID_BYTES);
    p->damaged = !record_begin(value, &v);
    expires_s = (int64_t)reader_u64(&v);
    p->damaged = p->damaged || !reader_done(&r) || !reader_done(&v);
    if (p->damaged)
        return false;
    if (expires_s > p->before_s) {
        p->others++;
        p->by_inviter += p->inviter && !memcmp(&inviter, p->inviter, sizeof(inviter));
        return true;
    }
    if (p->count < GRAPH_PAGE_MAX)
        p->ids[p->count++] = id;
    return true;
}

static enum mauth_rc
list_pending(struct kv_txn *txn, const struct id *folder, const struct id *inviter,
    struct pending *p, struct mauth_err *err)
{
    struct store_key first, end;
    enum mauth_rc rc;

    list_key(&first, SPACE_PENDING, folder, inviter);
    list_key(&end, SPACE_PENDING, folder, inviter);
    buf_put(&end.b, record_last, ID_BYTES);
    buf_put(&end.b, record_last, sizeof(record_last));
    rc =
        kv_scan(txn, store_key_text(&first), store_key_text(&end), KV_UP, take, p, err);
    return rc == MAUTH_OK && p->damaged ? record_damaged("pending", err) : rc;
}

static enum mauth_rc
finish_listed(
    struct kv_txn *txn, const struct pending *p, int64_t now_s, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t n = 0; n < p->count && rc == MAUTH_OK; n++) {
        rc = load(txn, &p->ids[n], &i, err);
        if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && i.state != GRAPH_PENDING))
            return record_damaged("pending", err);
        if (rc == MAUTH_OK)
            rc = finish(txn, &i, GRAPH_REVOKED, now_s, err);
    }
    return rc;
}

enum mauth_rc
graph_invitation_revoke_all(struct kv_txn *txn, const struct id *folder,
    const struct id *inviter, int64_t now_s, struct mauth_err *err)
{
    struct pending p;
    enum mauth_rc rc;

    do {
        p = (struct pending){.before_s = INT64_MAX};
        rc = list_pending(txn, folder, inviter, &p, err);
        if (rc == MAUTH_OK)
            rc = finish_listed(txn, &p, now_s, err);
    } while (rc == MAUTH_OK && p.count == GRAPH_PAGE_MAX);
    return rc;
}

static enum mauth_rc
check_want(const struct graph_invitation *want, struct mauth_err *err)
{
    if (!graph_role_can_be_given(want->role))
        return mauth_fail(err, MAUTH_INVALID, "graph: a role that nobody is given");
    if (want->expires_s <= want->created_s)
        return mauth_fail(err, MAUTH_INVALID, "graph: expired from the start");
    if (want->addressee == GRAPH_FOR_EMAIL &&
        !graph_email_equal(&want->email, &want->email))
        return mauth_fail(err, MAUTH_INVALID, "graph: for no e-mail address");
    return MAUTH_OK;
}

/* Room for one more; expired ones make it, some each time. */
static enum mauth_rc
make_room(
    struct kv_txn *txn, const struct graph_invitation *want, struct mauth_err *err)
{
    struct pending p = {.before_s = want->created_s, .inviter = &want->inviter};
    enum mauth_rc rc = list_pending(txn, &want->folder, NULL, &p, err);

    if (rc)
        return rc;
    if (p.others >= GRAPH_INVITATIONS_OF_FOLDER ||
        p.by_inviter >= GRAPH_INVITATIONS_OF_INVITER)
        return mauth_fail(err, MAUTH_TOO_LARGE, "graph: too many invitations");
    return finish_listed(txn, &p, want->created_s, err);
}

static enum mauth_rc
enlist(struct kv_txn *txn, const struct graph_invitation *i, struct mauth_err *err)
{
    uint8_t raw[RECORD_MAX];
    struct store_key key;
    enum mauth_rc rc;
    struct buf b;

    list_key(&key, SPACE_INVITATION_BY, &i->folder, &i->inviter);
    record_id(&key.b, &i->id);
    rc = kv_put(txn, store_key_text(&key), (struct text){"", 0}, err);
    if (rc)
        return rc;
    list_key(&key, SPACE_PENDING, &i->folder, &i->inviter);
    record_id(&key.b, &i->id);
    record_open(&b, raw);
    buf_u64(&b, (uint64_t)i->expires_s);
    rc = kv_put(txn, store_key_text(&key), buf_slice(&b), err);
    return rc ? rc
              : graph_purge_at(
                    txn, ID_INVITATION, &i->id, i->expires_s + GRAPH_KEPT_S, err);
}

enum mauth_rc
graph_invitation_create(
    struct kv_txn *txn, const struct graph_invitation *want, struct mauth_err *err)
{
    struct graph_invitation i = *want;
    struct graph_link m;
    enum mauth_rc rc = check_want(want, err);

    if (rc == MAUTH_OK)
        rc = graph_link_find(
            txn, GRAPH_MEMBER_BY_FOLDER, &want->folder, &want->inviter, &m, err);
    if (rc)
        return rc;
    rc = graph_purge_taken(txn, ID_INVITATION, &want->id, err);
    if (rc == MAUTH_OK)
        return mauth_fail(err, MAUTH_CONFLICT, "graph: an invitation's id is taken");
    if (rc != MAUTH_NOT_FOUND)
        return rc;
    rc = make_room(txn, want, err);
    if (rc == MAUTH_OK)
        rc = enlist(txn, want, err);
    if (rc)
        return rc;
    i.state = GRAPH_PENDING;
    i.version = 1;
    i.updated_s = i.created_s;
    if (i.addressee != GRAPH_FOR_USER)
        memset(&i.user, 0, sizeof(i.user));
    if (i.addressee != GRAPH_FOR_EMAIL)
        memset(&i.email, 0, sizeof(i.email));
    return put(txn, &i, GRAPH_CREATED, i.created_s, err);
}

/* One that is pending: MAUTH_CONFLICT when it no longer is. */
static enum mauth_rc
load_pending(struct kv_txn *txn, const struct id *id, int64_t now_s,
    struct graph_invitation *out, struct mauth_err *err)
{
    enum mauth_rc rc = load(txn, id, out, err);

    if (rc == MAUTH_OK && (out->state != GRAPH_PENDING || is_over(out, now_s)))
        return mauth_fail(err, MAUTH_CONFLICT, "graph: this invitation is closed");
    return rc;
}

enum mauth_rc
graph_invitation_accept(struct kv_txn *txn, const struct id *id, const struct id *user,
    int64_t now_s, enum graph_closed *why, struct mauth_err *err)
{
    struct graph_invitation i;
    struct graph_user u;
    enum mauth_rc rc;

    *why = GRAPH_NOT_CLOSED;
    rc = graph_user_by_id(txn, user, &u, err);
    if (rc || !u.live)
        return rc ? rc : MAUTH_NOT_FOUND;
    rc = load_pending(txn, id, now_s, &i, err);
    if (rc == MAUTH_CONFLICT)
        *why = GRAPH_CLOSED;
    if (rc)
        return rc;
    if (!graph_invitation_is_for(&i, &u))
        return mauth_fail(err, MAUTH_DENIED, "graph: it invites somebody else");
    rc = graph_member_add(txn, &i.folder, user, i.role, now_s, err);
    if (rc == MAUTH_CONFLICT)
        *why = GRAPH_IS_MEMBER;
    return rc ? rc : finish(txn, &i, GRAPH_ACCEPTED, now_s, err);
}

enum mauth_rc
graph_invitation_decline(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc = load_pending(txn, id, now_s, &i, err);

    return rc ? rc : finish(txn, &i, GRAPH_DECLINED, now_s, err);
}

enum mauth_rc
graph_invitation_revoke(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc = load_pending(txn, id, now_s, &i, err);

    return rc ? rc : finish(txn, &i, GRAPH_REVOKED, now_s, err);
}

enum mauth_rc
graph_invitation_purge(
    struct kv_txn *txn, const struct id *id, int64_t now_s, struct mauth_err *err)
{
    struct graph_change c = {
        .time_s = now_s, .op = GRAPH_DELETED, .type = GRAPH_CHANGED_INVITATION};
    struct graph_invitation i;
    struct store_key key;
    enum mauth_rc rc;

    rc = load(txn, id, &i, err);
    if (rc)
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    store_key(&key, SPACE_INVITATION, id->b, ID_BYTES);
    rc = kv_delete(txn, store_key_text(&key), err);
    if (rc == MAUTH_OK)
        rc = unlist(txn, SPACE_INVITATION_BY, &i, err);
    if (rc == MAUTH_OK)
        rc = unlist(txn, SPACE_PENDING, &i, err);
    if (rc)
        return rc;
    c.id[0] = i.id;
    c.id[1] = i.folder;
    c.id[2] = i.inviter;
    return graph_change_put(txn, &c, err);
}
