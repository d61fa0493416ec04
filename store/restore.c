#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/backup.h"
#include "store/graph_restore.h"
#include "store/metadata_key.h"
#include "store/signing_key.h"

enum {
    BATCH_BYTES = 4 << 20 /* of keys and values, in one transaction */
};

/* Where the store goes, and beside it where it is built. */
struct place {
    char *dir;
    char *parent;
    char *building;
    char *building_url;
};

static void
place_clear(struct place *p)
{
    free(p->dir);
    free(p->parent);
    free(p->building);
    free(p->building_url);
}

/* "lmdb:DIR[?...]", of which the engine's options go with it. */
static enum mauth_rc
find_place(const char *url, struct place *out, struct mauth_err *err)
{
    const char *dir = strchr(url, ':'), *options = strchr(url, '?');
    size_t len;

    if (!text_starts(text_of(url), "lmdb:") || !dir)
        return mauth_fail(err, MAUTH_INVALID, "restore: only into a store of lmdb:");
    dir++;
    len = options ? (size_t)(options - dir) : strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (asprintf(&out->dir, "%.*s", (int)len, dir) < 0)
        out->dir = NULL;
    if (asprintf(&out->parent, "%.*s/..", (int)len, dir) < 0)
        out->parent = NULL;
    if (asprintf(&out->building, "%.*s.restoring", (int)len, dir) < 0)
        out->building = NULL;
    if (asprintf(&out->building_url, "lmdb:%.*s.restoring%s", (int)len, dir,
            options ? options : "") < 0)
        out->building_url = NULL;
    return out->dir && out->parent && out->building && out->building_url
               ? MAUTH_OK
               : mauth_fail(err, MAUTH_NO_MEMORY, "restore: no memory");
}

/* Nothing is there, or a folder with nothing in it. */
static enum mauth_rc
check_place(const struct place *p, struct mauth_err *err)
{
    const struct dirent *entry;
    enum mauth_rc rc = MAUTH_OK;
    DIR *d = opendir(p->dir);

    if (!d && errno == ENOENT)
        return MAUTH_OK;
    if (!d)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", p->dir, strerror(errno));
    while (rc == MAUTH_OK && (entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = mauth_fail(err, MAUTH_CONFLICT,
                "%s is not empty; a backup is restored only where there is no store: "
                "move that one away, and keep it",
                p->dir);
    closedir(d);
    return rc;
}

static void
remove_building(const struct place *p)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};

    int fd = open(p->building, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; fd >= 0 && i < sizeof(files) / sizeof(*files); i++)
        unlinkat(fd, files[i], 0);
    if (fd >= 0)
        close(fd);
    rmdir(p->building);
}

/* What a restore that was killed has left; not what another is at work on. */
static enum mauth_rc
clear_building(const struct place *p, struct mauth_err *err)
{
    struct kv *kv = NULL;
    enum mauth_rc rc = kv_open(p->building_url, KV_OPEN, &kv, NULL);

    kv_close(kv);
    if (rc == MAUTH_CONFLICT)
        return mauth_fail(err, rc, "%s: another restore is under way", p->building);
    if (rc == MAUTH_NO_MEMORY)
        return mauth_fail(err, rc, "restore: no memory");
    remove_building(p); /* whatever is left of it */
    return MAUTH_OK;
}

/* All entries, some at a time. */

struct filling {
    struct buf batch; /* of what backup_reader_next() yielded: lengths, key, value */
};

static enum mauth_rc
put_batch(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct filling *f = arg;
    enum mauth_rc rc = MAUTH_OK;
    struct reader r;

    reader_init(&r, f->batch.data, f->batch.len);
    while (rc == MAUTH_OK && r.left) {
        struct text key = reader_field(&r), value;

        value.len = reader_u32(&r);
        value.p = (const char *)reader_bytes(&r, value.len);
        if (!reader_ok(&r))
            return mauth_fail(err, MAUTH_INTERNAL, "restore: a batch of another form");
        rc = kv_put(txn, key, value, err);
    }
    return rc;
}

static void
note(struct filling *f, struct text key, struct text value)
{
    if (key.p[0] == '.') /* the new store's own: its schema */
        return;
    buf_field(&f->batch, key.p, key.len);
    buf_u32(&f->batch, (uint32_t)value.len);
    buf_text(&f->batch, value);
}

static enum mauth_rc
fill(struct kv *kv, struct backup_reader *backup, struct mauth_err *err)
{
    struct filling f;
    struct text key, value;
    bool more = true;
    enum mauth_rc rc = MAUTH_OK;

    buf_init(&f.batch);
    while (rc == MAUTH_OK && more) {
        rc = backup_reader_next(backup, &key, &value, &more, err);
        if (rc == MAUTH_OK && more)
            note(&f, key, value);
        if (rc == MAUTH_OK && !buf_ok(&f.batch))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "restore: no memory");
        if (rc == MAUTH_OK && f.batch.len && (!more || f.batch.len >= BATCH_BYTES)) {
            rc = kv_write(kv, put_batch, &f, err);
            buf_rewind(&f.batch);
        }
    }
    buf_clear(&f.batch);
    return rc;
}

/* Is it ours? */

static enum mauth_rc
pass(struct signing_key *k, void *arg, struct mauth_err *err)
{
    (void)k;
    (void)arg;
    (void)err;
    return MAUTH_OK;
}

