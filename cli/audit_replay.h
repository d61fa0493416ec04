/*
 * Who had which right in a folder: told by the records of what changed it, one after the
 * other. Pure.
 */
#ifndef CLI_AUDIT_REPLAY_H
#define CLI_AUDIT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/id.h"
#include <meshauth/err.h>

struct replay_row {
    char id[ID_LEN + 1];    /* usr_... or dev_... */
    char role[64];          /* of a user; "" of a device that has the folder */
    char since[32];         /* the record's time */
    char actor[ID_LEN + 1]; /* whose deed it was */
    uint64_t sequence;      /* the record */
};

struct replay {
    char folder[ID_LEN + 1];
    bool exists; /* it was made, and not deleted */
    struct replay_row *row;
    size_t count, cap;
};

/* The actions of which records may matter, ended by NULL: those about the folder, and
 * those that end users and devices everywhere. */
extern const char *const replay_of_folder[];
extern const char *const replay_of_all[];

void replay_init(struct replay *r, const char *folder);
void replay_clear(struct replay *r);

/* The next record, by its sequence; those that change nothing are passed over. */
MAUTH_MUST_USE enum mauth_rc replay_take(
    struct replay *r, const json_t *record, struct mauth_err *err);

#endif
