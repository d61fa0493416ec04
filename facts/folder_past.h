/*
 * Who had which right in a folder once: told by the records of what changed it, taken one
 * after the other. Pure; for one thread at a time.
 */
#ifndef FACTS_FOLDER_PAST_H
#define FACTS_FOLDER_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"
#include "base/id.h"
#include "store/graph.h"

/* A member, or a device that the folder is mapped on. */
struct past_row {
    char id[ID_LEN + 1];           /* usr_... or dev_... */
    char role[GRAPH_NAME_MAX + 1]; /* of a member; "" of a device */
    char user[ID_LEN + 1];         /* whose device it is; of a member himself */
    /* The record that says so. */
    char since[AUDIT_TIME_LEN + 1];
    char actor[ID_LEN + 1];
    uint64_t sequence;
};

struct folder_past {
    char folder[ID_LEN + 1];
    bool is_told; /* from its beginning on: there was the record of its making */
    bool exists;  /* it was made, or at least changed, and not deleted */
    struct past_row *row; /* in the order in which they came */
    size_t count, cap;
};

/* The actions by which somebody or something ends everywhere, so that their records name
 * no folder; ended by NULL. */
extern const char *const folder_past_ends[];

void folder_past_init(struct folder_past *p, const struct id *folder);
void folder_past_clear(struct folder_past *p);

/*
 * The next record, as audit/record writes it: of all with the outcome "done" that name
 * the folder, or have one of the actions above, by their sequence. What changes nothing
 * is passed over.
 *
 * MAUTH_UNAVAILABLE  it is damaged
 */
MAUTH_MUST_USE enum mauth_rc folder_past_take(
    struct folder_past *p, struct text record, struct mauth_err *err);

#endif
