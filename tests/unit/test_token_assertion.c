#include "authsvc/token_assertion.h"
#include "tests/unit/token.h"

#define URL "https://a.example"

static void
tells_ours_from_others(void **state)
{
    static const struct {
        const char *xml;
        bool foreign;
    } cases[] = {
        {"<saml:Issuer>https://idp.example</saml:Issuer>", true},
        {"<a>" URL "</a>", true},
        {"<saml:Audience>" URL "</saml:Audience>", true},
        {"\xef\xbb\xbf<a/>", true},
        {"<saml:Issuer>" URL "/</saml:Issuer>", true},
        {"<saml:Issuer>" URL "</saml:Issuer>", false},
        {"<Issuer>" URL "</Issuer>", false},
        {"<x>\n<y:Issuer>" URL "</y:Issuer>", false},
        {"text", false}, /* as a deflated ticket begins */
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf token;

        buf_init(&token);
        token_put(&token, cases[i].xml, strlen(cases[i].xml));
        if (token_assertion_is_foreign(
                (struct text){(char *)token.data, token.len}, URL) != cases[i].foreign)
            fail_msg("%s", cases[i].xml);
        buf_clear(&token);
    }
    assert_false(token_assertion_is_foreign(text_of("<a/>"), URL)); /* no base64url */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_ours_from_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
