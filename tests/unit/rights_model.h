/*
 * A model of who may do what that is nothing but arrays, the changes that both it and
 * the graph go through, and what each of them revokes.
 */
#ifndef TESTS_RIGHTS_MODEL_H
#define TESTS_RIGHTS_MODEL_H

#include "tests/unit/proof_world.h"

enum {
    N = 4, /* users, devices */
    FOLDERS = 3,
    KEPT = 160, /* tickets */
    SETS = 64,  /* revoked, of one change */
    NOBODY = -1
};

static const char *const actions[] = {
    "read", "subscribe", "write", "delete", "control"};
static const char *const roles[] = {"", GRAPH_READER, GRAPH_CONTRIBUTOR, GRAPH_OWNER};
/* By role: the first so many actions. */
static const unsigned counts[] = {0, 2, 4, 5};

struct kept {
    char *authorization;
    struct mauth_ticket *ticket;
    unsigned device;
    bool sync, dead, maybe; /* maybe: a change may have revoked it */
    /* What it permits: actions by folder, and the own node; or the device to sync with. */
    struct id folder[FOLDERS];
    unsigned may[FOLDERS];
    bool own;
    unsigned peer;
};

struct set {
    char id[2][ID_LEN + 1];
    bool maybe;
};

struct model {
    unsigned random;
    struct id user[N], folder[FOLDERS];
    struct proof_device device[N];
    unsigned people; /* so far, for their names */
    int who[N];      /* whose session is open on a device */
    int claim[N];
    unsigned role[FOLDERS][N];
    bool mapped[N][FOLDERS];
    struct kept kept[KEPT];
    unsigned kept_next;
    struct set set[SETS];
    size_t sets;
    unsigned long issued, refused, died, survived;
};

struct run {
    struct proof_world p;
    struct model m;
    unsigned a, b, f, way; /* of the change */
};

static inline unsigned
roll(struct model *m, unsigned n)
{
    m->random = m->random * 1664525 + 1013904223;
    return (m->random >> 16) % n;
}

/* The model's rights. */

static inline bool
shares(const struct model *m, unsigned x, unsigned y)
{
    for (unsigned f = 0; f < FOLDERS; f++)
        if (m->mapped[x][f] && m->mapped[y][f] && m->claim[x] != NOBODY &&
            m->claim[y] != NOBODY && m->role[f][m->claim[x]] && m->role[f][m->claim[y]])
            return true;
    return false;
}

static inline bool
may_sync(const struct model *m, unsigned x, unsigned y)
{
    return x != y &&
           ((m->claim[x] != NOBODY && m->claim[x] == m->claim[y]) || shares(m, x, y));
}

static inline bool
may_do(const struct model *m, unsigned device, unsigned f, unsigned action)
{
    return m->who[device] != NOBODY && action < counts[m->role[f][m->who[device]]];
}

/* What changes revoke. */

static inline void
lose(struct model *m, enum id_kind ak, const struct id *a, enum id_kind bk,
    const struct id *b, bool maybe)
{
    struct set *s = &m->set[m->sets++];

    assert_true(m->sets < SETS);
    id_format(ak, a, s->id[0]);
    s->id[1][0] = '\0';
    if (b)
        id_format(bk, b, s->id[1]);
    s->maybe = maybe;
}

static inline void
lose_session(struct model *m, unsigned d)
{
    if (m->who[d] != NOBODY)
        lose(m, ID_SESSION, &m->device[d].session.id, ID_KINDS, NULL, false);
    m->who[d] = NOBODY;
}

static inline void
lose_mapping(struct model *m, unsigned d, unsigned f)
{
    m->mapped[d][f] = false;
    lose(m, ID_DEVICE, &m->device[d].id, ID_FOLDER, &m->folder[f], false);
}

static inline void
lose_claim(struct model *m, unsigned d)
{
    unsigned u = (unsigned)m->claim[d];
    bool mapped = false;

    for (unsigned f = 0; f < FOLDERS; f++) {
        mapped |= m->mapped[d][f];
        m->mapped[d][f] = false;
    }
    lose(m, ID_DEVICE, &m->device[d].id, ID_USER, &m->user[u], false);
    if (mapped)
        lose(m, ID_DEVICE, &m->device[d].id, ID_KINDS, NULL, false);
    if (m->who[d] == (int)u)
        lose_session(m, d);
    m->claim[d] = NOBODY;
}

static inline void
lose_member(struct model *m, unsigned f, unsigned u)
{
    for (unsigned d = 0; d < N; d++)
        if (m->claim[d] == (int)u && m->mapped[d][f])
            lose_mapping(m, d, f);
    m->role[f][u] = 0;
    lose(m, ID_FOLDER, &m->folder[f], ID_USER, &m->user[u], false);
}

