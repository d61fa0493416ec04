/* tickets/verify.c: the checks of mauth_ticket_verify(), each with its reason. */
#include "base/str.h"
#include "tests/unit/scene.h"
#include "tickets/encode.h"

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
says_when(void **state)
{
    struct scene s = scene();
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t;
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    s.want.now_s = golden_time("2026-11-22T10:10:35Z");
    s.want.skew_s = 30;
    assert_int_equal(
        mauth_ticket_verify(xml, len, s.trust, &s.want, &t, &err), MAUTH_EXPIRED);
    assert_string_equal(
        err.text, "ticket: valid until 2026-11-22T10:10:00Z, now 2026-11-22T10:10:35Z");
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
naming_the_revoked_first_in_a_path(struct ticket *t)
{
    naming_the_revoked_in_a_path(t);
    t->permit[0].resource = text_of("x:dev_0zzzzzzzzzzzzzzzzzzzzzzzzz/b");
}

static void
naming_the_revoked_alone(struct ticket *t)
{
    naming_the_revoked_in_a_path(t);
    t->permit[0].resource = text_of("x:dev_0zzzzzzzzzzzzzzzzzzzzzzzzz");
}

static void
naming_the_revoked_as_a_host(struct ticket *t)
{
    naming_the_revoked_in_a_path(t);
    t->permit[0].resource = text_of("https://dev_0zzzzzzzzzzzzzzzzzzzzzzzzz/b");
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
        {"revoked, first in a path", naming_the_revoked_first_in_a_path,
            MAUTH_REASON_REVOKED},
        {"revoked, all of a path", naming_the_revoked_alone, MAUTH_REASON_REVOKED},
        {"named in a query only", naming_the_revoked_in_a_query, MAUTH_REASON_NONE},
        {"named as a host only", naming_the_revoked_as_a_host, MAUTH_REASON_NONE},
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
        cmocka_unit_test(keeps_the_times),
        cmocka_unit_test(says_when),
        cmocka_unit_test(wants_the_holders_key),
        cmocka_unit_test(wants_its_audience),
        cmocka_unit_test(refuses_nonsense_from_the_caller),
        cmocka_unit_test(trusts_issuer_and_key_only),
        cmocka_unit_test(refuses_what_the_issuer_should_not_have_made),
        cmocka_unit_test(refuses_a_long_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
