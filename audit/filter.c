#include "audit/filter.h"

#include <string.h>

#include "audit/action.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"

const char *const audit_filter_names[] = {"action", "actor", "client", "device",
    "folder", "key", "outcome", "reason", "request", "rule", "service", "session",
    "ticket", "user", "since", "until", "sequence", "order", "after", "limit",
    "archive", NULL};

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

    if (!str_number(text_of(value), &limit) || limit < 1 || limit > AUDIT_LIMIT_MAX)
        return mauth_fail(err, MAUTH_INVALID, "limit: \"%s\" is no number from 1 to %d",
            mauth_quote(value, strlen(value), quoted, sizeof(quoted)), AUDIT_LIMIT_MAX);
    *out = limit;
    return MAUTH_OK;
}

static enum mauth_rc
set_sequence(const char *name, const char *value, bool *has, uint64_t *out,
    struct mauth_err *err)
{
    char quoted[64];

    *has = str_number(text_of(value), out);
    if (*has)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID, "%s: \"%s\" is no sequence number", name,
        mauth_quote(value, strlen(value), quoted, sizeof(quoted)));
}

static enum mauth_rc
set_order(const char *value, bool *oldest_first, struct mauth_err *err)
{
    char quoted[64];

    *oldest_first = strcmp(value, "oldest") == 0;
    if (*oldest_first || strcmp(value, "newest") == 0)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID, "order: \"%s\" is neither newest nor oldest",
        mauth_quote(value, strlen(value), quoted, sizeof(quoted)));
}

static enum mauth_rc
set_archive(const char *value, bool *out, struct mauth_err *err)
{
    char quoted[64];

    *out = strcmp(value, "true") == 0;
    if (*out || strcmp(value, "false") == 0)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_INVALID, "archive: \"%s\" is neither true nor false",
        mauth_quote(value, strlen(value), quoted, sizeof(quoted)));
}

/* An id that is none would find nothing, and look like an all-clear. */
static enum mauth_rc
set_id(struct audit_filter *f, enum audit_field field, const char *value,
    struct mauth_err *err)
{
    static const struct {
        enum audit_field field;
        enum id_kind kind;
        const char *form;
    } kinds[] = {
        {AUDIT_FOLDER, ID_FOLDER, "fld_"},
        {AUDIT_SERVICE, ID_SERVICE, "svc_"},
        {AUDIT_SESSION, ID_SESSION, "ses_"},
        {AUDIT_USER, ID_USER, "usr_"},
    };
    char quoted[64];

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (kinds[i].field == field &&
            id_kind_of(value, strlen(value)) != kinds[i].kind)
            return mauth_fail(err, MAUTH_INVALID, "%s: \"%s\" is no id like %s...",
                audit_field_names[field],
                mauth_quote(value, strlen(value), quoted, sizeof(quoted)),
                kinds[i].form);
    f->value[field] = value;
    return MAUTH_OK;
}

/* Strings of a rule have quotes, which are escaped in a record. */
static enum mauth_rc
set_rule(struct audit_filter *f, const char *value, struct mauth_err *err)
{
    char room[AUDIT_RULE_ROOM + 1]; /* with a quote at either end, but no terminator */
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    buf_json(&b, text_of(value));
    if (!buf_ok(&b))
        return mauth_fail(
            err, MAUTH_INVALID, "rule: it is longer than a record could hold");
    memcpy(f->rule, room + 1, b.len - 2);
    f->rule[b.len - 2] = '\0';
    f->value[AUDIT_RULE] = f->rule;
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

/* Nor would an action that there is not. */
static enum mauth_rc
set_action(const char *value, const char **out, struct mauth_err *err)
{
    const char *near = audit_action_near(value);
    char quoted[64];

    if (audit_action_is(value)) {
        *out = value;
        return MAUTH_OK;
    }
    mauth_quote(value, strlen(value), quoted, sizeof(quoted));
    if (near)
        return mauth_fail(err, MAUTH_INVALID,
            "action: there is no \"%s\"; \"%s\" may be meant", quoted, near);
    return mauth_fail(err, MAUTH_INVALID,
        "action: there is no \"%s\"; those that there are stand in docs/audit.md",
        quoted);
}

enum mauth_rc
audit_filter_set(
    struct audit_filter *f, const char *name, const char *value, struct mauth_err *err)
{
    enum audit_field field = audit_field_of(name);
    char quoted[64];

    if (field == AUDIT_ACTION)
        return set_action(value, &f->value[field], err);
    if (field == AUDIT_OUTCOME)
        return set_outcome(value, &f->value[field], err);
    if (field == AUDIT_RULE)
        return set_rule(f, value, err);
    if (field != AUDIT_FIELDS)
        return set_id(f, field, value, err);
    if (strcmp(name, "since") == 0)
        return set_time(name, value, &f->since_us, err);
    if (strcmp(name, "until") == 0)
        return set_time(name, value, &f->until_us, err);
    if (strcmp(name, "order") == 0)
        return set_order(value, &f->oldest_first, err);
    if (strcmp(name, "after") == 0)
        return set_sequence(name, value, &f->has_after, &f->after, err);
    if (strcmp(name, "sequence") == 0)
        return set_sequence(name, value, &f->has_sequence, &f->sequence, err);
    if (strcmp(name, "limit") == 0)
        return set_limit(value, &f->limit, err);
    if (strcmp(name, "archive") == 0)
        return set_archive(value, &f->archive, err);
    return mauth_fail(err, MAUTH_INVALID, "\"%s\" is no filter of the audit log",
        mauth_quote(name, strlen(name), quoted, sizeof(quoted)));
}

bool
audit_filter_fits(const struct audit_filter *f, const struct audit_terms *t)
{
    if (t->time_us < f->since_us || (f->until_us && t->time_us >= f->until_us) ||
        (f->has_sequence && t->sequence != f->sequence))
        return false;
    for (int i = 0; i < AUDIT_FIELDS; i++)
        if (f->value[i] &&
            !audit_terms_have(t, (enum audit_field)i, text_of(f->value[i])))
            return false;
    return true;
}

enum mauth_rc
audit_question_entry(const struct audit_record *who, const char *query,
    const char *rule, struct audit_entry **out, struct mauth_err *err)
{
    struct audit_record r = *who;

    if (strlen(query) > AUDIT_FIELD_MAX || (rule && strlen(rule) > AUDIT_FIELD_MAX))
        return mauth_fail(err, MAUTH_TOO_LARGE,
            "the question is longer than its record can hold, %d bytes",
            AUDIT_FIELD_MAX);
    r.time_us = time_now_us();
    r.action = "audit.query";
    r.outcome = "allow";
    if (*query)
        r.resources[r.resource_count++] = query;
    if (rule)
        r.resources[r.resource_count++] = rule;
    return audit_entry_new(&r, out, err);
}
