/*
 * The audit log: one record for each decision, durable before the answer that
 * it speaks of leaves; leaves of an RFC 6962 tree, salted so that a record can
 * be erased and the tree still verifies.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/kv.h"
#include <meshauth/err.h>

enum {
    AUDIT_RESOURCES = 18, /* of a ticket: its nodes and audiences */
    AUDIT_HASH = 32,
    AUDIT_SALT = 32,
    AUDIT_FIELD_MAX = 512 /* bytes of a foreign text; longer ones are cut */
};

/* Absent strings are NULL. Foreign text is taken as it is, checked and capped. */
struct audit_record {
    int64_t time_us;
    const char *actor;   /* usr_..., svc_..., "uid:0", "meshauthd" */
    const char *device;  /* dev_..., else the key id of the proven key */
    const char *session; /* ses_... */
    const char *action;  /* "login", "ticket.issue", "user.create", "audit.query" */
    const char *resources[AUDIT_RESOURCES];
    size_t resource_count;
    const char *outcome; /* "allow", "deny", "done" */
    const char *reason;  /* why it was refused */
    const char *note;    /* what an admin had to say about it */
    const char *rule;
    const char *ticket;    /* the ticket's ID */
    const uint8_t *digest; /* its DigestValue, 32 bytes */
    const char *key;       /* id of the signing key */
    const char *client;    /* address */
    const char *request;   /* request id */
    uint64_t count;        /* of an aggregate; 0: a single event */
};

/*
 * A record made ready outside a transaction: rendered (compact JSON, sorted
 * keys), with its salt. It is appended within one.
 */
struct audit_entry;
MAUTH_MUST_USE enum mauth_rc audit_entry_new(
    const struct audit_record *r, struct audit_entry **out, struct mauth_err *err);
/* The same with a salt that was drawn for it. */
MAUTH_MUST_USE enum mauth_rc audit_entry_salted(const struct audit_record *r,
    const uint8_t salt[AUDIT_SALT], struct audit_entry **out, struct mauth_err *err);
void audit_entry_free(struct audit_entry *e);

/* Appends it under the next sequence number. May run twice, like its transaction. */
MAUTH_MUST_USE enum mauth_rc audit_append(
    struct kv_txn *txn, const struct audit_entry *e, struct mauth_err *err);

/*
 * Both in one, for a record of which only the transaction knows what it says. salt is
 * random and was drawn before it.
 */
MAUTH_MUST_USE enum mauth_rc audit_append_record(struct kv_txn *txn,
    const struct audit_record *r, const uint8_t salt[AUDIT_SALT],
    struct mauth_err *err);

struct audit_head {
    uint64_t size;
    uint8_t root[AUDIT_HASH];
};

/* The tree's size and root hash (RFC 6962 2.1). */
MAUTH_MUST_USE enum mauth_rc audit_head(
    struct kv_txn *txn, struct audit_head *out, struct mauth_err *err);

/* What to look for; NULL and 0 mean "any". */
struct audit_filter {
    int64_t since_us;
    int64_t until_us; /* exclusive; 0: no end */
    const char *actor;
    const char *action;
    const char *outcome;
    const char *reason;
    const char *ticket;
    const char *session;
    uint64_t limit; /* newest first; 0: 100 */
};

/*
 * json is one record; borrowed for the call. False stops. MAUTH_UNAVAILABLE when a
 * record on the way is damaged.
 */
typedef bool audit_each(uint64_t sequence, struct text json, void *arg);
MAUTH_MUST_USE enum mauth_rc audit_query(struct kv_txn *txn,
    const struct audit_filter *filter, audit_each *each, void *arg,
    struct mauth_err *err);

#endif
