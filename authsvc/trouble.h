/*
 * What goes wrong behind the requests: /readyz warns of it from when it is noticed until
 * it goes well again. Safe from any thread.
 */
#ifndef AUTHSVC_TROUBLE_H
#define AUTHSVC_TROUBLE_H

#include "base/buf.h"
#include <meshauth/err.h>

enum trouble {
    TROUBLE_CERTIFICATE, /* of TLS, which SIGHUP could not read */
    TROUBLE_RULES,
    TROUBLE_KEYS, /* other ones that are in the store */
    TROUBLE_TRUST_FILE,
    TROUBLE_NEXT_KEY, /* which its schedule could not prepare, or not make active */
    TROUBLES
};

struct troubles;

MAUTH_MUST_USE enum mauth_rc troubles_new(struct troubles **out, struct mauth_err *err);
void troubles_free(struct troubles *t); /* NULL is fine */

/* How it went: err->rc is MAUTH_OK when it went well. True: this is to be told, and was not
 * so the last time. */
bool trouble_note(struct troubles *t, enum trouble which, const struct mauth_err *err);

/* Appends what did not go well the last time, a line for each. */
void troubles_complain(struct troubles *t, struct buf *lines);

#endif
