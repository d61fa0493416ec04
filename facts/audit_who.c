#include "facts/audit_who.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "facts/folder_past.h"
#include "policy/eval.h"

/* A record of an end, that names no folder but somebody who was in this one. */
struct end {
    uint64_t sequence;
    char *record;
};

struct work {
    const struct audit_who *what;
    struct folder_past past;
    struct buf url; /* of the folder, as rules know it */
    /* Whoever and whatever was in the folder at some time. */
    char (*name)[ID_LEN + 1];
    size_t names, names_cap;
    struct end *end; /* in their order */
    size_t ends, ends_cap, taken;
    bool archive;     /* records that have left the store are read as well ... */
    bool missing;     /* ... but some are nowhere */
    int64_t rules_us; /* when others came into force since; 0: they are the same */
    enum mauth_rc rc;
    struct mauth_err *err;
};

static void
work_clear(struct work *w)
{
    for (size_t i = 0; i < w->ends; i++)
        free(w->end[i].record);
    free(w->end);
    free(w->name);
    buf_clear(&w->url);
    folder_past_clear(&w->past);
}

/* Room for one more; false without memory. */
static bool
make_room(void **list, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 16;
    void *p;

    if (count < *cap)
        return true;
    p = realloc(*list, more * size);
    if (!p)
        return false;
    *list = p;
    *cap = more;
    return true;
}

static bool
no_memory(struct work *w)
{
    w->rc = mauth_fail(w->err, MAUTH_NO_MEMORY, "audit: no memory");
    return false;
}

/* What was done until then, the last moment included. */
static struct audit_filter
until_then(const struct work *w, enum audit_field field, const char *value)
{
    struct audit_filter f = {.oldest_first = true,
        .limit = UINT64_MAX,
        .archive = w->archive,
        .stop = w->what->stop};

    if (!w->what->now)
        f.until_us = w->what->at_s * 1000000 + 1;
    f.value[AUDIT_OUTCOME] = "done";
    f.value[field] = value;
    return f;
}

static enum mauth_rc
ask(struct work *w, const struct audit_filter *f, audit_each *each)
{
    struct audit_looked looked = {.missing = 0};
    enum mauth_rc rc =
        audit_find(w->what->kv, w->what->index, f, each, w, &looked, w->err);

    w->missing = w->missing || looked.missing;
    return rc ? rc : w->rc;
}

static enum mauth_rc
ask_about_folder(struct work *w, audit_each *each)
{
    struct audit_filter f = until_then(w, AUDIT_FOLDER, w->past.folder);

    return ask(w, &f, each);
}

/* Once through, to know whose end matters. */

static int
by_name(const void *a, const void *b)
{
    return memcmp(a, b, ID_LEN + 1);
}

static bool
is_name(const struct work *w, const char *id)
{
    return w->names &&
           bsearch(id, w->name, w->names, sizeof(*w->name), by_name) != NULL;
}

/* Of one record there are few: they are looked through as they came. */
static bool
add_name(struct work *w, struct text id)
{
    for (size_t i = w->names; i > 0 && i + 8 > w->names; i--)
        if (text_is(id, w->name[i - 1]))
            return true;
    if (!make_room((void **)&w->name, w->names, &w->names_cap, sizeof(*w->name)))
        return no_memory(w);
    memcpy(w->name[w->names], id.p, ID_LEN);
    w->name[w->names++][ID_LEN] = '\0';
    return true;
}

static bool
note_names(uint64_t sequence, struct text json, void *arg)
{
    struct audit_terms terms;
    struct work *w = arg;
    bool more = audit_terms_read(json, &terms);

    (void)sequence;
    for (size_t i = 0; i < terms.count && more; i++) {
        const struct audit_term *t = &terms.term[i];

        if ((t->field == AUDIT_USER || t->field == AUDIT_DEVICE) &&
            t->value.len == ID_LEN)
            more = add_name(w, t->value);
    }
    return more;
}

