/* AuthnStatement and AuthzDecisionStatements, signed with the genuine key. */
#include "tests/attack/attack.h"

#define AUTHN     "<saml:AuthnStatement AuthnInstant=\"2026-11-22T09:59:58Z\""
#define INDEX     " SessionIndex=\"" SESSION "\""
#define CLASSES   "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define CONTEXT   "<saml:AuthnContext><saml:AuthnContextClassRef>" CLASSES
#define AUTHN_END "</saml:AuthnStatement>"
#define STATEMENT                                                     \
    AUTHN INDEX ">" CONTEXT "unspecified</saml:AuthnContextClassRef>" \
                "</saml:AuthnContext>" AUTHN_END
#define IDENTITIES "docs/tickets.md: identity ticket"
#define ORDER      "docs/tickets.md: AuthzDecisionStatement"
#define CONFUSION  "docs/tickets.md: two spellings of an action"
#define BOUNDS     "docs/tickets.md: bounds"
/* They come behind all others: 'z' is above 'h'. */
#define LAST(actions) PERMIT("z:z", actions)
#define ADDED(n, t, permits, r) \
    MISMADE(n, t, ATTRIBUTES, permits "$0", r, .on = PERMITS)
#define RESOURCE(n, value) \
    ADDED("resource: " n, "RFC 3986", PERMIT(value, RWEDC("Read")), FORM)
#define NAMED(n, value) \
    ADDED("action: " n, "docs/tickets.md: values", LAST(ACTION(value)), FORM)

/* So many permits, of so many actions each, behind the ticket's own. */
static void
put_permits(struct forgery *f, unsigned permits, unsigned actions)
{
    struct buf b;

    buf_init(&b);
    for (unsigned i = 0; i < permits; i++) {
        buf_printf(&b,
            "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"z:%02u\">", i);
        for (unsigned j = 0; j < actions; j++)
            buf_printf(&b, ACTION("a%02u"), j);
        buf_str(&b, "</saml:AuthzDecisionStatement>");
    }
    buf_str(&b, ATTRIBUTES);
    forgery_edit(f, ATTRIBUTES, buf_cstr(&b), false);
    buf_clear(&b);
}

/* All in all; a ticket with permits has one, with two actions. */
static void
many_permits(struct forgery *f, int count)
{
    put_permits(f, (unsigned)count - (f->base->is & PERMITS ? 1 : 0), 1);
}

static void
many_actions(struct forgery *f, int count)
{
    put_permits(f, 1, (unsigned)count - (f->base->is & PERMITS ? 2 : 0));
}

/* 14 permits of 5 actions: over the bound together only. */
static void
actions_of_many(struct forgery *f, int count)
{
    put_permits(f, 13, (unsigned)count);
}

/* XML of so many bytes, by the length of a resource. */
static void
long_xml(struct forgery *f, int size)
{
    static const char open[] =
        "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"z:";
    static const char close[] =
        "\">" RWEDC("Read") "</saml:AuthzDecisionStatement>" ATTRIBUTES;
    size_t fixed = strlen(open) + strlen(close) - strlen(ATTRIBUTES);
    struct buf b;

    buf_init(&b);
    buf_str(&b, open);
    for (size_t n = f->xml.len + fixed; n < (size_t)size; n++)
        buf_u8(&b, 'a');
    buf_str(&b, close);
    forgery_edit(f, ATTRIBUTES, buf_cstr(&b), false);
    assert_int_equal(f->xml.len, size);
    buf_clear(&b);
}

