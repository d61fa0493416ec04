/*
 * One record of the audit log: what it can say, and how it is written (compact JSON,
 * names in their order). docs/audit.md is the manual of its members.
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include <meshauth/err.h>

enum {
    AUDIT_RESOURCES = 18, /* of a ticket: its nodes and audiences */
    AUDIT_SALT = 32,
    AUDIT_RECORD_VERSION = 1, /* of the members and what they mean (docs/audit.md) */
    AUDIT_FIELD_MAX = 512     /* bytes of a foreign text; longer ones are cut */
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

/* Writes the whole record, which has this sequence number, to out. */
void audit_entry_write(const struct audit_entry *e, uint64_t sequence, struct buf *out);
const uint8_t *audit_entry_salt(const struct audit_entry *e);

/*
 * The leaf of a record (RFC 6962 2.1) is over SHA-256(salt || record), so that both can
 * be erased and the tree still verifies.
 */
MAUTH_MUST_USE enum mauth_rc audit_leaf(const uint8_t salt[AUDIT_SALT],
    struct text record, uint8_t out[HASH_LEN], struct mauth_err *err);

/* "2026-11-22T10:00:00.000000Z" */
enum {
    AUDIT_TIME_LEN = 27
};
void audit_time_format(int64_t t_us, char out[AUDIT_TIME_LEN + 1]);
/* False, and 0, unless text is exactly one. */
MAUTH_MUST_USE bool audit_time_parse(struct text text, int64_t *out_us);

#endif
