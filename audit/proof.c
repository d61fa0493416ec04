#include "audit/proof.h"

#include <stdbool.h>
#include <string.h>

#include "audit/merkle.h"
#include "base/fail.h"

/* Where nodes come from, and the proof that they go into. */
struct maker {
    proof_node *node;
    void *arg;
    struct audit_proof *out;
    struct mauth_err *err;
};

/* A complete node of any level: of the kept ones below it, which are 128 at most. */
static enum mauth_rc
complete(const struct maker *m, unsigned level, uint64_t index, uint8_t out[HASH_LEN])
{
    uint8_t right[HASH_LEN];
    enum mauth_rc rc;

    if (level % MERKLE_TILE_HEIGHT == 0)
        return m->node(level, index, out, m->arg, m->err);
    rc = complete(m, level - 1, index * 2, out);
    if (rc == MAUTH_OK)
        rc = complete(m, level - 1, index * 2 + 1, right);
    return rc ? rc : merkle_parent(out, right, out, m->err);
}

/* The largest power of two below n, which is 2 or more. */
static uint64_t
split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH(D[first : first + n]) of 2.1, n at least 1. */
static enum mauth_rc
range(const struct maker *m, uint64_t first, uint64_t n, uint8_t out[HASH_LEN])
{
    uint8_t right[HASH_LEN];
    enum mauth_rc rc;
    uint64_t k;

    if ((n & (n - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(n);

        return complete(m, level, first >> level, out);
    }
    k = split(n);
    rc = range(m, first, k, out);
    if (rc == MAUTH_OK)
        rc = range(m, first + k, n - k, right);
    return rc ? rc : merkle_parent(out, right, out, m->err);
}

static enum mauth_rc
put(const struct maker *m, uint64_t first, uint64_t n)
{
    return range(m, first, n, m->out->hash[m->out->count++]);
}

/* PATH(m, D[n]) of 2.1.1, where D[n] begins at first. */
static enum mauth_rc
path(const struct maker *m, uint64_t index, uint64_t first, uint64_t n)
{
    enum mauth_rc rc;
    uint64_t k;

    if (n == 1)
        return MAUTH_OK;
    k = split(n);
    if (index < k) {
        rc = path(m, index, first, k);
        return rc ? rc : put(m, first + k, n - k);
    }
    rc = path(m, index - k, first + k, n - k);
    return rc ? rc : put(m, first, k);
}

/* SUBPROOF(m, D[n], b) of 2.1.2. */
static enum mauth_rc
subproof(const struct maker *m, uint64_t from, uint64_t first, uint64_t n, bool whole)
{
    enum mauth_rc rc;
    uint64_t k;

    if (from == n)
        return whole ? MAUTH_OK : put(m, first, n);
    k = split(n);
    if (from <= k) {
        rc = subproof(m, from, first, k, whole);
        return rc ? rc : put(m, first + k, n - k);
    }
    rc = subproof(m, from - k, first + k, n - k, false);
    return rc ? rc : put(m, first, k);
}

enum mauth_rc
proof_root(uint64_t size, proof_node *node, void *arg, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    const struct maker m = {node, arg, NULL, err};

    return size ? range(&m, 0, size, out) : hash_bytes("", 0, out, err);
}

enum mauth_rc
proof_of_leaf(uint64_t index, uint64_t size, proof_node *node, void *arg,
    struct audit_proof *out, struct mauth_err *err)
{
    const struct maker m = {node, arg, out, err};

    out->count = 0;
    if (index >= size)
        return mauth_fail(err, MAUTH_INVALID, "proof: there is no such record");
    return path(&m, index, 0, size);
}

enum mauth_rc
proof_of_growth(uint64_t from, uint64_t size, proof_node *node, void *arg,
    struct audit_proof *out, struct mauth_err *err)
{
    const struct maker m = {node, arg, out, err};

    out->count = 0;
    if (!from || from > size)
        return mauth_fail(err, MAUTH_INVALID, "proof: there was no such tree");
    return subproof(&m, from, 0, size, true);
}

static enum mauth_rc
wrong(struct mauth_err *err)
{
    return mauth_fail(err, MAUTH_DENIED, "proof: it does not show that");
}

/* RFC 9162 2.1.3.2 */
enum mauth_rc
proof_check_leaf(const uint8_t leaf[HASH_LEN], uint64_t index, uint64_t size,
    const uint8_t root[HASH_LEN], const struct audit_proof *p, struct mauth_err *err)
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[HASH_LEN];
    enum mauth_rc rc;

    if (index >= size)
        return wrong(err);
    memcpy(r, leaf, HASH_LEN);
    for (size_t i = 0; i < p->count; i++) {
        if (sn == 0)
            return wrong(err);
        if ((fn & 1) || fn == sn) {
            rc = merkle_parent(p->hash[i], r, r, err);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            rc = merkle_parent(r, p->hash[i], r, err);
        }
        if (rc)
            return rc;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, HASH_LEN) == 0 ? MAUTH_OK : wrong(err);
}

/* The part of 2.1.4.2 that climbs: *fr and *sr are the roots that the path leads to. */
static enum mauth_rc
climb(uint64_t fn, uint64_t sn, const struct audit_proof *p, size_t at,
    uint8_t fr[HASH_LEN], uint8_t sr[HASH_LEN], struct mauth_err *err)
{
    enum mauth_rc rc;

    for (; at < p->count; at++) {
        if (sn == 0)
            return wrong(err);
        if ((fn & 1) || fn == sn) {
            rc = merkle_parent(p->hash[at], fr, fr, err);
            if (rc == MAUTH_OK)
                rc = merkle_parent(p->hash[at], sr, sr, err);
            while (!(fn & 1) && fn) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            rc = merkle_parent(sr, p->hash[at], sr, err);
        }
        if (rc)
            return rc;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 ? MAUTH_OK : wrong(err);
}

enum mauth_rc
proof_check_growth(uint64_t from, const uint8_t from_root[HASH_LEN], uint64_t size,
    const uint8_t root[HASH_LEN], const struct audit_proof *p, struct mauth_err *err)
{
    bool is_node =
        (from & (from - 1)) == 0; /* the old root is a node of the new tree */
    uint64_t fn = from - 1, sn = size - 1;
    uint8_t fr[HASH_LEN], sr[HASH_LEN];
    enum mauth_rc rc;

    if (!from || from > size)
        return wrong(err);
    if (from == size)
        return !p->count && memcmp(from_root, root, HASH_LEN) == 0 ? MAUTH_OK
                                                                   : wrong(err);
    if (!is_node && !p->count)
        return wrong(err);
    memcpy(fr, is_node ? from_root : p->hash[0], HASH_LEN);
    memcpy(sr, fr, HASH_LEN);
    for (; fn & 1; fn >>= 1)
        sn >>= 1;
    rc = climb(fn, sn, p, is_node ? 0 : 1, fr, sr, err);
    if (rc)
        return rc;
    return memcmp(fr, from_root, HASH_LEN) == 0 && memcmp(sr, root, HASH_LEN) == 0
               ? MAUTH_OK
               : wrong(err);
}
