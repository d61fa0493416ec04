#include "verifier/loaded.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/key.h"
#include "keys/trust.h"

enum {
    PATH_ROOM = 4096
};

static bool
mark_file(const char *path, struct file_mark *out)
{
    struct stat st;

    memset(out, 0, sizeof(*out));
    if (stat(path, &st) != 0)
        return false;
    out->device = st.st_dev;
    out->inode = st.st_ino;
    out->size = st.st_size;
    out->changed = st.st_ctim;
    return true;
}

static bool
is_same(const char *path, const struct file_mark *then)
{
    struct file_mark now;

    return mark_file(path, &now) && now.device == then->device &&
           now.inode == then->inode && now.size == then->size &&
           now.changed.tv_sec == then->changed.tv_sec &&
           now.changed.tv_nsec == then->changed.tv_nsec;
}

bool
loaded_is_current(const struct loaded *l, const struct loaded_files *files)
{
    return is_same(files->trust_file, &l->trust_file->mark) &&
           is_same(files->rules_file, &l->rules_file->mark);
}

static void
file_release(struct loaded_file *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->users, 1, memory_order_acq_rel) != 1)
        return;
    mauth_trust_free(f->trust);
    mauth_rules_free(f->rules);
    free(f);
}

/* Marked before it is read: one that is replaced meanwhile looks changed later. */
static enum mauth_rc
read_trust(const struct loaded_files *files, const struct loaded_file *before,
    struct loaded_file *f, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    if (!mark_file(files->trust_file, &f->mark))
        rc = mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "trust file %.120s: %s", files->trust_file, strerror(errno));
    else
        rc = file_read(files->trust_file, MAUTH_TRUST_MAX, &file, err);
    if (rc == MAUTH_OK)
        rc = mauth_trust_parse(file.data, file.len, files->root_vkey, &f->trust, err);
    if (rc == MAUTH_OK)
        rc = mauth_trust_follows(before ? before->trust : NULL, f->trust, err);
    buf_clear(&file);
    return rc;
}

static enum mauth_rc
read_rules(const struct loaded_files *files, const struct loaded_file *before,
    struct loaded_file *f, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    (void)before;
    buf_init(&file);
    if (!mark_file(files->rules_file, &f->mark))
        rc = mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "rules file %.120s: %s", files->rules_file, strerror(errno));
    else
        rc = file_read(files->rules_file, MAUTH_RULES_MAX, &file, err);
    if (rc == MAUTH_OK)
        rc = mauth_rules_compile((const char *)file.data, file.len, &f->rules, err);
    buf_clear(&file);
    return rc;
}

typedef enum mauth_rc read_fn(const struct loaded_files *files,
    const struct loaded_file *before, struct loaded_file *f, struct mauth_err *err);

/* The file as it is now, or as it was before when that is the same or it is refused. */
static struct loaded_file *
file_take(read_fn *read, const char *path, const struct loaded_files *files,
    struct loaded_file *before, struct mauth_err *err)
{
    struct loaded_file *f = NULL;
    enum mauth_rc rc = MAUTH_OK;

    if (!before || !is_same(path, &before->mark)) {
        f = calloc(1, sizeof(*f));
        rc = f ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    }
    if (f) {
        atomic_init(&f->users, 1);
        rc = read(files, before, f, err);
    }
    if (f && rc == MAUTH_OK)
        return f;
    file_release(f);
    if (before)
        atomic_fetch_add_explicit(&before->users, 1, memory_order_relaxed);
    return before;
}

bool
loaded_no_key_is_new(const struct mauth_trust *old, const struct mauth_trust *new)
{
    for (size_t i = 0; i < trust_key_count(new); i++) {
        const struct mauth_key *key = trust_key_at(new, i)->key;
        const struct trust_key *there = trust_key_find(old, text_of(mauth_key_id(key)));

        if (!there || !key_equal(there->key, key))
            return false;
    }
    return true;
}

static void
number(struct loaded *l, const struct loaded *before)
{
    l->generation = before ? before->generation + 1 : 1;
    l->keys_since = before && loaded_no_key_is_new(before->trust, l->trust)
                        ? before->keys_since
                        : l->generation;
}

