/*
 * A model of the graph that is nothing but arrays, and what the graph must show of it.
 * Each slot has an id; when that was purged, a fresh one.
 */
#ifndef TESTS_GRAPH_MODEL_H
#define TESTS_GRAPH_MODEL_H

#include "store/graph_change.h"
#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "tests/unit/graph_world.h"

enum {
    N = 4, /* users, devices, folders */
    INVITATIONS = 6,
    NOBODY = -1
};

enum stage {
    ABSENT,
    LIVE,
    DEAD,  /* a tombstone */
    PURGED /* the id was taken */
};

struct node {
    enum stage stage;
    uint64_t version;
    int64_t created_s, updated_s;
    char name;
    bool flag;     /* unattended, contributors_invite, has an address */
    bool released; /* once, a device */
};

struct invited {
    enum stage stage;
    struct id folder, inviter; /* which the slots may have no more */
    char role[GRAPH_NAME_MAX + 1];
    enum graph_invitation_state state; /* as stored */
    uint64_t version;
    int64_t updated_s, expires_s;
    enum graph_addressee addressee;
    struct id user;   /* GRAPH_FOR_USER */
    unsigned address; /* GRAPH_FOR_EMAIL: whose */
};

struct member {
    char role[GRAPH_NAME_MAX + 1];
    uint64_t version;
    int64_t updated_s;
};

struct model {
    unsigned random;
    uint64_t state;
    int64_t now_s;
    struct node user[N], device[N], folder[N];
    struct invited invited[INVITATIONS];
    int claim[N];               /* of a device */
    struct member member[N][N]; /* folder, user */
    bool mapped[N][N];          /* device, folder */
};

/* The graph as a reader of its changes knows it; the last of each is a stranger, whom
 * no change may be about. */
struct follower {
    uint64_t seen;
    bool user[N + 1], device[N + 1], folder[N + 1], invited[INVITATIONS + 1];
    bool claim[N + 1][N + 1], member[N + 1][N + 1], mapped[N + 1][N + 1];
};

struct run {
    struct id user[N], device[N], folder[N], invited[INVITATIONS];
    struct model before, after;
    struct follower knew, knows;
};

static inline bool
same_id(const struct id *a, const struct id *b)
{
    return !memcmp(a, b, sizeof(*a));
}

static inline struct graph_identity
identity_of(unsigned u)
{
    static const char subjects[] = "abcd";
    struct graph_identity who = {{"https://i.example", 17}, {subjects + u, 1}};

    return who;
}

static inline struct graph_email
address_of(unsigned u)
{
    char text[] = "a@i.example";
    struct graph_email e;

    text[0] = (char)('a' + u);
    assert_int_equal(
        graph_email_set(&e, identity_of(u).issuer, text_of(text), NULL), MAUTH_OK);
    return e;
}

/* What is shown of an invitation whose time is up is that, stored or not. */
static inline bool
is_over(const struct model *m, const struct invited *i)
{
    return i->state == GRAPH_PENDING && i->expires_s <= m->now_s;
}

static inline void
check_node(const struct node *n, enum mauth_rc rc, uint64_t version, int64_t created_s,
    int64_t updated_s)
{
    if (n->stage == ABSENT || n->stage == PURGED) {
        assert_int_equal(rc, MAUTH_NOT_FOUND);
        return;
    }
    assert_int_equal(rc, MAUTH_OK);
    assert_int_equal(version, n->version);
    assert_int_equal(created_s, n->created_s);
    assert_int_equal(updated_s, n->updated_s);
}

static inline void
check_user(struct kv_txn *txn, const struct run *r, unsigned i)
{
    const struct node *n = &r->after.user[i];
    struct graph_identity who = identity_of(i);
    struct graph_email e = address_of(i);
    struct graph_user u, same;
    enum mauth_rc rc = graph_user_by_id(txn, &r->user[i], &u, NULL);

    check_node(n, rc, u.version, u.created_s, u.updated_s);
    assert_int_equal(graph_user_by_identity(txn, &who, &same, NULL), rc);
    assert_memory_equal(&same.id, &u.id, sizeof(u.id));
    assert_int_equal(u.live, n->stage == LIVE);
    assert_int_equal(graph_email_equal(&u.email, &e), n->stage == LIVE && n->flag);
}

