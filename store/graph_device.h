/* Devices: a public key each, claimed by at most one user. Inside a transaction. */
#ifndef STORE_GRAPH_DEVICE_H
#define STORE_GRAPH_DEVICE_H

#include "store/graph.h"
#include "store/graph_label.h"
#include <meshauth/key.h>

struct graph_device {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool unattended;
    char name[GRAPH_LABEL_MAX + 1];
    uint8_t spki[MAUTH_SPKI_MAX];
    size_t spki_len;
    uint8_t key_hash[GRAPH_KEY_HASH]; /* SHA-256 of spki */
};

MAUTH_MUST_USE enum mauth_rc graph_device_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_device *out, struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc graph_device_by_key(struct kv_txn *txn,
    const uint8_t key_hash[GRAPH_KEY_HASH], struct graph_device *out,
    struct mauth_err *err);

/*
 * Registers want->id, name, unattended and spki at want->created_s.
 *
 * MAUTH_OK        done, or the same id with the same key was there: *out as it stands
 * MAUTH_CONFLICT  the key is another device's, or the id has or had another key
 * MAUTH_INVALID   a name that is none, or no key
 */
MAUTH_MUST_USE enum mauth_rc graph_device_register(struct kv_txn *txn,
    const struct graph_device *want, struct graph_device *out, struct mauth_err *err);

/* MAUTH_OK, and no new version, when nothing differs. MAUTH_INVALID: the name. */
MAUTH_MUST_USE enum mauth_rc graph_device_update(struct kv_txn *txn,
    const struct id *id, const char *name, bool unattended, int64_t now_s,
    struct mauth_err *err);

/* MAUTH_OK also when the user claims it already; MAUTH_CONFLICT when another does;
 * MAUTH_NOT_FOUND when one of them is not there, or the user is closed. */
MAUTH_MUST_USE enum mauth_rc graph_device_claim(struct kv_txn *txn,
    const struct id *device, const struct id *user, int64_t now_s,
    struct mauth_err *err);

/*
 * Takes the device's mappings along, closes the sessions that the user has with its key,
 * and revokes; the device is attended again. It stays known by its key, to be claimed by
 * anyone who proves that, until it is purged. MAUTH_NOT_FOUND: no such claim.
 */
MAUTH_MUST_USE enum mauth_rc graph_device_release(struct kv_txn *txn,
    const struct id *device, const struct id *user, int64_t now_s,
    struct mauth_err *err);

/*
 * Whoever claims it, releases it; all sessions with its key are closed, whoever's; and
 * every ticket that mentions it is revoked. MAUTH_NOT_FOUND: no such device.
 */
MAUTH_MUST_USE enum mauth_rc graph_device_revoke(
    struct kv_txn *txn, const struct id *device, int64_t now_s, struct mauth_err *err);

#endif
