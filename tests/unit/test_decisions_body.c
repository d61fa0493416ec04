#include <string.h>

#include "authsvc/decisions_body.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define TIME   "2026-11-25T23:00:00Z"
#define KEY    "0123456789abcdef"
#define DIGEST "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define TICKET "_0123456789abcdef0123456789abcdef"
#define USER   "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define DEVICE "dev_0bbbbbbbbbbbbbbbbbbbbbbbbb"

static const uint8_t digest[HASH_LEN] = "0123456789abcdef0123456789abcdef";

static const char good_body[] =
    "{\"journal\":\"00112233445566778899aabbccddeeff\",\"lost\":7}";
static const char good_ticket[] =
    "{\"number\":4,\"time\":\"" TIME "\",\"ticket\":\"" TICKET "\",\"digest\":\"" DIGEST
    "\",\"key\":\"" KEY "\"}";
static const char good_decision[] =
    "{\"number\":5,\"time\":\"" TIME "\",\"outcome\":\"deny\",\"action\":\"read\","
    "\"args\":[\"https://a.example/x\",\"y\"],\"reason\":\"no-rule\","
    "\"rule\":\"read/1\",\"subject\":\"" USER "\",\"holder\":\"" DEVICE
    "\",\"session\":\"ses_0ccccccccccccccccccccccccc\",\"ticket\":\"" TICKET
    "\",\"digest\":\"" DIGEST "\",\"key\":\"" KEY
    "\",\"why\":\"w\",\"facts\":\"f\",\"epoch\":1,\"sequence\":2}";
static const char bare_decision[] =
    "{\"number\":0,\"time\":\"" TIME "\",\"outcome\":\"allow\",\"action\":\"read\"}";

static json_t *
json_of(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);

    if (!o)
        fail_msg("no JSON: %s", text);
    return o;
}

static void
append(json_t *body, const char *list, json_t *entry)
{
    if (!json_object_get(body, list))
        assert_int_equal(json_object_set_new(body, list, json_array()), 0);
    assert_int_equal(json_array_append_new(json_object_get(body, list), entry), 0);
}

/* Of so many good tickets, each with an ID of its own, and decisions. */
static json_t *
body_of(size_t tickets, size_t decisions)
{
    json_t *body = json_of(good_body);

    for (size_t i = 0; i < tickets; i++) {
        json_t *t = json_of(good_ticket);
        char id[ISSUED_ID + 1];

        snprintf(id, sizeof(id), "_%032zx", i);
        json_object_set_new(t, "ticket", json_string(id));
        append(body, "accepted", t);
    }
    for (size_t i = 0; i < decisions; i++) {
        json_t *d = json_of(good_decision);

        json_object_set_new(d, "number", json_integer((json_int_t)i));
        append(body, "decisions", d);
    }
    return body;
}

/* Takes body. */
static const char *
parse(json_t *body, struct decisions_body *out)
{
    char *text = json_dumps(body, JSON_COMPACT);
    const char *problem;

    assert_non_null(text);
    problem = decisions_body_parse(text_of(text), out);
    free(text);
    json_decref(body);
    return problem;
}

/* Whatever was in it before is of no meaning. */
static struct decisions_body *
any_body(void)
{
    static struct decisions_body b;

    memset(&b, 0xa5, sizeof(b));
    return &b;
}

