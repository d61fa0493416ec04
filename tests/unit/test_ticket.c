/* <meshauth/ticket.h>: reading and verifying. */
#include "base/fail.h"
#include "base/str.h"
#include "tests/unit/golden.h"
#include "tickets/encode.h"
#include <meshauth/ticket.h>

/* Everything a check needs, good as it is; a test spoils one thing. */
struct scene {
    struct mauth_trust *trust;
    struct mauth_key *device;
    struct mauth_expect want;
};

static struct scene
scene(void)
{
    struct scene s = {.trust = golden_trust(), .device = golden_key("device.pub.pem")};

    s.want = (struct mauth_expect){.size = sizeof(s.want),
        .audience = "urn:meshauth:service:storage",
        .now_s = golden_time("2026-11-22T10:05:00Z"),
        .skew_s = MAUTH_SKEW_DEFAULT_S};
    s.want.holder_spki = mauth_key_spki(s.device, &s.want.holder_spki_len);
    return s;
}

static void
strike(struct scene *s)
{
    mauth_trust_free(s->trust);
    mauth_key_free(s->device);
}

static enum mauth_reason
verdict(const char *xml, size_t len, const struct scene *s)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t = NULL;

    if (mauth_ticket_verify(xml, len, s->trust, &s->want, &t, &err) == MAUTH_OK) {
        assert_non_null(t);
        mauth_ticket_free(t);
        return MAUTH_REASON_NONE;
    }
    assert_null(t);
    assert_int_not_equal(err.reason, MAUTH_REASON_NONE);
    return err.reason;
}

static void
expect(const struct scene *s, const char *xml, size_t len, enum mauth_reason want,
    const char *what)
{
    enum mauth_reason got = verdict(xml, len, s);

    if (got != want)
        fail_msg("%s: \"%s\" instead of \"%s\"", what, mauth_reason_name(got),
            mauth_reason_name(want));
}

static void
verifies_all_golden_tickets(void **state)
{
    struct scene s = scene();

    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            bool revoked = strcmp(golden_kinds[k], "p2p-shared-folder") == 0;

            s.want.audience = golden_audiences[k];
            s.want.allow_bearer = true;
            expect(&s, xml, len, revoked ? MAUTH_REASON_REVOKED : MAUTH_REASON_NONE,
                golden_kinds[k]);
            free(xml);
        }
    }
    strike(&s);
}

