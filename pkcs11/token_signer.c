#include "pkcs11/token_signer.h"

#include "base/hash.h"
#include "pkcs11/pool.h"

static enum mauth_rc
token_sign(void *state, const struct text *pieces, size_t count, uint8_t *out,
    size_t *len, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = hash_sha256(pieces, count, hash, err);

    *len = 0;
    return rc ? rc : pool_sign(state, hash, out, len, err);
}

static enum mauth_rc
token_ready(void *state, struct mauth_err *err)
{
    return pool_ready(state, err);
}

static void
token_free(void *state)
{
    pool_free(state);
}

static const struct signer_ops token_ops = {
    .sign = token_sign, .ready = token_ready, .free = token_free};

enum mauth_rc
token_signer_new(struct text uri, const struct mauth_key *key, struct signer **out,
    struct mauth_err *err)
{
    struct mauth_key *copy = NULL;
    struct pool *pool = NULL;
    struct pkcs11_uri where;
    enum mauth_rc rc;

    *out = NULL;
    rc = pkcs11_uri_parse(uri, &where, err);
    if (rc != MAUTH_OK)
        return rc;
    rc = key_copy(key, &copy, err);
    if (rc == MAUTH_OK)
        rc = pool_new(&where, key, &pool, err);
    if (rc != MAUTH_OK) {
        mauth_key_free(copy);
        return rc;
    }
    return signer_new(&token_ops, pool, copy, out, err);
}

enum mauth_rc
token_signer_find(struct text uri, struct signer **out, struct mauth_err *err)
{
    struct mauth_key *key = NULL;
    struct pool *pool = NULL;
    struct pkcs11_uri where;
    enum mauth_rc rc;

    *out = NULL;
    rc = pkcs11_uri_parse(uri, &where, err);
    if (rc == MAUTH_OK)
        rc = pool_new(&where, NULL, &pool, err);
    if (rc == MAUTH_OK)
        rc = pool_key(pool, &key, err);
    if (rc != MAUTH_OK) {
        pool_free(pool);
        return rc;
    }
    return signer_new(&token_ops, pool, key, out, err);
}