static void
takes_nothing(void **state)
{
    struct decisions_body *b = any_body();
    static const uint8_t journal[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
        0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

    (void)state;
    assert_null(decisions_body_parse(text_of(good_body), b));
    assert_memory_equal(b->journal, journal, sizeof(journal));
    assert_int_equal(b->lost, 7);
    assert_int_equal(b->tickets, 0);
    assert_int_equal(b->decisions, 0);
    decisions_body_clear(b);
    assert_null(decisions_body_parse(
        text_of("{\"journal\":\"00000000000000000000000000000000\",\"accepted\":[],"
                "\"decisions\":[]}"),
        b));
    assert_int_equal(b->lost, 0);
    decisions_body_clear(b);
}

static void
takes_tickets(void **state)
{
    struct decisions_body *b = any_body();

    (void)state;
    assert_null(parse(body_of(DECISIONS_ACCEPTED, 0), b));
    assert_int_equal(b->tickets, DECISIONS_ACCEPTED);
    assert_string_equal(b->ticket[0].id, "_00000000000000000000000000000000");
    assert_string_equal(b->ticket[255].id, "_000000000000000000000000000000ff");
    for (size_t i = 0; i < b->tickets; i++) {
        assert_memory_equal(b->ticket[i].digest, digest, HASH_LEN);
        assert_string_equal(b->accepted[i].key, KEY);
        assert_string_equal(b->accepted[i].time, TIME);
        assert_int_equal(b->accepted[i].time_s, 1795647600);
    }
    decisions_body_clear(b);
}

/* The first of those that have one ID counts. */
static void
takes_no_ticket_twice(void **state)
{
    struct decisions_body *b = any_body();
    json_t *body = body_of(3, 0), *again = json_of(good_ticket);

    (void)state;
    json_object_set_new(again, "ticket", json_string(TICKET));
    append(body, "accepted", again);
    again = json_deep_copy(again);
    json_object_set_new(again, "key", json_string("ffffffffffffffff"));
    append(body, "accepted", again);
    again = json_deep_copy(again);
    json_object_set_new(
        again, "ticket", json_string("_00000000000000000000000000000001"));
    append(body, "accepted", again);
    assert_null(parse(body, b));
    assert_int_equal(b->tickets, 4);
    assert_string_equal(b->ticket[1].id, "_00000000000000000000000000000001");
    assert_string_equal(b->accepted[1].key, KEY);
    assert_string_equal(b->ticket[3].id, TICKET);
    assert_string_equal(b->accepted[3].key, KEY);
    decisions_body_clear(b);
}

static void
takes_a_decision_with_all(void **state)
{
    struct decisions_body *b = any_body();
    const struct decision_entry *d = &b->decision[DECISIONS_RECORDS - 1];

    (void)state;
    assert_null(parse(body_of(1, DECISIONS_RECORDS), b));
    assert_int_equal(b->tickets, 1);
    assert_int_equal(b->decisions, DECISIONS_RECORDS);
    assert_int_equal(d->number, DECISIONS_RECORDS - 1);
    assert_string_equal(d->time, TIME);
    assert_false(d->allowed);
    assert_string_equal(d->action, "read");
    assert_int_equal(d->args, 2);
    assert_string_equal(d->arg[0], "https://a.example/x");
    assert_string_equal(d->arg[1], "y");
    assert_string_equal(d->reason, "no-rule");
    assert_string_equal(d->rule, "read/1");
    assert_string_equal(d->subject, USER);
    assert_string_equal(d->holder, DEVICE);
    assert_string_equal(d->session, "ses_0ccccccccccccccccccccccccc");
    assert_string_equal(d->ticket, TICKET);
    assert_string_equal(d->key, KEY);
    assert_true(d->has_digest);
    assert_memory_equal(d->digest, digest, HASH_LEN);
    decisions_body_clear(b);
}

/* Also where the same struct held another one before. */
static void
takes_a_decision_with_the_least(void **state)
{
    struct decisions_body *b = any_body();
    const struct decision_entry *d = &b->decision[0];
    json_t *body;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        body = body_of(0, 0);
        append(body, "decisions", json_of(bare_decision));
        assert_null(parse(body, b));
        assert_int_equal(b->decisions, 1);
        assert_true(d->allowed);
        assert_int_equal(d->number, 0);
        assert_int_equal(d->args, 0);
        assert_null(d->reason);
        assert_null(d->rule);
        assert_null(d->subject);
        assert_null(d->holder);
        assert_null(d->session);
        assert_null(d->ticket);
        assert_null(d->key);
        assert_false(d->has_digest);
        decisions_body_clear(b);
        assert_null(parse(body_of(0, 1), b));
        decisions_body_clear(b);
    }
}

