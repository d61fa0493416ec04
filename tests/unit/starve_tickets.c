/* Tickets and credentials, with each allocation failing in turn. */
#include <libdeflate.h>

#include "base/str.h"
#include "tests/unit/golden.h"
#include "tests/unit/starve.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

struct scene {
    char *xml;
    size_t len;
    char *text; /* as a credential */
    struct mauth_trust *trust;
    struct signer *signer;
    struct mauth_expect want;
};

static enum mauth_rc
verify(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    struct mauth_ticket *t = NULL;
    enum mauth_rc rc = mauth_ticket_verify(s->xml, s->len, s->trust, &s->want, &t, err);

    assert_true((rc == MAUTH_OK) == (t != NULL));
    mauth_ticket_free(t);
    return rc;
}

static enum mauth_rc
read_untrusted(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    struct mauth_ticket *t = NULL;
    enum mauth_rc rc = mauth_ticket_read_untrusted(s->xml, s->len, &t, err);

    assert_true((rc == MAUTH_OK) == (t != NULL));
    mauth_ticket_free(t);
    return rc;
}

static enum mauth_rc
encode(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (int deflated = 0; deflated < 2 && rc == MAUTH_OK; deflated++) {
        char *text = NULL;

        rc = mauth_credential_encode(s->xml, s->len, deflated, &text, err);
        assert_true((rc == MAUTH_OK) == (text != NULL));
        free(text);
    }
    return rc;
}

static enum mauth_rc
decode(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    char xml[MAUTH_TICKET_MAX];
    size_t len;
    enum mauth_rc rc;

    rc = mauth_credential_decode(s->text, strlen(s->text), xml, &len, err);
    assert_int_equal(len, rc == MAUTH_OK ? s->len : 0);
    return rc;
}

static enum mauth_rc
sign(void *arg, struct mauth_err *err)
{
    const struct scene *s = arg;
    struct ticket t = {.id = text_of("_0123456789abcdef0123456789abcdef"),
        .issuer = text_of(GOLDEN_ISSUER),
        .subject = text_of("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"),
        .issued_s = 1000,
        .not_before_s = 1000,
        .not_on_or_after_s = 2000,
        .audience = {text_of("urn:meshauth:service:storage")},
        .audiences = 1,
        .fact = {{FACT_ASOF, {text_of("4711")}},
            {FACT_SESSION, {text_of("ses_0sssssssssssssssssssssssss")}}},
        .facts = 2};
    enum mauth_rc rc;
    struct buf xml;

    buf_init(&xml);
    rc = ticket_sign(&t, s->signer, &xml, err);
    assert_true((rc == MAUTH_OK) == (xml.len > 0));
    buf_clear(&xml);
    return rc;
}

static void
starves_tickets(void **state)
{
    struct scene s = {.trust = golden_trust(), .signer = golden_signer("rsa2048")};
    struct mauth_key *device = golden_key("device.pub.pem");

    (void)state;
    s.xml = golden_xml("rights", "rsa2048", &s.len);
    assert_int_equal(
        mauth_credential_encode(s.xml, s.len, true, &s.text, NULL), MAUTH_OK);
    s.want = (struct mauth_expect){.size = sizeof(s.want),
        .audience = "urn:meshauth:service:storage",
        .now_s = golden_time("2026-11-22T10:05:00Z")};
    s.want.holder_spki = mauth_key_spki(device, &s.want.holder_spki_len);
    starve("verify", verify, &s);
    starve("read", read_untrusted, &s);
    starve("sign", sign, &s);
    starve("encode", encode, &s);
    starve("decode", decode, &s);
    mauth_key_free(device);
    mauth_trust_free(s.trust);
    signer_free(s.signer);
    free(s.text);
    free(s.xml);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(starves_tickets)};

    /* Its allocations shall fail as well: to the linker these two are ours. */
    libdeflate_set_memory_allocator(malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
