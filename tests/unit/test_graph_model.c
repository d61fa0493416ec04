/*
 * Random operations beside a model that is nothing but arrays. Every transaction
 * runs twice (the store's option), so nothing may depend on a run that was undone.
 */
#include <time.h>

#include "store/graph_device.h"
#include "store/graph_member.h"
#include "store/graph_user.h"
#include "store/revocations.h"
#include "tests/unit/store_dir.h"

enum {
    N = 4, /* users, devices, folders */
    OPS = 40,
    BATCHES = 100,
    NOBODY = -1
};

struct model {
    unsigned random;
    uint64_t state;
    int claim[N]; /* of a device */
    bool live[N], made[N];
    enum graph_role role[N][N]; /* folder, user */
    bool mapped[N][N];          /* device, folder */
};

struct run {
    struct id user[N], device[N], folder[N];
    struct model before, after;
};

static unsigned
roll(struct model *m, unsigned n)
{
    m->random = m->random * 1664525 + 1013904223;
    return (m->random >> 16) % n;
}

static enum mauth_rc
changed(struct model *m)
{
    m->state++;
    return MAUTH_OK;
}

/* The set's entry has the number of a state since the one that ended it. */
static void
check_revoked(struct kv_txn *txn, uint64_t since, uint64_t state, enum id_kind ak,
    const struct id *a, enum id_kind bk, const struct id *b)
{
    struct revoked set = {.count = b ? 2 : 1};
    uint64_t number;

    id_format(ak, a, set.id[0]);
    if (b)
        id_format(bk, b, set.id[1]);
    assert_int_equal(revocations_find(txn, &set, &number, NULL), MAUTH_OK);
    assert_in_range(number, since, state);
}

static void
claim_or_release(struct kv_txn *txn, struct run *r, unsigned d, unsigned u, bool claim)
{
    struct model *m = &r->after;
    enum mauth_rc want;
    bool maps = false;

    if (claim) {
        want = m->claim[d] == (int)u   ? MAUTH_OK
               : m->claim[d] == NOBODY ? changed(m)
                                       : MAUTH_CONFLICT;
        if (want == MAUTH_OK)
            m->claim[d] = (int)u;
        assert_int_equal(
            graph_device_claim(txn, &r->device[d], &r->user[u], 1, NULL), want);
        return;
    }
    want = m->claim[d] == (int)u ? changed(m) : MAUTH_NOT_FOUND;
    assert_int_equal(
        graph_device_release(txn, &r->device[d], &r->user[u], 1, NULL), want);
    if (want)
        return;
    m->claim[d] = NOBODY;
    for (unsigned f = 0; f < N; f++) {
        maps |= m->mapped[d][f];
        m->mapped[d][f] = false;
    }
    check_revoked(
        txn, m->state, m->state, ID_DEVICE, &r->device[d], ID_USER, &r->user[u]);
    if (maps)
        check_revoked(
            txn, m->state, m->state, ID_DEVICE, &r->device[d], ID_KINDS, NULL);
}

static void
make_or_delete(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, bool make)
{
    struct model *m = &r->after;
    enum mauth_rc want;

    if (make) {
        want = m->made[f] ? MAUTH_CONFLICT : changed(m);
        struct graph_folder folder = {.id = r->folder[f], .name = "Trip"};

        assert_int_equal(graph_folder_create(txn, &folder, &r->user[u], NULL), want);
        if (want)
            return;
        m->made[f] = m->live[f] = true;
        m->role[f][u] = GRAPH_OWNER;
        return;
    }
    if (roll(m, 40)) /* a tombstone is for ever: seldom */
        return;
    want = m->live[f] ? changed(m) : MAUTH_NOT_FOUND;
    assert_int_equal(graph_folder_delete(txn, &r->folder[f], 2, NULL), want);
    if (want)
        return;
    m->live[f] = false;
    for (unsigned i = 0; i < N; i++)
        m->role[f][i] = GRAPH_NO_ROLE, m->mapped[i][f] = false;
    check_revoked(txn, m->state, m->state, ID_FOLDER, &r->folder[f], ID_KINDS, NULL);
}