static inline void
set_role(struct model *m, unsigned f, unsigned u, unsigned role)
{
    if (role != m->role[f][u])
        lose(m, ID_FOLDER, &m->folder[f], ID_USER, &m->user[u], role > m->role[f][u]);
    m->role[f][u] = role;
}

/* The model forgets it; a folder of this id never comes again. */
static inline void
lose_folder(struct model *m, unsigned f)
{
    lose(m, ID_FOLDER, &m->folder[f], ID_KINDS, NULL, false);
    for (unsigned i = 0; i < N; i++) {
        m->role[f][i] = 0;
        m->mapped[i][f] = false;
    }
    assert_int_equal(id_new(&m->folder[f], NULL), MAUTH_OK);
}

/* Changes: the graph first, in a transaction that runs twice, and then the model. */

struct change {
    const char *name;
    bool (*may)(const struct run *r);
    enum mauth_rc (*graph)(struct kv_txn *txn, const struct run *r);
    void (*model)(struct run *r);
};

static inline int
owner_of(const struct model *m, unsigned f)
{
    for (unsigned u = 0; u < N; u++)
        if (m->role[f][u] == 3)
            return (int)u;
    return NOBODY;
}

static inline bool
has_no_owner(const struct run *r)
{
    return owner_of(&r->m, r->f) == NOBODY;
}

static inline enum mauth_rc
create(struct kv_txn *txn, const struct run *r)
{
    struct graph_folder f = {.id = r->m.folder[r->f], .name = "f"};

    return graph_folder_create(txn, &f, &r->m.user[r->a], NULL);
}

static inline void
created(struct run *r)
{
    r->m.role[r->f][r->a] = 3;
}

static inline bool
is_there_without(const struct run *r)
{
    return !has_no_owner(r) && !r->m.role[r->f][r->a];
}

static inline enum mauth_rc
join(struct kv_txn *txn, const struct run *r)
{
    return graph_member_add(txn, &r->m.folder[r->f], &r->m.user[r->a],
        roles[1 + r->way % 2], PROOF_NOW_S, NULL);
}

static inline void
joined(struct run *r)
{
    r->m.role[r->f][r->a] = 1 + r->way % 2;
}

static inline bool
is_plain_member(const struct run *r)
{
    return r->m.role[r->f][r->a] == 1 || r->m.role[r->f][r->a] == 2;
}

static inline enum mauth_rc
expel(struct kv_txn *txn, const struct run *r)
{
    return graph_member_remove(
        txn, &r->m.folder[r->f], &r->m.user[r->a], PROOF_NOW_S, NULL);
}

static inline void
expelled(struct run *r)
{
    lose_member(&r->m, r->f, r->a);
}

static inline enum mauth_rc
appoint(struct kv_txn *txn, const struct run *r)
{
    return graph_member_set_role(txn, &r->m.folder[r->f], &r->m.user[r->a],
        roles[1 + r->way % 2], PROOF_NOW_S, NULL);
}

static inline void
appointed(struct run *r)
{
    set_role(&r->m, r->f, r->a, 1 + r->way % 2);
}

static inline enum mauth_rc
pass(struct kv_txn *txn, const struct run *r)
{
    return graph_member_pass(txn, &r->m.folder[r->f], &r->m.user[owner_of(&r->m, r->f)],
        &r->m.user[r->a], PROOF_NOW_S, NULL);
}

static inline void
passed(struct run *r)
{
    set_role(&r->m, r->f, (unsigned)owner_of(&r->m, r->f), 2);
    set_role(&r->m, r->f, r->a, 3);
}

static inline bool
is_owned_and_seldom(const struct run *r)
{
    return !has_no_owner(r) && r->way == 0;
}

static inline enum mauth_rc
erase(struct kv_txn *txn, const struct run *r)
{
    return graph_folder_delete(txn, &r->m.folder[r->f], PROOF_NOW_S, NULL);
}

static inline void
erased(struct run *r)
{
    lose_folder(&r->m, r->f);
}

static inline bool
is_unclaimed(const struct run *r)
{
    return r->m.claim[r->b] == NOBODY;
}

static inline enum mauth_rc
claim(struct kv_txn *txn, const struct run *r)
{
    return graph_device_claim(
        txn, &r->m.device[r->b].id, &r->m.user[r->a], PROOF_NOW_S, NULL);
}

static inline void
claimed(struct run *r)
{
    r->m.claim[r->b] = (int)r->a;
}