static void
says_what_the_ticket_says(void **state)
{
    struct scene s = scene();
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &s.want, &t, NULL), MAUTH_OK);
    free(xml); /* nothing of it is kept */
    assert_string_equal(mauth_ticket_id(t), "_03030303030303030303030303030303");
    assert_string_equal(mauth_ticket_issuer(t), GOLDEN_ISSUER);
    assert_string_equal(mauth_ticket_subject(t), "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(mauth_ticket_session(t), "ses_0sssssssssssssssssssssssss");
    assert_string_equal(mauth_ticket_holder(t), "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_string_equal(mauth_ticket_key_id(t), "9feb3f281bcca060");
    assert_int_equal(mauth_ticket_asof(t), 4711);
    assert_int_equal(
        mauth_ticket_not_on_or_after_s(t), golden_time("2026-11-22T10:10:00Z"));
    assert_int_equal(mauth_ticket_issued_s(t), golden_time("2026-11-22T10:00:00Z"));
    assert_false(mauth_ticket_is_identity(t));
    assert_null(mauth_ticket_authn_class(t));
    assert_int_equal(mauth_ticket_audience_count(t), 1);
    assert_string_equal(mauth_ticket_audience(t, 0), "urn:meshauth:service:storage");
    assert_null(mauth_ticket_audience(t, 1));
    assert_int_equal(mauth_ticket_permit_count(t), 1);
    assert_string_equal(mauth_ticket_permit_resource(t, 0),
        GOLDEN_ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff");
    assert_int_equal(mauth_ticket_permit_action_count(t, 0), 2);
    assert_string_equal(mauth_ticket_permit_action(t, 0, 0), "read");
    assert_string_equal(mauth_ticket_permit_action(t, 0, 1), "write");
    assert_null(mauth_ticket_permit_action(t, 0, 2));
    assert_null(mauth_ticket_permit_action(t, 1, 0));
    assert_int_equal(mauth_ticket_fact_count(t), 5);
    assert_string_equal(mauth_ticket_fact_relation(t, 3), "member");
    assert_int_equal(mauth_ticket_fact_arity(t, 3), 3);
    assert_string_equal(mauth_ticket_fact_arg(t, 3, 2), "contributor");
    assert_null(mauth_ticket_fact_arg(t, 3, 3));
    mauth_ticket_free(t);
    mauth_ticket_free(NULL);
    strike(&s);
}

/* '&' is written as &amp; and read as itself. */
static void
unescapes(void **state)
{
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml("bearer", "p256", &len);

    (void)state;
    assert_int_equal(mauth_ticket_read_untrusted(xml, len, &t, NULL), MAUTH_OK);
    assert_string_equal(mauth_ticket_permit_resource(t, 0),
        GOLDEN_ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff/R&D/a'b(1)");
    assert_string_equal(mauth_ticket_permit_action(t, 0, 1), "subscribe");
    mauth_ticket_free(t);
    free(xml);
}

/* Every byte of every golden ticket, with every bit pattern for one of them. */
static void
refuses_every_flipped_byte(void **state)
{
    struct scene s = scene();

    (void)state;
    s.want.allow_bearer = true;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            unsigned last = strcmp(golden_kinds[k], "rights") == 0 && a == 0 ? 255 : 1;

            s.want.audience = golden_audiences[k];
            for (size_t i = 0; i < len; i++) {
                for (unsigned x = 1; x <= last; x++) {
                    xml[i] = (char)(xml[i] ^ (char)x);
                    if (verdict(xml, len, &s) == MAUTH_REASON_NONE)
                        fail_msg("%s: byte %zu ^ %u accepted", golden_kinds[k], i, x);
                    xml[i] = (char)(xml[i] ^ (char)x);
                }
            }
            free(xml);
        }
    }
    strike(&s);
}

static void
refuses_every_cut_and_addition(void **state)
{
    struct scene s = scene();
    size_t len;
    char *xml = golden_xml("rights", "p256", &len), *more = malloc(len + 2);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        expect(&s, xml, i, MAUTH_REASON_FORM, "cut short");
        memcpy(more, xml, i);
        memcpy(more + i, xml + i + 1, len - i - 1);
        if (verdict(more, len - 1, &s) == MAUTH_REASON_NONE)
            fail_msg("byte %zu left out", i);
        more[i] = ' ';
        memcpy(more + i + 1, xml + i, len - i);
        expect(&s, more, len + 1, MAUTH_REASON_FORM, "a space put in");
    }
    memcpy(more, xml, len);
    more[len] = '\n';
    expect(&s, more, len + 1, MAUTH_REASON_FORM, "a newline behind");
    free(more);
    free(xml);
    strike(&s);
}