static void
add_or_remove(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, bool add)
{
    struct model *m = &r->after;
    enum graph_role *role = &m->role[f][u];
    enum mauth_rc want;

    if (add) {
        want = !m->live[f] ? MAUTH_NOT_FOUND : *role ? MAUTH_CONFLICT : changed(m);
        assert_int_equal(
            graph_member_add(txn, &r->folder[f], &r->user[u], GRAPH_READER, 1, NULL),
            want);
        if (want == MAUTH_OK)
            *role = GRAPH_READER;
        return;
    }
    want = !*role                 ? MAUTH_NOT_FOUND
           : *role == GRAPH_OWNER ? MAUTH_CONFLICT
                                  : changed(m);
    assert_int_equal(
        graph_member_remove(txn, &r->folder[f], &r->user[u], 1, NULL), want);
    if (want)
        return;
    *role = GRAPH_NO_ROLE;
    for (unsigned d = 0; d < N; d++)
        m->state += m->claim[d] == (int)u && m->mapped[d][f];
    check_revoked(
        txn, m->state, m->state, ID_FOLDER, &r->folder[f], ID_USER, &r->user[u]);
    for (unsigned d = 0; d < N; d++) {
        if (m->claim[d] != (int)u || !m->mapped[d][f])
            continue;
        m->mapped[d][f] = false;
        check_revoked(txn, m->state - N, m->state - 1, ID_DEVICE, &r->device[d],
            ID_FOLDER, &r->folder[f]);
    }
}

static void
set_or_pass(struct kv_txn *txn, struct run *r, unsigned f, unsigned u, bool set)
{
    struct model *m = &r->after;
    enum graph_role old = m->role[f][u],
                    new = roll(m, 2) ? GRAPH_READER : GRAPH_CONTRIBUTOR;
    unsigned to = roll(m, N);
    enum mauth_rc want;

    if (set) {
        want = !old ? MAUTH_NOT_FOUND : old == GRAPH_OWNER ? MAUTH_CONFLICT : MAUTH_OK;
        if (!want && old != new)
            m->state++;
        assert_int_equal(
            graph_member_set_role(txn, &r->folder[f], &r->user[u], new, 3, NULL), want);
        if (!want && new < old)
            check_revoked(txn, m->state, m->state, ID_FOLDER, &r->folder[f], ID_USER,
                &r->user[u]);
        if (!want)
            m->role[f][u] = new;
        return;
    }
    want = !old || !m->role[f][to]         ? MAUTH_NOT_FOUND
           : old != GRAPH_OWNER || to == u ? MAUTH_CONFLICT
                                           : changed(m);
    assert_int_equal(
        graph_member_pass(txn, &r->folder[f], &r->user[u], &r->user[to], 3, NULL),
        want);
    if (want)
        return;
    m->state++;
    m->role[f][u] = GRAPH_CONTRIBUTOR;
    m->role[f][to] = GRAPH_OWNER;
    check_revoked(
        txn, m->state, m->state, ID_FOLDER, &r->folder[f], ID_USER, &r->user[u]);
}

static void
map_or_unmap(struct kv_txn *txn, struct run *r, unsigned d, unsigned f, bool map)
{
    struct model *m = &r->after;
    bool may = m->claim[d] != NOBODY && m->role[f][m->claim[d]];
    enum mauth_rc want;

    if (map) {
        want = !may ? MAUTH_DENIED : m->mapped[d][f] ? MAUTH_OK : changed(m);
        assert_int_equal(
            graph_mapping_add(txn, &r->device[d], &r->folder[f], 1, NULL), want);
        m->mapped[d][f] |= want == MAUTH_OK;
        return;
    }
    want = m->mapped[d][f] ? changed(m) : MAUTH_NOT_FOUND;
    assert_int_equal(
        graph_mapping_remove(txn, &r->device[d], &r->folder[f], 1, NULL), want);
    if (want)
        return;
    m->mapped[d][f] = false;
    check_revoked(
        txn, m->state, m->state, ID_DEVICE, &r->device[d], ID_FOLDER, &r->folder[f]);
}

static void
check_link(struct kv_txn *txn, enum graph_way way, const struct id *a,
    const struct id *b, bool there, enum graph_role role)
{
    struct graph_link l;

    for (int end = 0; end < 2; end++) {
        assert_int_equal(
            graph_link_find(txn, (enum graph_way)((unsigned)way + (unsigned)end),
                end ? b : a, end ? a : b, &l, NULL),
            there ? MAUTH_OK : MAUTH_NOT_FOUND);
        assert_int_equal(l.role, there ? role : GRAPH_NO_ROLE);
    }
}

