/* A store in a folder that is gone afterwards. */
#ifndef TESTS_STORE_DIR_H
#define TESTS_STORE_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "store/kv.h"
#include "tests/unit/unit.h"

struct store_dir {
    char dir[64];
    char url[128];
    struct kv *kv;
};

static inline void
store_make(struct store_dir *s, const char *options)
{
    snprintf(s->dir, sizeof(s->dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->url, sizeof(s->url), "lmdb:%s/store%s", s->dir, options);
    assert_int_equal(kv_open(s->url, KV_CREATE, &s->kv, NULL), MAUTH_OK);
}

static inline void
store_reopen(struct store_dir *s)
{
    kv_close(s->kv);
    assert_int_equal(kv_open(s->url, KV_OPEN, &s->kv, NULL), MAUTH_OK);
}

/* A record as it lies in the store: to look at it, and to damage it. */
struct store_record {
    struct text key;
    uint8_t value[4096];
    size_t len;
};

static inline enum mauth_rc
store_record_get(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct store_record *r = arg;
    struct text value;
    enum mauth_rc rc = kv_get(txn, r->key, &value, err);

    assert_true(value.len <= sizeof(r->value));
    memcpy(r->value, value.p, value.len);
    r->len = value.len;
    return rc;
}

static inline enum mauth_rc
store_record_put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct store_record *r = arg;

    return kv_put(txn, r->key, (struct text){(const char *)r->value, r->len}, err);
}

static inline enum mauth_rc
store_record_delete(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return kv_delete(txn, ((const struct store_record *)arg)->key, err);
}

static inline int
store_remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void
store_remove(struct store_dir *s)
{
    kv_close(s->kv);
    nftw(s->dir, store_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
