/*
 * A device's accounts: for each service a folder with the device's key for it,
 * its certificate, the service's authorities where they are not the system's,
 * and what the last login brought.
 *
 * They lie under $MESHAUTH_HOME, else $XDG_DATA_HOME/meshauth, else
 * ~/.local/share/meshauth: accounts/HOST_PORT/ with device.key, device.crt,
 * ca.pem, account.json; tickets.json are those of cli/wallet.h, lock is that of
 * cli/account_lock.h. Folders are mode 0700, files 0600.
 */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/grant.h"
#include "cli/service_url.h"
#include <meshauth/err.h>
#include <meshauth/key.h>

struct account;

#define ACCOUNT_TICKETS "tickets.json"

/*
 * The account at this service; its folder and its key are made when they are
 * missing. An existing key is never replaced: an identity token that was used
 * with it is good for it alone.
 *
 * MAUTH_DENIED     others may read what must be private
 * MAUTH_MALFORMED  a file is damaged; err->text names it
 */
MAUTH_MUST_USE enum mauth_rc account_open(
    const struct service_url *url, struct account **out, struct mauth_err *err);
/*
 * The same with the key that account_prepare_key() has made: pem, empty where there was
 * one.
 */
MAUTH_MUST_USE enum mauth_rc account_open_with(const struct service_url *url,
    struct text pem, struct account **out, struct mauth_err *err);
/*
 * The key that the account has, or will have: a new one is kept nowhere but in pem, a
 * buffer for secrets. Refusals as above.
 */
MAUTH_MUST_USE enum mauth_rc account_prepare_key(const struct service_url *url,
    struct buf *pem, struct mauth_key **out, struct mauth_err *err);
/*
 * The account that has logged in there, as the last login left it.
 *
 * MAUTH_NOT_FOUND  nobody has; otherwise as above
 */
MAUTH_MUST_USE enum mauth_rc account_load(
    const struct service_url *url, struct account **out, struct mauth_err *err);
/*
 * The file with the service's authorities that an earlier login kept, malloc'd; NULL
 * when none did. Nothing is made.
 */
MAUTH_MUST_USE enum mauth_rc account_find_ca(
    const struct service_url *url, char **out, struct mauth_err *err);
void account_free(struct account *a);

/* These belong to the account. */
const char *account_url(const struct account *a);
const char *account_dir(const struct account *a);
const char *account_key_file(const struct account *a);
const char *account_certificate_file(const struct account *a);
const char *account_ca_file(const struct account *a); /* NULL: the system's */
const struct mauth_key *account_key(const struct account *a);
/* What the last login brought; NULL: none. */
const struct grant *account_grant(const struct account *a);
int64_t account_logged_in_s(const struct account *a);

/*
 * Keep what a login brought, and ca (len 0: as before), atomically each. The
 * grant is the account's on success.
 */
MAUTH_MUST_USE enum mauth_rc account_save(struct account *a, struct grant *grant,
    struct text ca, int64_t now_s, struct mauth_err *err);

/*
 * Keep what a renewal of that login brought. The grant is the account's on success.
 *
 * MAUTH_CONFLICT   somebody has logged in anew meanwhile, or out: that stands
 * MAUTH_MALFORMED  the grant is of another subject or session
 */
MAUTH_MUST_USE enum mauth_rc account_renew(
    struct account *a, struct grant *grant, struct mauth_err *err);

/*
 * Log out: what the last login brought is removed, and all tickets since; the key stays,
 * for the next one. The account is only to be freed then.
 */
MAUTH_MUST_USE enum mauth_rc account_forget(struct account *a, struct mauth_err *err);

/*
 * All accounts that have logged in, by the names of their folders; each is
 * freed after the call. One that cannot be read ends the walk with its failure.
 */
typedef void account_each(const struct account *a, void *arg);
MAUTH_MUST_USE enum mauth_rc account_walk(
    account_each *each, void *arg, struct mauth_err *err);

#endif
