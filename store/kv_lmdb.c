/*
 * The engine on LMDB. One environment, one table. A file beside it, locked as
 * long as the store is open, keeps a second process out.
 *
 * The map is larger than any store will be; should it ever be full (tests make
 * it small), it grows once no transaction is under way, and the batch is run
 * again. After a failed commit (a full or broken disk) the environment is opened
 * anew, as LMDB wants it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <lmdb.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "store/kv_engine.h"

enum {
    READERS = 256,
    WRITES = 16 /* between looks for readers that were killed */
};

static const size_t MAP_BYTES = (size_t)64 << 30;

struct lmdb {
    char *dir;
    int lock_fd;
    bool reads_only;
    unsigned writes;
    size_t map;
    size_t max;            /* the map grows no further */
    pthread_rwlock_t idle; /* held for reading by every transaction */
    MDB_env *env;          /* NULL: lost, to be opened again */
    MDB_dbi dbi;
};

static enum mauth_rc
trouble(int code, const char *what, struct mauth_err *err)
{
    enum mauth_rc rc = code == ENOMEM ? MAUTH_NO_MEMORY : MAUTH_UNAVAILABLE;

    return mauth_fail(err, rc, "store: %s: %s", what, mdb_strerror(code));
}

static int
open_table(MDB_env *env, MDB_dbi *dbi)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

    if (code)
        return code;
    code = mdb_dbi_open(txn, NULL, 0, dbi);
    mdb_txn_abort(txn);
    return code;
}

static enum mauth_rc
open_env(struct lmdb *db, struct mauth_err *err)
{
    int code, dead;

    code = mdb_env_create(&db->env);
    if (code)
        return trouble(code, "cannot be opened", err);
    code = mdb_env_set_mapsize(db->env, db->map);
    if (!code)
        code = mdb_env_set_maxreaders(db->env, READERS);
    /* A service looks things up here and there: reading ahead would have the disk bring
     * megabytes for each of them. Who only reads mostly goes from end to end. */
    if (!code)
        code = mdb_env_open(db->env, db->dir,
            MDB_NOTLS | (db->reads_only ? MDB_RDONLY : MDB_NORDAHEAD), FILE_PRIVATE);
    if (!code)
        code = mdb_reader_check(db->env, &dead);
    if (!code)
        code = open_table(db->env, &db->dbi);
    if (!code)
        return MAUTH_OK;
    mdb_env_close(db->env);
    db->env = NULL;
    return trouble(code, "cannot be opened", err);
}

static void
close_lmdb(void *state)
{
    struct lmdb *db = state;

    if (db->env)
        mdb_env_close(db->env);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    pthread_rwlock_destroy(&db->idle);
    free(db->dir);
    free(db);
}

static enum mauth_rc
take_lock(struct lmdb *db, struct mauth_err *err)
{
    char *path = file_join(db->dir, "lock");

    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    db->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_PRIVATE);
    free(path);
    if (db->lock_fd < 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "store: %s: %s", db->dir, strerror(errno));
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return mauth_fail(err, MAUTH_CONFLICT,
            "store: %s is in use by another process; is meshauthd running?", db->dir);
    return MAUTH_OK;
}

static enum mauth_rc
make_folder(const char *dir, struct mauth_err *err)
{
    char *parent;
    enum mauth_rc rc;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "store: %s: %s", dir, strerror(errno));
    parent = file_join(dir, "..");
    if (!parent)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    rc = file_sync_folder(parent, err);
    free(parent);
    return rc;
}

/*
 * The folder, made for a new store, with the lock taken; and whether a store is in
 * it, as mode wants it. For a new one that is asked under the lock: of two who
 * create it at once, one wins.
 */
static enum mauth_rc
take_place(struct lmdb *db, enum kv_mode mode, struct mauth_err *err)
{
    char *path = file_join(db->dir, "data.mdb");
    enum mauth_rc rc = MAUTH_OK;

    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    if (mode == KV_CREATE)
        rc = make_folder(db->dir, err);
    else if (access(path, F_OK) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "store: there is none in %s; `meshauth init` makes one", db->dir);
    if (rc == MAUTH_OK && mode != KV_READ)
        rc = take_lock(db, err);
    if (rc == MAUTH_OK && mode == KV_CREATE && access(path, F_OK) == 0)
        rc = mauth_fail(
            err, MAUTH_CONFLICT, "store: there is one already in %s", db->dir);
    free(path);
    return rc;
}

