/*
 * The updater's way to the account service: one question after the other for the next
 * trust file, each answer judged and kept (updater/keep.h).
 */
#ifndef CLI_TRUST_CLIENT_H
#define CLI_TRUST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/trust_home.h"
#include "updater/keep.h"
#include "updater/lowest.h"

struct fetch;
struct trust_client;

/* home is borrowed; trouble as of keep_open(). */
MAUTH_MUST_USE enum mauth_rc trust_client_open(const struct trust_home *home,
    struct trust_client **out, struct mauth_err *trouble, struct mauth_err *err);
void trust_client_close(struct trust_client *c);

struct trust_wish {
    bool wait;                   /* for a file behind the one that is held: a minute */
    const struct lowest *loaded; /* by the service; NULL: nothing is known */
    bool (*gives_up)(void *arg); /* as of struct fetch_options */
    void *arg;
};

/*
 * Ask once. On MAUTH_OK news tells what has become of the file.
 *
 * MAUTH_DENIED, MAUTH_UNAVAILABLE  what the account service says, or that it is silent
 * and what keep_take() refuses. trust_client_retry_after_s() tells how long to stay away.
 */
MAUTH_MUST_USE enum mauth_rc trust_client_look(struct trust_client *c,
    const struct trust_wish *wish, struct keep_news *news, struct mauth_err *err);
int64_t trust_client_retry_after_s(const struct trust_client *c);

const struct keep *trust_client_keep(const struct trust_client *c);

/*
 * The credential that the last question was asked with, appended to out (made with
 * buf_init_secret()); false: there is none. From any thread: whoever asks something else
 * as the same service, with a fetch of his own, needs no session of his own.
 */
MAUTH_MUST_USE bool trust_client_credential(struct trust_client *c, struct buf *out);

/* What a signal's handler may fetch_cancel(); trust_client_renew() makes another one. */
struct fetch *trust_client_fetch(struct trust_client *c);
MAUTH_MUST_USE enum mauth_rc trust_client_renew(
    struct trust_client *c, struct mauth_err *err);

#endif
