#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fail.h"

static enum mauth_rc
slurp(int fd, const char *path, size_t max, struct buf *out, struct mauth_err *err)
{
    size_t start = out->len;

    for (;;) {
        size_t room = 4096;
        ssize_t n;
        void *at = buf_space(out, room);

        if (!at)
            return mauth_fail(err, MAUTH_NO_MEMORY, "%s: no memory", path);
        n = read(fd, at, room);
        out->len -= room;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
        if (n == 0)
            return MAUTH_OK;
        out->len += (size_t)n;
        if (out->len - start > max)
            return mauth_fail(
                err, MAUTH_TOO_LARGE, "%s: more than %zu bytes", path, max);
    }
}

static const char CREDENTIAL[] = "credential:";

bool
file_is_credential(const char *path)
{
    return strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) == 0;
}

static enum mauth_rc
check_private(int fd, const char *path, struct mauth_err *err)
{
    mode_t others = file_is_credential(path) ? 037 : 077;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return mauth_fail(err, MAUTH_DENIED, "%s: not a regular file", path);
    if (st.st_mode & others)
        return mauth_fail(err, MAUTH_DENIED,
            "%s: mode %04o lets others at a secret; run: chmod 600 %s", path,
            (unsigned)(st.st_mode & 07777), path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return mauth_fail(err, MAUTH_DENIED,
            "%s: belongs to user %u, must be ours (%u) or root's", path,
            (unsigned)st.st_uid, (unsigned)geteuid());
    return MAUTH_OK;
}

/* path is how it is called, and file where it lies. */
static enum mauth_rc
read_with(const char *file, const char *path, size_t max, bool secret, struct buf *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    int fd;

    if (!secret && strcmp(path, "-") == 0)
        return slurp(STDIN_FILENO, "standard input", max, out, err);
    /* A pipe would make us wait for a writer, before we see that it is one. */
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | (secret ? O_NONBLOCK : 0));
    if (fd < 0)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    if (secret)
        rc = check_private(fd, path, err);
    if (rc == MAUTH_OK)
        rc = slurp(fd, path, max, out, err);
    close(fd);
    return rc;
}

enum mauth_rc
file_read(const char *path, size_t max, struct buf *out, struct mauth_err *err)
{
    return read_with(path, path, max, false, out, err);
}

/* Where systemd has put it; malloc'd. */
static char *
find_credential(const char *path, struct mauth_err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    const char *name = path + strlen(CREDENTIAL);
    char *found;

    if (!dir) {
        (void)mauth_fail(err, MAUTH_NOT_FOUND,
            "%s: there are no credentials here, only in a service of systemd with "
            "LoadCredential=%s:...",
            path, name);
        return NULL;
    }
    if (!*name || strchr(name, '/')) {
        (void)mauth_fail(err, MAUTH_INVALID, "%s: no name of a credential", path);
        return NULL;
    }
    found = file_join(dir, name);
    if (!found)
        (void)mauth_fail(err, MAUTH_NO_MEMORY, "%s: no memory", path);
    return found;
}

enum mauth_rc
file_read_secret(const char *path, size_t max, struct buf *out, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    char *found;

    if (!file_is_credential(path))
        return read_with(path, path, max, true, out, err);
    found = find_credential(path, &why);
    if (!found)
        return mauth_fail(err, why.rc, "%s", why.text);
    rc = read_with(found, path, max, true, out, err);
    free(found);
    return rc;
}

/* errno tells why not. */
static bool
write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

enum mauth_rc
file_sync_folder(const char *dir, struct mauth_err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum mauth_rc rc = MAUTH_OK;

    if (fd < 0 || fsync(fd) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

static enum mauth_rc
sync_folder_of(const char *path, struct mauth_err *err)
{
    const char *slash = strrchr(path, '/');
    char *dir = !slash ? strdup(".")
                       : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    enum mauth_rc rc;

    if (!dir)
        return mauth_fail(err, MAUTH_NO_MEMORY, "%s: no memory", path);
    rc = file_sync_folder(dir, err);
    free(dir);
    return rc;
}

enum mauth_rc
file_draft_open(
    const char *path, mode_t mode, struct file_draft *out, struct mauth_err *err)
{
    static atomic_uint number; /* two threads, two files */
    struct buf temp;

    buf_init(&temp);
    buf_printf(
        &temp, "%s.%ld.%u.new", path, (long)getpid(), atomic_fetch_add(&number, 1));
    *out = (struct file_draft){.fd = -1, .path = strdup(path)};
    out->name = buf_detach(&temp, NULL);
    if (!out->name || !out->path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "%s: no memory", path);
    unlink(out->name); /* left by a process of our number that was killed */
    out->fd = open(out->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (out->fd < 0 || fchmod(out->fd, mode) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return MAUTH_OK;
}

void
file_draft_close(struct file_draft *d)
{
    if (d->fd >= 0) {
        close(d->fd);
        unlink(d->name);
    }
    free(d->name);
    free(d->path);
    *d = (struct file_draft){.fd = -1};
}

/* By a link, which takes no name that is there, and shows no half of a file. */
enum mauth_rc
file_draft_create(struct file_draft *d, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (fsync(d->fd) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", d->path, strerror(errno));
    if (link(d->name, d->path) != 0)
        return mauth_fail(err, errno == EEXIST ? MAUTH_CONFLICT : MAUTH_UNAVAILABLE,
            "%s: %s", d->path, strerror(errno));
    unlink(d->name);
    rc = sync_folder_of(d->path, err);
    if (rc)
        unlink(d->path);
    return rc;
}

/* A new file beside path with all of data, which may not last yet. */
static enum mauth_rc
write_beside(const char *path, const void *data, size_t len, mode_t mode,
    struct file_draft *d, struct mauth_err *err)
{
    enum mauth_rc rc = file_draft_open(path, mode, d, err);

    if (rc == MAUTH_OK && !write_all(d->fd, data, len))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return rc;
}

enum mauth_rc
file_create(
    const char *path, const void *data, size_t len, mode_t mode, struct mauth_err *err)
{
    struct file_draft d;
    enum mauth_rc rc = write_beside(path, data, len, mode, &d, err);

    if (rc == MAUTH_OK)
        rc = file_draft_create(&d, err);
    file_draft_close(&d);
    return rc;
}

enum mauth_rc
file_replace(
    const char *path, const void *data, size_t len, mode_t mode, struct mauth_err *err)
{
    struct file_draft d;
    enum mauth_rc rc = write_beside(path, data, len, mode, &d, err);

    if (rc == MAUTH_OK && (fsync(d.fd) != 0 || rename(d.name, path) != 0))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    file_draft_close(&d);
    return rc ? rc : sync_folder_of(path, err);
}

/* The lowest free number is taken: that of the first one which is closed. */
bool
file_guard_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
            return false;
    }
    return true;
}

char *
file_join(const char *dir, const char *name)
{
    struct buf b;

    buf_init(&b);
    if (name[0] != '/')
        buf_printf(&b, "%s/", dir);
    buf_str(&b, name);
    return buf_detach(&b, NULL);
}
