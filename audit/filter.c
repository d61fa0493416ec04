#include "audit/filter.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"

const char *const audit_query_filters[] = {"since", "until", "actor", "action",
    "outcome", "reason", "ticket", "session", "limit", NULL};

static enum mauth_rc
set_time(const char *name, const char *value, int64_t *out_us, struct mauth_err *err)
{
    char quoted[64];
    int64_t t_s;

    if (!time_parse(value, strlen(value), &t_s))
        return mauth_fail(err, MAUTH_INVALID,
            "%s: \"%s\" is no time like 2026-11-22T10:05:00Z", name,
            mauth_quote(value, strlen(value), quoted, sizeof(quoted)));
    *out_us = t_s * 1000000;
    return MAUTH_OK;
}

static enum mauth_rc
set_limit(const char *value, uint64_t *out, struct mauth_err *err)
{
    char quoted[64];
    uint64_t limit;

    if (!str_number(text_of(value), &limit) || limit < 1 ||
        limit > AUDIT_QUERY_LIMIT_MAX)
        return mauth_fail(err, MAUTH_INVALID, "limit: \"%s\" is no number from 1 to %d",
            mauth_quote(value, strlen(value), quoted, sizeof(quoted)),
            AUDIT_QUERY_LIMIT_MAX);
    *out = limit;
    return MAUTH_OK;
}

static enum mauth_rc
set_outcome(const char *value, const char **out, struct mauth_err *err)
{
    static const char *const outcomes[] = {"allow", "deny", "done"};
    char quoted[64];

    for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
        if (strcmp(outcomes[i], value) == 0) {
            *out = value;
            return MAUTH_OK;
        }
    return mauth_fail(err, MAUTH_INVALID,
        "outcome: \"%s\" is none of allow, deny and done",
        mauth_quote(value, strlen(value), quoted, sizeof(quoted)));
}

enum mauth_rc
audit_query_set(
    struct audit_filter *f, const char *name, const char *value, struct mauth_err *err)
{
    const struct {
        const char *name;
        const char **field;
    } texts[] = {{"actor", &f->actor}, {"action", &f->action}, {"reason", &f->reason},
        {"ticket", &f->ticket}, {"session", &f->session}};
    char quoted[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].field = value;
            return MAUTH_OK;
        }
    if (strcmp(name, "since") == 0)
        return set_time(name, value, &f->since_us, err);
    if (strcmp(name, "until") == 0)
        return set_time(name, value, &f->until_us, err);
    if (strcmp(name, "outcome") == 0)
        return set_outcome(value, &f->outcome, err);
    if (strcmp(name, "limit") == 0)
        return set_limit(value, &f->limit, err);
    return mauth_fail(err, MAUTH_INVALID, "\"%s\" is no filter of the audit log",
        mauth_quote(name, strlen(name), quoted, sizeof(quoted)));
}

enum mauth_rc
audit_query_entry(uid_t uid, const char *query, const char *client, const char *request,
    struct audit_entry **out, struct mauth_err *err)
{
    char actor[32];
    struct audit_record r = {
        .time_us = time_now_us(),
        .actor = actor,
        .action = "audit.query",
        .resources = {query},
        .resource_count = *query ? 1 : 0,
        .outcome = "allow",
        .client = client,
        .request = request,
    };

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)uid);
    return audit_entry_new(&r, out, err);
}
