#include "tests/bench/inside.h"

#include "base/fail.h"
#include "base/time.h"
#include "store/graph_folder.h"
#include "store/graph_member.h"
#include "tests/bench/bench.h"

struct batch {
    const struct bench_mesh *mesh;
    uint64_t random;
    size_t count;
    int64_t now_s;
    int64_t took_ns;
};

/* One whose first folder is shared with the next user. */
static size_t
draw(struct batch *b)
{
    b->random =
        b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(b->random >> 24) % (b->mesh->users - 1);
}

static enum mauth_rc
read_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct batch *b = arg;
    int64_t start = bench_now_ns();
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < b->count && rc == MAUTH_OK; i++) {
        size_t n = draw(b);
        struct id user = mesh_user(b->mesh, n);
        struct id folder = mesh_folder(b->mesh, n, i % MESH_FOLDERS);
        struct graph_folder f;
        struct graph_link l;

        rc = graph_folder_by_id(txn, &folder, &f, err);
        if (rc == MAUTH_OK)
            rc = graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, &folder, &user, &l, err);
    }
    b->took_ns = bench_now_ns() - start;
    return rc;
}

static enum mauth_rc
change_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct batch *b = arg;
    int64_t start = bench_now_ns();
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < b->count && rc == MAUTH_OK; i++) {
        size_t n = draw(b);
        struct id user = mesh_user(b->mesh, n + 1);
        struct id folder = mesh_folder(b->mesh, n, 0);
        const char *role;
        struct graph_link l;

        rc = graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, &folder, &user, &l, err);
        role = graph_role_is(l.role, GRAPH_READER) ? GRAPH_CONTRIBUTOR : GRAPH_READER;
        if (rc == MAUTH_OK)
            rc = graph_member_set_role(txn, &folder, &user, role, b->now_s, err);
    }
    b->took_ns = bench_now_ns() - start;
    if (rc != MAUTH_OK)
        return rc;
    return mauth_fail(err, MAUTH_DENIED, "bench: undone");
}

static enum mauth_rc
finish(struct inside *i, const struct batch *b, enum mauth_rc rc, enum mauth_rc want,
    double *us, struct mauth_err *err)
{
    i->random = b->random;
    *us = (double)b->took_ns / 1e3 / (double)b->count;
    if (rc == want)
        mauth_err_reset(err);
    return rc == want ? MAUTH_OK : rc;
}

enum mauth_rc
inside_read(struct inside *i, size_t count, double *us, struct mauth_err *err)
{
    struct batch b = {.mesh = i->mesh, .random = i->random, .count = count};
    enum mauth_rc rc = kv_read(i->kv, read_some, &b, err);

    return finish(i, &b, rc, MAUTH_OK, us, err);
}

enum mauth_rc
inside_change(struct inside *i, size_t count, double *us, struct mauth_err *err)
{
    struct batch b = {
        .mesh = i->mesh, .random = i->random, .count = count, .now_s = time_now_s()};
    enum mauth_rc rc = kv_write(i->kv, change_some, &b, err);

    return finish(i, &b, rc, MAUTH_DENIED, us, err);
}
