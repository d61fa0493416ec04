#include <unistd.h>

#include "authsvc/provider.h"
#include "base/file.h"
#include "tests/unit/saml_metadata.h"

struct world {
    char path[64];
    struct config config;
    struct providers *providers;
};

static int
set_up(void **state)
{
    static struct world w;
    char *xml = saml_metadata_of("signing-rsa2048.pem");
    int fd;

    memset(&w, 0, sizeof(w));
    strcpy(w.path, "/tmp/mauth-metadata-XXXXXX");
    fd = mkstemp(w.path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_replace(w.path, xml, strlen(xml), 0600, NULL), MAUTH_OK);
    free(xml);
    w.config.issuer.url = AUDIENCE;
    w.config.providers = 1;
    w.config.provider[0] = (struct config_provider){
        .name = "company",
        .type = "saml",
        .issuer = IDP,
        .metadata_file = w.path,
        .email_domain = {"Example.org"},
        .email_domains = 1,
        .max_age_s = 600,
    };
    assert_int_equal(providers_open(&w.config, &w.providers, NULL), MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    const struct world *w = *state;

    providers_close(w->providers);
    unlink(w->path);
    return 0;
}

/* The reason, "" when taken; once is whether newer metadata would be worth a wait. */
static const char *
ask(const struct world *w, const char *xml, struct provider_identity *who, bool *wait)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *reason = "untouched";
    struct buf token;
    enum mauth_rc rc;

    buf_init(&token);
    token_put(&token, xml, strlen(xml));
    rc = providers_check_assertion(w->providers,
        (struct text){(char *)token.data, token.len}, IDP_NOW_S, who, &reason, wait,
        &err);
    buf_clear(&token);
    assert_int_equal(rc, err.rc);
    if (rc == MAUTH_OK) {
        assert_null(reason);
        assert_ptr_equal(who->provider, &w->config.provider[0]);
        return "";
    }
    assert_non_null(reason);
    assert_null(who->provider);
    assert_string_equal(who->subject, "");
    return reason;
}

#define BARE   ASSERTION(SIGNATURE("_a1", "rsa-sha256"))
#define INSIDE RESPONSE("", BARE)

static void
vouches_for_somebody(void **state)
{
    const struct world *w = *state;
    char *xml = idp_sign(BARE, "signing-rsa2048.pem");
    struct provider_identity who;
    bool wait;

    assert_true(providers_have_saml(w->providers));
    assert_string_equal(ask(w, xml, &who, &wait), "");
    assert_false(wait);
    assert_string_equal(who.subject, "alice");
    assert_string_equal(who.email, "alice@example.org");
    assert_true(who.once);
    assert_int_equal(who.issued_s, golden_time("2026-11-22T09:58:00Z"));
    assert_int_equal(who.session_ends_s, golden_time("2026-11-22T18:00:00Z"));
    assert_int_equal(who.too_old_s, golden_time("2026-11-22T10:06:00Z"));
    free(xml);
}

static void
believes_no_address_elsewhere(void **state)
{
    const struct world *w = *state;
    char *text = idp_edit(BARE, "alice@example.org", "alice@example.org.evil");
    char *xml = idp_sign(text, "signing-rsa2048.pem");
    struct provider_identity who;
    bool wait;

    assert_string_equal(ask(w, xml, &who, &wait), "");
    assert_string_equal(who.email, "");
    free(text);
    free(xml);
}

/* By its provider and ID, so that it serves once however it is wrapped. */
static void
knows_an_assertion_again(void **state)
{
    const struct world *w = *state;
    char *other = idp_edit(BARE, "ID=\"_a1\"", "ID=\"_a2\"");
    char *named = idp_edit(other, "#_a1", "#_a2");
    const char *const texts[] = {BARE, INSIDE, named};
    struct provider_identity who[3];
    bool wait;

    for (size_t i = 0; i < COUNT(texts); i++) {
        char *xml = idp_sign(texts[i], "signing-rsa2048.pem");

        assert_string_equal(ask(w, xml, &who[i], &wait), "");
        free(xml);
    }
    assert_memory_equal(who[0].token_hash, who[1].token_hash, 32);
    assert_memory_not_equal(who[0].token_hash, who[2].token_hash, 32);
    free(other);
    free(named);
}

