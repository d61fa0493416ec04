#include "cli/account_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"

enum {
    TRIES = 250,
    PAUSE_NS = 20000000 /* 5 s in all */
};

/* False: another process has it, for as long as we were willing to wait. */
static bool
take(int fd)
{
    const struct timespec pause = {0, PAUSE_NS};

    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&pause, NULL);
    }
    return false;
}

enum mauth_rc
account_lock(const char *dir, int *out, struct mauth_err *err)
{
    char *path = file_join(dir, "lock");
    enum mauth_rc rc = MAUTH_OK;
    int fd;

    *out = ACCOUNT_LOCK_NONE;
    if (!path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE);
    if (fd < 0) {
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    } else if (!take(fd)) {
        close(fd);
        rc = mauth_fail(
            err, MAUTH_UNAVAILABLE, "%s: another meshauth holds it; try again", path);
    } else {
        *out = fd;
    }
    free(path);
    return rc;
}

void
account_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