static void
check_all(struct kv_txn *txn, struct run *r)
{
    const struct model *m = &r->after;
    struct graph_page page;
    uint64_t state;

    assert_int_equal(graph_state(txn, &state, NULL), MAUTH_OK);
    assert_int_equal(state, m->state);
    for (unsigned a = 0; a < N; a++) {
        unsigned owners = 0, members = 0;

        for (unsigned b = 0; b < N; b++) {
            check_link(txn, GRAPH_CLAIMED_BY_DEVICE, &r->device[a], &r->user[b],
                m->claim[a] == (int)b, GRAPH_NO_ROLE);
            check_link(txn, GRAPH_MEMBER_BY_FOLDER, &r->folder[a], &r->user[b],
                m->role[a][b], m->role[a][b]);
            check_link(txn, GRAPH_MAPPED_BY_DEVICE, &r->device[a], &r->folder[b],
                m->mapped[a][b], GRAPH_NO_ROLE);
        }
        assert_int_equal(graph_link_page(txn, GRAPH_MEMBER_BY_FOLDER, &r->folder[a],
                             NULL, &page, NULL),
            MAUTH_OK);
        for (unsigned b = 0; b < N; b++)
            members += m->role[a][b] != GRAPH_NO_ROLE;
        for (size_t i = 0; i < page.count; i++)
            owners += page.links[i].role == GRAPH_OWNER;
        assert_int_equal(page.count, members);
        assert_int_equal(owners, m->live[a]);
    }
}

static enum mauth_rc
batch(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static void (*const ops[])(
        struct kv_txn *, struct run *, unsigned, unsigned, bool) = {
        claim_or_release, make_or_delete, add_or_remove, set_or_pass, map_or_unmap};
    struct run *r = arg;

    (void)err;
    r->after = r->before;
    for (int i = 0; i < OPS; i++) {
        unsigned op = roll(&r->after, COUNT(ops)), a = roll(&r->after, N);
        unsigned b = roll(&r->after, N);

        ops[op](txn, r, a, b, roll(&r->after, 3) > 0);
        check_all(txn, r);
    }
    return MAUTH_OK;
}

static enum mauth_rc
begin(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct run *r = arg;

    for (int i = 0; i < N; i++) {
        char subject[2] = {(char)('a' + i), 0};
        struct graph_identity who = {{"https://i.example", 17}, {subject, 1}};
        struct graph_device out, d = {.id = r->device[i], .name = "PC", .created_s = 1};

        d.spki[0] = (uint8_t)i;
        d.spki_len = 1;
        assert_int_equal(graph_user_create(txn, &r->user[i], &who, 1, err), MAUTH_OK);
        assert_int_equal(graph_device_register(txn, &d, &out, err), MAUTH_OK);
        assert_int_equal(graph_device_register(txn, &d, &out, err), MAUTH_OK);
        assert_int_equal(out.version, 1);
        d.spki[0] = (uint8_t)(i + 100); /* this id, another key */
        assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_CONFLICT);
        d.spki[0] = (uint8_t)i; /* this key, another id */
        d.id.b[0] ^= 1;
        assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_CONFLICT);
        d.name[0] = '\033';
        assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_INVALID);
    }
    return MAUTH_OK;
}

static void
agrees_with_the_model(void **state)
{
    struct run r = {.before = {.random = (unsigned)time(NULL), .state = 1 + 2 * N}};
    struct store_dir s;

    (void)state;
    print_message("seed %u\n", r.before.random);
    store_make(&s, "?twice=1");
    for (int i = 0; i < N; i++) {
        r.before.claim[i] = NOBODY;
        assert_int_equal(id_new(&r.user[i], NULL), MAUTH_OK);
        assert_int_equal(id_new(&r.device[i], NULL), MAUTH_OK);
        assert_int_equal(id_new(&r.folder[i], NULL), MAUTH_OK);
    }
    assert_int_equal(kv_write(s.kv, begin, &r, NULL), MAUTH_OK);
    for (int i = 0; i < BATCHES; i++) {
        assert_int_equal(kv_write(s.kv, batch, &r, NULL), MAUTH_OK);
        r.before = r.after;
        if (i % 10 == 9) /* tombstones stay; fresh folders keep it lively */
            for (int f = 0; f < N; f++) {
                if (!r.before.made[f] || r.before.live[f])
                    continue;
                assert_int_equal(id_new(&r.folder[f], NULL), MAUTH_OK);
                r.before.made[f] = false;
            }
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
