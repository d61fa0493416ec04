#include "cli/audit_ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/when.h"
#include "facts/audit_who.h"
#include "net/fetch.h"
#include "policy/rules_file.h"
#include "store/rules_mark.h"

enum {
    PAGE = 1000,
    ARCHIVE_MS = 3600000 /* to read all of an archive */
};

void
audit_question_clear(struct audit_question *q)
{
    buf_clear(&q->query);
}

bool
audit_question_set(const struct call *call, struct audit_question *q, const char *name,
    const char *value)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (audit_filter_set(&q->filter, name, value, &err) != MAUTH_OK) {
        (void)command_misused(call, "--%s", err.text);
        return false;
    }
    buf_printf(&q->query, "%s%s=", q->query.len ? "&" : "", name);
    fetch_form_escape(&q->query, value, strlen(value));
    return true;
}

enum command_exit
audit_limit_read(
    const struct call *call, const char *value, uint64_t max, uint64_t *out)
{
    uint64_t limit;

    if (!value)
        return COMMAND_DONE;
    if (!str_number(text_of(value), &limit) || limit < 1 || limit > max)
        return command_misused(call, "--limit: a number from 1 to %" PRIu64, max);
    *out = limit;
    return COMMAND_DONE;
}

/* A time, a day, or how long ago; out is as the service reads it. Complains itself. */
static bool
read_time(const struct call *call, size_t option, char out[TIME_LEN + 1])
{
    const char *value = call->option[option];
    int64_t t_s;

    if (!when_read(value, time_now_s(), WHEN_AGO, &t_s)) {
        (void)command_misused(call,
            "--%s: \"%s\" is neither a time like 2026-11-22 or 2026-11-22T10:05:00Z "
            "nor "
            "an age like 90m, 12h or 7d",
            call->command->options[option].name, value);
        return false;
    }
    time_format(t_s, out);
    return true;
}

enum command_exit
audit_question_read(const struct call *call, struct audit_question *out)
{
    memset(out, 0, sizeof(*out));
    buf_init(&out->query);
    for (size_t i = AUDIT_OPT_FIELD; i < AUDIT_OPTIONS; i++) {
        const char *name = call->command->options[i].name, *value = call->option[i];

        char *time = i == AUDIT_OPT_SINCE ? out->since : out->until;
        bool is_time = i == AUDIT_OPT_SINCE || i == AUDIT_OPT_UNTIL;

        if (!value)
            continue;
        if (is_time && !read_time(call, i, time))
            return COMMAND_USAGE;
        if (!audit_question_set(call, out, name, is_time ? time : value))
            return COMMAND_USAGE;
    }
    return COMMAND_DONE;
}

static enum mauth_rc
open_store(struct audit_source *s, struct mauth_err *err)
{
    enum mauth_rc rc = kv_open(s->admin.config->store, KV_OPEN, &s->kv, err);

    if (rc == MAUTH_OK && audit_indexing_open(s->kv, true, &s->index, NULL) != MAUTH_OK)
        s->index = NULL; /* it takes longer without */
    return rc;
}

enum command_exit
audit_source_open(const struct call *call, struct audit_source *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;

    memset(out, 0, sizeof(*out));
    code = admin_open(call, call->option[AUDIT_OPT_CONFIG], &out->admin);
    if (code != COMMAND_DONE || out->admin.served)
        return code;
    if (open_store(out, &err) == MAUTH_OK)
        return COMMAND_DONE;
    command_complain(call, "%s", err.text);
    return COMMAND_FAILED; /* also when it is not there */
}

void
audit_source_close(struct audit_source *s)
{
    audit_index_close(s->index);
    kv_close(s->kv);
    admin_close(&s->admin);
}

/* Asking meshauthd: pages, one after the other. */

static enum mauth_rc
get_page(struct audit_source *s, struct buf *path, json_t **out, struct mauth_err *err)
{
    struct admin_request r = {
        .method = "GET", .path = buf_cstr(path), .timeout_ms = ARCHIVE_MS};
    enum mauth_rc rc;

    *out = NULL;
    if (!r.path)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = admin_ask(&s->admin, &r, out, err);
    if (rc == MAUTH_OK && !json_is_array(json_object_get(*out, "items")))
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "the service's answer is no list");
    return rc;
}

/* The path of the next page, from the URL that the last one had; empty: it was the last. */
static void
go_on(struct buf *path, const json_t *page)
{
    const char *next = json_string_value(json_object_get(page, "next"));
    const char *at = next ? strstr(next, "/v1/audit?") : NULL;

    buf_rewind(path);
    if (at)
        buf_str(path, at);
}

static void
note_looked(struct audit_source *s, const json_t *page)
{
    s->looked.in_store.first =
        (uint64_t)json_integer_value(json_object_get(page, "first"));
    s->looked.in_store.next =
        (uint64_t)json_integer_value(json_object_get(page, "size"));
    s->looked.missing += (uint64_t)json_integer_value(json_object_get(page, "missing"));
}