/* Forms that an XML parser takes for the same document; and some that it should not. */
static const struct spelling {
    const char *name, *what, *with;
} spellings[] = {
    {"declaration", "<saml:Assertion", "<?xml version=\"1.0\"?><saml:Assertion"},
    {"doctype", "<saml:Assertion", "<!DOCTYPE a><saml:Assertion"},
    {"comment in a value", ":storage", ":sto<!-- -->rage"},
    {"CDATA", ":storage", ":<![CDATA[storage]]>"},
    {"character reference", ":storage", ":st&#111;rage"},
    {"quotes", "Version=\"2.0\"", "Version='2.0'"},
    {"order of attributes",
        "Decision=\"Permit\" Resource=", "Resource=\"x:\" Decision="},
    {"empty element tag", "></ds:Transform>", "/>"},
    {"white space in a tag", "</saml:Issuer>", "</saml:Issuer >"},
    {"upper-case base64 padding", "</ds:DigestValue>", "=</ds:DigestValue>"},
    {"inclusive c14n", "xml-exc-c14n#\"></ds:C", "REC-xml-c14n-20010315\"></ds:C"},
    {"sha1", "xmlenc#sha256", "xmldsig#sha1"},
    {"hmac", "ecdsa-sha256", "hmac-sha256"},
    {"reference to nothing", "URI=\"#_0303", "URI=\"#_0304"},
    {"reference to all", "URI=\"#_03030303030303030303030303030303\"", "URI=\"\""},
    {"another namespace", "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0",
        "xmlns:saml=\"urn:oasis:names:tc:SAML:1.0"},
    {"version", "Version=\"2.0\"", "Version=\"2.1\""},
    {"deny", "Decision=\"Permit\"", "Decision=\"Deny\""},
    {"rwedc in our name", "rwedc\">Read", "rwedc\">read"},
    {"our name for read", "urn:oasis:names:tc:SAML:1.0:action:rwedc\">Read",
        "urn:meshauth:action\">read"},
    {"unknown relation", "fact:holder", "fact:keeper"},
    {"fact without its argument", "<saml:AttributeValue>4711</saml:AttributeValue>",
        ""},
    {"number with a zero before", "4711", "04711"},
    {"negative number", "4711", "-4711"},
    {"two asof", "<saml:Attribute Name=\"urn:meshauth:fact:claimed\"",
        "<saml:Attribute Name=\"urn:meshauth:fact:asof\" "
        "NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">"
        "<saml:AttributeValue>4712</saml:AttributeValue></saml:Attribute>"
        "<saml:Attribute Name=\"urn:meshauth:fact:claimed\""},
    {"NameID of a device", ">usr_0aaaaaaaaaaaaaaaaaaaaaaaaa</saml:NameID>",
        ">dev_0aaaaaaaaaaaaaaaaaaaaaaaaa</saml:NameID>"},
    {"id beyond 128 bits", ">usr_0aaa", ">usr_8aaa"},
    {"time without Z", "10:10:00Z", "10:10:00"},
    {"fraction of a second", "10:10:00Z", "10:10:00.0Z"},
    {"leap second", "10:10:00Z", "10:09:60Z"},
    {"no such day", "NotOnOrAfter=\"2026-11-22", "NotOnOrAfter=\"2026-11-31"},
    {"NotBefore is NotOnOrAfter", "NotOnOrAfter=\"2026-11-22T10:10",
        "NotOnOrAfter=\"2026-11-22T10:00"},
    {"audience of no kind", ">urn:meshauth:service:storage<", ">urn:example:storage<"},
    {"audience twice", "</saml:Audience>",
        "</saml:Audience><saml:Audience>urn:meshauth:service:storage</saml:Audience>"},
    {"issuer as audience of a rights ticket", ">urn:meshauth:service:storage<",
        ">" GOLDEN_ISSUER "<"},
    {"no audience", "<saml:Audience>urn:meshauth:service:storage</saml:Audience>", ""},
    {"markup in a resource", "Resource=\"https://", "Resource=\"<https://"},
    {"percent without digits", "Resource=\"https://", "Resource=\"https://%zz"},
    {"ampersand bare", "Resource=\"https://", "Resource=\"https://a&b"},
    {"other entity", "Resource=\"https://", "Resource=\"https://a&lt;b"},
    {"key name too short", "<ds:KeyName>9f", "<ds:KeyName>9"},
    {"key name in upper case", "<ds:KeyName>9f", "<ds:KeyName>9F"},
    {"x509 in KeyInfo", "<ds:KeyName>", "<ds:X509Data></ds:X509Data><ds:KeyName>"},
    {"signature in two lines", "<ds:SignatureValue>", "<ds:SignatureValue>\n"},
    {"holder's key cut", "dsig11#\">MF", "dsig11#\">"},
};

static char *
respell(const char *xml, const struct spelling *c, size_t *len)
{
    const char *at = strstr(xml, c->what);
    size_t room = strlen(xml) + strlen(c->with) + 1;
    char *made = malloc(room);

    if (!at)
        fail_msg("%s: \"%s\" is not there", c->name, c->what);
    *len = (size_t)snprintf(
        made, room, "%.*s%s%s", (int)(at - xml), xml, c->with, at + strlen(c->what));
    return made;
}

static void
refuses_every_other_spelling(void **state)
{
    struct scene s = scene();
    size_t len, n;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++) {
        char *made = respell(xml, &spellings[i], &n);

        expect(&s, made, n, MAUTH_REASON_FORM, spellings[i].name);
        free(made);
    }
    free(xml);
    strike(&s);
}

static void
bounds_its_size(void **state)
{
    struct scene s = scene();
    char *xml = calloc(1, MAUTH_TICKET_MAX + 1);

    (void)state;
    memset(xml, '<', MAUTH_TICKET_MAX + 1);
    expect(&s, xml, MAUTH_TICKET_MAX + 1, MAUTH_REASON_SIZE, "too large");
    expect(&s, xml, MAUTH_TICKET_MAX, MAUTH_REASON_FORM, "just not too large");
    expect(&s, xml, 0, MAUTH_REASON_FORM, "empty");
    free(xml);
    strike(&s);
}