/* MAUTH_OK also when there is none yet. */
static enum mauth_rc
check_metadata_key(
    struct kv_txn *txn, const struct mauth_secret *seal, struct mauth_err *err)
{
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_read(txn, seal, &k, err);
    metadata_key_clear(&k);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

/*
 * Whatever is sealed must open, and the store be what the head says. (An authority that
 * waits for the root's signature does not come along.)
 */
static enum mauth_rc
check_contents(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct restore *r = arg;
    struct keystore_authority a;
    struct audit_head tree;
    struct delegation d;
    enum mauth_rc rc = authority_load(txn, r->seal, &a, err);

    if (rc == MAUTH_OK)
        rc = authority_read(&a, &d, err);
    if (rc == MAUTH_OK && !text_is(d.issuer, r->issuer))
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "restore: a store of another issuer");
    if (rc == MAUTH_OK)
        rc = signing_key_each(txn, r->seal, pass, NULL, err);
    if (rc == MAUTH_OK)
        rc = check_metadata_key(txn, r->seal, err);
    if (rc == MAUTH_OK)
        rc = audit_head(txn, &tree, err);
    if (rc == MAUTH_OK && (tree.size != r->head.tree.size ||
                              memcmp(tree.root, r->head.tree.root, HASH_LEN) != 0 ||
                              a.epoch != r->head.epoch))
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "restore: the store is not what its head says");
    authority_clear(&a);
    return rc;
}

static enum mauth_rc
check_head(const struct restore *r, struct mauth_err *err)
{
    char theirs[128];

    if (strcmp(r->head.issuer, r->issuer) == 0)
        return MAUTH_OK;
    mauth_quote(r->head.issuer, strlen(r->head.issuer), theirs, sizeof(theirs));
    return mauth_fail(err, MAUTH_UNTRUSTED, "%s: a backup of %s, and this is %s",
        r->backup, theirs, r->issuer);
}

/* And so it begins anew. */

struct beginning {
    struct restore *r;
    uint8_t salt[AUDIT_SALT];
};

static enum mauth_rc
begin_anew(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct beginning *b = arg;
    struct restore *r = b->r;
    struct audit_record record = r->who;
    char when[TIME_LEN + 1], made[TIME_LEN + 8], state[32];
    enum mauth_rc rc =
        graph_restore(txn, r->keep_sessions, &r->state, &r->sessions, err);

    if (rc == MAUTH_OK)
        rc = authority_suspend(txn, err);
    if (rc == MAUTH_OK)
        rc = authority_drop_pending(txn, err);
    if (rc != MAUTH_OK)
        return rc;
    time_format(r->head.made_s, when);
    snprintf(made, sizeof(made), "made %s", when);
    snprintf(state, sizeof(state), "state %" PRIu64, r->state);
    record.time_us = time_now_us();
    record.action = "restore";
    record.outcome = "done";
    record.resources[record.resource_count++] = r->issuer;
    record.resources[record.resource_count++] = made;
    record.resources[record.resource_count++] = state;
    if (r->keep_sessions)
        record.resources[record.resource_count++] = "sessions kept";
    return audit_append_record(txn, &record, b->salt, err);
}

static enum mauth_rc
build(struct restore *r, struct kv *kv, struct backup_reader *backup,
    struct mauth_err *err)
{
    struct beginning b = {.r = r};
    enum mauth_rc rc = fill(kv, backup, err);

    fault_point("restore.filled");
    if (rc == MAUTH_OK)
        rc = kv_read(kv, check_contents, r, err);
    if (rc == MAUTH_OK)
        rc = mauth_random(b.salt, sizeof(b.salt), err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, begin_anew, &b, err);
    fault_point("restore.anew");
    if (rc == MAUTH_OK && r->finish)
        rc = r->finish(kv, r->arg, err);
    fault_point("restore.finished");
    return rc;
}

/* From beside its place into it: onto an empty folder at most. */
static enum mauth_rc
take_place(const struct place *p, struct mauth_err *err)
{
    if (rename(p->building, p->dir) != 0)
        return mauth_fail(err,
            errno == ENOTEMPTY || errno == EEXIST ? MAUTH_CONFLICT : MAUTH_UNAVAILABLE,
            "%s: %s", p->dir, strerror(errno));
    fault_point("restore.in-place");
    return file_sync_folder(p->parent, err);
}

static enum mauth_rc
restore_to(struct restore *r, const struct place *p, struct backup_reader *backup,
    struct mauth_err *err)
{
    struct kv *kv = NULL;
    enum mauth_rc rc = check_place(p, err);

    if (rc == MAUTH_OK)
        rc = clear_building(p, err);
    if (rc != MAUTH_OK)
        return rc;
    rc = kv_open(p->building_url, KV_CREATE, &kv, err);
    if (rc == MAUTH_OK)
        rc = build(r, kv, backup, err);
    kv_close(kv);
    if (rc == MAUTH_OK)
        rc = take_place(p, err);
    if (rc != MAUTH_OK)
        remove_building(p);
    return rc;
}

enum mauth_rc
restore_run(struct restore *r, struct mauth_err *err)
{
    struct backup_reader *backup = NULL;
    struct place place = {NULL, NULL, NULL, NULL};
    enum mauth_rc rc = backup_reader_open(r->backup, &backup, err);

    if (rc == MAUTH_OK) {
        r->head = *backup_reader_head(backup);
        rc = check_head(r, err);
    }
    if (rc == MAUTH_OK)
        rc = find_place(r->store, &place, err);
    if (rc == MAUTH_OK)
        rc = restore_to(r, &place, backup, err);
    place_clear(&place);
    backup_reader_free(backup);
    return rc;
}