static const struct attack list[] = {
    /* Identity. */
    MISMADE("AuthnStatement twice", "SAML core 2.7.2", AUTHN_END, "$0" STATEMENT, FORM,
        .on = IDENTITY),
    MISMADE("AuthnStatement behind the facts", "SAML core 2.3.3",
        "</saml:AttributeStatement>", "$0" STATEMENT, FORM),
    MISMADE("an AuthnStatement in a rights ticket", IDENTITIES, "</saml:Conditions>",
        "$0" STATEMENT, FORM, .on = SHORT),
    MISMADE("a permit in an identity ticket", IDENTITIES, ATTRIBUTES,
        LAST(RWEDC("Read")) "$0", FORM, .on = IDENTITY),
    MISMADE("rights for the issuer: no AuthnStatement",
        "docs/tickets.md: rights ticket", STATEMENT, "", FORM, .on = IDENTITY | P256),
    MISMADE("SessionIndex of another session", "docs/tickets.md: AuthnStatement", INDEX,
        " SessionIndex=\"ses_0rrrrrrrrrrrrrrrrrrrrrrrrr\"", FORM, .on = IDENTITY),
    MISMADE("the session fact of another session", "docs/tickets.md: AuthnStatement",
        FACT_SES, FACT("session", VALUE("ses_0rrrrrrrrrrrrrrrrrrrrrrrrr")), FORM,
        .on = IDENTITY),
    MISMADE("no SessionIndex", "SAML core 2.7.2", INDEX, "", FORM, .on = IDENTITY),
    MISMADE("an empty SessionIndex", "SAML core 2.7.2", INDEX, " SessionIndex=\"\"",
        FORM, .on = IDENTITY),
    MISMADE("no AuthnInstant", "SAML core 2.7.2",
        " AuthnInstant=\"2026-11-22T09:59:58Z\"", "", FORM, .on = IDENTITY),
    MISMADE("AuthnInstant: a fraction", "SAML core 1.3.3", "T09:59:58Z", "T09:59:58.0Z",
        FORM, .on = IDENTITY),
    MISMADE("SessionNotOnOrAfter", "SAML core 2.7.2", INDEX,
        INDEX " SessionNotOnOrAfter=\"2026-11-22T11:00:00Z\"", FORM, .on = IDENTITY),
    MISMADE("SubjectLocality", "SAML core 2.7.2.1", "<saml:AuthnContext>",
        "<saml:SubjectLocality></saml:SubjectLocality>$0", FORM, .on = IDENTITY),
    MISMADE("AuthnContextDecl", "SAML core 2.7.2.2", "</saml:AuthnContext>",
        "<saml:AuthnContextDecl></saml:AuthnContextDecl>$0", FORM, .on = IDENTITY),
    MISMADE("AuthenticatingAuthority", "SAML core 2.7.2.2", "</saml:AuthnContext>",
        "<saml:AuthenticatingAuthority>x:y</saml:AuthenticatingAuthority>$0", FORM,
        .on = IDENTITY),
    MISMADE("no AuthnContextClassRef", "SAML core 2.7.2.2",
        "<saml:AuthnContextClassRef>", "<x>", FORM, .on = IDENTITY),
    MISMADE("an empty class", "SAML core 2.7.2.2", "<saml:AuthnContextClassRef>",
        "$0</saml:AuthnContextClassRef><x>", FORM, .on = IDENTITY),
    MISMADE("a class that is no URI", "SAML core 2.7.2.2",
        "<saml:AuthnContextClassRef>", "$0a b", FORM, .on = IDENTITY),

    /* Decisions. */
    ADDED("a permit more", "control", LAST(RWEDC("Read")), NONE),
    ADDED("Decision: Deny", "SAML core 2.7.4.2",
        "<saml:AuthzDecisionStatement Decision=\"Deny\" Resource=\"z:z\">" RWEDC(
            "Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("Decision: Indeterminate", "SAML core 2.7.4.2",
        "<saml:AuthzDecisionStatement Decision=\"Indeterminate\" "
        "Resource=\"z:z\">" RWEDC("Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("Decision: permit", "SAML core 2.7.4.2",
        "<saml:AuthzDecisionStatement Decision=\"permit\" Resource=\"z:z\">" RWEDC(
            "Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("no Decision", "SAML core 2.7.4",
        "<saml:AuthzDecisionStatement Resource=\"z:z\">" RWEDC(
            "Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("no Resource", "SAML core 2.7.4",
        "<saml:AuthzDecisionStatement Decision=\"Permit\">" RWEDC(
            "Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("Resource before Decision", "exc-c14n: one form",
        "<saml:AuthzDecisionStatement Resource=\"z:z\" Decision=\"Permit\">" RWEDC(
            "Read") "</saml:AuthzDecisionStatement>",
        FORM),
    ADDED("Evidence", "SAML core 2.7.4.3",
        LAST(RWEDC("Read") "<saml:Evidence></saml:Evidence>"), FORM),
    ADDED("no action", ORDER, LAST(""), FORM),
    ADDED("a resource twice", ORDER, LAST(RWEDC("Read")) LAST(RWEDC("Write")), FORM),
    ADDED("resources in descending order", ORDER,
        PERMIT("z:z", RWEDC("Read")) PERMIT("z:y", RWEDC("Read")), FORM),
    ADDED("resources in another order, one a prefix", ORDER,
        PERMIT("z:zz", RWEDC("Read")) PERMIT("z:z", RWEDC("Read")), FORM),
    ADDED("resources in order, one a prefix", "control",
        PERMIT("z:z", RWEDC("Read")) PERMIT("z:zz", RWEDC("Read")), NONE),
    ADDED("resources that differ in case", "control",
        PERMIT("z:Z", RWEDC("Read")) PERMIT("z:z", RWEDC("Read")), NONE),
    MISMADE("a permit behind the facts", "SAML core 2.3.3",
        "</saml:AttributeStatement>", "$0" LAST(RWEDC("Read")), FORM, .on = PERMITS),
    RESOURCE("none", ""),
    RESOURCE("a path", "/v1/mesh"),
    RESOURCE("a scheme alone", "z"),
    RESOURCE("no scheme", ":z"),
    RESOURCE("a scheme of digits", "1:z"),
    RESOURCE("a blank", "z:a b"),
    RESOURCE("'%' alone", "z:%"),
    RESOURCE("'%' and one digit", "z:%2"),
    RESOURCE("'%' and no digits", "z:%zz"),
    RESOURCE("a backslash", "z:\\"),
    RESOURCE("a brace", "z:{id}"),
    RESOURCE("'|'", "z:|"),
    RESOURCE("'^'", "z:^"),
    RESOURCE("a quotation mark as text", "z:'\">"),

    /* Actions. */
    ADDED("Read as our own action", CONFUSION, LAST(ACTION("read")), FORM),
    ADDED("Write as our own action", CONFUSION, LAST(ACTION("write")), FORM),
    ADDED("Delete as our own action", CONFUSION, LAST(ACTION("delete")), FORM),
    ADDED("Control as our own action", CONFUSION, LAST(ACTION("control")), FORM),
    ADDED(
        "both spellings of Read", CONFUSION, LAST(ACTION("read") RWEDC("Read")), FORM),
    ADDED("Execute", "SAML core 8.1.2", LAST(RWEDC("Execute")), FORM),
    ADDED("~Read of rwedc-negation", "SAML core 8.1.2", LAST(RWEDC("~Read")), FORM),
    ADDED("read in small letters", "SAML core 8.1.2", LAST(RWEDC("read")), FORM),
    ADDED("one of ours in rwedc", "SAML core 8.1.2", LAST(RWEDC("subscribe")), FORM),
    ADDED("rwedc-negation", "SAML core 8.1.2",
        LAST("<saml:Action Namespace="
             "\"urn:oasis:names:tc:SAML:1.0:action:rwedc-negation\">"
             "Read</saml:Action>"),
        FORM),
    ADDED("an unknown name space", "SAML core 2.7.4.2",
        LAST("<saml:Action Namespace=\"urn:x\">read</saml:Action>"), FORM),
    ADDED("no name space", "SAML core 2.7.4.2", LAST("<saml:Action>Read</saml:Action>"),
        FORM),
    ADDED("an action twice", ORDER, LAST(RWEDC("Read") RWEDC("Read")), FORM),
    ADDED(
        "actions in descending order", ORDER, LAST(RWEDC("Write") RWEDC("Read")), FORM),
    ADDED("actions in order of rwedc, not of ours", ORDER,
        LAST(RWEDC("Read") ACTION("publish")), FORM),
    ADDED("actions in order of ours", "control", LAST(ACTION("publish") RWEDC("Read")),
        NONE),
    NAMED("none", ""),
    NAMED("in upper case", "Publish"),
    NAMED("a digit first", "1st"),
    NAMED("a dot first", ".publish"),
    NAMED("a blank", "pub lish"),
    NAMED("a star", "*"),
    NAMED("65 characters",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),

    /* Bounds. */
    MADE(SIGNED, "14 statements", "control", many_permits, 14, NONE, .on = SHORT),
    MADE(SIGNED, "15 statements", BOUNDS, many_permits, 15, FORM, .on = SHORT),
    MADE(SIGNED, "64 actions", "control", many_actions, 64, NONE, .on = SHORT),
    MADE(SIGNED, "65 actions", BOUNDS, many_actions, 65, FORM, .on = SHORT),
    MADE(SIGNED, "67 actions in all", BOUNDS, actions_of_many, 5, FORM, .on = PERMITS),
    MADE(SIGNED, "16 KiB", "control", long_xml, MAUTH_TICKET_MAX, NONE, .on = SHORT),
    MADE(SIGNED, "16 KiB and a byte", BOUNDS, long_xml, MAUTH_TICKET_MAX + 1, SIZE,
        .on = SHORT),
    MADE(SIGNED, "32 KiB", BOUNDS, long_xml, 2 * MAUTH_TICKET_MAX, SIZE, .on = SHORT),
};

const struct attack_group attacks_on_statements = {
    "Authentication and decision statements", list, COUNT(list)};
