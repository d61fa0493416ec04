/* Devices: a public key each, claimed by at most one user. Inside a transaction. */
#ifndef STORE_GRAPH_DEVICE_H
#define STORE_GRAPH_DEVICE_H

#include "store/graph.h"

enum {
    GRAPH_LABEL_MAX = 128 /* bytes of a name that people give */
};

/* UTF-8 without characters that control a terminal or a line's direction. */
MAUTH_MUST_USE bool graph_label_ok(struct text label);

struct graph_device {
    struct id id;
    uint64_t version;
    int64_t created_s;
    int64_t updated_s;
    bool live;
    bool unattended;
    char name[GRAPH_LABEL_MAX + 1];
    uint8_t key_hash[GRAPH_KEY_HASH]; /* SHA-256 of its SPKI */
};

MAUTH_MUST_USE enum mauth_rc graph_device_by_id(struct kv_txn *txn, const struct id *id,
    struct graph_device *out, struct mauth_err *err);

/*
 * Registers want->id, name, unattended and key_hash at want->created_s.
 *
 * MAUTH_OK        done, or the same id with the same key was there: *out as it stands
 * MAUTH_CONFLICT  the key is another device's, or the id has another key
 * MAUTH_INVALID   a name that is none
 */
MAUTH_MUST_USE enum mauth_rc graph_device_register(struct kv_txn *txn,
    const struct graph_device *want, struct graph_device *out, struct mauth_err *err);

/* MAUTH_OK also when the user claims it already; MAUTH_CONFLICT when another does. */
MAUTH_MUST_USE enum mauth_rc graph_device_claim(struct kv_txn *txn,
    const struct id *device, const struct id *user, int64_t now_s,
    struct mauth_err *err);

/* Takes the device's mappings along and revokes. MAUTH_NOT_FOUND: no such claim. */
MAUTH_MUST_USE enum mauth_rc graph_device_release(struct kv_txn *txn,
    const struct id *device, const struct id *user, struct mauth_err *err);

#endif
