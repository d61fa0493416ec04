#include "authsvc/decisions_body.h"

#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "store/graph_ticket.h"

static const struct json_member members[] = {
    {"journal", JSON_BODY_TEXT, true},
    {"lost", JSON_BODY_NUMBER, false},
    {"accepted", JSON_BODY_OBJECTS, false},
    {"decisions", JSON_BODY_OBJECTS, false},
    {NULL, 0, false},
};

static const struct json_member accepted_members[] = {
    {"number", JSON_BODY_NUMBER, true},
    {"time", JSON_BODY_TEXT, true},
    {"ticket", JSON_BODY_TEXT, true},
    {"digest", JSON_BODY_TEXT, true},
    {"key", JSON_BODY_TEXT, true},
    {NULL, 0, false},
};

/* As mauth_decision_json() writes it; the last four are not put on record. */
static const struct json_member decision_members[] = {
    {"number", JSON_BODY_NUMBER, true},
    {"time", JSON_BODY_TEXT, true},
    {"outcome", JSON_BODY_TEXT, true},
    {"action", JSON_BODY_TEXT, true},
    {"args", JSON_BODY_LIST, false},
    {"reason", JSON_BODY_TEXT, false},
    {"rule", JSON_BODY_TEXT, false},
    {"subject", JSON_BODY_TEXT, false},
    {"holder", JSON_BODY_TEXT, false},
    {"session", JSON_BODY_TEXT, false},
    {"ticket", JSON_BODY_TEXT, false},
    {"digest", JSON_BODY_TEXT, false},
    {"key", JSON_BODY_TEXT, false},
    {"why", JSON_BODY_TEXT, false},
    {"facts", JSON_BODY_TEXT, false},
    {"epoch", JSON_BODY_NUMBER, false},
    {"sequence", JSON_BODY_NUMBER, false},
    {NULL, 0, false},
};

static const char *
wrong(struct decisions_body *b, const char *name, const char *form)
{
    snprintf(b->json.detail, sizeof(b->json.detail), "The member \"%s\" must be %s.",
        name, form);
    return "body";
}

/* Of what an entry says, each NULL or a problem. Absent ones are fine. */

static const char *
take_time(struct decisions_body *b, const json_t *o, const char **text, int64_t *time_s)
{
    *text = json_body_text(o, "time");
    if (!time_parse(*text, strlen(*text), time_s))
        return wrong(b, "time", "a time, as \"2026-11-25T23:00:00Z\"");
    return NULL;
}

static const char *
take_ticket(struct decisions_body *b, const json_t *o, const char **id)
{
    *id = json_body_text(o, "ticket");
    if (*id && !graph_ticket_is_id(text_of(*id)))
        return wrong(b, "ticket", "a ticket's ID");
    return NULL;
}

static const char *
take_digest(struct decisions_body *b, const json_t *o, uint8_t out[HASH_LEN], bool *has)
{
    const char *text = json_body_text(o, "digest");
    size_t len;

    *has = text != NULL;
    if (text && (!b64_decode(B64_STD, text, strlen(text), out, HASH_LEN, &len) ||
                    len != HASH_LEN))
        return wrong(b, "digest", "32 bytes in base64");
    return NULL;
}

static const char *
take_key(struct decisions_body *b, const json_t *o, const char **key)
{
    *key = json_body_text(o, "key");
    if (*key && !str_is_hex(text_of(*key), DECISIONS_KEY))
        return wrong(b, "key", "the id of a signing key");
    return NULL;
}

static const char *
take_id(struct decisions_body *b, const json_t *o, const char *name, unsigned kinds,
    const char **out)
{
    enum id_kind kind;

    *out = json_body_text(o, name);
    kind = *out ? id_kind_of(*out, strlen(*out)) : ID_KINDS;
    if (*out && (kind == ID_KINDS || !(kinds >> kind & 1U)))
        return wrong(b, name, "an id of its kind");
    return NULL;
}

/* Tickets. */

static bool
is_there(const struct decisions_body *b, const char *id)
{
    for (size_t i = 0; i < b->tickets; i++)
        if (strcmp(b->ticket[i].id, id) == 0)
            return true;
    return false;
}

static const char *
take_accepted(struct decisions_body *b, json_t *o)
{
    struct accepted_entry *e = &b->accepted[b->tickets];
    struct issued_ticket *t = &b->ticket[b->tickets];
    const char *problem = json_body_check(&b->json, o, accepted_members, "a ticket");
    const char *id = NULL;
    bool has;

    if (!problem)
        problem = take_time(b, o, &e->time, &e->time_s);
    if (!problem)
        problem = take_ticket(b, o, &id);
    if (!problem)
        problem = take_digest(b, o, t->digest, &has);
    if (!problem)
        problem = take_key(b, o, &e->key);
    if (problem || is_there(b, id))
        return problem;
    memcpy(t->id, id, sizeof(t->id));
    b->tickets++;
    return NULL;
}