/* A member set in a good one, or (NULL) taken from it. */
static const struct change {
    const char *name;
    const char *in; /* "decisions", "accepted"; NULL: the body itself */
    const char *member, *value;
    const char *detail; /* of the refusal; NULL: there is none */
} changes[] = {
    {"four arguments", "decisions", "args", "[\"a\",\"b\",\"c\",\"\"]", NULL},
    {"a service as subject", "decisions", "subject",
        "\"svc_0aaaaaaaaaaaaaaaaaaaaaaaaa\"", NULL},
    {"a leap day", "decisions", "time", "\"2028-02-29T23:59:59Z\"", NULL},
    {"the longest reason", "decisions", "reason",
        "\"a23456789_123456789_123456789_123456789_123456789_123456789_1234\"", NULL},
    {"the highest number", "decisions", "number", "9223372036854775807", NULL},
    {"the most that was lost", NULL, "lost", "9223372036854775807", NULL},

    {"no journal", NULL, "journal", NULL, "\"journal\" is missing"},
    {"a short journal", NULL, "journal", "\"00112233445566778899aabbccddeef\"",
        "32 hex digits"},
    {"a long journal", NULL, "journal", "\"00112233445566778899aabbccddeeff0\"",
        "32 hex digits"},
    {"a journal in capitals", NULL, "journal", "\"00112233445566778899AABBCCDDEEFF\"",
        "32 hex digits"},
    {"an empty journal", NULL, "journal", "\"\"", "32 hex digits"},
    {"less than none lost", NULL, "lost", "-1", "a whole number"},
    {"lost in words", NULL, "lost", "\"1\"", "a whole number"},
    {"accepted texts", NULL, "accepted", "[\"a\"]", "a list of objects"},
    {"an accepted object", NULL, "accepted", "{}", "a list of objects"},
    {"decided numbers", NULL, "decisions", "[1]", "a list of objects"},
    {"an unknown member", NULL, "tickets", "[]", "no member \"tickets\""},

    {"a ticket without number", "accepted", "number", NULL,
        "\"number\" is missing in a ticket"},
    {"a ticket without time", "accepted", "time", NULL, "\"time\" is missing"},
    {"a ticket without ID", "accepted", "ticket", NULL, "\"ticket\" is missing"},
    {"a ticket without digest", "accepted", "digest", NULL, "\"digest\" is missing"},
    {"a ticket without key", "accepted", "key", NULL, "\"key\" is missing"},
    {"a ticket with more", "accepted", "subject", "\"" USER "\"",
        "no member \"subject\""},
    {"a ticket's number in words", "accepted", "number", "\"4\"", "a whole number"},
    {"a ticket of no time", "accepted", "time", "\"now\"", "a time"},
    {"a ticket of a local time", "accepted", "time", "\"2026-11-25T23:00:00+\"",
        "a time"},
    {"a ticket of the 30th of February", "accepted", "time", "\"2026-02-30T23:00:00Z\"",
        "a time"},
    {"a ticket of a fraction", "accepted", "time", "\"2026-11-25T23:00:00.5Z\"",
        "a time"},
    {"a short ID", "accepted", "ticket", "\"_0123456789abcdef0123456789abcde\"",
        "a ticket's ID"},
    {"a long ID", "accepted", "ticket", "\"_0123456789abcdef0123456789abcdef0\"",
        "a ticket's ID"},
    {"an ID without its mark", "accepted", "ticket",
        "\"00123456789abcdef0123456789abcdef\"", "a ticket's ID"},
    {"an ID in capitals", "accepted", "ticket", "\"_0123456789ABCDEF0123456789abcdef\"",
        "a ticket's ID"},
    {"an empty digest", "accepted", "digest", "\"\"", "32 bytes in base64"},
    {"a digest of 31 bytes", "accepted", "digest",
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==\"", "32 bytes in base64"},
    {"a digest of 33 bytes", "accepted", "digest",
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZn\"", "32 bytes in base64"},
    {"a digest in hex", "accepted", "digest",
        "\"3031323334353637383961626364656630313233343536373839616263646566\"",
        "32 bytes in base64"},
    {"a digest with bits left over", "accepted", "digest",
        "\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZ=\"", "32 bytes in base64"},
    {"a short key", "accepted", "key", "\"0123456789abcde\"",
        "the id of a signing key"},
    {"a long key", "accepted", "key", "\"0123456789abcdef0\"",
        "the id of a signing key"},
    {"a key that is no hex", "accepted", "key", "\"0123456789abcdeg\"",
        "the id of a signing key"},

    {"a decision without number", "decisions", "number", NULL,
        "\"number\" is missing in a decision"},
    {"a decision without time", "decisions", "time", NULL, "\"time\" is missing"},
    {"a decision without outcome", "decisions", "outcome", NULL,
        "\"outcome\" is missing"},
    {"a decision without action", "decisions", "action", NULL, "\"action\" is missing"},
    {"a decision with more", "decisions", "tickets", "\"\"", "no member \"tickets\""},
    {"a number below zero", "decisions", "number", "-1", "a whole number"},
    {"a number that is too high", "decisions", "number", "1.0e20", "a whole number"},
    {"a decision of no time", "decisions", "time", "\"\"", "a time"},
    {"a third outcome", "decisions", "outcome", "\"done\"", "\"allow\" or \"deny\""},
    {"an outcome in capitals", "decisions", "outcome", "\"Allow\"",
        "\"allow\" or \"deny\""},
    {"an empty outcome", "decisions", "outcome", "\"\"", "\"allow\" or \"deny\""},
    {"five arguments", "decisions", "args", "[\"a\",\"b\",\"c\",\"d\",\"e\"]",
        "a list of four texts"},
    {"arguments that are numbers", "decisions", "args", "[1]", "a list of texts"},
    {"an argument", "decisions", "args", "\"a\"", "a list of texts"},
    {"an empty reason", "decisions", "reason", "\"\"", "a name"},
    {"a reason in words", "decisions", "reason", "\"no rule\"", "a name"},
    {"a reason that is too long", "decisions", "reason",
        "\"a23456789_123456789_123456789_123456789_123456789_123456789_12345\"",
        "a name"},
    {"a device as subject", "decisions", "subject", "\"" DEVICE "\"",
        "\"subject\" must be an id"},
    {"a name as subject", "decisions", "subject", "\"alice\"",
        "\"subject\" must be an id"},
    {"an empty subject", "decisions", "subject", "\"\"", "\"subject\" must be an id"},
    {"a user as holder", "decisions", "holder", "\"" USER "\"",
        "\"holder\" must be an id"},
    {"a user as session", "decisions", "session", "\"" USER "\"",
        "\"session\" must be an id"},
    {"a decision on half a ticket", "decisions", "ticket", "\"_01\"", "a ticket's ID"},
    {"a decision with half a digest", "decisions", "digest", "\"AAAA\"",
        "32 bytes in base64"},
    {"a decision with half a key", "decisions", "key", "\"01\"",
        "the id of a signing key"},
    {"why in a list", "decisions", "why", "[]", "must be text"},
    {"facts in a list", "decisions", "facts", "[]", "must be text"},
    {"an epoch in words", "decisions", "epoch", "\"1\"", "a whole number"},
    {"a sequence in words", "decisions", "sequence", "\"1\"", "a whole number"},
};