enum mauth_rc
loaded_read(const struct loaded_files *files, const struct loaded *before,
    struct loaded **out, struct mauth_err *err)
{
    struct loaded_file *trust = before ? before->trust_file : NULL;
    struct loaded_file *rules = before ? before->rules_file : NULL;
    struct mauth_err of_trust = MAUTH_ERR_INIT, of_rules = MAUTH_ERR_INIT;
    struct loaded *l = calloc(1, sizeof(*l));

    *out = NULL;
    if (!l)
        return mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    atomic_init(&l->users, 1);
    l->trust_file = file_take(read_trust, files->trust_file, files, trust, &of_trust);
    l->rules_file = file_take(read_rules, files->rules_file, files, rules, &of_rules);
    if (err)
        *err = of_trust.rc ? of_trust : of_rules;
    if (l->trust_file && l->rules_file &&
        (l->trust_file != trust || l->rules_file != rules)) {
        l->trust = l->trust_file->trust;
        l->rules = l->rules_file->rules;
        number(l, before);
        *out = l;
    } else {
        loaded_release(l);
    }
    return of_trust.rc ? of_trust.rc : of_rules.rc;
}

struct loaded *
loaded_use(struct loaded *l)
{
    atomic_fetch_add_explicit(&l->users, 1, memory_order_relaxed);
    return l;
}

void
loaded_release(struct loaded *l)
{
    if (!l || atomic_fetch_sub_explicit(&l->users, 1, memory_order_acq_rel) != 1)
        return;
    file_release(l->trust_file);
    file_release(l->rules_file);
    free(l);
}

static bool
status_path(const char *dir, const char *suffix, char out[PATH_ROOM])
{
    int n = snprintf(out, PATH_ROOM, "%s/%ld.status%s", dir, (long)getpid(), suffix);

    return n > 0 && n < PATH_ROOM;
}

static void
write_status(struct buf *b, const struct loaded *l, const char *audience, int64_t now_s,
    const char *trouble)
{
    char hex[2 * HASH_LEN + 1];
    char now[TIME_LEN + 1];

    buf_printf(b, "epoch %" PRIu64 "\nsequence %" PRIu64 "\n",
        mauth_trust_epoch(l->trust), mauth_trust_sequence(l->trust));
    str_hex(trust_hash(l->trust), HASH_LEN, hex);
    buf_printf(b, "hash %s\n", hex);
    str_hex(mauth_rules_hash(l->rules), HASH_LEN, hex);
    time_format(now_s, now);
    buf_printf(b, "rules %s\naudience %s\nloaded %s\n", hex, audience, now);
    if (trouble)
        buf_printf(b, "trouble %s\n", trouble);
}

/* For the updater, who may be another user: whatever the host's umask. */
static bool
put_file(const char *path, const struct buf *b)
{
    bool good;
    int fd;

    unlink(path); /* of a process of our number, or somebody's link to elsewhere */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_PUBLIC);
    if (fd < 0)
        return false;
    good =
        fchmod(fd, FILE_PUBLIC) == 0 && write(fd, b->data, b->len) == (ssize_t)b->len;
    return close(fd) == 0 && good;
}

enum mauth_rc
loaded_report(const struct loaded *l, const char *dir, const char *audience,
    int64_t now_s, const char *trouble, struct mauth_err *err)
{
    char path[PATH_ROOM], fresh[PATH_ROOM];
    enum mauth_rc rc = MAUTH_OK;
    struct buf b;

    buf_init(&b);
    write_status(&b, l, audience, now_s, trouble);
    if (!buf_ok(&b))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    else if (!status_path(dir, "", path) || !status_path(dir, ".new", fresh))
        rc = mauth_fail(
            err, MAUTH_INVALID, "verifier: the status directory is too long");
    else if (!put_file(fresh, &b) || rename(fresh, path) != 0)
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "verifier: %s: %s", path, strerror(errno));
    buf_clear(&b);
    return rc;
}

void
loaded_unreport(const char *dir)
{
    char path[PATH_ROOM];

    if (status_path(dir, "", path))
        unlink(path);
}
