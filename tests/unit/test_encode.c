#include "base/fail.h"
#include "base/str.h"
#include "tests/unit/golden.h"
#include "tickets/decode.h"
#include "tickets/encode.h"

/* The values of a golden ticket in another order, signed with its key. */
static struct buf
sign_again(const char *kind, const char *alg)
{
    struct signer *signer = golden_signer(alg);
    struct mauth_ticket *read = NULL;
    struct ticket t;
    size_t len;
    char *xml = golden_xml(kind, alg, &len);
    struct buf out;

    assert_int_equal(ticket_decode(xml, len, &read, NULL), MAUTH_OK);
    t = read->says;
    for (size_t i = 0; i < t.facts / 2; i++) {
        struct ticket_fact swap = t.fact[i];

        t.fact[i] = t.fact[t.facts - 1 - i];
        t.fact[t.facts - 1 - i] = swap;
    }
    if (t.actions > 1) {
        struct text swap = t.action[0];

        t.action[0] = t.action[1];
        t.action[1] = swap;
    }
    buf_init(&out);
    assert_int_equal(ticket_sign(&t, signer, &out, NULL), MAUTH_OK);
    mauth_ticket_free(read);
    free(xml);
    signer_free(signer);
    return out;
}

static size_t
without_signature(char *xml, size_t len)
{
    char *at = strstr(xml, "<ds:SignatureValue>"),
         *end = strstr(xml, "</ds:SignatureV");

    memmove(at, end, len - (size_t)(end - xml) + 1);
    return len - (size_t)(end - at);
}

static void
writes_the_golden_files(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            struct buf made = sign_again(golden_kinds[k], golden_algs[a]);
            size_t len;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            char *mine = buf_detach(&made, &made.len);
            size_t n = strlen(mine);

            if (a == 0) { /* ECDSA draws lots for each signature */
                len = without_signature(xml, len);
                n = without_signature(mine, n);
            }
            assert_int_equal(n, len);
            assert_memory_equal(mine, xml, len);
            free(mine);
            free(xml);
        }
    }
}

static struct ticket
good(void)
{
    static const struct ticket t = {.id = {"_0123456789abcdef0123456789abcdef", 33},
        .issuer = {GOLDEN_ISSUER, sizeof(GOLDEN_ISSUER) - 1},
        .subject = {"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", 30},
        .issued_s = 1000,
        .not_before_s = 1000,
        .not_on_or_after_s = 1600,
        .audience = {{"urn:meshauth:service:storage", 28}},
        .audiences = 1,
        .permit = {{{"https://x.example/", 18}, 0, 1}},
        .permits = 1,
        .action = {{"read", 4}},
        .actions = 1,
        .fact = {{FACT_SESSION, {{"ses_0sssssssssssssssssssssssss", 30}}},
            {FACT_ASOF, {{"1", 1}}}},
        .facts = 2};

    return t;
}

static struct ticket
good_identity(void)
{
    struct ticket t = good();

    t.permits = t.actions = 0;
    t.has_authn = true;
    t.authn_instant_s = 900;
    t.authn_class = text_of("urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified");
    t.audience[0] = t.issuer;
    return t;
}

static enum mauth_rc
sign(struct ticket t)
{
    struct signer *signer = golden_signer("p256");
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *read = NULL;
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    buf_str(&b, "kept");
    rc = ticket_sign(&t, signer, &b, &err);
    if (rc == MAUTH_OK) { /* what is written reads back */
        assert_int_equal(
            ticket_decode((char *)b.data + 4, b.len - 4, &read, NULL), MAUTH_OK);
        mauth_ticket_free(read);
    } else {
        assert_int_equal(b.len, 4);
        assert_int_equal(err.rc, rc);
    }
    buf_clear(&b);
    signer_free(signer);
    return rc;
}

#define REFUSED(...)                             \
    do {                                         \
        struct ticket t = good();                \
        __VA_ARGS__;                             \
        assert_int_not_equal(sign(t), MAUTH_OK); \
    } while (0)

#define REFUSED_IDENTITY(...)                    \
    do {                                         \
        struct ticket t = good_identity();       \
        __VA_ARGS__;                             \
        assert_int_not_equal(sign(t), MAUTH_OK); \
    } while (0)