/* A body with a good entry before the one that is changed, and one behind it. */
static json_t *
changed_body(const struct change *c)
{
    json_t *body = body_of(3, 3), *o = body;

    if (c->in)
        o = json_array_get(json_object_get(body, c->in), 1);
    if (c->value)
        json_object_set_new(o, c->member, json_loads(c->value, JSON_DECODE_ANY, NULL));
    else
        assert_int_equal(json_object_del(o, c->member), 0);
    return body;
}

static void
takes_or_refuses(void **state)
{
    struct decisions_body *b = any_body();

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        const struct change *c = &changes[i];
        const char *problem = parse(changed_body(c), b);

        if (!c->detail && problem)
            fail_msg("%s: refused: %s", c->name, b->json.detail);
        if (c->detail && (!problem || strcmp(problem, "body") != 0 ||
                             !strstr(b->json.detail, c->detail)))
            fail_msg("%s: %s: %s", c->name, problem ? problem : "taken",
                problem ? b->json.detail : "");
        decisions_body_clear(b);
    }
}

/* One more than is allowed, of either. */
static void
refuses_too_many(void **state)
{
    struct decisions_body *b = any_body();

    (void)state;
    assert_string_equal(parse(body_of(DECISIONS_ACCEPTED + 1, 0), b), "body");
    assert_non_null(strstr(b->json.detail, "a list of 256 at most"));
    assert_int_equal(b->tickets, 0);
    decisions_body_clear(b);
    assert_string_equal(parse(body_of(0, DECISIONS_RECORDS + 1), b), "body");
    assert_non_null(strstr(b->json.detail, "a list of 32 at most"));
    assert_int_equal(b->decisions, 0);
    decisions_body_clear(b);
}