static inline void
check_device(struct kv_txn *txn, const struct run *r, unsigned i)
{
    const struct node *n = &r->after.device[i];
    struct graph_device d, same;
    enum mauth_rc rc = graph_device_by_id(txn, &r->device[i], &d, NULL);

    check_node(n, rc, d.version, d.created_s, d.updated_s);
    if (rc)
        return;
    assert_int_equal(d.name[0], n->name);
    assert_int_equal(d.unattended, n->flag);
    assert_int_equal(d.spki[0], i);
    assert_int_equal(graph_device_by_key(txn, d.key_hash, &same, NULL), MAUTH_OK);
    assert_memory_equal(&same, &d, sizeof(d));
}

static inline void
check_folder(struct kv_txn *txn, const struct run *r, unsigned i)
{
    const struct node *n = &r->after.folder[i];
    unsigned owners = 0, members = 0;
    struct graph_page page;
    struct graph_folder f;
    enum mauth_rc rc = graph_folder_by_id(txn, &r->folder[i], &f, NULL);

    check_node(n, rc, f.version, f.created_s, f.updated_s);
    assert_int_equal(f.live, n->stage == LIVE);
    if (f.live) {
        assert_int_equal(f.name[0], n->name);
        assert_int_equal(f.contributors_invite, n->flag);
    }
    assert_int_equal(
        graph_link_page(txn, GRAPH_MEMBER_BY_FOLDER, &r->folder[i], NULL, &page, NULL),
        MAUTH_OK);
    for (unsigned u = 0; u < N; u++)
        members += r->after.member[i][u].role[0] != 0;
    for (size_t k = 0; k < page.count; k++)
        owners += graph_role_is(page.links[k].role, GRAPH_OWNER);
    assert_int_equal(page.count, members);
    assert_int_equal(owners, n->stage == LIVE);
}

static inline void
check_invited(struct kv_txn *txn, const struct run *r, unsigned i)
{
    const struct invited *w = &r->after.invited[i];
    struct graph_invitation is;
    struct graph_ids page;
    bool over = is_over(&r->after, w), listed = false;
    enum mauth_rc rc =
        graph_invitation_by_id(txn, &r->invited[i], r->after.now_s, &is, NULL);

    assert_int_equal(rc, w->stage == LIVE ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (rc)
        return;
    assert_int_equal(is.state, over ? GRAPH_EXPIRED : w->state);
    assert_int_equal(is.version, w->version + over);
    assert_int_equal(is.updated_s, over ? w->expires_s : w->updated_s);
    assert_string_equal(is.role, w->role);
    assert_true(same_id(&is.folder, &w->folder) && same_id(&is.inviter, &w->inviter));
    assert_int_equal(
        graph_invitation_page(txn, &w->folder, &w->inviter, NULL, &page, NULL),
        MAUTH_OK);
    for (size_t k = 0; k < page.count; k++)
        listed |= same_id(&page.ids[k], &r->invited[i]);
    assert_true(listed);
}

static inline void
check_links(struct kv_txn *txn, const struct run *r, unsigned a, unsigned b)
{
    const struct model *m = &r->after;
    struct graph_link l;

    assert_int_equal(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &r->device[a], &r->user[b],
                         GRAPH_NO_ROLE),
        m->claim[a] == (int)b);
    assert_int_equal(is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &r->device[a],
                         &r->folder[b], GRAPH_NO_ROLE),
        m->mapped[a][b]);
    assert_int_equal(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &r->folder[a], &r->user[b],
                         m->member[a][b].role),
        m->member[a][b].role[0] != 0);
    if (m->mapped[a][b]) /* a claim by a member stands behind each mapping */
        assert_true(m->claim[a] != NOBODY && m->member[b][m->claim[a]].role[0]);
    if (!m->member[a][b].role[0])
        return;
    assert_int_equal(graph_link_find(txn, GRAPH_MEMBER_BY_USER, &r->user[b],
                         &r->folder[a], &l, NULL),
        MAUTH_OK);
    assert_int_equal(l.version, m->member[a][b].version);
    assert_int_equal(l.updated_s, m->member[a][b].updated_s);
}

