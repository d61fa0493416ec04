/*
 * The list of revocations in a trust file: sets of ids, each with the number of
 * the state at which they ceased to hold together.
 *
 *     revoke N ID [ID [ID]]
 *     revoke N *
 */
#ifndef KEYS_REVOCATIONS_H
#define KEYS_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

enum {
    REVOCATION_IDS = 3
};

struct revocation {
    uint64_t n;
    size_t count; /* 0: all tickets */
    struct text id[REVOCATION_IDS];
};

struct revocations {
    struct revocation *entry; /* but for those of all tickets */
    size_t count;
    /* Which entries begin with an id: a hash table, whose rows hang together by index + 1.
     * Keyed, so that nobody can choose ids that all fall into one row. */
    uint32_t *row;
    struct revocation_link *link;
    size_t rows; /* a power of two */
    uint64_t key;
    uint64_t all_before; /* of "revoke N *" */
    uint64_t highest;    /* N of them all */
};

/* An id that tickets can mention: of a node, a session, a service or a ticket. */
MAUTH_MUST_USE bool revocation_takes(struct text id);

/* One line, without its newline; ids are slices of it. False unless it has the form. */
MAUTH_MUST_USE bool revocation_parse(struct text line, struct revocation *out);

/*
 * Read count lines, which end where r ends and are sorted bytewise. Ids are
 * slices of r's bytes. key is any number that was not known when the ids were chosen.
 * *out is to be cleared, also after a failure.
 */
MAUTH_MUST_USE enum mauth_rc revocations_read(struct reader *r, uint64_t count,
    uint64_t key, struct revocations *out, struct mauth_err *err);

void revocations_clear(struct revocations *list);

/*
 * Is there one with a number above asof, all of whose ids are among these? ids are
 * sorted bytewise, none twice.
 */
MAUTH_MUST_USE bool revocations_hit(const struct revocations *list, uint64_t asof,
    const struct text *ids, size_t count);

#endif