static void
keeps_the_times(void **state)
{
    static const struct {
        const char *now;
        int32_t skew_s;
        enum mauth_reason want;
    } cases[] = {
        {"2026-11-22T10:05:00Z", 0, MAUTH_REASON_NONE},
        {"2026-11-22T10:04:00Z", 0, MAUTH_REASON_NONE},
        {"2026-11-22T10:03:59Z", 0, MAUTH_REASON_CLOCK},
        {"2026-11-22T10:03:00Z", 60, MAUTH_REASON_NONE},
        {"2026-11-22T10:02:59Z", 60, MAUTH_REASON_CLOCK},
        {"2026-11-22T10:09:59Z", 0, MAUTH_REASON_NONE},
        {"2026-11-22T10:10:00Z", 0, MAUTH_REASON_EXPIRED},
        {"2026-11-22T10:10:59Z", 60, MAUTH_REASON_NONE},
        {"2026-11-22T10:11:00Z", 60, MAUTH_REASON_EXPIRED},
        {"2026-11-22T10:12:59Z", 180, MAUTH_REASON_NONE},
        {"2026-11-22T11:03:59Z", 60, MAUTH_REASON_EXPIRED},
        {"2026-11-22T11:04:00Z", 60, MAUTH_REASON_TRUST_EXPIRED},
    };
    struct scene s = scene();
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        s.want.now_s = golden_time(cases[i].now);
        s.want.skew_s = cases[i].skew_s;
        expect(&s, xml, len, cases[i].want, cases[i].now);
    }
    free(xml);
    strike(&s);
}

static void
wants_the_holders_key(void **state)
{
    struct scene s = scene();
    struct mauth_key *other = golden_key("signing-p256.pub.pem");
    size_t len, n;
    char *xml = golden_xml("rights", "p256", &len), *bearer;

    (void)state;
    s.want.holder_spki = NULL;
    s.want.holder_spki_len = 0;
    expect(&s, xml, len, MAUTH_REASON_NO_PROOF, "no key");
    s.want.holder_spki = mauth_key_spki(other, &s.want.holder_spki_len);
    expect(&s, xml, len, MAUTH_REASON_HOLDER, "another key");
    s.want.holder_spki = mauth_key_spki(s.device, &s.want.holder_spki_len);
    s.want.holder_spki_len--;
    expect(&s, xml, len, MAUTH_REASON_HOLDER, "a shorter key");
    s.want.holder_spki_len++;
    bearer = golden_xml("bearer", "p256", &n);
    expect(&s, bearer, n, MAUTH_REASON_NO_PROOF, "bearer where none is allowed");
    s.want.allow_bearer = true;
    expect(&s, bearer, n, MAUTH_REASON_NONE, "bearer");
    free(bearer);
    free(xml);
    mauth_key_free(other);
    strike(&s);
}

static void
wants_its_audience(void **state)
{
    static const char *const others[] = {"urn:meshauth:service:relay",
        "urn:meshauth:service:storag", "urn:meshauth:service:storage2", "",
        "URN:meshauth:service:storage", GOLDEN_ISSUER};
    struct scene s = scene();
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        s.want.audience = others[i];
        expect(&s, xml, len, MAUTH_REASON_AUDIENCE, others[i]);
    }
    free(xml);
    strike(&s);
}

static void
refuses_nonsense_from_the_caller(void **state)
{
    struct scene s = scene();
    struct mauth_ticket *t = NULL;
    struct mauth_expect want;
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    want = s.want;
    want.size = 0;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &want, &t, NULL), MAUTH_INVALID);
    want = s.want;
    want.audience = NULL;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &want, &t, NULL), MAUTH_INVALID);
    want = s.want;
    want.skew_s = MAUTH_SKEW_MAX_S + 1;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &want, &t, NULL), MAUTH_INVALID);
    want.skew_s = -1;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &want, &t, NULL), MAUTH_INVALID);
    want = s.want;
    want.now_s = INT64_MAX;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &want, &t, NULL), MAUTH_INVALID);
    assert_null(t);
    free(xml);
    strike(&s);
}

