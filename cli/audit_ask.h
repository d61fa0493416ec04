/*
 * Questions to the audit log, as the `audit` commands ask them: of meshauthd while it
 * runs, else of the store. Either way the question is on record before its answer.
 */
#ifndef CLI_AUDIT_ASK_H
#define CLI_AUDIT_ASK_H

#include "base/id.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "store/audit_find.h"
#include "store/audit_indexing.h"

/* -c, then the fields and the times: the first options of each command. */
enum {
    AUDIT_OPT_CONFIG,
    AUDIT_OPT_FIELD,
    AUDIT_OPT_SINCE = AUDIT_OPT_FIELD + AUDIT_FIELDS,
    AUDIT_OPT_UNTIL,
    AUDIT_OPT_SEQUENCE,
    AUDIT_OPTIONS
};

/* To be written into a table of options, which goes on behind it. */
#define AUDIT_OPTION_ROWS                                                        \
    {"config", 'c', "FILE", "meshauth.conf of the service (required)"},          \
        {"action", 0, "NAME", "login, ticket.issue, member.role, refused, ..."}, \
        {"actor", 0, "WHO", "who did it: usr_..., svc_..., uid:0, meshauthd"},   \
        {"client", 0, "ADDRESS", "from where"},                                  \
        {"device", 0, "DEV", "with or about this device"},                       \
        {"folder", 0, "FLD", "about this folder"},                               \
        {"key", 0, "KEY", "signed by this key, or about it"},                    \
        {"outcome", 0, "NAME", "allow, deny, done"},                             \
        {"reason", 0, "NAME", "why it was refused"},                             \
        {"request", 0, "ID", "the request id that the log and the answer have"}, \
        {"rule", 0, "TEXT", "allowed by this rule"},                             \
        {"service", 0, "SVC", "by or about this service"},                       \
        {"session", 0, "SES", "in this session"},                                \
        {"ticket", 0, "ID", "about this ticket"},                                \
        {"user", 0, "USR", "by or about this user"},                             \
        {"since", 0, "TIME", "from 2026-11-22[T10:05:00Z] on; 90m, 7d: ago"},    \
        {"until", 0, "TIME", "before this time"},                                \
    {                                                                            \
        "sequence", 0, "N", "the one with this number"                           \
    }

struct audit_question {
    struct audit_filter filter;
    char since[TIME_LEN + 1], until[TIME_LEN + 1]; /* as the service reads them */
    struct buf query;                              /* as in a URL */
};

/* From the options; complains itself. audit_question_clear() it in either case. */
enum command_exit audit_question_read(
    const struct call *call, struct audit_question *out);
void audit_question_clear(struct audit_question *q);
/* --limit, of 1 to max; *out stays as it is when it was not given. Complains itself. */
enum command_exit audit_limit_read(
    const struct call *call, const char *value, uint64_t max, uint64_t *out);
/* One more filter; false: it is not of its form, which command_misused() was told. */
bool audit_question_set(const struct call *call, struct audit_question *q,
    const char *name, const char *value);

/* The service or the store, whichever is there. */
struct audit_source {
    struct admin admin;
    struct kv *kv; /* when no service has it */
    struct audit_index *index;
    struct audit_looked looked; /* at the last question for records */
};

/* Complains itself; audit_source_close() it in either case. */
enum command_exit audit_source_open(const struct call *call, struct audit_source *out);
void audit_source_close(struct audit_source *s);

/*
 * The records that fit, in the order of the filter, as many as limit (0: all that there
 * are). each gets a borrowed object, and may stop it by returning false.
 */
typedef bool audit_ask_each(json_t *record, void *arg);
MAUTH_MUST_USE enum mauth_rc audit_ask(struct audit_source *s, struct audit_question *q,
    uint64_t limit, audit_ask_each *each, void *arg, struct mauth_err *err);

/* One page of what meshauthd answers to exactly this query. */
MAUTH_MUST_USE enum mauth_rc audit_ask_page(struct audit_source *s,
    struct audit_question *q, audit_ask_each *each, void *arg, struct mauth_err *err);

/* {"items":[{"value","count"}],"kinds":N,"total":N,"first":N} */
MAUTH_MUST_USE enum mauth_rc audit_ask_counts(struct audit_source *s,
    struct audit_question *q, const char *by, uint64_t limit, json_t **out,
    struct mauth_err *err);

/* Who had which right in the folder at this time (NULL: now), as `GET /v1/audit/who`
 * answers. */
MAUTH_MUST_USE enum mauth_rc audit_ask_who(struct audit_source *s,
    const struct id *folder, const char *at, json_t **out, struct mauth_err *err);

#endif
