#include "audit/terms.h"

#include <string.h>

#include "audit/record.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"

enum {
    PREFIX_LEN = 4, /* "usr_" */
    /* In a text, which ends in "..." when it was cut; an id may end with letters that the
     * next one begins with. */
    IDS = (AUDIT_FIELD_MAX + 3) / (ID_LEN - PREFIX_LEN + 1) + 1
};

_Static_assert(AUDIT_TERMS_MAX >= AUDIT_FIELDS + (1 + AUDIT_RESOURCES) * IDS,
    "the ids of an actor and of all resources must fit");

const char *const audit_field_names[AUDIT_FIELDS] = {"action", "actor", "client",
    "device", "folder", "key", "outcome", "reason", "request", "rule", "service",
    "session", "ticket", "user"};

enum audit_field
audit_field_of(const char *name)
{
    int f = 0;

    while (f < AUDIT_FIELDS && strcmp(audit_field_names[f], name) != 0)
        f++;
    return (enum audit_field)f;
}

bool
audit_terms_have(const struct audit_terms *t, enum audit_field field, struct text value)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->term[i].field == field && text_equal(t->term[i].value, value))
            return true;
    return false;
}

static void
add(struct audit_terms *t, enum audit_field field, struct text value)
{
    if (t->count == AUDIT_TERMS_MAX || audit_terms_have(t, field, value))
        return;
    t->term[t->count++] = (struct audit_term){field, value};
}

/* The field that an id of this kind is found by; AUDIT_FIELDS: by none. */
static enum audit_field
field_of_kind(enum id_kind kind)
{
    switch (kind) {
    case ID_USER: return AUDIT_USER;
    case ID_DEVICE: return AUDIT_DEVICE;
    case ID_FOLDER: return AUDIT_FOLDER;
    case ID_SERVICE: return AUDIT_SERVICE;
    default: return AUDIT_FIELDS;
    }
}

/* Each id within a text: one by itself, or a segment of a URL. */
static void
add_ids(struct audit_terms *t, struct text in)
{
    for (size_t at = PREFIX_LEN - 1; at + ID_LEN - PREFIX_LEN < in.len; at++) {
        const char *hit = memchr(in.p + at, '_', in.len - at);
        enum audit_field field;
        struct text id;

        if (!hit)
            return;
        at = (size_t)(hit - in.p);
        if (in.len - at < ID_LEN - PREFIX_LEN + 1)
            return;
        id = (struct text){hit - (PREFIX_LEN - 1), ID_LEN};
        field = field_of_kind(id_kind_of(id.p, id.len));
        if (field != AUDIT_FIELDS)
            add(t, field, id);
    }
}

/* A string of ours, from behind its first quote; its last one is taken too. */
static struct text
read_string(struct reader *r)
{
    struct text s = {(const char *)r->p, 0};

    while (s.len < r->left && s.p[s.len] != '"')
        s.len += s.p[s.len] == '\\' ? 2 : 1;
    if (s.len >= r->left)
        r->failed = true;
    else
        (void)reader_bytes(r, s.len + 1);
    return s;
}

static void
read_list(struct reader *r, struct audit_terms *t)
{
    /* What a question to the log is about is not what its record is about: it would
     * always find itself. ("action" is the first member.) */
    bool asks = audit_terms_have(t, AUDIT_ACTION, text_of("audit.query"));
    struct text s;

    do {
        reader_expect(r, "\"", 1);
        if (!reader_ok(r))
            return;
        s = read_string(r);
        if (!asks)
            add_ids(t, s);
    } while (reader_accept(r, ",", 1));
    reader_expect(r, "]", 1);
}

static struct text
read_number(struct reader *r)
{
    struct text digits = {(const char *)r->p, 0};

    while (digits.len < r->left && digits.p[digits.len] >= '0' &&
           digits.p[digits.len] <= '9')
        digits.len++;
    if (!digits.len)
        r->failed = true;
    (void)reader_bytes(r, digits.len);
    return digits;
}

/* What one member says, from behind its colon. */
static void
read_member(struct reader *r, struct text name, struct audit_terms *t)
{
    struct text value;

    if (reader_accept(r, "[", 1)) {
        read_list(r, t);
        return;
    }
    if (!reader_accept(r, "\"", 1)) {
        value = read_number(r);
        if (text_is(name, "sequence") && !str_number(value, &t->sequence))
            r->failed = true;
        return;
    }
    value = read_string(r);
    if (!reader_ok(r))
        return;
    if (text_is(name, "time")) {
        if (!audit_time_parse(value, &t->time_us))
            r->failed = true;
        return;
    }
    for (int f = 0; f < AUDIT_FIELDS; f++)
        if (name.len && *name.p == *audit_field_names[f] &&
            text_is(name, audit_field_names[f])) {
            add(t, (enum audit_field)f, value);
            break;
        }
    if (text_is(name, "actor"))
        add_ids(t, value);
}

bool
audit_terms_read(struct text record, struct audit_terms *out)
{
    struct reader r;
    struct text name;

    out->time_us = 0;
    out->sequence = 0;
    out->count = 0;
    reader_init(&r, record.p, record.len);
    reader_expect(&r, "{", 1);
    do {
        reader_expect(&r, "\"", 1);
        if (!reader_ok(&r))
            return false;
        name = read_string(&r);
        reader_expect(&r, ":", 1);
        if (reader_ok(&r))
            read_member(&r, name, out);
    } while (reader_accept(&r, ",", 1));
    reader_expect(&r, "}", 1);
    return reader_done(&r);
}

bool
audit_terms_are_of_issue(const struct audit_terms *t)
{
    static const char *const actions[] = {"login", "ticket.issue", "ticket.renew"};

    if (!audit_terms_have(t, AUDIT_OUTCOME, text_of("allow")))
        return false;
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (audit_terms_have(t, AUDIT_ACTION, text_of(actions[i])))
            return true;
    return false;
}