static inline bool
is_claimed(const struct run *r)
{
    return r->m.claim[r->b] != NOBODY;
}

static inline enum mauth_rc
release(struct kv_txn *txn, const struct run *r)
{
    return graph_device_release(
        txn, &r->m.device[r->b].id, &r->m.user[r->m.claim[r->b]], PROOF_NOW_S, NULL);
}

static inline void
released(struct run *r)
{
    lose_claim(&r->m, r->b);
}

static inline bool
can_map(const struct run *r)
{
    return is_claimed(r) && !r->m.mapped[r->b][r->f] &&
           r->m.role[r->f][r->m.claim[r->b]];
}

static inline enum mauth_rc
map(struct kv_txn *txn, const struct run *r)
{
    return graph_mapping_add(
        txn, &r->m.device[r->b].id, &r->m.folder[r->f], PROOF_NOW_S, NULL);
}

static inline void
mapped(struct run *r)
{
    r->m.mapped[r->b][r->f] = true;
}

static inline bool
is_mapped(const struct run *r)
{
    return r->m.mapped[r->b][r->f];
}

static inline enum mauth_rc
unmap(struct kv_txn *txn, const struct run *r)
{
    return graph_mapping_remove(
        txn, &r->m.device[r->b].id, &r->m.folder[r->f], PROOF_NOW_S, NULL);
}

static inline void
unmapped(struct run *r)
{
    lose_mapping(&r->m, r->b, r->f);
}

static inline bool
is_open(const struct run *r)
{
    return r->m.who[r->b] != NOBODY && r->way < 2;
}

static inline enum mauth_rc
close_session(struct kv_txn *txn, const struct run *r)
{
    return graph_session_close(txn, &r->m.device[r->b].session.id, NULL);
}

static inline void
closed(struct run *r)
{
    lose_session(&r->m, r->b);
}

static inline bool
is_seldom(const struct run *r)
{
    return r->way == 0 && r->f == 0;
}

static inline enum mauth_rc
end_user(struct kv_txn *txn, const struct run *r)
{
    return graph_user_delete(txn, &r->m.user[r->a], PROOF_NOW_S, NULL);
}

static inline enum mauth_rc
begin_user(struct kv_txn *txn, const struct run *r)
{
    char name[16];
    struct graph_identity who = {text_of("https://i.example"), {name, 0}};

    snprintf(name, sizeof(name), "user-%u", r->m.people);
    who.subject = text_of(name);
    return graph_user_create(txn, &r->m.user[r->a], &who, PROOF_NOW_S, NULL);
}

/* Somebody else takes the place. */
static inline void
ended(struct run *r)
{
    struct model *m = &r->m;

    for (unsigned f = 0; f < FOLDERS; f++) {
        if (m->role[f][r->a] == 3)
            lose_folder(m, f);
        else if (m->role[f][r->a])
            lose_member(m, f, r->a);
    }
    for (unsigned d = 0; d < N; d++) {
        if (m->claim[d] == (int)r->a)
            lose_claim(m, d);
        if (m->who[d] == (int)r->a)
            m->who[d] = NOBODY;
    }
    lose(m, ID_USER, &m->user[r->a], ID_KINDS, NULL, false);
    assert_int_equal(id_new(&m->user[r->a], NULL), MAUTH_OK);
    m->people++;
}

static const struct change changes[] = {
    {"create", has_no_owner, create, created},
    {"join", is_there_without, join, joined},
    {"join", is_there_without, join, joined},
    {"expel", is_plain_member, expel, expelled},
    {"appoint", is_plain_member, appoint, appointed},
    {"pass", is_plain_member, pass, passed},
    {"delete", is_owned_and_seldom, erase, erased},
    {"claim", is_unclaimed, claim, claimed},
    {"claim", is_unclaimed, claim, claimed},
    {"release", is_claimed, release, released},
    {"map", can_map, map, mapped},
    {"map", can_map, map, mapped},
    {"unmap", is_mapped, unmap, unmapped},
    {"close", is_open, close_session, closed},
    {"end", is_seldom, end_user, ended},
};

struct doing {
    const struct run *r;
    enum mauth_rc (*graph)(struct kv_txn *txn, const struct run *r);
};

static inline enum mauth_rc
do_it(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct doing *d = arg;

    (void)err;
    return d->graph(txn, d->r);
}

static inline void
do_graph(struct run *r, enum mauth_rc (*graph)(struct kv_txn *, const struct run *))
{
    struct doing d = {r, graph};

    assert_int_equal(kv_write(r->p.w.dir.store.kv, do_it, &d, NULL), MAUTH_OK);
}

#endif