static void
refuses_what_is_no_body(void **state)
{
    static const struct {
        const char *text, *problem;
    } bodies[] = {
        {"", "body"},
        {"[]", "body"},
        {"{\"journal\":\"00112233445566778899aabbccddeeff\"", "body"},
        {"{\"journal\":\"00112233445566778899aabbccddeeff\","
         "\"journal\":\"00112233445566778899aabbccddeeff\"}",
            "body"},
        {"{\"journal\":\"-----BEGIN PRIVATE KEY-----\"}", "private-key"},
    };
    struct decisions_body *b = any_body();

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        const char *problem = decisions_body_parse(text_of(bodies[i].text), b);

        if (!problem || strcmp(problem, bodies[i].problem) != 0 || !b->json.detail[0])
            fail_msg("%s: %s", bodies[i].text, problem ? problem : "taken");
        assert_int_equal(b->tickets, 0);
        assert_int_equal(b->decisions, 0);
        decisions_body_clear(b);
    }
}

static void
puts_all_on_record(void **state)
{
    struct decisions_body *b = any_body();
    struct audit_record r = {.actor = "svc", .resource_count = 9};
    char note[DECISIONS_NOTE];

    (void)state;
    assert_null(parse(body_of(0, 1), b));
    decision_record(&b->decision[0], &r, note);
    assert_string_equal(r.actor, "svc");
    assert_string_equal(r.action, "decision");
    assert_string_equal(r.outcome, "deny");
    assert_string_equal(r.reason, "no-rule");
    assert_string_equal(r.rule, "read/1");
    assert_string_equal(r.device, DEVICE);
    assert_string_equal(r.session, "ses_0ccccccccccccccccccccccccc");
    assert_string_equal(r.ticket, TICKET);
    assert_string_equal(r.key, KEY);
    assert_memory_equal(r.digest, digest, HASH_LEN);
    assert_string_equal(r.note, "decided " TIME);
    assert_int_equal(r.resource_count, 4);
    assert_string_equal(r.resources[0], "read");
    assert_string_equal(r.resources[1], "https://a.example/x");
    assert_string_equal(r.resources[2], "y");
    assert_string_equal(r.resources[3], USER);
    decisions_body_clear(b);
}

static void
puts_the_least_on_record(void **state)
{
    struct decisions_body *b = any_body();
    struct audit_record r = {.reason = "r",
        .rule = "r",
        .device = "d",
        .session = "s",
        .ticket = "t",
        .digest = digest,
        .key = "k"};
    json_t *body = body_of(0, 0);
    char note[DECISIONS_NOTE];

    (void)state;
    append(body, "decisions", json_of(bare_decision));
    assert_null(parse(body, b));
    decision_record(&b->decision[0], &r, note);
    assert_string_equal(r.outcome, "allow");
    assert_null(r.reason);
    assert_null(r.rule);
    assert_null(r.device);
    assert_null(r.session);
    assert_null(r.ticket);
    assert_null(r.digest);
    assert_null(r.key);
    assert_int_equal(r.resource_count, 1);
    assert_string_equal(r.resources[0], "read");
    decisions_body_clear(b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_nothing),
        cmocka_unit_test(takes_tickets),
        cmocka_unit_test(takes_no_ticket_twice),
        cmocka_unit_test(takes_a_decision_with_all),
        cmocka_unit_test(takes_a_decision_with_the_least),
        cmocka_unit_test(takes_or_refuses),
        cmocka_unit_test(refuses_too_many),
        cmocka_unit_test(refuses_what_is_no_body),
        cmocka_unit_test(puts_all_on_record),
        cmocka_unit_test(puts_the_least_on_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
