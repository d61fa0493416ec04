/*
 * Where this device's accounts lie: $MESHAUTH_HOME, else $XDG_DATA_HOME/meshauth, else
 * ~/.local/share/meshauth; and that nobody else may look into a folder of theirs.
 */
#ifndef CLI_ACCOUNT_HOME_H
#define CLI_ACCOUNT_HOME_H

#include <meshauth/err.h>

/* The folder of all accounts; malloc'd. MAUTH_INVALID: nothing says where. */
MAUTH_MUST_USE enum mauth_rc account_home_find(char **out, struct mauth_err *err);

/*
 * MAUTH_NOT_FOUND  there is no such folder
 * MAUTH_DENIED     no folder, or not ours alone
 */
MAUTH_MUST_USE enum mauth_rc account_home_check(
    const char *path, struct mauth_err *err);

/* Makes it and those above it, as far as they are missing; then checks it. */
MAUTH_MUST_USE enum mauth_rc account_home_make(const char *path, struct mauth_err *err);

#endif
