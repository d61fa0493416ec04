/*
 * A graph of many users, all alike: three devices and five folders each, the first folder
 * shared with the next user and mapped on the first device. Who is what follows from a
 * number, so that nothing need be remembered.
 */
#ifndef TESTS_BENCH_MESH_H
#define TESTS_BENCH_MESH_H

#include <stddef.h>

#include "base/id.h"
#include "store/kv.h"
#include <meshauth/err.h>

enum {
    MESH_DEVICES = 3,
    MESH_FOLDERS = 5,
};

struct bench_mesh {
    size_t users;
    size_t callers; /* who log in, evenly spread; the first of them is user 0 */
    size_t
        crowd; /* so many members more in user 0's first folder, so many folders more of
                     user 0; less than users */
};

struct id mesh_user(const struct bench_mesh *m, size_t user);
struct id mesh_device(const struct bench_mesh *m, size_t user, size_t k);
struct id mesh_folder(const struct bench_mesh *m, size_t user, size_t k);
/* The user that bench_tokens_make() calls "user-CALLER". */
size_t mesh_caller(const struct bench_mesh *m, size_t caller);

/* Makes it in a store that has no users, many to a transaction. */
MAUTH_MUST_USE enum mauth_rc mesh_build(
    const struct bench_mesh *m, struct kv *kv, struct mauth_err *err);

#endif
