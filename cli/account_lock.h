/*
 * One process at a time changes an account's files: who changes what another may have
 * changed meanwhile reads it again under the lock. It is held for a read and a write,
 * never while the network is asked, and ends with the process.
 */
#ifndef CLI_ACCOUNT_LOCK_H
#define CLI_ACCOUNT_LOCK_H

#include <meshauth/err.h>

enum {
    ACCOUNT_LOCK_NONE = -1
};

/*
 * By the file "lock" in the account's folder; *out goes to account_unlock().
 *
 * MAUTH_UNAVAILABLE  the file cannot be made, or who has the lock keeps it for seconds
 */
MAUTH_MUST_USE enum mauth_rc account_lock(
    const char *dir, int *out, struct mauth_err *err);
void account_unlock(int lock); /* ACCOUNT_LOCK_NONE is fine */

#endif
