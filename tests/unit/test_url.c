#include "base/url.h"
#include "tests/unit/unit.h"

#define ISSUER "https://auth.mesh.example"
#define TRIP   "fld_0fffffffffffffffffffffffff"
#define ALICE  "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define PC     "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx"
#define FOLDER ISSUER "/v1/mesh/folders/" TRIP

static const char *const strict[] = {
    "https://a/",
    "https://a.example:8443/",
    "https://127.0.0.1:1/x",
    "https://[::1]/x",
    "https://[2001:db8::1]:65535/x",
    "https://xn--bcher-kva.example/",
    FOLDER,
    FOLDER "/",
    FOLDER "/a/b/",
    FOLDER "/...",
    FOLDER "/.a",
    FOLDER "/a..",
    FOLDER "/A-Z.a~z_0!$&'()*+,=:@9",
    FOLDER "/two%20words",
    FOLDER "/%22%3C%3E%3F%23%5B%5D%5E%60%7B%7C%7D",
    FOLDER "/caf%C3%A9",
    FOLDER "/%E2%82%AC%F0%9F%8F%94",
    FOLDER "/%C2%80",
    FOLDER "/%F4%8F%BF%BF",
};

static void
takes_the_strict_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strict); i++)
        if (!url_is_strict(text_of(strict[i])))
            fail_msg("refused: %s", strict[i]);
}

static const struct refusal {
    const char *name;
    const char *url;
} refusals[] = {
    {"nothing", ""},
    {"no scheme", "//a/x"},
    {"another scheme", "http://a/x"},
    {"upper-case scheme", "HTTPS://a/x"},
    {"scheme alone", "https://"},
    {"no path", "https://a"},
    {"no host", "https:///x"},
    {"upper-case host", "https://A/x"},
    {"userinfo", "https://u@a/x"},
    {"userinfo with password", "https://u:p@a/x"},
    {"empty label", "https://a..b/x"},
    {"dot first", "https://.a/x"},
    {"dot last", "https://a./x"},
    {"escaped host", "https://a%2Db/x"},
    {"underscore in host", "https://a_b/x"},
    {"empty port", "https://a:/x"},
    {"default port", "https://a:443/x"},
    {"port with a leading zero", "https://a:0443/x"},
    {"port 0", "https://a:0/x"},
    {"port too large", "https://a:65536/x"},
    {"port with a sign", "https://a:+1/x"},
    {"two ports", "https://a:1:2/x"},
    {"address not closed", "https://[::1/x"},
    {"address in upper case", "https://[::A]/x"},
    {"address empty", "https://[]/x"},
    {"address with a zone", "https://[::1%25eth0]/x"},
    {"text behind an address", "https://[::1]a/x"},
    {"address and default port", "https://[::1]:443/x"},
    {"query", FOLDER "?a"},
    {"empty query", FOLDER "?"},
    {"fragment", FOLDER "#a"},
    {"empty fragment", FOLDER "#"},
    {"empty segment", FOLDER "//a"},
    {"empty segment first", "https://a//"},
    {"two slashes last", FOLDER "/a//"},
    {"dot", FOLDER "/./a"},
    {"dot last", FOLDER "/."},
    {"dot dot", FOLDER "/../a"},
    {"dot dot last", FOLDER "/a/.."},
    {"escaped dots", FOLDER "/%2E%2E/a"},
    {"half escaped dots", FOLDER "/.%2E/a"},
    {"path parameter", FOLDER ";a"},
    {"path parameter on dots", FOLDER "/..;/a"},
    {"escaped path parameter", FOLDER "%3Ba"},
    {"backslash", FOLDER "\\a"},
    {"escaped backslash", FOLDER "%5Ca"},
    {"escaped slash", FOLDER "%2Fa"},
    {"escaped slash in lower case", FOLDER "%2fa"},
    {"escaped percent", FOLDER "/%25"},
    {"escaped twice", FOLDER "/%252E"},
    {"escaped NUL", FOLDER "/a%00"},
    {"escaped newline", FOLDER "/a%0A"},
    {"last control character", FOLDER "/a%1F"},
    {"escaped DEL", FOLDER "/a%7F"},
    {"escaped letter", FOLDER "/%61"},
    {"escaped digit", FOLDER "/%31"},
    {"escaped colon", FOLDER "/%3A"},
    {"escaped tilde", FOLDER "/%7E"},
    {"lower-case escape", FOLDER "/%c3%a9"},
    {"half lower-case escape", FOLDER "/%C3%a9"},
    {"escape cut", FOLDER "/%2"},
    {"percent alone", FOLDER "/%"},
    {"no hex", FOLDER "/%GG"},
    {"space", FOLDER "/a b"},
    {"tab", FOLDER "/a\tb"},
    {"newline", FOLDER "/a\n"},
    {"quote", FOLDER "/\"a"},
    {"bracket", FOLDER "/a[0]"},
    {"raw UTF-8", FOLDER "/caf\xc3\xa9"},
    {"lead byte alone", FOLDER "/%C3"},
    {"lead byte, then a letter", FOLDER "/%C3a"},
    {"lead byte, then a space", FOLDER "/%C3%20"},
    {"continuation alone", FOLDER "/%A9"},
    {"overlong slash", FOLDER "/%C0%AF"},
    {"overlong dot, three bytes", FOLDER "/%E0%80%AE"},
    {"surrogate", FOLDER "/%ED%A0%80"},
    {"beyond Unicode", FOLDER "/%F4%90%80%80"},
    {"three of four bytes", FOLDER "/%F0%9F%8F"},
    {"a fifth byte", FOLDER "/%F0%9F%8F%94%80"},
};

