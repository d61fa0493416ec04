/*
 * What a record of the audit log can be found by. Pure, without allocation; thread-safe.
 */
#ifndef AUDIT_TERMS_H
#define AUDIT_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* In the order of their names, which are also those of filters (docs/audit.md). */
enum audit_field {
    AUDIT_ACTION,
    AUDIT_ACTOR,
    AUDIT_CLIENT,
    AUDIT_DEVICE, /* the member, and each dev_... that the record is about */
    AUDIT_FOLDER, /* each fld_... that it is about */
    AUDIT_KEY,
    AUDIT_OUTCOME,
    AUDIT_REASON,
    AUDIT_REQUEST,
    AUDIT_RULE,
    AUDIT_SERVICE, /* each svc_..., whether it acted or was meant */
    AUDIT_SESSION,
    AUDIT_TICKET,
    AUDIT_USER, /* each usr_..., likewise */
    AUDIT_FIELDS
};

extern const char *const audit_field_names[AUDIT_FIELDS];

/* Value: as it stands between the quotes of the record; none twice in one record. */
struct audit_term {
    enum audit_field field;
    struct text value;
};

enum {
    AUDIT_TERMS_MAX = 400 /* of any record: nobody hides one among others */
};

struct audit_terms {
    int64_t time_us;
    uint64_t sequence;
    size_t count;
    struct audit_term term[AUDIT_TERMS_MAX];
};

/*
 * Reads a record as audit/record writes it; the terms are slices of it. False when it is
 * not of that form: it is damaged.
 */
MAUTH_MUST_USE bool audit_terms_read(struct text record, struct audit_terms *out);

/* Does the record have this term? */
bool audit_terms_have(
    const struct audit_terms *t, enum audit_field field, struct text value);

/* Did a ticket leave? Then it is this record that knows its ID and digest. */
bool audit_terms_are_of_issue(const struct audit_terms *t);

/* By name; AUDIT_FIELDS: there is none of that name. */
enum audit_field audit_field_of(const char *name);

#endif
