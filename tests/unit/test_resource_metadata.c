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

/* And does it name our issuer? */
static enum mauth_rc
judge(struct text json, bool *dpop)
{
    struct resource_metadata m;
    enum mauth_rc rc = resource_metadata_read(json, FILES, &m, NULL);

    assert_int_equal(m.servers != NULL, rc == MAUTH_OK);
    if (rc == MAUTH_OK)
        rc = resource_metadata_check(&m, ISSUER, NULL);
    *dpop = m.dpop;
    resource_metadata_clear(&m);
    return rc;
}

static void
says_where_to_look(void **state)
{
    static const char *const cases[][2] = {{HOST, HOST KNOWN},
        {FILES, HOST KNOWN "/files"}, {FILES "/a", HOST KNOWN "/files/a"}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out, resource;

        buf_init(&out);
        buf_init(&resource);
        resource_metadata_url(text_of(cases[i][0]), &out);
        assert_string_equal(buf_cstr(&out), cases[i][1]);
        assert_int_equal(
            resource_metadata_place(buf_cstr(&out), FILES "/a/b", &resource, NULL),
            MAUTH_OK);
        assert_string_equal(buf_cstr(&resource), cases[i][0]);
        buf_clear(&resource);
        buf_clear(&out);
    }
}

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
    bool dpop;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum mauth_rc rc = judge(text_of(cases[i].json), &dpop);

        if (rc != cases[i].rc || dpop != cases[i].dpop)
            fail_msg("%d: %s", (int)rc, cases[i].json);
    }
    memset(large, ' ', sizeof(large));
    memcpy(large, DOCUMENT(SERVERS), strlen(DOCUMENT(SERVERS)));
    assert_int_equal(
        judge((struct text){large, sizeof(large)}, &dpop), MAUTH_MALFORMED);
    assert_int_equal(judge((struct text){large, sizeof(large) - 1}, &dpop), MAUTH_OK);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_from_its_own_place),
        cmocka_unit_test(says_where_to_look),
        cmocka_unit_test(is_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