static void
sort_names(struct work *w)
{
    size_t kept = 0;

    if (w->names)
        qsort(w->name, w->names, sizeof(*w->name), by_name);
    for (size_t i = 0; i < w->names; i++)
        if (!kept || strcmp(w->name[kept - 1], w->name[i]) != 0)
            memmove(w->name[kept++], w->name[i], sizeof(*w->name));
    w->names = kept;
}

/* Their ends. */

static bool
names_one(const struct work *w, const struct audit_terms *terms)
{
    char id[ID_LEN + 1] = "";

    for (size_t i = 0; i < terms->count; i++) {
        const struct audit_term *t = &terms->term[i];

        if ((t->field != AUDIT_USER && t->field != AUDIT_DEVICE) ||
            t->value.len != ID_LEN)
            continue;
        memcpy(id, t->value.p, ID_LEN);
        if (is_name(w, id))
            return true;
    }
    return false;
}

static bool
note_end(uint64_t sequence, struct text json, void *arg)
{
    struct audit_terms terms;
    struct work *w = arg;
    char *copy;

    if (!audit_terms_read(json, &terms) || !names_one(w, &terms))
        return true;
    copy = strndup(json.p, json.len);
    if (!copy || !make_room((void **)&w->end, w->ends, &w->ends_cap, sizeof(*w->end))) {
        free(copy);
        return no_memory(w);
    }
    w->end[w->ends++] = (struct end){sequence, copy};
    return true;
}

static int
by_sequence(const void *a, const void *b)
{
    const struct end *x = a, *y = b;

    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static enum mauth_rc
gather_ends(struct work *w)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; folder_past_ends[i] && rc == MAUTH_OK; i++) {
        struct audit_filter f = until_then(w, AUDIT_ACTION, folder_past_ends[i]);

        rc = ask(w, &f, note_end);
    }
    if (w->ends)
        qsort(w->end, w->ends, sizeof(*w->end), by_sequence);
    return rc;
}

/* Once more, to be told with those ends in their places. */

static enum mauth_rc
take_ends_before(struct work *w, uint64_t sequence)
{
    enum mauth_rc rc = MAUTH_OK;

    for (; w->taken < w->ends && w->end[w->taken].sequence < sequence && rc == MAUTH_OK;
         w->taken++)
        rc = folder_past_take(&w->past, text_of(w->end[w->taken].record), w->err);
    return rc;
}

static bool
replay(uint64_t sequence, struct text json, void *arg)
{
    struct work *w = arg;

    w->rc = take_ends_before(w, sequence);
    if (w->rc == MAUTH_OK)
        w->rc = folder_past_take(&w->past, json, w->err);
    return w->rc == MAUTH_OK;
}

/* The rules of then: those of now, if no others were put in force since. */

static bool
note_rules(uint64_t sequence, struct text json, void *arg)
{
    struct audit_terms terms;
    struct work *w = arg;

    (void)sequence;
    if (audit_terms_read(json, &terms))
        w->rules_us = terms.time_us;
    return false;
}

static enum mauth_rc
find_rules(struct work *w)
{
    struct audit_filter f = {.since_us = w->what->at_s * 1000000 + 1,
        .oldest_first = true,
        .limit = 1,
        .archive = w->archive,
        .stop = w->what->stop};

    f.value[AUDIT_ACTION] = "rules.load";
    return w->what->now ? MAUTH_OK : ask(w, &f, note_rules);
}

/* Answering. */

/* May a ticket say so to a member in this role? */
static bool
may(const struct work *w, const struct past_row *row, struct text action, size_t arity)
{
    const struct fact facts[] = {
        {PREDICATE_SUBJECT, {text_of(row->id)}},
        {PREDICATE_MEMBER,
            {text_of(row->id), text_of(w->past.folder), text_of(row->role)}},
    };
    struct fact_list list = {facts, sizeof(facts) / sizeof(*facts)};
    struct fact_source source = fact_list_source(&list, SIDE_GRAPH);
    struct eval_question q = {.kind = RULE_GRANT,
        .action = action,
        .args = arity,
        .issuer = text_of(w->what->issuer)};
    const struct text url = buf_slice(&w->url);
    struct eval e;

    q.arg = &url;
    return arity == 1 && eval_decide(w->what->rules, &q, &source, &e, NULL) == MAUTH_OK;
}