static void
trusts_issuer_and_key_only(void **state)
{
    struct scene s = scene();
    struct mauth_key *p256 = golden_key("signing-p256.pub.pem");
    struct mauth_key *rsa = golden_key("signing-rsa2048.pub.pem");
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    mauth_trust_free(s.trust);
    assert_int_equal(
        mauth_trust_from_key("https://other.example", p256, &s.trust, NULL), MAUTH_OK);
    expect(&s, xml, len, MAUTH_REASON_ISSUER, "another issuer");
    mauth_trust_free(s.trust);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, rsa, &s.trust, NULL), MAUTH_OK);
    expect(&s, xml, len, MAUTH_REASON_KEY_UNKNOWN, "another key");
    mauth_trust_free(s.trust);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, p256, &s.trust, NULL), MAUTH_OK);
    expect(&s, xml, len, MAUTH_REASON_NONE, "a bare key");
    s.want.now_s = golden_time("2026-11-23T00:00:00Z");
    expect(&s, xml, len, MAUTH_REASON_EXPIRED, "a bare key, a day later");
    free(xml);
    mauth_key_free(p256);
    mauth_key_free(rsa);
    strike(&s);
}

/* Tickets that only the issuer itself could make: signed over, with other values. */
static struct buf
resign(const char *alg, void (*spoil)(struct ticket *t))
{
    struct signer *signer = golden_signer(alg);
    struct ticket t = {.id = text_of("_0123456789abcdef0123456789abcdef"),
        .issuer = text_of(GOLDEN_ISSUER),
        .subject = text_of("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"),
        .issued_s = golden_time("2026-11-22T10:00:00Z"),
        .not_before_s = golden_time("2026-11-22T10:00:00Z"),
        .not_on_or_after_s = golden_time("2026-11-22T10:10:00Z"),
        .audience = {text_of("urn:meshauth:service:storage")},
        .audiences = 1,
        .fact = {{FACT_ASOF, {text_of("4711")}},
            {FACT_SESSION, {text_of("ses_0sssssssssssssssssssssssss")}}},
        .facts = 2};
    struct mauth_key *device = golden_key("device.pub.pem");
    struct buf xml;

    t.holder_spki = mauth_key_spki(device, &t.holder_spki_len);
    spoil(&t);
    buf_init(&xml);
    assert_int_equal(ticket_sign(&t, signer, &xml, NULL), MAUTH_OK);
    mauth_key_free(device);
    signer_free(signer);
    return xml;
}

static void
as_it_is(struct ticket *t)
{
    (void)t;
}

static void
before_the_key(struct ticket *t)
{
    t->issued_s = golden_time("2026-10-31T23:59:59Z");
    t->not_on_or_after_s = t->issued_s + 600;
    t->not_before_s = t->issued_s;
}

static void
beyond_the_key(struct ticket *t)
{
    t->not_on_or_after_s = golden_time("2026-12-01T00:00:01Z");
    t->issued_s = t->not_on_or_after_s - 3600;
    t->not_before_s = t->issued_s;
}

static void
issued_ahead(struct ticket *t)
{
    t->issued_s = golden_time("2026-11-22T10:06:01Z");
}

static void
valid_ahead(struct ticket *t)
{
    t->not_before_s = golden_time("2026-11-22T10:06:01Z");
}

static void
of_the_revoked_device(struct ticket *t)
{
    t->fact[2] =
        (struct ticket_fact){FACT_HOLDER, {text_of("dev_0zzzzzzzzzzzzzzzzzzzzzzzzz")}};
    t->facts = 3;
}

static void
of_the_revoked_device_later(struct ticket *t)
{
    of_the_revoked_device(t);
    t->fact[0].arg[0] = text_of("4712");
}

static void
naming_the_revoked_in_a_path(struct ticket *t)
{
    t->permit[0] = (struct ticket_permit){
        text_of("https://x.example/a/dev_0zzzzzzzzzzzzzzzzzzzzzzzzz/b?c"), 0, 1};
    t->permits = 1;
    t->action[0] = text_of("read");
    t->actions = 1;
}

static void
naming_the_revoked_in_a_query(struct ticket *t)
{
    naming_the_revoked_in_a_path(t);
    t->permit[0].resource =
        text_of("https://x.example/a?/dev_0zzzzzzzzzzzzzzzzzzzzzzzzz/b");
}