static void
refuses_all_else(void **state)
{
    struct text id;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct text url = text_of(refusals[i].url);

        if (url_is_strict(url))
            fail_msg("taken: %s", refusals[i].name);
        if (url_is_within(url, url))
            fail_msg("within itself: %s", refusals[i].name);
        if (url_is_within(url, text_of(FOLDER)))
            fail_msg("within: %s", refusals[i].name);
        if (url_is_node(url, text_of(ISSUER), ID_FOLDER, &id))
            fail_msg("a folder: %s", refusals[i].name);
    }
}

/* A NUL ends no URL, wherever it stands. */
static void
refuses_nul_anywhere(void **state)
{
    char url[] = FOLDER "/a";
    struct text t = {url, sizeof(url) - 1};

    (void)state;
    for (size_t i = 0; i < t.len; i++) {
        char was = url[i];

        url[i] = '\0';
        assert_false(url_is_strict(t));
        url[i] = was;
    }
    t.len++;
    assert_false(url_is_strict(t));
}

/* Each byte in a segment, raw and escaped: at most one of the two is strict. */
static void
gives_each_byte_one_spelling(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char raw[] = "https://a/.x?", escaped[16];
        struct text t = {raw, sizeof(raw) - 1};
        bool is_raw, is_escaped;

        raw[12] = (char)byte;
        is_raw = url_is_strict(t);
        snprintf(escaped, sizeof(escaped), "https://a/%%%02X", (unsigned)byte);
        is_escaped = url_is_strict(text_of(escaped));
        assert_false(is_raw && is_escaped);
        if (byte > 0x7f || strchr("%\\;\x7f", byte) || byte < 0x20)
            assert_false(is_raw || is_escaped);
        else
            assert_true(is_raw || is_escaped);
    }
}

static const struct pair {
    const char *url;
    const char *place;
    bool within;
} pairs[] = {
    {FOLDER, FOLDER, true},
    {FOLDER "/", FOLDER, true},
    {FOLDER "/a", FOLDER, true},
    {FOLDER "/a/b", FOLDER, true},
    {FOLDER "/a/b/", FOLDER, true},
    {FOLDER "/a/b", FOLDER "/a", true},
    {FOLDER "2", FOLDER, false},
    {FOLDER "-x/a", FOLDER, false},
    {FOLDER ".a", FOLDER, false},
    {FOLDER "%20/a", FOLDER, false},
    {FOLDER "/ab", FOLDER "/a", false},
    {FOLDER, FOLDER "/a", false},
    {FOLDER, FOLDER "/", false},
    {FOLDER "/", FOLDER "/", true},
    {FOLDER "/a", FOLDER "/", false},
    {FOLDER "/a/../b", FOLDER, false},
    {"https://auth.mesh.example:8443/v1/mesh/folders/" TRIP, FOLDER, false},
    {"https://auth.mesh.example.evil/v1/mesh/folders/" TRIP, FOLDER, false},
    {ISSUER "/a", ISSUER, false},
    {ISSUER "/a", "https:", false},
    {ISSUER "/a", "https:/", false},
    {ISSUER "/a", "", false},
    {"", "", false},
};

