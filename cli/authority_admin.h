/* How the commands on the trust authority reach it: as cli/admin.h does. */
#ifndef CLI_AUTHORITY_ADMIN_H
#define CLI_AUTHORITY_ADMIN_H

#include "cli/admin.h"
#include "store/authority_change.h"

/* *out is authority_view()'s object. */
MAUTH_MUST_USE enum mauth_rc authority_admin_show(
    const struct admin *a, json_t **out, struct mauth_err *err);

/*
 * op, epoch, life_s, delegation and new_root are given; *out is what there is then.
 *
 * MAUTH_CONFLICT  refused, and on record; err tells why
 */
MAUTH_MUST_USE enum mauth_rc authority_admin_do(const struct admin *a,
    struct authority_change *c, json_t **out, struct mauth_err *err);

#endif