static void
write_rights(const struct work *w, const struct past_row *row, struct buf *json)
{
    struct text action;
    size_t arity, count = 0;

    buf_str(json, ",\"rights\":[");
    for (size_t i = 0; rules_action(w->what->rules, RULE_GRANT, i, &action, &arity);
         i++) {
        if (!may(w, row, action, arity))
            continue;
        buf_str(json, count++ ? "," : "");
        buf_json(json, action);
    }
    buf_u8(json, ']');
}

static void
write_row(const struct work *w, const struct past_row *row, struct buf *json)
{
    buf_printf(json, "{\"%s\":\"%s\"", *row->role ? "user" : "device", row->id);
    if (*row->role) {
        buf_str(json, ",\"role\":");
        buf_json(json, text_of(row->role));
    } else {
        buf_printf(json, ",\"user\":\"%s\"", row->user);
    }
    if (*row->role && !w->rules_us && w->what->rules)
        write_rights(w, row, json);
    buf_printf(json, ",\"since\":\"%s\",\"by\":\"%s\",\"sequence\":%" PRIu64 "}",
        row->since, row->actor, row->sequence);
}

static void
write_rows(const struct work *w, bool members, struct buf *json)
{
    size_t count = 0;

    for (size_t i = 0; i < w->past.count; i++) {
        if ((w->past.row[i].role[0] != '\0') != members)
            continue;
        buf_str(json, count++ ? "," : "");
        write_row(w, &w->past.row[i], json);
    }
}

static void
write_answer(const struct work *w, struct buf *json)
{
    char at[TIME_LEN + 1], changed[AUDIT_TIME_LEN + 1];

    time_format(w->what->at_s, at);
    buf_printf(json, "{\"folder\":\"%s\",\"at\":\"%s\",\"exists\":%s,\"complete\":%s",
        w->past.folder, at, w->past.exists ? "true" : "false",
        w->past.is_told || !(w->past.exists || w->missing) ? "true" : "false");
    if (w->rules_us) {
        audit_time_format(w->rules_us, changed);
        buf_printf(json, ",\"rules_changed\":\"%s\"", changed);
    }
    buf_str(json, ",\"members\":[");
    write_rows(w, true, json);
    buf_str(json, "],\"devices\":[");
    write_rows(w, false, json);
    buf_str(json, "]}");
}

static void
work_init(
    struct work *w, const struct audit_who *what, bool archive, struct mauth_err *err)
{
    *w = (struct work){.what = what, .archive = archive, .err = err};
    folder_past_init(&w->past, &what->folder);
    buf_init(&w->url);
    buf_printf(&w->url, "%s/v1/mesh/folders/%s", what->issuer, w->past.folder);
}

static enum mauth_rc
tell(struct work *w)
{
    enum mauth_rc rc = ask_about_folder(w, note_names);

    sort_names(w);
    if (rc == MAUTH_OK && w->names)
        rc = gather_ends(w);
    if (rc == MAUTH_OK)
        rc = ask_about_folder(w, replay);
    return rc ? rc : take_ends_before(w, UINT64_MAX);
}

enum mauth_rc
audit_who_write(const struct audit_who *what, struct buf *json, struct mauth_err *err)
{
    struct audit_range there;
    struct work w;
    enum mauth_rc rc = audit_range(what->kv, &there, err);

    work_init(&w, what, false, err);
    if (rc == MAUTH_OK)
        rc = tell(&w);
    if (rc == MAUTH_OK && !w.past.is_told && there.first) {
        work_clear(&w);
        work_init(&w, what, true, err);
        rc = tell(&w);
    }
    if (rc == MAUTH_OK)
        rc = find_rules(&w);
    if (rc == MAUTH_OK)
        write_answer(&w, json);
    if (rc == MAUTH_OK && !(buf_ok(json) && buf_ok(&w.url)))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    work_clear(&w);
    return rc;
}
