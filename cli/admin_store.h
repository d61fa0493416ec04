/* The half of cli/admin.h that works on a store which no service has open. */
#ifndef CLI_ADMIN_STORE_H
#define CLI_ADMIN_STORE_H

#include "cli/admin.h"

struct admin_question {
    enum admin_kind kind;
    const char *whom; /* NULL: a list */
    bool sessions;    /* a list of his */
    const char *after;
};

/* MAUTH_NOT_FOUND, which err does not tell of: there is nobody of this name. */
MAUTH_MUST_USE enum mauth_rc admin_store_look(const struct admin *a,
    const struct admin_question *q, json_t **out, struct mauth_err *err);

/* As admin_do(); MAUTH_NOT_FOUND as above. */
MAUTH_MUST_USE enum mauth_rc admin_store_do(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err);

#endif
