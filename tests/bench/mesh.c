#include "tests/bench/mesh.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_change.h"
#include "store/graph_device.h"
#include "store/graph_member.h"
#include "store/graph_user.h"
#include "tests/bench/bench.h"
#include "tests/bench/tokens.h"

enum {
    BULK = 20000 /* users in one transaction */
};

/* Number n of count: spread over all ids as random ones are, but in their order, which
 * fills the store's pages in turn. */
static struct id
spread(size_t n, size_t count)
{
    uint64_t high = UINT64_MAX / count * n, low = n * UINT64_C(0x9e3779b97f4a7c15) + 1;
    struct id id;

    for (size_t i = 0; i < 8; i++) {
        id.b[i] = (uint8_t)(high >> (56 - 8 * i));
        id.b[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return id;
}

struct id
mesh_user(const struct bench_mesh *m, size_t user)
{
    return spread(user, m->users);
}

struct id
mesh_device(const struct bench_mesh *m, size_t user, size_t k)
{
    return spread(user * MESH_DEVICES + k, m->users * MESH_DEVICES);
}

struct id
mesh_folder(const struct bench_mesh *m, size_t user, size_t k)
{
    return spread(user * MESH_FOLDERS + k, m->users * MESH_FOLDERS);
}

/* Between those that the users have by their number. */
static struct id
crowd_folder(const struct bench_mesh *m, size_t n)
{
    struct id id = spread(n, m->crowd);

    id.b[ID_BYTES - 1] ^= 0x80;
    return id;
}

size_t
mesh_caller(const struct bench_mesh *m, size_t caller)
{
    return caller * m->users / m->callers;
}

struct bulk {
    const struct bench_mesh *mesh;
    size_t first, end; /* users, or of the crowd */
    int64_t now_s;
};

static enum mauth_rc
put_user(struct kv_txn *txn, const struct bulk *b, size_t user, struct mauth_err *err)
{
    struct graph_identity who = {text_of(BENCH_ISSUER), {NULL, 0}};
    struct id id = mesh_user(b->mesh, user);
    size_t caller = (user * b->mesh->callers + b->mesh->users - 1) / b->mesh->users;
    char subject[32];

    if (mesh_caller(b->mesh, caller) == user)
        snprintf(subject, sizeof(subject), "user-%zu", caller);
    else
        snprintf(subject, sizeof(subject), "person-%zu", user);
    who.subject = text_of(subject);
    return graph_user_create(txn, &id, &who, b->now_s, err);
}

/* Its key is a number: nobody is going to prove it. */
static enum mauth_rc
put_device(struct kv_txn *txn, const struct bulk *b, size_t user, size_t k,
    struct mauth_err *err)
{
    struct id owner = mesh_user(b->mesh, user);
    struct graph_device d = {.id = mesh_device(b->mesh, user, k),
                            .name = "A device",
                            .created_s = b->now_s,
                            .spki_len = 91},
                        out;
    enum mauth_rc rc;

    memcpy(d.spki, d.id.b, ID_BYTES);
    rc = graph_device_register(txn, &d, &out, err);
    return rc ? rc : graph_device_claim(txn, &d.id, &owner, b->now_s, err);
}

static enum mauth_rc
put_folder(struct kv_txn *txn, const struct bulk *b, const struct id *id, size_t user,
    struct mauth_err *err)
{
    struct graph_folder f = {.id = *id, .name = "A folder", .created_s = b->now_s};
    struct id owner = mesh_user(b->mesh, user);

    return graph_folder_create(txn, &f, &owner, err);
}

static enum mauth_rc
put_things(struct kv_txn *txn, const struct bulk *b, size_t user, struct mauth_err *err)
{
    struct id device = mesh_device(b->mesh, user, 0), folder;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t k = 0; k < MESH_DEVICES && rc == MAUTH_OK; k++)
        rc = put_device(txn, b, user, k, err);
    for (size_t k = 0; k < MESH_FOLDERS && rc == MAUTH_OK; k++) {
        folder = mesh_folder(b->mesh, user, k);
        rc = put_folder(txn, b, &folder, user, err);
    }
    folder = mesh_folder(b->mesh, user, 0);
    return rc ? rc : graph_mapping_add(txn, &device, &folder, b->now_s, err);
}

static enum mauth_rc
put_member(struct kv_txn *txn, const struct bulk *b, size_t owner, size_t user,
    struct mauth_err *err)
{
    struct id folder = mesh_folder(b->mesh, owner, 0);
    struct id member = mesh_user(b->mesh, user);

    return graph_member_add(txn, &folder, &member, GRAPH_READER, b->now_s, err);
}

static enum mauth_rc
put_users(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct bulk *b = arg;
    enum mauth_rc rc = MAUTH_OK;
    size_t gone;

    for (size_t i = b->first; i < b->end && rc == MAUTH_OK; i++) {
        rc = put_user(txn, b, i, err);
        if (rc == MAUTH_OK)
            rc = put_things(txn, b, i, err);
        if (rc == MAUTH_OK && i > 0) /* the next user of the one before */
            rc = put_member(txn, b, i - 1, i, err);
    }
    /* As the housekeeper does, who would be busy with it for long otherwise. */
    return rc ? rc : graph_change_purge(txn, b->now_s, SIZE_MAX, &gone, err);
}

static enum mauth_rc
put_crowd(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct bulk *b = arg;
    enum mauth_rc rc = MAUTH_OK;
    struct id folder;

    for (size_t i = b->first; i < b->end && rc == MAUTH_OK; i++) {
        folder = crowd_folder(b->mesh, i);
        rc = put_folder(txn, b, &folder, 0, err);
        if (rc == MAUTH_OK && i > 0) /* user 1 is a member already */
            rc = put_member(txn, b, 0, i + 1, err);
    }
    return rc;
}

/* count of something, at most BULK at once. */
static enum mauth_rc
put_all(const struct bench_mesh *m, struct kv *kv, kv_fn *put, size_t count,
    const char *what, struct mauth_err *err)
{
    struct bulk b = {.mesh = m, .now_s = time_now_s()};
    enum mauth_rc rc = MAUTH_OK;

    while (b.end < count && rc == MAUTH_OK) {
        b.first = b.end;
        b.end = count - b.first > BULK ? b.first + BULK : count;
        rc = kv_write(kv, put, &b, err);
        bench_progress("%zu of %zu %s", b.end, count, what);
    }
    return rc;
}

enum mauth_rc
mesh_build(const struct bench_mesh *m, struct kv *kv, struct mauth_err *err)
{
    enum mauth_rc rc = put_all(m, kv, put_users, m->users, "users", err);

    if (rc == MAUTH_OK && m->crowd)
        rc = put_all(m, kv, put_crowd, m->crowd, "in the crowd", err);
    return rc;
}
