/*
 * A login where there is no browser: the person goes to the provider with any other
 * device, and this one asks until it is done (RFC 8628).
 */
#ifndef CLI_DEVICE_FLOW_H
#define CLI_DEVICE_FLOW_H

#include "cli/oidc_client.h"

enum {
    DEVICE_INTERVAL_S = 5, /* where the provider does not say (3.2), and to slow down */
    DEVICE_INTERVAL_MAX_S = 60,
    DEVICE_EXPIRES_MAX_S = 3600
};

/* What the provider starts a login with (3.2). */
struct device_start {
    char *device_code; /* secret */
    char *user_code;
    char *verification_uri;
    char *complete_uri; /* with the code in it; NULL: none */
    int64_t expires_s;
    int64_t interval_s;
};

/*
 * device_start_clear() it in either case.
 *
 * MAUTH_DENIED, MAUTH_UNAVAILABLE  the provider refused, or failed
 * MAUTH_MALFORMED  not an answer of its form
 */
MAUTH_MUST_USE enum mauth_rc device_start_read(
    long status, struct text json, struct device_start *out, struct mauth_err *err);
void device_start_clear(struct device_start *s);

/* What to do after an answer of the token endpoint (3.5). */
enum device_step {
    DEVICE_DONE,   /* it is the last one: a token, or a refusal */
    DEVICE_AGAIN,  /* nobody has answered yet */
    DEVICE_SLOWER, /* the same, and later than now */
};
enum device_step device_step_of(struct text json);

/* As code_flow_run(). */
MAUTH_MUST_USE enum mauth_rc device_flow_run(
    const struct oidc_client *client, struct buf *id_token, struct mauth_err *err);

#endif
