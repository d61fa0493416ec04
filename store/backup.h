/*
 * The whole store in a file, as it is at one moment, and back into a new one. What is
 * sealed in it stays sealed: a backup is worth nothing without the seal key, and is never
 * kept beside it.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/authority.h"
#include "store/backup_file.h"

/*
 * Write all of it. kv may be open beside a service that goes on (KV_READ): one read
 * transaction, for as long as it takes.
 *
 * MAUTH_CONFLICT  there is a file of that name
 */
MAUTH_MUST_USE enum mauth_rc backup_make(struct kv *kv, const char *issuer,
    int64_t now_s, const char *path, struct backup_head *out, struct mauth_err *err);

/* How a restored store gets its authority, before it takes its place. */
typedef enum mauth_rc restore_fn(struct kv *kv, void *arg, struct mauth_err *err);

struct restore {
    const char *store; /* URL; there must be none, or an empty folder */
    const char *backup;
    const char *issuer;
    const struct mauth_secret *seal;
    int64_t now_s;
    bool keep_sessions;
    struct audit_record who; /* actor, client */
    restore_fn *finish;
    void *arg;

    /* Found. */
    struct backup_head head;
    uint64_t state;  /* that it begins with */
    size_t sessions; /* that were closed */
};

/*
 * A new store from a backup. Nothing that was issued since the backup was made, or
 * before, may count against what the store knows now: its state number leaps, every ticket is
 * revoked, sessions are closed, who follows changes begins anew, and the authority is
 * suspended until another is in force. It is built beside its place, and takes it when
 * all is done.
 *
 * MAUTH_CONFLICT   there is a store already, or another restore is under way
 * MAUTH_MALFORMED  no backup, or a damaged one
 * MAUTH_UNTRUSTED  of another issuer
 * MAUTH_DENIED     sealed under another key
 */
MAUTH_MUST_USE enum mauth_rc restore_run(struct restore *r, struct mauth_err *err);

#endif
