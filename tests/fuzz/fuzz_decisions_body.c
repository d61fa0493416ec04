#include <stdio.h>

#include "audit/terms.h"
#include "authsvc/decisions_body.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/fuzz/fuzz.h"

static void
check_time(const char *text)
{
    char again[TIME_LEN + 1];
    int64_t time_s;

    MUST(text && time_parse(text, strlen(text), &time_s));
    time_format(time_s, again);
    MUST(strcmp(text, again) == 0);
}

static void
check_key(const char *key)
{
    MUST(!key || strlen(key) == DECISIONS_KEY);
    for (; key && *key; key++)
        MUST(strchr("0123456789abcdef", *key));
}

static void
check_ticket_id(const char *id)
{
    MUST(!id || (strlen(id) == ISSUED_ID && id[0] == '_'));
}

static void
check_tickets(const struct decisions_body *b)
{
    MUST(b->tickets <= DECISIONS_ACCEPTED);
    for (size_t i = 0; i < b->tickets; i++) {
        MUST(strlen(b->ticket[i].id) == ISSUED_ID);
        check_ticket_id(b->ticket[i].id);
        check_time(b->accepted[i].time);
        MUST(b->accepted[i].key);
        check_key(b->accepted[i].key);
        for (size_t k = 0; k < i; k++)
            MUST(strcmp(b->ticket[i].id, b->ticket[k].id) != 0);
    }
}

static void
check_id(const char *id, enum id_kind kind, enum id_kind or)
{
    enum id_kind is = id ? id_kind_of(id, strlen(id)) : kind;

    MUST(is == kind || is == or);
}

/* What goes on record can be read there. */
static void
check_record(const struct decision_entry *d)
{
    static const uint8_t salt[AUDIT_SALT];
    struct audit_record record = {.actor = "meshauthd"};
    struct audit_entry *e = NULL;
    char note[DECISIONS_NOTE];
    struct audit_terms terms;
    struct buf b;

    decision_record(d, &record, note);
    MUST(record.resource_count <= AUDIT_RESOURCES);
    MUST(audit_entry_salted(&record, salt, &e, NULL) == MAUTH_OK);
    buf_init(&b);
    audit_entry_write(e, 7, &b);
    MUST(buf_ok(&b) && audit_terms_read(buf_slice(&b), &terms) && terms.sequence == 7);
    MUST(audit_terms_have(&terms, AUDIT_ACTION, text_of("decision")));
    MUST(audit_terms_have(
        &terms, AUDIT_OUTCOME, text_of(d->allowed ? "allow" : "deny")));
    MUST(!d->ticket || audit_terms_have(&terms, AUDIT_TICKET, text_of(d->ticket)));
    buf_clear(&b);
    audit_entry_free(e);
}

static void
check_decision(const struct decision_entry *d)
{
    MUST(d->action && d->args <= DECISIONS_ARGS);
    for (size_t i = 0; i < d->args; i++)
        MUST(d->arg[i]);
    MUST(!d->reason || str_is_name(text_of(d->reason)));
    check_time(d->time);
    check_id(d->subject, ID_USER, ID_SERVICE);
    check_id(d->holder, ID_DEVICE, ID_DEVICE);
    check_id(d->session, ID_SESSION, ID_SESSION);
    check_ticket_id(d->ticket);
    check_key(d->key);
    check_record(d);
}

/* A body is refused with a sentence, or all of it is of its form. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decisions_body b;
    struct text text = {(const char *)data, size};

    if (decisions_body_parse(text, &b)) {
        MUST(b.json.detail[0]);
    } else {
        check_tickets(&b);
        MUST(b.decisions <= DECISIONS_RECORDS);
        for (size_t i = 0; i < b.decisions; i++)
            check_decision(&b.decision[i]);
    }
    decisions_body_clear(&b);
    return 0;
}
