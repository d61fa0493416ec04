/*
 * What must be done every minute, in a thread of its own: the trust file is signed again,
 * the counts of refusals go on record, what ended long ago is forgotten. And what must be
 * done within a second of each revocation: the trust file tells of it.
 */
#ifndef AUTHSVC_HOUSEKEEPER_H
#define AUTHSVC_HOUSEKEEPER_H

#include "authsvc/service.h"
#include <meshauth/err.h>

enum {
    HOUSEKEEPER_PERIOD_S = 60
};

struct housekeeper;

/* Does it once before returning: a service that cannot sign trust does not start. */
MAUTH_MUST_USE enum mauth_rc housekeeper_start(
    const struct service *service, struct housekeeper **out, struct mauth_err *err);

/* Do it now. */
void housekeeper_wake(struct housekeeper *h);

/* Does it a last time and ends. NULL is fine. */
void housekeeper_stop(struct housekeeper *h);

#endif
