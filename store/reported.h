/*
 * What services have reported of the tickets that they accepted (POST
 * /v1/audit/decisions): a record for each service, small whatever it says. Inside a
 * transaction.
 *
 * A service can lie, and then raises an alarm about nobody but itself: it is told once for
 * each ticket, so many times an hour, and counted beyond that. How far its journals have
 * been read is kept, so that nothing of them is put on record twice.
 */
#ifndef STORE_REPORTED_H
#define STORE_REPORTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "store/kv.h"

enum {
    REPORTED_HOUR_S = 3600,
    REPORTED_ALARMS = 16,  /* records of alarms in an hour, for one service */
    REPORTED_TICKETS = 64, /* the last ones on record, which are not told of again */
    REPORTED_TICKET = 16,  /* bytes of a ticket's ID */
    REPORTED_JOURNALS = 32 /* read last; more processes than those begin anew */
};

struct reported_journal {
    uint8_t id[16];
    uint64_t next; /* the number of the first entry that is not on record */
};

struct reported {
    struct id service;
    int64_t since_s; /* when the hour began */
    int64_t last_s;  /* the last time that a ticket was not known here; 0: never */
    uint64_t alarms; /* how many tickets were not, in all; each as often as it came */
    uint64_t untold; /* of them, since the last record of one */
    uint32_t told;   /* records in this hour */
    uint32_t tickets;
    uint8_t ticket[REPORTED_TICKETS][REPORTED_TICKET]; /* the newest first */
    uint32_t journals;
    struct reported_journal journal[REPORTED_JOURNALS]; /* the one read last first */
};

/* All zeros but for the service where it has reported nothing yet. */
MAUTH_MUST_USE enum mauth_rc reported_load(struct kv_txn *txn, const struct id *service,
    struct reported *out, struct mauth_err *err);
/* MAUTH_NOT_FOUND: there is no such service (any more); nothing is put. */
MAUTH_MUST_USE enum mauth_rc reported_put(
    struct kv_txn *txn, const struct reported *r, struct mauth_err *err);
/* MAUTH_OK also when it has none. */
MAUTH_MUST_USE enum mauth_rc reported_forget(
    struct kv_txn *txn, const struct id *service, struct mauth_err *err);

/* One ticket that is not known here. True: an alarm is to go on record, with *count, those
 * that did not since the one before, and this. */
MAUTH_MUST_USE bool reported_alarm(struct reported *r,
    const uint8_t ticket[REPORTED_TICKET], int64_t now_s, uint64_t *count);

/* An entry of a journal. False: it, or a later one, has been here before. */
MAUTH_MUST_USE bool reported_entry(
    struct reported *r, const uint8_t journal[16], uint64_t number);

/* Of those services with an alarm since then, in the order of ids. False stops. */
typedef bool reported_each(const struct reported *r, void *arg);
MAUTH_MUST_USE enum mauth_rc reported_alarms(struct kv_txn *txn, int64_t since_s,
    reported_each *each, void *arg, struct mauth_err *err);

#endif