/* How many are wanted still. */
static uint64_t
hand_out_page(const json_t *page, uint64_t left, audit_ask_each *each, void *arg)
{
    const json_t *items = json_object_get(page, "items");

    for (size_t i = 0; i < json_array_size(items) && left; i++)
        left = each(json_array_get(items, i), arg) ? left - 1 : 0;
    return left;
}

static enum mauth_rc
ask_service(struct audit_source *s, struct audit_question *q, uint64_t limit,
    audit_ask_each *each, void *arg, struct mauth_err *err)
{
    uint64_t left = limit ? limit : UINT64_MAX;
    enum mauth_rc rc = MAUTH_OK;
    struct buf path;

    buf_init(&path);
    buf_printf(&path, "/v1/audit?limit=%" PRIu64, left < PAGE ? left : PAGE);
    if (q->query.len)
        buf_u8(&path, '&');
    buf_text(&path, buf_slice(&q->query));
    while (rc == MAUTH_OK && path.len && left) {
        json_t *page = NULL;

        rc = get_page(s, &path, &page, err);
        note_looked(s, page);
        go_on(&path, page);
        if (rc == MAUTH_OK)
            left = hand_out_page(page, left, each, arg);
        json_decref(page);
    }
    buf_clear(&path);
    return rc;
}

enum mauth_rc
audit_ask_page(struct audit_source *s, struct audit_question *q, audit_ask_each *each,
    void *arg, struct mauth_err *err)
{
    json_t *page = NULL;
    enum mauth_rc rc;
    struct buf path;

    buf_init(&path);
    buf_str(&path, "/v1/audit?");
    buf_text(&path, buf_slice(&q->query));
    s->looked = (struct audit_looked){.missing = 0};
    rc = get_page(s, &path, &page, err);
    note_looked(s, page);
    if (rc == MAUTH_OK)
        (void)hand_out_page(page, UINT64_MAX, each, arg);
    json_decref(page);
    buf_clear(&path);
    return rc;
}

/* Asking the store, while no service has it. */

struct reading {
    struct audit_entry *entry; /* the question is on record before its answer */
    audit_ask_each *each;
    void *arg;
    bool failed;
};

static enum mauth_rc
record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

static enum mauth_rc
put_on_record(struct audit_source *s, struct buf *what, struct mauth_err *err)
{
    const char *query = buf_cstr(what);
    struct audit_record who = {.client = "local"};
    struct audit_entry *e = NULL;
    enum mauth_rc rc;
    char actor[32];

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    who.actor = actor;
    if (!query)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = audit_question_entry(&who, query, NULL, &e, err);
    if (rc == MAUTH_OK)
        rc = kv_write(s->kv, record, e, err);
    audit_entry_free(e);
    return rc;
}

static bool
hand_out(uint64_t sequence, struct text json, void *arg)
{
    struct reading *r = arg;
    json_t *o = json_loadb(json.p, json.len, 0, NULL);
    bool more;

    (void)sequence;
    r->failed = !o;
    more = o && r->each(o, r->arg);
    json_decref(o);
    return more;
}

static enum mauth_rc
ask_store(struct audit_source *s, struct audit_question *q, uint64_t limit,
    audit_ask_each *each, void *arg, struct mauth_err *err)
{
    struct reading r = {.each = each, .arg = arg};
    struct audit_filter f = q->filter;
    enum mauth_rc rc;

    if (limit && limit != AUDIT_LIMIT_DEFAULT)
        buf_printf(&q->query, "%slimit=%" PRIu64, q->query.len ? "&" : "", limit);
    rc = put_on_record(s, &q->query, err);

    f.limit = limit ? limit : UINT64_MAX;
    if (rc == MAUTH_OK)
        rc = audit_find(s->kv, s->index, &f, hand_out, &r, &s->looked, err);
    if (rc == MAUTH_OK && r.failed)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory, or a damaged record");
    return rc;
}

enum mauth_rc
audit_ask(struct audit_source *s, struct audit_question *q, uint64_t limit,
    audit_ask_each *each, void *arg, struct mauth_err *err)
{
    s->looked = (struct audit_looked){.missing = 0};
    return s->admin.served ? ask_service(s, q, limit, each, arg, err)
                           : ask_store(s, q, limit, each, arg, err);
}

/* Counting. */

static json_t *
row_of(struct kv *kv, const struct audit_tally *t, size_t i, struct mauth_err *err)
{
    json_t *row = NULL;
    struct buf b;

    buf_init(&b);
    buf_str(&b, "{\"value\":\"");
    if (audit_count_label(kv, t, &t->row[i], &b, err) == MAUTH_OK) {
        buf_printf(&b, "\",\"count\":%" PRIu64 "}", t->row[i].count);
        row = json_loadb((const char *)b.data, b.len, 0, NULL);
    }
    buf_clear(&b);
    return row;
}