static void
compares_whole_segments(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (url_is_within(text_of(pairs[i].url), text_of(pairs[i].place)) !=
            pairs[i].within)
            fail_msg("%s within %s", pairs[i].url, pairs[i].place);
}

static const struct node {
    const char *url;
    const char *issuer;
    enum id_kind kind;
    const char *id; /* NULL: refused */
} nodes[] = {
    {FOLDER, ISSUER, ID_FOLDER, TRIP},
    {ISSUER "/v1/mesh/users/" ALICE, ISSUER, ID_USER, ALICE},
    {ISSUER "/v1/mesh/devices/" PC, ISSUER, ID_DEVICE, PC},
    {"https://[::1]:8443/v1/mesh/devices/" PC, "https://[::1]:8443", ID_DEVICE, PC},
    {FOLDER, ISSUER, ID_USER, NULL},
    {ISSUER "/v1/mesh/users/" TRIP, ISSUER, ID_USER, NULL},
    {ISSUER "/v1/mesh/users/" TRIP, ISSUER, ID_FOLDER, NULL},
    {ISSUER "/v1/mesh/folders/" ALICE, ISSUER, ID_FOLDER, NULL},
    {FOLDER "/", ISSUER, ID_FOLDER, NULL},
    {FOLDER "/a", ISSUER, ID_FOLDER, NULL},
    {FOLDER "0", ISSUER, ID_FOLDER, NULL},
    {ISSUER "/v1/mesh/folders/fld_8fffffffffffffffffffffffff", ISSUER, ID_FOLDER, NULL},
    {ISSUER "/v1/mesh/folders/fld_0FFFFFFFFFFFFFFFFFFFFFFFFF", ISSUER, ID_FOLDER, NULL},
    {ISSUER "/v1/mesh/folders/", ISSUER, ID_FOLDER, NULL},
    {ISSUER "//v1/mesh/folders/" TRIP, ISSUER, ID_FOLDER, NULL},
    {ISSUER "/v2/mesh/folders/" TRIP, ISSUER, ID_FOLDER, NULL},
    {ISSUER ".evil/v1/mesh/folders/" TRIP, ISSUER, ID_FOLDER, NULL},
    {"https://evil/v1/mesh/folders/" TRIP, ISSUER, ID_FOLDER, NULL},
    {"http://a/v1/mesh/folders/" TRIP, "http://a", ID_FOLDER, NULL},
    {"/v1/mesh/folders/" TRIP, "", ID_FOLDER, NULL},
    {ISSUER "//v1/mesh/folders/" TRIP, ISSUER "/", ID_FOLDER, NULL},
    {"https://Auth/v1/mesh/folders/" TRIP, "https://Auth", ID_FOLDER, NULL},
    {ISSUER "/v1/mesh/services/svc_0sssssssssssssssssssssssss", ISSUER, ID_SERVICE,
        NULL},
    {"", ISSUER, ID_FOLDER, NULL},
};

static void
knows_exactly_the_node(void **state)
{
    struct text id;

    (void)state;
    for (size_t i = 0; i < COUNT(nodes); i++) {
        bool is = url_is_node(
            text_of(nodes[i].url), text_of(nodes[i].issuer), nodes[i].kind, &id);

        if (is != (nodes[i].id != NULL) || !text_is(id, nodes[i].id ? nodes[i].id : ""))
            fail_msg("row %zu: %s", i, nodes[i].url);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_strict_form),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(refuses_nul_anywhere),
        cmocka_unit_test(gives_each_byte_one_spelling),
        cmocka_unit_test(compares_whole_segments),
        cmocka_unit_test(knows_exactly_the_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
