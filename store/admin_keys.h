/*
 * What admins do with signing keys, as changes of store/admin.h: prepare, activate,
 * revoke. And how keys are shown.
 */
#ifndef STORE_ADMIN_KEYS_H
#define STORE_ADMIN_KEYS_H

#include "keys/signer.h"
#include "store/audit.h"
#include "store/key_life.h"
#include "store/key_ready.h"

struct admin_change;

enum {
    ADMIN_KEY_CERTIFICATE_MAX = 2048,
    ADMIN_KEY_LIFE_S = 365 * 86400, /* unless another is asked for */
    ADMIN_KEY_LIFE_MAX_S = 10 * 365 * 86400,
    ADMIN_KEY_EARLY_S = 60 /* so much earlier than now may it begin: clocks differ */
};

/* A key as it is shown. */
struct admin_key_view {
    char id[MAUTH_KEY_ID_LEN + 1];
    enum trust_state state;
    enum signer_kind kind;
    int64_t created_s, from_s, until_s;
    int64_t active_s, retires_s; /* 0: never; it does not */
    struct trust_place listed;   /* first; 0.0: nowhere yet */
    char audiences[SIGNING_KEY_AUDIENCES + 1];
    char token[PKCS11_URI_MAX + 1];
    uint8_t spki[MAUTH_SPKI_MAX];
    size_t spki_len;
};

/* The part of a change that is about a key. */
struct admin_key {
    const struct mauth_secret *seal; /* borrowed, as the next */
    struct buf *pkcs8;               /* a new key's private half, for secrets */
    int64_t longest_s;               /* of a ticket, as configured */

    /* To prepare one. */
    enum signer_kind kind;
    int64_t from_s, until_s;                   /* 0: now; a year later */
    char audiences[SIGNING_KEY_AUDIENCES + 1]; /* "": all */

    char token[PKCS11_URI_MAX + 1]; /* where it lies already, or "" */
    const char *const *module;      /* borrowed: those that may be loaded */
    size_t modules;

    bool force;                 /* activate it though not all who verify know it */
    struct key_reports reports; /* of what they have loaded */

    /* Made, and found. */
    uint8_t spki[MAUTH_SPKI_MAX]; /* of the one in the token */
    size_t spki_len;
    uint8_t certificate[ADMIN_KEY_CERTIFICATE_MAX]; /* that it has signed */
    size_t certificate_len;
    struct mauth_err
        away; /* why the one to be activated does not sign; rc is 0: it does */
    char id[MAUTH_KEY_ID_LEN + 1]; /* of the new one */
    struct key_change life;
    struct admin_key_view view;
    bool is_lacking; /* refused for that, or forced */
};

MAUTH_MUST_USE bool admin_key_is_id(struct text id);

/*
 * Sets whom a new key is for: sorted, so that the same ones are always written alike.
 * None: all.
 *
 * MAUTH_INVALID  one that is no URI, or stands twice; too many
 */
MAUTH_MUST_USE enum mauth_rc admin_key_set_audiences(struct admin_key *k,
    const struct text *audience, size_t count, struct mauth_err *err);

/* For admin.c: as the functions of that name there. MAUTH_INVALID from the first: a key
 * in a token that cannot be had. */
MAUTH_MUST_USE enum mauth_rc admin_key_ready(
    struct admin_change *c, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc admin_key_find(
    struct kv_txn *txn, struct admin_change *c, struct mauth_err *err);
MAUTH_MUST_USE enum mauth_rc admin_key_apply(
    struct kv_txn *txn, struct admin_change *c, struct mauth_err *err);

/*
 * Of a key to be activated that lies in a token: does it sign now? If not, that is noted,
 * and it is not made active, unless forced. Outside of any transaction: it may take
 * seconds.
 */
MAUTH_MUST_USE enum mauth_rc admin_key_try(
    struct kv *kv, struct admin_change *c, struct mauth_err *err);

void admin_key_on_record(const struct admin_change *c, struct audit_record *r);

void admin_key_take_view(const struct signing_key *k, struct admin_key_view *out);

/* One key as JSON, with who has loaded it (NULL: without). */
void admin_view_key(struct buf *out, const char *issuer, const struct admin_key_view *v,
    const struct key_ready *ready);

/* What is needed to look at keys; borrowed. */
struct admin_keys_look {
    const struct mauth_secret *seal;
    const char *issuer;
    struct key_reports reports;
    int64_t now_s;
};

/* MAUTH_NOT_FOUND: there is none with this id. */
MAUTH_MUST_USE enum mauth_rc admin_view_key_of(struct kv_txn *txn,
    const struct admin_keys_look *look, const char *id, struct buf *out,
    struct mauth_err *err);
/* The key that signs SAML metadata: "id" and its "certificate" in PEM. MAUTH_NOT_FOUND:
 * there is none yet. */
MAUTH_MUST_USE enum mauth_rc admin_view_metadata_key(struct kv_txn *txn,
    const struct mauth_secret *seal, struct buf *out, struct mauth_err *err);
/* All of them: {"items":[...]}, in the order of their ids. */
MAUTH_MUST_USE enum mauth_rc admin_view_keys(struct kv_txn *txn,
    const struct admin_keys_look *look, struct buf *out, struct mauth_err *err);

#endif