static inline void
check_all(struct kv_txn *txn, const struct run *r)
{
    assert_int_equal(state_now(txn), r->after.state);
    for (unsigned a = 0; a < N; a++) {
        check_user(txn, r, a);
        check_device(txn, r, a);
        check_folder(txn, r, a);
        for (unsigned b = 0; b < N; b++)
            check_links(txn, r, a, b);
    }
    for (unsigned i = 0; i < INVITATIONS; i++)
        check_invited(txn, r, i);
}

static inline unsigned
slot(const struct id *ids, unsigned count, const struct id *id)
{
    unsigned i = 0;

    while (i < count && !same_id(&ids[i], id))
        i++;
    return i;
}

static inline void
hear(const struct run *r, struct follower *f, const struct graph_change *c)
{
    bool is = c->op != GRAPH_DELETED;
    unsigned d = slot(r->device, N, &c->id[0]), u = slot(r->user, N, &c->id[1]);
    unsigned fld = slot(r->folder, N, &c->id[0]), to = slot(r->folder, N, &c->id[1]);
    unsigned one = slot(r->user, N, &c->id[0]);
    unsigned i = slot(r->invited, INVITATIONS, &c->id[0]);

    switch (c->type) {
    case GRAPH_CHANGED_USER: f->user[one] = is; break;
    case GRAPH_CHANGED_DEVICE: f->device[d] = is; break;
    case GRAPH_CHANGED_INVITATION: f->invited[i] = is; break;
    case GRAPH_CHANGED_MAPPING: f->mapped[d][to] = is; break;
    case GRAPH_CHANGED_MEMBER: f->member[fld][u] = is; break;
    case GRAPH_CHANGED_CLAIM:
        f->claim[d][u] = is;
        for (unsigned k = 0; k < N && !is; k++)
            f->mapped[d][k] = false;
        break;
    case GRAPH_CHANGED_FOLDER:
        f->folder[fld] = is;
        for (unsigned k = 0; k < N && !is; k++)
            f->member[fld][k] = f->mapped[k][fld] = false;
        break;
    case GRAPH_CHANGED_SERVICE:
    case GRAPH_CHANGED_USER_ROLE:
    case GRAPH_CHANGED_SERVICE_ROLE:
    case GRAPH_CHANGE_TYPES: fail();
    }
}

/* Who reads all changes knows the graph; no number is missing. */
static inline void
follow(struct kv_txn *txn, struct run *r)
{
    const struct model *m = &r->after;
    struct follower *f = &r->knows;
    struct graph_changes page;

    do {
        assert_int_equal(graph_change_page(txn, f->seen, 7, &page, NULL), MAUTH_OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_int_equal(page.items[i].sequence, ++f->seen);
            hear(r, f, &page.items[i]);
        }
    } while (page.more);
    assert_int_equal(f->seen, m->state);
    for (unsigned a = 0; a <= N; a++) {
        assert_int_equal(f->user[a], a < N && m->user[a].stage == LIVE);
        assert_int_equal(f->device[a], a < N && m->device[a].stage == LIVE);
        assert_int_equal(f->folder[a], a < N && m->folder[a].stage == LIVE);
        for (unsigned b = 0; b <= N; b++) {
            bool is = a < N && b < N;

            assert_int_equal(f->claim[a][b], is && m->claim[a] == (int)b);
            assert_int_equal(f->mapped[a][b], is && m->mapped[a][b]);
            assert_int_equal(f->member[a][b], is && m->member[a][b].role[0]);
        }
    }
    for (unsigned i = 0; i <= INVITATIONS; i++)
        assert_int_equal(f->invited[i], i < INVITATIONS && m->invited[i].stage == LIVE);
}

#endif