/* Decisions. */

static const char *
take_words(struct decisions_body *b, const json_t *o, struct decision_entry *d)
{
    const char *outcome = json_body_text(o, "outcome");
    const json_t *args = json_object_get(o, "args");

    d->number = json_body_number(o, "number", 0);
    d->allowed = strcmp(outcome, "allow") == 0;
    if (!d->allowed && strcmp(outcome, "deny") != 0)
        return wrong(b, "outcome", "\"allow\" or \"deny\"");
    d->action = json_body_text(o, "action");
    d->reason = json_body_text(o, "reason");
    d->rule = json_body_text(o, "rule");
    if (d->reason && !str_is_name(text_of(d->reason)))
        return wrong(b, "reason", "a name");
    if (json_array_size(args) > DECISIONS_ARGS)
        return wrong(b, "args", "a list of four texts at most");
    for (d->args = 0; d->args < json_array_size(args); d->args++)
        d->arg[d->args] = json_string_value(json_array_get(args, d->args));
    return NULL;
}

static const char *
take_decision(struct decisions_body *b, json_t *o)
{
    struct decision_entry *d = &b->decision[b->decisions];
    const char *problem = json_body_check(&b->json, o, decision_members, "a decision");
    int64_t time_s;

    if (!problem)
        problem = take_words(b, o, d);
    if (!problem)
        problem = take_time(b, o, &d->time, &time_s);
    if (!problem)
        problem =
            take_id(b, o, "subject", 1U << ID_USER | 1U << ID_SERVICE, &d->subject);
    if (!problem)
        problem = take_id(b, o, "holder", 1U << ID_DEVICE, &d->holder);
    if (!problem)
        problem = take_id(b, o, "session", 1U << ID_SESSION, &d->session);
    if (!problem)
        problem = take_ticket(b, o, &d->ticket);
    if (!problem)
        problem = take_digest(b, o, d->digest, &d->has_digest);
    if (!problem)
        problem = take_key(b, o, &d->key);
    if (!problem)
        b->decisions++;
    return problem;
}

static const char *
take_lists(struct decisions_body *b)
{
    const json_t *accepted = json_object_get(b->json.root, "accepted");
    const json_t *decisions = json_object_get(b->json.root, "decisions");
    const char *problem = NULL;

    if (json_array_size(accepted) > DECISIONS_ACCEPTED)
        return wrong(b, "accepted", "a list of 256 at most");
    if (json_array_size(decisions) > DECISIONS_RECORDS)
        return wrong(b, "decisions", "a list of 32 at most");
    for (size_t i = 0; i < json_array_size(accepted) && !problem; i++)
        problem = take_accepted(b, json_array_get(accepted, i));
    for (size_t i = 0; i < json_array_size(decisions) && !problem; i++)
        problem = take_decision(b, json_array_get(decisions, i));
    return problem;
}

const char *
decisions_body_parse(struct text text, struct decisions_body *out)
{
    const char *problem = json_body_parse(text, members, &out->json);

    out->tickets = out->decisions = 0;
    if (problem)
        return problem;
    out->lost = json_body_number(out->json.root, "lost", 0);
    if (!str_unhex(text_of(json_body_text(out->json.root, "journal")),
            sizeof(out->journal), out->journal))
        return wrong(out, "journal", "32 hex digits");
    return take_lists(out);
}

void
decisions_body_clear(struct decisions_body *b)
{
    json_body_clear(&b->json);
}

static void
add_resource(struct audit_record *r, const char *text)
{
    if (text)
        r->resources[r->resource_count++] = text;
}

void
decision_record(
    const struct decision_entry *d, struct audit_record *out, char note[DECISIONS_NOTE])
{
    out->action = "decision";
    out->outcome = d->allowed ? "allow" : "deny";
    out->reason = d->reason;
    out->rule = d->rule;
    out->device = d->holder;
    out->session = d->session;
    out->ticket = d->ticket;
    out->digest = d->has_digest ? d->digest : NULL;
    out->key = d->key;
    out->resource_count = 0;
    add_resource(out, d->action);
    for (size_t i = 0; i < d->args; i++)
        add_resource(out, d->arg[i]);
    add_resource(out, d->subject);
    snprintf(note, DECISIONS_NOTE, "decided %.20s", d->time);
    out->note = note;
}
