/*
 * Random operations beside a model that is nothing but arrays. Every transaction
 * runs twice (the store's option), so nothing may depend on a run that was undone.
 * MAUTH_SEED in the environment repeats a run.
 */
#include <time.h>

#include "store/graph_purge.h"
#include "tests/unit/graph_model.h"

enum {
    OPS = 40,
    BATCHES = 150
};

static unsigned
roll(struct model *m, unsigned n)
{
    m->random = m->random * 1664525 + 1013904223;
    return (m->random >> 16) % n;
}

/* Another state, in which this node has another version. */
static void
touch(struct model *m, struct node *n)
{
    m->state++;
    n->version++;
    n->updated_s = m->now_s;
}

static void
begin_node(struct model *m, struct node *n, char name, bool flag)
{
    *n =
        (struct node){.stage = LIVE, .name = name, .flag = flag, .created_s = m->now_s};
    touch(m, n);
}

static void
join(struct model *m, struct member *member, const char *role)
{
    m->state++;
    memmove(member->role, role, strlen(role) + 1);
    member->version++;
    member->updated_s = m->now_s;
}

static void
finish(struct model *m, struct invited *i, enum graph_invitation_state state)
{
    bool over = is_over(m, i);

    m->state++;
    i->state = over ? GRAPH_EXPIRED : state;
    i->updated_s = over ? i->expires_s : m->now_s;
    i->version++;
}

/* Of one inviter, or (NULL) of all; or only those whose time is up. */
static void
finish_all(struct run *r, unsigned folder, const struct id *inviter, bool over)
{
    for (unsigned n = 0; n < INVITATIONS; n++) {
        struct invited *i = &r->after.invited[n];

        if (i->stage == LIVE && i->state == GRAPH_PENDING &&
            same_id(&i->folder, &r->folder[folder]) &&
            (!inviter || same_id(&i->inviter, inviter)) &&
            (!over || is_over(&r->after, i)))
            finish(&r->after, i, GRAPH_REVOKED);
    }
}

static void
lose_folder(struct run *r, unsigned f)
{
    struct model *m = &r->after;

    finish_all(r, f, NULL, false);
    m->folder[f].stage = DEAD;
    touch(m, &m->folder[f]);
    for (unsigned i = 0; i < N; i++) {
        m->member[f][i] = (struct member){.role = GRAPH_NO_ROLE};
        m->mapped[i][f] = false;
    }
}

static void
lose_member(struct run *r, unsigned f, unsigned u)
{
    struct model *m = &r->after;

    finish_all(r, f, &r->user[u], false);
    for (unsigned d = 0; d < N; d++) {
        m->state += m->claim[d] == (int)u && m->mapped[d][f];
        m->mapped[d][f] = m->mapped[d][f] && m->claim[d] != (int)u;
    }
    m->member[f][u] = (struct member){.role = GRAPH_NO_ROLE};
    m->state++;
}

static bool
lose_claim(struct run *r, unsigned d)
{
    struct model *m = &r->after;
    bool mapped = false;

    m->claim[d] = NOBODY;
    touch(m, &m->device[d]);
    m->device[d].flag = false;
    m->device[d].released = true;
    for (unsigned f = 0; f < N; f++) {
        mapped |= m->mapped[d][f];
        m->mapped[d][f] = false;
    }
    return mapped;
}

/* The operations: each asks the graph and the model. a and b are slots, way a choice. */