static void
refuses_by_reason(void **state)
{
    static const struct {
        const char *reason, *before[2], *after[2];
        bool wait;
    } cases[] = {
        {"saml-form", {"", ""}, {"</saml:Assertion>", ""}, false},
        {"saml-encrypted", {NAME_ID, "<saml:EncryptedID/>"}, {"", ""}, false},
        {"saml-unsigned", {SIGNATURE("_a1", "rsa-sha256"), ""}, {"", ""}, false},
        {"saml-alg", {"more#rsa-sha256", "more#rsa-sha512"}, {"", ""}, false},
        {"saml-signature", {"", ""}, {">alice<", ">mallory<"}, true},
        {"saml-issuer", {IDP "<", "https://other<"}, {"", ""}, false},
        {"saml-issuer", {IDP "<", AUDIENCE "<"}, {"", ""}, false}, /* named like us */
        {"saml-subject", {"persistent", "transient"}, {"", ""}, false},
        {"saml-confirmation", {"cm:bearer", "cm:sender-vouches"}, {"", ""}, false},
        {"saml-recipient", {RECIPIENT, RECIPIENT "/"}, {"", ""}, false},
        {"saml-solicited", {" Recipient=", " InResponseTo=\"_q\" Recipient="}, {"", ""},
            false},
        {"saml-audience", {">" AUDIENCE "<", ">x<"}, {"", ""}, false},
        {"saml-condition",
            {"</saml:Conditions>", "<saml:Condition/></saml:Conditions>"}, {"", ""},
            false},
        {"saml-expired", {"T18:00:00Z", "T10:00:00Z"}, {"", ""}, false},
        {"saml-not-yet", {"T09:59:30Z", "T10:09:00Z"}, {"", ""}, false},
        {"saml-age", {"10:00:00.123Z", "09:00:00Z"}, {"", ""}, false},
    };
    const struct world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = idp_edit(BARE, cases[i].before[0], cases[i].before[1]);
        char *made = idp_sign(text, "signing-rsa2048.pem");
        char *xml = idp_edit(made, cases[i].after[0], cases[i].after[1]);
        struct provider_identity who;
        bool wait = !cases[i].wait;
        const char *reason = ask(w, xml, &who, &wait);

        if (strcmp(reason, cases[i].reason) != 0 || wait != cases[i].wait)
            fail_msg("%s, not %s", reason, cases[i].reason);
        free(text);
        free(made);
        free(xml);
    }
}

static void
refuses_what_is_no_base64url(void **state)
{
    static const char *const tokens[] = {"", "PGE-Pz8-PC9hPg==", "PGE+", "<a/>", "A"};
    const struct world *w = *state;
    struct provider_identity who;
    const char *reason;
    bool wait;

    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_int_equal(providers_check_assertion(w->providers, text_of(tokens[i]),
                             IDP_NOW_S, &who, &reason, &wait, NULL),
            MAUTH_MALFORMED);
        assert_string_equal(reason, "saml-form");
    }
}

static void
fetches_for_whom_it_knows(void **state)
{
    const struct world *w = *state;
    struct waiter *waiter = waiter_new();
    struct buf token;

    providers_fetch_assertion(w->providers, text_of("PGE"), call, waiter);
    assert_int_equal(calls(waiter), 1); /* of nobody: at once */
    buf_init(&token);
    token_put(&token, BARE, sizeof(BARE) - 1);
    providers_fetch_assertion(
        w->providers, (struct text){(char *)token.data, token.len}, call, waiter);
    await(waiter, 2);
    buf_clear(&token);
    waiter_free(waiter);
}

static int
start(void **state)
{
    (void)state;
    idp_start();
    buf_init(&logged);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    buf_clear(&logged);
    saml_library_close();
    return 0;
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(vouches_for_somebody),
        IN_WORLD(believes_no_address_elsewhere),
        IN_WORLD(knows_an_assertion_again),
        IN_WORLD(refuses_by_reason),
        IN_WORLD(refuses_what_is_no_base64url),
        IN_WORLD(fetches_for_whom_it_knows),
    };

    return cmocka_run_group_tests(tests, start, end);
}
