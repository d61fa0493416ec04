#include "cli/account_home.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fail.h"

enum {
    FOLDER_MODE = 0700
};

enum mauth_rc
account_home_find(char **out, struct mauth_err *err)
{
    const char *own = getenv("MESHAUTH_HOME"), *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    struct buf b;

    *out = NULL;
    buf_init(&b);
    if (own && *own)
        buf_printf(&b, "%s/accounts", own);
    else if (data && *data == '/') /* a relative one is to be ignored, says XDG */
        buf_printf(&b, "%s/meshauth/accounts", data);
    else if (home && *home)
        buf_printf(&b, "%s/.local/share/meshauth/accounts", home);
    else
        return mauth_fail(
            err, MAUTH_INVALID, "no place for accounts: set MESHAUTH_HOME, or HOME");
    *out = buf_detach(&b, NULL);
    if (!*out)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return MAUTH_OK;
}

enum mauth_rc
account_home_check(const char *path, struct mauth_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return mauth_fail(err, MAUTH_DENIED, "%s: not a folder", path);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return mauth_fail(err, MAUTH_DENIED,
            "%s: must be yours alone, for keys lie in it; run: chmod 700 %s", path,
            path);
    return MAUTH_OK;
}

enum mauth_rc
account_home_make(const char *path, struct mauth_err *err)
{
    char *copy = strdup(path);
    enum mauth_rc rc = MAUTH_OK;

    if (!copy)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, FOLDER_MODE) != 0 && errno != EEXIST)
            break; /* the last one tells why */
        *slash = '/';
    }
    free(copy);
    if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return rc ? rc : account_home_check(path, err);
}
