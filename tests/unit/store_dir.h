/* A store in a folder that is gone afterwards. */
#ifndef TESTS_STORE_DIR_H
#define TESTS_STORE_DIR_H

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

static inline void
store_remove(struct store_dir *s)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char path[128];

    kv_close(s->kv);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/store/%s", s->dir, files[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/store", s->dir);
    rmdir(path);
    rmdir(s->dir);
}

#endif
