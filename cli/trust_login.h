/*
 * A registered service's login: its identity ticket, got with its own key proven by TLS
 * (client_credentials) and renewed in its session.
 */
#ifndef CLI_TRUST_LOGIN_H
#define CLI_TRUST_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/grant.h"
#include "cli/trust_home.h"

struct fetch;

struct trust_login {
    const struct trust_home *home;
    struct mauth_key *key;
    struct grant *grant; /* NULL: not logged in */
};

/* home is borrowed. MAUTH_MALFORMED: its certificate shows no key. */
MAUTH_MUST_USE enum mauth_rc trust_login_init(
    struct trust_login *l, const struct trust_home *home, struct mauth_err *err);
void trust_login_clear(struct trust_login *l);

/*
 * Log in, or renew what is near its end; f shows the certificate.
 *
 * MAUTH_DENIED       the account service does not take the key, or the service
 * MAUTH_UNAVAILABLE  it failed or is busy, or is not there
 * MAUTH_MALFORMED    its answer is none
 */
MAUTH_MUST_USE enum mauth_rc trust_login_keep_fresh(
    struct trust_login *l, struct fetch *f, int64_t now_s, struct mauth_err *err);

/* What shows it, in an Authorization header; a secret. */
const char *trust_login_credential(const struct trust_login *l);

/* The service says that it is dead. */
void trust_login_drop(struct trust_login *l);

#endif
