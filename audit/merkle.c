#include "audit/merkle.h"

#include <string.h>

enum mauth_rc
merkle_leaf(const void *data, size_t len, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    struct text pieces[2] = {{"\x00", 1}, {data, len}};

    return hash_sha256(pieces, 2, out, err);
}

enum mauth_rc
merkle_parent(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
    uint8_t out[HASH_LEN], struct mauth_err *err)
{
    struct text pieces[3] = {
        {"\x01", 1}, {(const char *)left, HASH_LEN}, {(const char *)right, HASH_LEN}};

    return hash_sha256(pieces, 3, out, err);
}

enum mauth_rc
merkle_append(struct merkle *m, const uint8_t leaf[HASH_LEN], merkle_emit *emit,
    void *arg, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    uint8_t hash[HASH_LEN];
    unsigned level = 0;

    memcpy(hash, leaf, HASH_LEN);
    for (;;) {
        if (emit && level % MERKLE_TILE_HEIGHT == 0)
            rc = emit(level, m->size >> level, hash, arg, err);
        if (rc)
            return rc;
        if (!(m->size >> level & 1))
            break;
        rc = merkle_parent(m->node[level], hash, hash, err);
        if (rc)
            return rc;
        level++;
    }
    memcpy(m->node[level], hash, HASH_LEN);
    m->size++;
    return MAUTH_OK;
}

enum mauth_rc
merkle_root(const struct merkle *m, uint8_t out[HASH_LEN], struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    bool any = false;

    if (m->size == 0)
        return hash_bytes("", 0, out, err);
    for (unsigned level = 0; level < MERKLE_LEVELS && rc == MAUTH_OK; level++) {
        if (!(m->size >> level & 1))
            continue;
        if (any)
            rc = merkle_parent(m->node[level], out, out, err);
        else
            memcpy(out, m->node[level], HASH_LEN);
        any = true;
    }
    return rc;
}

void
merkle_write(const struct merkle *m, struct buf *out)
{
    buf_u64(out, m->size);
    for (unsigned level = MERKLE_LEVELS; level-- > 0;)
        if (m->size >> level & 1)
            buf_put(out, m->node[level], HASH_LEN);
}

void
merkle_read(struct reader *in, struct merkle *m)
{
    memset(m, 0, sizeof(*m));
    m->size = reader_u64(in);
    for (unsigned level = MERKLE_LEVELS; level-- > 0;)
        if (m->size >> level & 1)
            reader_copy(in, m->node[level], HASH_LEN);
}
