/*
 * What a service's updater hands back (POST /v1/audit/decisions), read strictly: entries
 * of one journal (verifier/journal.h), tickets that were accepted or decisions.
 */
#ifndef AUTHSVC_DECISIONS_BODY_H
#define AUTHSVC_DECISIONS_BODY_H

#include "authsvc/json_body.h"
#include "store/audit.h"
#include "store/issued.h"

enum {
    DECISIONS_BODY_MAX = 128 * 1024, /* bytes */
    DECISIONS_ACCEPTED = 256,
    DECISIONS_RECORDS = 32,
    DECISIONS_ARGS = 4,
    DECISIONS_KEY = 16 /* characters of a key's id */
};

struct accepted_entry {
    const char *key; /* all texts are the body's */
    const char *time;
    int64_t time_s;
};

struct decision_entry {
    uint64_t number;
    const char *time;
    bool allowed;
    const char *action;
    const char *arg[DECISIONS_ARGS];
    size_t args;
    const char *reason, *rule, *subject, *holder, *session, *ticket, *key; /* or NULL */
    uint8_t digest[HASH_LEN];
    bool has_digest;
};

struct decisions_body {
    struct json_body json;
    uint8_t journal[16];
    uint64_t lost; /* entries that nobody has read */
    /* The tickets, none twice, and what else is said of each. */
    size_t tickets;
    struct issued_ticket ticket[DECISIONS_ACCEPTED];
    struct accepted_entry accepted[DECISIONS_ACCEPTED];
    size_t decisions;
    struct decision_entry decision[DECISIONS_RECORDS];
};

/* NULL, or "body" or "private-key", and json.detail says what is wrong. To be cleared by
 * decisions_body_clear() in either case. */
const char *decisions_body_parse(struct text text, struct decisions_body *out);
void decisions_body_clear(struct decisions_body *b);

/* The record of one; its other members are the caller's. note has room for it. */
enum {
    DECISIONS_NOTE = 64
};
void decision_record(const struct decision_entry *d, struct audit_record *out,
    char note[DECISIONS_NOTE]);

#endif