static void
user(struct kv_txn *txn, struct run *r, unsigned a, unsigned b, unsigned way)
{
    struct model *m = &r->after;
    struct node *n = &m->user[a];
    struct graph_identity who = identity_of(a);
    struct graph_email e = address_of(a);
    bool is = n->stage == LIVE, flag = b % 2;

    if (way < 2) {
        assert_int_equal(graph_user_create(txn, &r->user[a], &who, m->now_s, NULL),
            n->stage == ABSENT ? MAUTH_OK : MAUTH_CONFLICT);
        if (n->stage == ABSENT)
            begin_node(m, n, 0, false);
        return;
    }
    if (way == 2 || roll(m, 12)) { /* seldom closed */
        assert_int_equal(
            graph_user_set_email(txn, &r->user[a], flag ? &e : NULL, m->now_s, NULL),
            is ? MAUTH_OK : MAUTH_NOT_FOUND);
        if (is && n->flag != flag)
            touch(m, n);
        n->flag = is && flag;
        return;
    }
    assert_int_equal(graph_user_delete(txn, &r->user[a], m->now_s, NULL),
        is ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (!is)
        return;
    for (unsigned i = 0; i < N; i++) {
        if (graph_role_is(m->member[i][a].role, GRAPH_OWNER))
            lose_folder(r, i);
        else if (m->member[i][a].role[0])
            lose_member(r, i, a);
    }
    for (unsigned i = 0; i < N; i++)
        if (m->claim[i] == (int)a)
            (void)lose_claim(r, i);
    n->stage = DEAD;
    touch(m, n);
    assert_int_equal(revoked_in(txn, ID_USER, &r->user[a], ID_KINDS, NULL), m->state);
}

static void
device(struct kv_txn *txn, struct run *r, unsigned d, unsigned b, unsigned way)
{
    struct model *m = &r->after;
    struct node *n = &m->device[d];
    struct graph_device want = {.id = r->device[d],
                            .name = {(char)('a' + b)},
                            .spki = {(uint8_t)d},
                            .spki_len = 1,
                            .unattended = way % 2,
                            .created_s = m->now_s},
                        out;

    if (way < 2) {
        assert_int_equal(graph_device_register(txn, &want, &out, NULL),
            n->stage == PURGED ? MAUTH_CONFLICT : MAUTH_OK);
        if (n->stage == ABSENT)
            begin_node(m, n, want.name[0], want.unattended);
        return;
    }
    assert_int_equal(
        graph_device_update(txn, &want.id, want.name, want.unattended, m->now_s, NULL),
        n->stage == LIVE ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (n->stage == LIVE && (n->name != want.name[0] || n->flag != want.unattended))
        touch(m, n);
    n->name = want.name[0];
    n->flag = want.unattended;
}

static void
claim(struct kv_txn *txn, struct run *r, unsigned d, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    enum mauth_rc want = MAUTH_OK;

    if (way < 3) {
        if (m->device[d].stage != LIVE || m->user[u].stage != LIVE)
            want = MAUTH_NOT_FOUND;
        else if (m->claim[d] != NOBODY && m->claim[d] != (int)u)
            want = MAUTH_CONFLICT;
        assert_int_equal(
            graph_device_claim(txn, &r->device[d], &r->user[u], m->now_s, NULL), want);
        if (want)
            return;
        m->state += m->claim[d] == NOBODY;
        m->claim[d] = (int)u;
        return;
    }
    want = m->claim[d] == (int)u ? MAUTH_OK : MAUTH_NOT_FOUND;
    assert_int_equal(
        graph_device_release(txn, &r->device[d], &r->user[u], m->now_s, NULL), want);
    if (want)
        return;
    if (lose_claim(r, d))
        assert_int_equal(
            revoked_in(txn, ID_DEVICE, &r->device[d], ID_KINDS, NULL), m->state);
    assert_int_equal(
        revoked_in(txn, ID_DEVICE, &r->device[d], ID_USER, &r->user[u]), m->state);
}

static void
folder(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    struct node *n = &m->folder[f];
    struct graph_folder want = {.id = r->folder[f],
        .name = {(char)('a' + u)},
        .contributors_invite = way % 2,
        .created_s = m->now_s};
    enum mauth_rc rc = n->stage == LIVE ? MAUTH_OK : MAUTH_NOT_FOUND;

    if (way < 2) {
        rc = m->user[u].stage != LIVE ? MAUTH_NOT_FOUND
             : n->stage != ABSENT     ? MAUTH_CONFLICT
                                      : MAUTH_OK;
        assert_int_equal(graph_folder_create(txn, &want, &r->user[u], NULL), rc);
        if (rc)
            return;
        begin_node(m, n, want.name[0], want.contributors_invite);
        join(m, &m->member[f][u], GRAPH_OWNER);
        return;
    }
    if (way == 2 || roll(m, 6)) { /* seldom deleted */
        assert_int_equal(graph_folder_update(txn, &want.id, want.name,
                             want.contributors_invite, m->now_s, NULL),
            rc);
        if (!rc && (n->name != want.name[0] || n->flag != want.contributors_invite))
            touch(m, n);
        n->name = want.name[0];
        n->flag = want.contributors_invite;
        return;
    }
    assert_int_equal(graph_folder_delete(txn, &want.id, m->now_s, NULL), rc);
    if (rc)
        return;
    lose_folder(r, f);
    assert_int_equal(revoked_in(txn, ID_FOLDER, &want.id, ID_KINDS, NULL), m->state);
}

static void
member(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    struct member *is = &m->member[f][u];
    enum mauth_rc want;

    if (way < 3) {
        want = m->folder[f].stage != LIVE || m->user[u].stage != LIVE ? MAUTH_NOT_FOUND
               : is->role[0]                                          ? MAUTH_CONFLICT
                                                                      : MAUTH_OK;
        assert_int_equal(graph_member_add(txn, &r->folder[f], &r->user[u], GRAPH_READER,
                             m->now_s, NULL),
            want);
        if (want == MAUTH_OK)
            join(m, is, GRAPH_READER);
        return;
    }
    want = !is->role[0]                           ? MAUTH_NOT_FOUND
           : graph_role_is(is->role, GRAPH_OWNER) ? MAUTH_CONFLICT
                                                  : MAUTH_OK;
    assert_int_equal(
        graph_member_remove(txn, &r->folder[f], &r->user[u], m->now_s, NULL), want);
    if (want)
        return;
    lose_member(r, f, u);
    assert_int_equal(
        revoked_in(txn, ID_FOLDER, &r->folder[f], ID_USER, &r->user[u]), m->state);
}

static void
role(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    struct member *is = &m->member[f][u];
    char old[sizeof(is->role)];
    const char *new = way % 2 ? GRAPH_READER : GRAPH_CONTRIBUTOR;
    unsigned to = roll(m, N);
    enum mauth_rc want;

    memcpy(old, is->role, sizeof(old));
    if (way < 2) {
        want = !old[0]                           ? MAUTH_NOT_FOUND
               : graph_role_is(old, GRAPH_OWNER) ? MAUTH_CONFLICT
                                                 : MAUTH_OK;
        assert_int_equal(
            graph_member_set_role(txn, &r->folder[f], &r->user[u], new, m->now_s, NULL),
            want);
        if (want == MAUTH_OK && !graph_role_is(new, old))
            join(m, is, new);
    } else {
        want = !old[0] || !m->member[f][to].role[0]          ? MAUTH_NOT_FOUND
               : !graph_role_is(old, GRAPH_OWNER) || to == u ? MAUTH_CONFLICT
                                                             : MAUTH_OK;
        assert_int_equal(graph_member_pass(txn, &r->folder[f], &r->user[u],
                             &r->user[to], m->now_s, NULL),
            want);
        if (want)
            return;
        join(m, &m->member[f][to], GRAPH_OWNER);
        join(m, is, GRAPH_CONTRIBUTOR);
    }
    if (want == MAUTH_OK && !graph_role_is(is->role, old))
        assert_int_equal(
            revoked_in(txn, ID_FOLDER, &r->folder[f], ID_USER, &r->user[u]), m->state);
}

static void
mapping(struct kv_txn *txn, struct run *r, unsigned d, unsigned f, unsigned way)
{
    struct model *m = &r->after;
    bool may = m->claim[d] != NOBODY && m->member[f][m->claim[d]].role[0];

    if (way < 3) {
        assert_int_equal(
            graph_mapping_add(txn, &r->device[d], &r->folder[f], m->now_s, NULL),
            may ? MAUTH_OK : MAUTH_DENIED);
        m->state += may && !m->mapped[d][f];
        m->mapped[d][f] = may;
        return;
    }
    assert_int_equal(
        graph_mapping_remove(txn, &r->device[d], &r->folder[f], m->now_s, NULL),
        m->mapped[d][f] ? MAUTH_OK : MAUTH_NOT_FOUND);
    if (!m->mapped[d][f])
        return;
    m->mapped[d][f] = false;
    m->state++;
    assert_int_equal(
        revoked_in(txn, ID_DEVICE, &r->device[d], ID_FOLDER, &r->folder[f]), m->state);
}

static void
invite(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    unsigned n = roll(m, INVITATIONS), whom = roll(m, N);
    struct invited *i = &m->invited[n];
    struct graph_invitation want = {.id = r->invited[n],
        .folder = r->folder[f],
        .inviter = r->user[u],
        .created_s = m->now_s,
        .expires_s = m->now_s + 1 + roll(m, way == 3 ? 20 : 100000),
        .addressee = (enum graph_addressee)roll(m, 3),
        .user = r->user[whom],
        .email = address_of(whom)};
    enum mauth_rc rc = !m->member[f][u].role[0] ? MAUTH_NOT_FOUND
                       : i->stage == LIVE       ? MAUTH_CONFLICT
                                                : MAUTH_OK;

    strcpy(want.role, way % 2 ? GRAPH_READER : GRAPH_CONTRIBUTOR);
    assert_int_equal(graph_invitation_create(txn, &want, NULL), rc);
    if (rc)
        return;
    finish_all(r, f, NULL, true);
    m->state++;
    *i = (struct invited){.stage = LIVE,
        .folder = want.folder,
        .inviter = want.inviter,
        .version = 1,
        .updated_s = m->now_s,
        .expires_s = want.expires_s,
        .addressee = want.addressee,
        .user = want.user,
        .address = whom};
    memcpy(i->role, want.role, sizeof(i->role));
}

static enum mauth_rc
model_accept(struct run *r, const struct invited *i, unsigned u, enum graph_closed *why)
{
    const struct model *m = &r->after;
    unsigned f = slot(r->folder, N, &i->folder);

    *why = GRAPH_NOT_CLOSED;
    if (m->user[u].stage != LIVE || i->stage != LIVE)
        return MAUTH_NOT_FOUND;
    if (i->state != GRAPH_PENDING || is_over(m, i)) {
        *why = GRAPH_CLOSED;
        return MAUTH_CONFLICT;
    }
    if (i->addressee == GRAPH_FOR_USER && !same_id(&i->user, &r->user[u]))
        return MAUTH_DENIED;
    if (i->addressee == GRAPH_FOR_EMAIL && (i->address != u || !m->user[u].flag))
        return MAUTH_DENIED;
    if (m->member[f][u].role[0]) {
        *why = GRAPH_IS_MEMBER;
        return MAUTH_CONFLICT;
    }
    return MAUTH_OK;
}

static void
answer(struct kv_txn *txn, struct run *r, unsigned a, unsigned u, unsigned way)
{
    struct model *m = &r->after;
    unsigned n = (a + way * N) % INVITATIONS;
    struct invited *i = &m->invited[n];
    enum graph_closed why, want_why;
    enum mauth_rc want;

    if (way < 3) {
        want = model_accept(r, i, u, &want_why);
        assert_int_equal(graph_invitation_accept(
                             txn, &r->invited[n], &r->user[u], m->now_s, &why, NULL),
            want);
        assert_int_equal(why, want_why);
        if (want)
            return;
        join(m, &m->member[slot(r->folder, N, &i->folder)][u], i->role);
        finish(m, i, GRAPH_ACCEPTED);
        return;
    }
    want = i->stage != LIVE                             ? MAUTH_NOT_FOUND
           : i->state != GRAPH_PENDING || is_over(m, i) ? MAUTH_CONFLICT
                                                        : MAUTH_OK;
    if (u % 2)
        assert_int_equal(
            graph_invitation_decline(txn, &r->invited[n], m->now_s, NULL), want);
    else
        assert_int_equal(
            graph_invitation_revoke(txn, &r->invited[n], m->now_s, NULL), want);
    if (want == MAUTH_OK)
        finish(m, i, u % 2 ? GRAPH_DECLINED : GRAPH_REVOKED);
}

static bool
is_due(const struct model *m, int64_t since_s)
{
    return since_s + GRAPH_KEPT_S <= m->now_s;
}

/* Time passes, at times a lot of it; then what is due is purged, a few at once. */
static void
wait(struct kv_txn *txn, struct run *r, unsigned a, unsigned b, unsigned way)
{
    struct model *m = &r->after;
    size_t count;

    (void)a;
    m->now_s += way == 3 && !b ? GRAPH_KEPT_S / 2 : roll(m, 20);
    do
        assert_int_equal(graph_purge(txn, m->now_s, 3, &count, NULL), MAUTH_OK);
    while (count == 3);
    for (unsigned i = 0; i < N; i++) {
        struct node *d = &m->device[i];

        if (m->user[i].stage == DEAD && is_due(m, m->user[i].updated_s))
            m->user[i].stage = PURGED;
        if (m->folder[i].stage == DEAD && is_due(m, m->folder[i].updated_s))
            m->folder[i].stage = PURGED;
        if (d->stage == LIVE && d->released && m->claim[i] == NOBODY &&
            is_due(m, d->updated_s)) {
            d->stage = PURGED;
            m->state++;
        }
    }
    for (unsigned i = 0; i < INVITATIONS; i++) {
        if (m->invited[i].stage != LIVE || !is_due(m, m->invited[i].expires_s))
            continue;
        m->invited[i].stage = PURGED;
        m->state++;
    }
}

static enum mauth_rc
batch(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static void (*const ops[])(struct kv_txn *, struct run *, unsigned, unsigned,
        unsigned) = {user, device, claim, claim, folder, member, member, role, mapping,
        mapping, invite, invite, answer, answer, wait};
    struct run *r = arg;

    (void)err;
    r->after = r->before;
    r->knows = r->knew;
    for (int i = 0; i < OPS; i++) {
        unsigned op = roll(&r->after, COUNT(ops)), a = roll(&r->after, N);
        unsigned b = roll(&r->after, N);

        ops[op](txn, r, a, b, roll(&r->after, 4));
        check_all(txn, r);
    }
    follow(txn, r);
    return MAUTH_OK;
}

static void
fresh(struct id *id, enum stage *stage)
{
    if (*stage != PURGED)
        return;
    assert_int_equal(id_new(id, NULL), MAUTH_OK);
    *stage = ABSENT;
}

/* After a commit: the next batch begins where this one ended. */
static void
go_on(struct run *r)
{
    r->before = r->after;
    r->knew = r->knows;
    for (unsigned i = 0; i < N; i++) {
        fresh(&r->user[i], &r->before.user[i].stage);
        fresh(&r->device[i], &r->before.device[i].stage);
        fresh(&r->folder[i], &r->before.folder[i].stage);
    }
    for (unsigned i = 0; i < INVITATIONS; i++)
        fresh(&r->invited[i], &r->before.invited[i].stage);
}

static void
agrees_with_the_model(void **state)
{
    const char *seed = getenv("MAUTH_SEED");
    struct run r = {.after = {.state = 1, .now_s = 1}, .knows = {.seen = 1}};
    struct store_dir s;

    (void)state;
    r.after.random = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    print_message("seed %u\n", r.after.random);
    store_make(&s, "?twice=1");
    for (unsigned i = 0; i < N; i++) {
        r.after.claim[i] = NOBODY;
        r.after.user[i].stage = r.after.device[i].stage = PURGED;
        r.after.folder[i].stage = PURGED;
    }
    for (unsigned i = 0; i < INVITATIONS; i++)
        r.after.invited[i].stage = PURGED;
    for (int i = 0; i < BATCHES; i++) {
        go_on(&r);
        assert_int_equal(kv_write(s.kv, batch, &r, NULL), MAUTH_OK);
    }
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