static const char *
folder(const void *state)
{
    return ((const struct lmdb *)state)->dir;
}

static uint64_t
room(void *state)
{
    const struct lmdb *db = state;
    struct statvfs fs;

    return statvfs(db->dir, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize
                                      : UINT64_MAX;
}

/* Readers come and go without end: whoever waits for all of them goes first. */
static void
init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

/* "DIR[?map=BYTES&max=BYTES&...]" */
static enum mauth_rc
read_where(struct lmdb *db, struct text where, struct mauth_err *err)
{
    struct text dir = where, option, rest;

    if (text_cut(&where, '?', &dir)) {
        for (bool last = false; !last;) {
            last = !text_cut(&where, '&', &option);
            rest = last ? where : option;
            if (text_starts(rest, "map="))
                db->map = strtoull(rest.p + 4, NULL, 10);
            if (text_starts(rest, "max="))
                db->max = strtoull(rest.p + 4, NULL, 10);
        }
    }
    if (!dir.len)
        return mauth_fail(err, MAUTH_INVALID, "store: the URL names no folder");
    db->dir = strndup(dir.p, dir.len);
    if (!db->dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    return MAUTH_OK;
}

static enum mauth_rc
open_lmdb(struct text where, enum kv_mode mode, void **state, struct mauth_err *err)
{
    struct lmdb *db = calloc(1, sizeof(*db));
    enum mauth_rc rc;

    *state = NULL;
    if (!db)
        return mauth_fail(err, MAUTH_NO_MEMORY, "store: no memory");
    db->lock_fd = -1;
    db->reads_only = mode == KV_READ;
    db->map = MAP_BYTES;
    db->max = SIZE_MAX;
    init_lock(&db->idle);
    rc = read_where(db, where, err);
    if (rc == MAUTH_OK)
        rc = take_place(db, mode, err);
    if (rc == MAUTH_OK)
        rc = open_env(db, err);
    if (rc == MAUTH_OK && mode == KV_CREATE)
        rc = file_sync_folder(db->dir, err); /* its files are there to stay */
    if (rc) {
        close_lmdb(db);
        return rc;
    }
    *state = db;
    return MAUTH_OK;
}

static void
reopen(struct lmdb *db)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    pthread_rwlock_wrlock(&db->idle);
    if (db->env)
        mdb_env_close(db->env);
    db->env = NULL;
    if (open_env(db, &err))
        db->env = NULL; /* the next write tries again */
    pthread_rwlock_unlock(&db->idle);
}

/* Doubles the map; false when it stays as it is. */
static bool
grow(struct lmdb *db)
{
    bool grown;

    if (db->map > db->max / 2)
        return false;
    pthread_rwlock_wrlock(&db->idle);
    grown = mdb_env_set_mapsize(db->env, db->map * 2) == 0;
    if (grown)
        db->map *= 2;
    pthread_rwlock_unlock(&db->idle);
    if (!grown) /* LMDB is left without any map */
        reopen(db);
    return grown;
}

/*
 * Whoever reads beside us, for a backup, and is killed keeps the pages of what he saw from
 * being used again, until somebody notices.
 */
static void
forget_dead_readers(struct lmdb *db)
{
    int dead;

    if (db->env && ++db->writes % WRITES == 0)
        (void)mdb_reader_check(db->env, &dead);
}

static enum mauth_rc
begin(struct kv_txn *txn, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    MDB_txn *handle;
    int code;

    if (txn->write && !db->env) /* only the committer writes, and only it reopens */
        reopen(db);
    if (txn->write)
        forget_dead_readers(db);
    pthread_rwlock_rdlock(&db->idle);
    code = db->env ? mdb_txn_begin(db->env, NULL, txn->write ? 0 : MDB_RDONLY, &handle)
                   : EIO;
    if (code) {
        pthread_rwlock_unlock(&db->idle);
        return trouble(code, "no transaction", err);
    }
    txn->handle = handle;
    return MAUTH_OK;
}

static enum mauth_rc
commit(struct kv_txn *txn, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    int code = mdb_txn_commit(txn->handle);

    txn->handle = NULL;
    pthread_rwlock_unlock(&db->idle);
    if (!code)
        return MAUTH_OK;
    if (code == MDB_MAP_FULL)
        txn->again = grow(db);
    else
        reopen(db);
    return trouble(code, "cannot commit", err);
}

static void
abort_txn(struct kv_txn *txn)
{
    struct lmdb *db = txn->state;

    mdb_txn_abort(txn->handle);
    txn->handle = NULL;
    pthread_rwlock_unlock(&db->idle);
    if (txn->again)
        txn->again = grow(db);
}

/* LMDB takes its keys without const, and leaves them alone. */
static MDB_val
val(struct text t)
{
    union {
        const void *in;
        void *out;
    } p = {t.p};

    return (MDB_val){t.len, p.out};
}

static struct text
slice(MDB_val v)
{
    return (struct text){v.mv_data, v.mv_size};
}

static enum mauth_rc
get(struct kv_txn *txn, struct text key, struct text *value, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    MDB_val k = val(key), v;
    int code = mdb_get(txn->handle, db->dbi, &k, &v);

    if (code == MDB_NOTFOUND)
        return MAUTH_NOT_FOUND;
    if (code)
        return trouble(code, "cannot be read", err);
    *value = slice(v);
    return MAUTH_OK;
}

static enum mauth_rc
changed(struct kv_txn *txn, int code, struct mauth_err *err)
{
    if (!code)
        return MAUTH_OK;
    if (code == MDB_MAP_FULL)
        txn->again = true;
    return trouble(code, "cannot be written", err);
}

static enum mauth_rc
put(struct kv_txn *txn, struct text key, struct text value, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    MDB_val k = val(key), v = val(value);

    return changed(txn, mdb_put(txn->handle, db->dbi, &k, &v, 0), err);
}

static enum mauth_rc
remove_key(struct kv_txn *txn, struct text key, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    MDB_val k = val(key);
    int code = mdb_del(txn->handle, db->dbi, &k, NULL);

    return changed(txn, code == MDB_NOTFOUND ? 0 : code, err);
}

/* Stands on the first pair of the range in its order. */
static int
seek(MDB_cursor *cursor, struct text first, struct text end, enum kv_order order,
    MDB_val *k, MDB_val *v)
{
    int code;

    if (order == KV_UP) {
        *k = val(first);
        return mdb_cursor_get(cursor, k, v, first.len ? MDB_SET_RANGE : MDB_FIRST);
    }
    if (!end.len)
        return mdb_cursor_get(cursor, k, v, MDB_LAST);
    *k = val(end);
    code = mdb_cursor_get(cursor, k, v, MDB_SET_RANGE);
    if (code && code != MDB_NOTFOUND)
        return code;
    return mdb_cursor_get(cursor, k, v, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static bool
inside(struct text key, struct text first, struct text end)
{
    return text_compare(key, first) >= 0 && (!end.len || text_compare(key, end) < 0);
}

static enum mauth_rc
scan(struct kv_txn *txn, struct text first, struct text end, enum kv_order order,
    kv_each *each, void *arg, struct mauth_err *err)
{
    struct lmdb *db = txn->state;
    MDB_cursor *cursor;
    MDB_val k, v;
    int code = mdb_cursor_open(txn->handle, db->dbi, &cursor);

    if (code)
        return trouble(code, "cannot be read", err);
    code = seek(cursor, first, end, order, &k, &v);
    while (!code && inside(slice(k), first, end) && each(slice(k), slice(v), arg))
        code = mdb_cursor_get(cursor, &k, &v, order == KV_UP ? MDB_NEXT : MDB_PREV);
    mdb_cursor_close(cursor);
    if (code && code != MDB_NOTFOUND)
        return trouble(code, "cannot be read", err);
    return MAUTH_OK;
}

const struct kv_engine kv_lmdb = {
    .scheme = "lmdb",
    .open = open_lmdb,
    .close = close_lmdb,
    .folder = folder,
    .room = room,
    .begin = begin,
    .commit = commit,
    .abort = abort_txn,
    .get = get,
    .put = put,
    .remove = remove_key,
    .scan = scan,
};
