/*
 * The folder in which a service has pinned the root of an account service, and where an
 * updater keeps its trust file:
 *
 *     root.vkey      the pinned root
 *     trust          the file that the service reads
 *     updater.json   the account service's URL, and who we are there
 *     service.key    the service's own key, mode 0600, unless it lies elsewhere
 *     service.crt    shows it in TLS
 *     ca.pem         the account service's authorities, where not the system's
 *     trust.witness  audit checkpoints (updater/witness.h)
 *     trust.journals how far the service's journals were handed back (updater/journals.h)
 *     trust.alarm    a file that contradicts trust.alarm.before: one is a forgery
 *     lock           one process at a time changes any of these
 *
 * Everybody may enter it: the service reads what it needs under another user.
 */
#ifndef CLI_TRUST_HOME_H
#define CLI_TRUST_HOME_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/id.h"
#include "cli/service_url.h"
#include "keys/note.h"
#include <meshauth/err.h>

struct trust_home {
    struct service_url url;
    char service[ID_LEN + 1]; /* svc_...; "": not known yet */
    char vkey[NOTE_VKEY_MAX + 1];
    char *dir;
    char *key_file;
    char *certificate_file;
    char *ca_file;
    bool has_ca;
    char *trust_file;
    char *witness_file;
    char *journals_file;
    char *alarm_file;
    int lock;
};

struct trust_pin {
    const char *dir;
    const struct service_url *url;
    const struct note_verifier *root;
    const char *key_file; /* NULL: service.key, which is made when it is missing */
    const char *service;  /* NULL: not known yet, or as it was */
    struct text ca;       /* of length 0: as it was */
};

/*
 * Pin a root; a folder with the same one is brought up to date.
 *
 * MAUTH_CONFLICT   another root, or another account service, is pinned there
 * MAUTH_DENIED     others may read the key
 * MAUTH_MALFORMED  a file is damaged; err->text names it
 */
MAUTH_MUST_USE enum mauth_rc trust_home_pin(
    const struct trust_pin *pin, struct trust_home *out, struct mauth_err *err);

/*
 * Open a folder that was pinned, and lock it until trust_home_close(), which is
 * called in either case.
 *
 * MAUTH_NOT_FOUND    it is none
 * MAUTH_MALFORMED    a file is damaged; err->text names it
 * MAUTH_UNAVAILABLE  another process has it
 */
MAUTH_MUST_USE enum mauth_rc trust_home_open(
    const char *dir, struct trust_home *out, struct mauth_err *err);
void trust_home_close(struct trust_home *h);

/* Remember under which id the service is registered. */
MAUTH_MUST_USE enum mauth_rc trust_home_set_service(
    struct trust_home *h, const char *service, struct mauth_err *err);

#endif
