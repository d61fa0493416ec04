/*
 * The services that check tickets, as their updaters report: who has loaded which trust
 * file. Kept in memory, put on record each minute in one go, so that a restart does not
 * forget them. Safe from any thread.
 */
#ifndef AUTHSVC_VERIFIERS_H
#define AUTHSVC_VERIFIERS_H

#include "store/readiness.h"
#include <meshauth/trust.h>

enum {
    VERIFIERS_FILES = 1024 /* the last that we published, whose hashes are known */
};

struct verifiers;

/* With what is on record; kv is borrowed. */
MAUTH_MUST_USE enum mauth_rc verifiers_open(
    struct kv *kv, struct verifiers **out, struct mauth_err *err);
void verifiers_close(struct verifiers *v); /* NULL is fine */

/* We have published this one: reports of it, and only of it, are to be believed. */
void verifiers_published(struct verifiers *v, const struct mauth_trust *trust);

/* Which file, by number and content. */
struct trust_report {
    struct trust_place place;
    uint8_t hash[HASH_LEN];
};

/* "EPOCH.SEQUENCE.HASH"; false when it is not of that form. */
MAUTH_MUST_USE bool verifiers_read(struct text t, struct trust_report *out);

/*
 * This service has loaded this file. *is_alarm: it says so for the first time, and we
 * published no such file; somebody else signs with the authority's key.
 *
 * MAUTH_NO_MEMORY  not noted
 */
MAUTH_MUST_USE enum mauth_rc verifiers_report(struct verifiers *v,
    const struct id *service, const struct trust_report *report, int64_t now_s,
    bool *is_alarm, struct mauth_err *err);

/* Put on record what has been reported since the last time. Services that are gone are
 * forgotten. */
MAUTH_MUST_USE enum mauth_rc verifiers_flush(
    struct verifiers *v, struct mauth_err *err);

/* All of them as of now: the caller's to free(). */
MAUTH_MUST_USE enum mauth_rc verifiers_take(
    struct verifiers *v, struct readiness **out, size_t *count, struct mauth_err *err);

#endif
