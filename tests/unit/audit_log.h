/* What is on record, newest first, each record as parsed JSON. */
#ifndef TESTS_AUDIT_LOG_H
#define TESTS_AUDIT_LOG_H

#include <stdbool.h>

#include <jansson.h>

#include "store/audit_find.h"
#include "tests/unit/unit.h"

struct audit_log {
    size_t count;
    json_t *record[1024];
};

static inline bool
audit_log_take(uint64_t sequence, struct text json, void *arg)
{
    struct audit_log *log = arg;

    (void)sequence;
    assert_true(log->count < COUNT(log->record));
    log->record[log->count] =
        json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(log->record[log->count++]);
    return true;
}

static inline void
audit_log_read(struct audit_log *log, struct kv *kv)
{
    const struct audit_filter all = {.limit = COUNT(log->record)};

    memset(log, 0, sizeof(*log));
    assert_int_equal(
        audit_find(kv, NULL, &all, audit_log_take, log, NULL, NULL), MAUTH_OK);
}

static inline void
audit_log_clear(struct audit_log *log)
{
    while (log->count)
        json_decref(log->record[--log->count]);
}

/* "" when the record has no such member, or not a text. */
static inline const char *
audit_log_text(const struct audit_log *log, size_t i, const char *name)
{
    const char *text;

    assert_true(i < log->count);
    text = json_string_value(json_object_get(log->record[i], name));
    return text ? text : "";
}

/* "" when there are not so many. */
static inline const char *
audit_log_resource(const struct audit_log *log, size_t i, size_t n)
{
    const char *text;

    assert_true(i < log->count);
    text = json_string_value(
        json_array_get(json_object_get(log->record[i], "resources"), n));
    return text ? text : "";
}

#endif