static void
refuses_values_outside_the_profile(void **state)
{
    (void)state;
    assert_int_equal(sign(good()), MAUTH_OK);
    assert_int_equal(sign(good_identity()), MAUTH_OK);
    REFUSED(t.id = text_of("0123456789abcdef0123456789abcdef"));
    REFUSED(t.id = text_of("_0123456789ABCDEF0123456789abcdef"));
    REFUSED(t.issuer = text_of("no uri"));
    REFUSED(t.subject = text_of("alice"));
    REFUSED(t.subject = text_of("fld_0aaaaaaaaaaaaaaaaaaaaaaaaa"));
    REFUSED(t.issued_s = -1);
    REFUSED(t.issued_s = INT64_MIN); /* 12 hours from then cannot be counted */
    REFUSED(t.not_on_or_after_s = INT64_MAX; t.issued_s = -1);
    REFUSED(t.not_before_s = t.not_on_or_after_s);
    REFUSED(t.not_on_or_after_s = t.issued_s + MAUTH_LIFETIME_MAX_S + 1);
    REFUSED(t.audiences = 0);
    REFUSED(t.audiences = 5);
    REFUSED(t.audience[0] = t.issuer);
    REFUSED(t.audience[0] = text_of("urn:meshauth:service:Storage"));
    REFUSED(t.audience[1] = text_of("urn:meshauth:service:relay"); t.audiences = 2);
    REFUSED(t.permits = 15);
    REFUSED(t.permit[0].count = 0);
    REFUSED(t.permit[0].count = 2);
    REFUSED(t.permit[0].first = 1);
    REFUSED(t.permit[0].resource = text_of("no uri"));
    REFUSED(t.permit[1] = t.permit[0]; t.permits = 2);
    REFUSED(t.action[0] = text_of("Read"));
    REFUSED(t.action[1] = t.action[0]; t.actions = 2; t.permit[0].count = 2);
    REFUSED(t.actions = 65);
    REFUSED(t.facts = 1);
    REFUSED(t.facts = 65);
    REFUSED(t.fact[1].arg[0] = text_of("01"));
    REFUSED(t.fact[0].arg[0] = text_of("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"));
    REFUSED(t.fact[2] = t.fact[1]; t.facts = 3);
    REFUSED(t.fact[2] = (struct ticket_fact){FACT_HOLDER,
                {text_of("dev_0aaaaaaaaaaaaaaaaaaaaaaaaa")}};
            t.facts = 3); /* in a bearer ticket */
    REFUSED(t.holder_spki = (const uint8_t *)"x"; t.holder_spki_len = 1);
    REFUSED_IDENTITY(t.audience[0] = text_of("urn:meshauth:service:storage"));
    REFUSED_IDENTITY(t.permits = t.actions = 1);
    REFUSED_IDENTITY(t.authn_class = text_of(""));
    REFUSED_IDENTITY(t.authn_instant_s = -1);
    REFUSED_IDENTITY(t.subject = text_of("svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void
bounds_the_whole(void **state)
{
    static char uri[4096];
    struct ticket t = good();

    (void)state;
    memset(uri, 'a', sizeof(uri) - 1);
    memcpy(uri, "https://", 8);
    t.permits = t.actions = 0;
    for (size_t i = 0; i < 5; i++) {
        t.permit[i] = (struct ticket_permit){{uri, sizeof(uri) - 2 - i}, i, 1};
        t.action[i] = text_of("read");
        t.permits = t.actions = i + 1;
    }
    assert_int_equal(sign(t), MAUTH_TOO_LARGE);
    t.permits = t.actions = 3;
    assert_int_equal(sign(t), MAUTH_OK);
}

static void
makes_ids(void **state)
{
    char a[TICKET_ID_LEN + 1], b[TICKET_ID_LEN + 1];

    (void)state;
    assert_int_equal(ticket_new_id(a, NULL), MAUTH_OK);
    assert_int_equal(ticket_new_id(b, NULL), MAUTH_OK);
    assert_int_equal(strlen(a), TICKET_ID_LEN);
    assert_int_equal(a[0], '_');
    assert_string_not_equal(a, b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_golden_files),
        cmocka_unit_test(refuses_values_outside_the_profile),
        cmocka_unit_test(bounds_the_whole),
        cmocka_unit_test(makes_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