static void
refuses_what_the_issuer_should_not_have_made(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(struct ticket *t);
        enum mauth_reason want;
    } cases[] = {
        {"as it is", as_it_is, MAUTH_REASON_NONE},
        {"before the key's window", before_the_key, MAUTH_REASON_KEY_WINDOW},
        {"beyond the key's window", beyond_the_key, MAUTH_REASON_KEY_WINDOW},
        {"issued ahead of time", issued_ahead, MAUTH_REASON_NOT_YET},
        {"not valid yet", valid_ahead, MAUTH_REASON_NOT_YET},
        {"revoked device", of_the_revoked_device, MAUTH_REASON_REVOKED},
        {"the device after its revocation", of_the_revoked_device_later,
            MAUTH_REASON_NONE},
        {"revoked, named in a path", naming_the_revoked_in_a_path,
            MAUTH_REASON_REVOKED},
        {"named in a query only", naming_the_revoked_in_a_query, MAUTH_REASON_NONE},
    };
    struct scene s = scene();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf xml = resign(i % 2 ? "rsa2048" : "p256", cases[i].spoil);

        expect(&s, (const char *)xml.data, xml.len, cases[i].want, cases[i].name);
        buf_clear(&xml);
    }
    strike(&s);
}

/* Puts NotOnOrAfter 12 hours and a second after IssueInstant, then digest and
 * signature that fit, with the golden P-256 key. */
static struct buf
resign_stretched(void)
{
    struct signer *signer = golden_signer("p256");
    uint8_t raw[KEY_SIGNATURE_MAX], hash[HASH_LEN];
    char b64[128] = "", *at, *info;
    struct text pieces[2];
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);
    struct buf out;

    memcpy(strstr(xml, "NotOnOrAfter=\"") + 14, "2026-11-22T22:00:01Z", 20);
    at = strstr(xml, "<ds:Signature ");
    pieces[0] = (struct text){xml, (size_t)(at - xml)};
    pieces[1] = text_of(strstr(xml, "<saml:Subject>"));
    assert_int_equal(hash_sha256(pieces, 2, hash, NULL), MAUTH_OK);
    b64_encode(B64_STD, hash, sizeof(hash), strstr(xml, "<ds:DigestValue>") + 16);
    info = strstr(xml, "<ds:CanonicalizationMethod");
    pieces[0] =
        text_of("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">");
    pieces[1] =
        (struct text){info, (size_t)(strstr(xml, "<ds:SignatureValue>") - info)};
    assert_int_equal(signer_sign(signer, pieces, 2, raw, &len, NULL), MAUTH_OK);
    b64_encode(B64_STD, raw, len, b64);
    memcpy(strstr(xml, "<ds:SignatureValue>") + 19, b64, strlen(b64));
    buf_init(&out);
    buf_str(&out, xml);
    free(xml);
    signer_free(signer);
    return out;
}

/* Over 12 hours: our encoder refuses to make one, so the golden ticket is stretched
 * and signed again, digest and all. */
static void
refuses_a_long_life(void **state)
{
    struct scene s = scene();
    struct mauth_key *p256 = golden_key("signing-p256.pub.pem");
    struct buf xml = resign_stretched();

    (void)state;
    mauth_trust_free(s.trust);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, p256, &s.trust, NULL), MAUTH_OK);
    expect(&s, (const char *)xml.data, xml.len, MAUTH_REASON_LIFETIME, "12 h and 1 s");
    buf_clear(&xml);
    mauth_key_free(p256);
    strike(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_all_golden_tickets),
        cmocka_unit_test(says_what_the_ticket_says),
        cmocka_unit_test(unescapes),
        cmocka_unit_test(refuses_every_flipped_byte),
        cmocka_unit_test(refuses_every_cut_and_addition),
        cmocka_unit_test(refuses_every_other_spelling),
        cmocka_unit_test(bounds_its_size),
        cmocka_unit_test(keeps_the_times),
        cmocka_unit_test(wants_the_holders_key),
        cmocka_unit_test(wants_its_audience),
        cmocka_unit_test(refuses_nonsense_from_the_caller),
        cmocka_unit_test(trusts_issuer_and_key_only),
        cmocka_unit_test(refuses_what_the_issuer_should_not_have_made),
        cmocka_unit_test(refuses_a_long_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
