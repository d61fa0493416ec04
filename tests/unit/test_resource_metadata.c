#include "base/str.h"
#include "cli/resource_metadata.h"
#include "tests/unit/unit.h"

#define HOST   "https://storage.example:8444"
#define KNOWN  "/.well-known/oauth-protected-resource"
#define FILES  HOST "/files"
#define ISSUER "https://auth.example"

static void
comes_from_its_own_place(void **state)
{
    static const struct {
        const char *from, *url, *resource; /* NULL: refused */
    } cases[] = {
        {HOST KNOWN, HOST "/files/a", HOST},
        {HOST KNOWN, HOST, HOST},
        {HOST KNOWN "/files", HOST "/files", FILES},
        {HOST KNOWN "/files", HOST "/files/a/b", FILES},
        {HOST KNOWN "/files/a", HOST "/files", NULL},
        {HOST KNOWN "/files", HOST "/filesystem", NULL},
        {HOST KNOWN "/other", HOST "/files/a", NULL},
        {HOST KNOWN "/files/../x", HOST "/files/a", NULL},
        {HOST KNOWN "/files?a", HOST "/files/a", NULL},
        {HOST KNOWN "#a", HOST "/files/a", NULL},
        {HOST KNOWN "x", HOST "/files/a", NULL},
        {HOST "/files" KNOWN, HOST "/files/a", NULL},
        {HOST "/metadata", HOST "/files/a", NULL},
        {HOST, HOST "/files/a", NULL},
        {"https://storage.example" KNOWN, HOST "/files/a", NULL},
        {HOST "1" KNOWN, HOST "/files/a", NULL},
        {"https://storage.example:8444.evil" KNOWN, HOST "/files/a", NULL},
        {"https://evil.example" KNOWN, HOST "/files/a", NULL},
        {"http://storage.example:8444" KNOWN, HOST "/files/a", NULL},
        {"https://u@storage.example:8444" KNOWN, HOST "/files/a", NULL},
        {KNOWN, HOST "/files/a", NULL},
        {"", HOST "/files/a", NULL},
        {"https://", "https://", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum mauth_rc rc;
        struct buf out;

        buf_init(&out);
        rc = resource_metadata_place(cases[i].from, cases[i].url, &out, NULL);
        if (rc != (cases[i].resource ? MAUTH_OK : MAUTH_UNTRUSTED))
            fail_msg("%s of %s", cases[i].from, cases[i].url);
        if (cases[i].resource)
            assert_string_equal(buf_cstr(&out), cases[i].resource);
        buf_clear(&out);
    }
}

#define DOCUMENT(rest) "{\"resource\":\"" FILES "\"," rest "}"
#define SERVERS        "\"authorization_servers\":[\"https://a.example\",\"" ISSUER "\"]"

static void
is_read_strictly(void **state)
{
    static const struct {
        const char *json;
        enum mauth_rc rc;
        bool dpop;
    } cases[] = {
        {DOCUMENT(SERVERS), MAUTH_OK, false},
        {DOCUMENT(SERVERS ",\"dpop_bound_access_tokens_required\":false"), MAUTH_OK,
            false},
        {DOCUMENT(SERVERS ",\"dpop_bound_access_tokens_required\":true"), MAUTH_OK,
            true},
        {DOCUMENT(SERVERS ",\"dpop_bound_access_tokens_required\":1"), MAUTH_MALFORMED,
            false},
        {DOCUMENT("\"authorization_servers\":[]"), MAUTH_UNTRUSTED, false},
        {DOCUMENT("\"authorization_servers\":[\"" ISSUER "/\"]"), MAUTH_UNTRUSTED,
            false},
        {DOCUMENT("\"authorization_servers\":[\"" ISSUER ".evil\"]"), MAUTH_UNTRUSTED,
            false},
        {DOCUMENT("\"authorization_servers\":[\"" ISSUER "\\u0000\"]"), MAUTH_MALFORMED,
            false},
        {DOCUMENT("\"authorization_servers\":\"" ISSUER "\""), MAUTH_MALFORMED, false},
        {DOCUMENT("\"a\":1"), MAUTH_MALFORMED, false},
        {DOCUMENT(SERVERS "," SERVERS), MAUTH_MALFORMED, false},
        {"{" SERVERS "}", MAUTH_UNTRUSTED, false},
        {"{\"resource\":\"" FILES "/\"," SERVERS "}", MAUTH_UNTRUSTED, false},
        {"{\"resource\":\"" HOST "\"," SERVERS "}", MAUTH_UNTRUSTED, false},
        {"{\"resource\":[\"" FILES "\"]," SERVERS "}", MAUTH_UNTRUSTED, false},
        {"", MAUTH_MALFORMED, false},
        {"[]", MAUTH_MALFORMED, false},
        {DOCUMENT(SERVERS) "x", MAUTH_MALFORMED, false},
        {"<html>", MAUTH_MALFORMED, false},
    };
    static char large[RESOURCE_METADATA_MAX + 1];
    struct resource_metadata m;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum mauth_rc rc =
            resource_metadata_read(text_of(cases[i].json), FILES, ISSUER, &m, NULL);

        if (rc != cases[i].rc || m.dpop != cases[i].dpop)
            fail_msg("%d: %s", (int)rc, cases[i].json);
    }
    memset(large, ' ', sizeof(large));
    memcpy(large, DOCUMENT(SERVERS), strlen(DOCUMENT(SERVERS)));
    assert_int_equal(resource_metadata_read(
                         (struct text){large, sizeof(large)}, FILES, ISSUER, &m, NULL),
        MAUTH_MALFORMED);
    assert_int_equal(resource_metadata_read((struct text){large, sizeof(large) - 1},
                         FILES, ISSUER, &m, NULL),
        MAUTH_OK);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_from_its_own_place),
        cmocka_unit_test(is_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
