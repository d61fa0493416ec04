#include "base/str.h"
#include "cli/service_metadata.h"
#include "tests/unit/unit.h"

#define ISSUER "\"issuer\":\"https://auth.mesh.example\""
#define ROOT                                                                    \
    "\"meshauth_root\":\"auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/" \
    "TNVEpz5zKclCABt5dOnj3/r\""

static enum mauth_rc
read_root(const char *json, struct note_verifier *out)
{
    struct service_url url;

    assert_int_equal(
        service_url_parse("https://auth.mesh.example", &url, NULL), MAUTH_OK);
    return service_metadata_root(text_of(json), &url, out, NULL);
}

static void
reads_the_root(void **state)
{
    struct note_verifier root;

    (void)state;
    assert_int_equal(read_root("{" ISSUER "," ROOT ",\"more\":[1]}", &root), MAUTH_OK);
    assert_string_equal(root.name, "auth.mesh.example/root");
}

static void
refuses(void **state)
{
    static const struct {
        const char *name, *json;
        enum mauth_rc rc;
    } refusals[] = {
        {"nothing", "", MAUTH_MALFORMED},
        {"no object", "[]", MAUTH_MALFORMED},
        {"no issuer", "{" ROOT "}", MAUTH_MALFORMED},
        {"a member twice", "{" ISSUER "," ROOT "," ROOT "}", MAUTH_MALFORMED},
        {"another service", "{\"issuer\":\"https://auth.mesh.exampla\"," ROOT "}",
            MAUTH_UNTRUSTED},
        {"none is told", "{" ISSUER "}", MAUTH_NOT_FOUND},
        {"no text", "{" ISSUER ",\"meshauth_root\":1}", MAUTH_NOT_FOUND},
        {"no key", "{" ISSUER ",\"meshauth_root\":\"root\"}", MAUTH_MALFORMED},
        {"a changed key",
            "{" ISSUER ",\"meshauth_root\":\"auth.mesh.example/root+c3441793+Aegk/"
            "JcWJVB0qqKDVHGG/TNVEpz5zKclCABt5dOnj3/q\"}",
            MAUTH_MALFORMED},
        {"another's root",
            "{" ISSUER ",\"meshauth_root\":\"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzh"
            "KqiBfsVkmqq/LDE4izWy10TW\"}",
            MAUTH_UNTRUSTED},
    };
    struct note_verifier root;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (read_root(refusals[i].json, &root) != refusals[i].rc)
            fail_msg("%s", refusals[i].name);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_root),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