static enum mauth_rc
count_store(struct audit_source *s, struct audit_question *q, const char *by,
    uint64_t limit, json_t **out, struct mauth_err *err)
{
    static const uint8_t no_key[SIPHASH_KEY];
    json_t *items = json_array();
    struct audit_tally t;
    enum mauth_rc rc;

    audit_tally_init(
        &t, audit_by_of(by), s->index ? audit_index_key(s->index) : no_key);
    rc = put_on_record(s, &q->query, err);
    if (rc == MAUTH_OK)
        rc = audit_count(s->kv, s->index, &q->filter, &t, err);
    for (size_t i = 0; rc == MAUTH_OK && i < t.rows && i < limit; i++)
        if (json_array_append_new(items, row_of(s->kv, &t, i, err)) != 0)
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        *out = json_pack("{s:O, s:I, s:I, s:I}", "items", items, "first",
            (json_int_t)t.first, "kinds", (json_int_t)t.rows, "total",
            (json_int_t)t.total);
    audit_tally_clear(&t);
    json_decref(items);
    return rc;
}

enum mauth_rc
audit_ask_counts(struct audit_source *s, struct audit_question *q, const char *by,
    uint64_t limit, json_t **out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf path;

    *out = NULL;
    if (!s->admin.served)
        return count_store(s, q, by, limit, out, err);
    buf_init(&path);
    buf_printf(&path, "/v1/audit/count?by=%s&limit=%" PRIu64 "%s", by, limit,
        q->query.len ? "&" : "");
    buf_text(&path, buf_slice(&q->query));
    rc = get_page(s, &path, out, err);
    buf_clear(&path);
    return rc;
}

/* Who had which right in a folder. */

static enum mauth_rc
check_rules(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return rules_mark_check(txn, mauth_rules_hash(arg), err);
}

/* NULL when others than those of the file were in force last. */
static enum mauth_rc
read_rules(struct audit_source *s, struct mauth_rules **out, struct mauth_err *err)
{
    enum mauth_rc rc = rules_file_read(s->admin.config->rules_file, out, err);

    if (rc == MAUTH_OK)
        rc = kv_read(s->kv, check_rules, *out, err);
    if (rc == MAUTH_OK)
        return rc;
    mauth_rules_free(*out);
    *out = NULL;
    return rc == MAUTH_CONFLICT ? MAUTH_OK : rc;
}

static enum mauth_rc
who_in_store(struct audit_source *s, const struct id *folder, const char *at,
    struct buf *json, struct mauth_err *err)
{
    struct audit_who who = {.kv = s->kv,
        .index = s->index,
        .issuer = s->admin.config->issuer.url,
        .folder = *folder,
        .at_s = time_now_s(),
        .now = !at};
    struct mauth_rules *rules = NULL;
    enum mauth_rc rc = read_rules(s, &rules, err);

    if (rc == MAUTH_OK && at && !time_parse(at, strlen(at), &who.at_s))
        rc = mauth_fail(err, MAUTH_INVALID, "%s: no time", at);
    who.rules = rules;
    if (rc == MAUTH_OK)
        rc = audit_who_write(&who, json, err);
    mauth_rules_free(rules);
    return rc;
}

static enum mauth_rc
who_of_store(struct audit_source *s, const struct id *folder, const char *at,
    struct buf *query, json_t **out, struct mauth_err *err)
{
    enum mauth_rc rc = put_on_record(s, query, err);
    struct buf json;

    buf_init(&json);
    if (rc == MAUTH_OK)
        rc = who_in_store(s, folder, at, &json, err);
    if (rc == MAUTH_OK)
        *out = json_loadb((const char *)json.data, json.len, 0, NULL);
    if (rc == MAUTH_OK && !*out)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&json);
    return rc;
}

static enum mauth_rc
who_of_service(
    struct audit_source *s, struct buf *query, json_t **out, struct mauth_err *err)
{
    struct admin_request r = {.method = "GET", .timeout_ms = ARCHIVE_MS};
    enum mauth_rc rc;
    struct buf path;

    buf_init(&path);
    buf_str(&path, "/v1/audit/who?");
    buf_text(&path, buf_slice(query));
    r.path = buf_cstr(&path);
    if (r.path)
        rc = admin_ask(&s->admin, &r, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&path);
    return rc;
}

enum mauth_rc
audit_ask_who(struct audit_source *s, const struct id *folder, const char *at,
    json_t **out, struct mauth_err *err)
{
    char id[ID_LEN + 1];
    struct buf query;
    enum mauth_rc rc;

    *out = NULL;
    id_format(ID_FOLDER, folder, id);
    buf_init(&query);
    buf_printf(&query, "folder=%s%s%s", id, at ? "&at=" : "", at ? at : "");
    rc = s->admin.served ? who_of_service(s, &query, out, err)
                         : who_of_store(s, folder, at, &query, out, err);
    buf_clear(&query);
    return rc;
}
