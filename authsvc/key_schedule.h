/* Signing keys that follow each other by themselves, as configured under `keys`. */
#ifndef AUTHSVC_KEY_SCHEDULE_H
#define AUTHSVC_KEY_SCHEDULE_H

#include <stdbool.h>

#include "authsvc/service.h"
#include "store/admin.h"
#include <meshauth/err.h>

/*
 * Before anything is signed: active keys may sign tickets as long as they are configured
 * now, and so retire for as long.
 */
MAUTH_MUST_USE enum mauth_rc key_schedule_lengthen(
    const struct service *service, int64_t now_s, struct mauth_err *err);

struct key_schedule_step {
    bool was_due;
    enum admin_op op;              /* ADMIN_KEY_PREPARE, ADMIN_KEY_ACTIVATE */
    char id[MAUTH_KEY_ID_LEN + 1]; /* the key that was made, or that is to sign */
};

/*
 * Do the one step that is due, if any, as an admin would. One that is refused stays due,
 * and is no record; op and id tell what it was.
 */
MAUTH_MUST_USE enum mauth_rc key_schedule_do(const struct service *service,
    int64_t now_s, struct key_schedule_step *out, struct mauth_err *err);

#endif
