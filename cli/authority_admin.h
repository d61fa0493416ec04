/* How the commands on the trust authority reach it: as cli/admin.h does, or in a store
 * that is open already. */
#ifndef CLI_AUTHORITY_ADMIN_H
#define CLI_AUTHORITY_ADMIN_H

#include "cli/admin.h"
#include "store/authority_change.h"

struct authority_place {
    const struct admin *admin;
    struct kv *kv; /* NULL: by the admin's ways */
    const struct mauth_secret *seal;
};

/* *out is authority_view()'s object. */
MAUTH_MUST_USE enum mauth_rc authority_admin_show(
    const struct authority_place *p, json_t **out, struct mauth_err *err);

/*
 * op, epoch, life_s, delegation and new_root are given; *out is what there is then.
 *
 * MAUTH_CONFLICT  refused, and on record; err tells why
 */
MAUTH_MUST_USE enum mauth_rc authority_admin_do(const struct authority_place *p,
    struct authority_change *c, json_t **out, struct mauth_err *err);

/* What is to be asked for, and with which root at hand it is signed at once. */
struct authority_renewal {
    uint64_t epoch;
    int64_t life_s;
    const struct mauth_secret *root;
    const struct note_verifier *new_root; /* pinned, or NULL */
};

/* Asks only: *out has "pending". */
MAUTH_MUST_USE enum mauth_rc authority_admin_request(const struct authority_place *p,
    const struct authority_renewal *r, json_t **out, struct mauth_err *err);
/* Asks, signs and installs. */
MAUTH_MUST_USE enum mauth_rc authority_admin_renew(const struct authority_place *p,
    const struct authority_renewal *r, json_t **out, struct mauth_err *err);

#endif
