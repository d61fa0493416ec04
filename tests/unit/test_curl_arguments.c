#include "base/fail.h"
#include "cli/curl_arguments.h"
#include "tests/unit/unit.h"

enum {
    WORDS = 8
};

static enum mauth_rc
parse(const char *const *words, struct curl_arguments *out, struct mauth_err *err)
{
    char text[WORDS][64], *argv[WORDS + 1] = {NULL};
    enum mauth_rc rc;

    for (size_t i = 0; words[i]; i++) {
        snprintf(text[i], sizeof(text[i]), "%s", words[i]);
        argv[i] = text[i];
    }
    rc = curl_arguments_read(argv, out, err);
    if (rc == MAUTH_OK && out->method >= text[0] &&
        out->method < (const char *)text + sizeof(text))
        out->method = strcmp(out->method, "PATCH") == 0 ? "PATCH" : "?";
    return rc;
}

static const struct {
    const char *words[WORDS + 1];
    const char *method;
    bool once, progress;
} good[] = {
    {{NULL}, "GET", false, false},
    {{"-I"}, "HEAD", false, false},
    {{"--head"}, "HEAD", false, false},
    {{"-sSf"}, "GET", false, false},
    {{"-d", "a=b"}, "POST", false, false},
    {{"-da=b"}, "POST", false, false},
    {{"--json", "{}"}, "POST", false, false},
    {{"-F", "a=@file"}, "POST", false, false},
    {{"-G", "-d", "a"}, "GET", false, false},
    {{"-T", "file"}, "PUT", false, false},
    {{"-Tfile"}, "PUT", false, false},
    {{"-sTfile"}, "PUT", false, false},
    {{"-X", "PATCH", "-d", "x"}, "PATCH", false, false},
    {{"-XPATCH"}, "PATCH", false, false},
    {{"--request", "PATCH"}, "PATCH", false, false},
    {{"-o", "-L"}, "GET", false, false}, /* a file of that name */
    {{"-oL"}, "GET", false, false},
    {{"-so", "--location"}, "GET", false, false},
    {{"-d", "--url"}, "POST", false, false},
    {{"-H", "Accept: a"}, "GET", false, false},
    {{"-H", "AuthorizationX: a"}, "GET", false, false},
    {{"-#"}, "GET", false, true},
    {{"-d", "@-"}, "POST", true, false},
    {{"-d@-"}, "POST", true, false},
    {{"--data-urlencode", "name@-"}, "POST", true, false},
    {{"-T", "-"}, "PUT", true, false},
    {{"-T-"}, "PUT", true, false},
    {{"-T", "."}, "PUT", true, false},
    {{"-F", "a=@-"}, "POST", true, false},
    {{"-F", "a=<-;type=x"}, "POST", true, false},
    {{"-F", "a=@-file"}, "POST", false, false},
};

static void
reads_what_is_passed_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct curl_arguments a;

        if (parse(good[i].words, &a, &err) != MAUTH_OK)
            fail_msg("%zu: %s", i, err.text);
        if (strcmp(a.method, good[i].method) != 0 || a.once != good[i].once ||
            a.progress != good[i].progress)
            fail_msg("%zu: %s %d %d", i, a.method, a.once, a.progress);
    }
}

static const struct {
    const char *words[WORDS + 1];
    const char *says;
} bad[] = {
    {{"https://other.example/"}, "for one URL"},
    {{"-o", "file", "https://other.example/"}, "for one URL"},
    {{"-sS", "x"}, "for one URL"},
    {{"-"}, "for one URL"},
    {{"--", "x"}, "for one URL"},
    {{""}, "for one URL"},
    {{"--url", "x"}, "for one URL"},
    {{"--next"}, "for one URL"},
    {{"-:"}, "for one URL"},
    {{"-L"}, "a redirect"},
    {{"-sSL"}, "a redirect"},
    {{"-fL", "-d", "x"}, "a redirect"},
    {{"--location"}, "a redirect"},
    {{"--location-trusted"}, "a redirect"},
    {{"--loc"}, "is not among"}, /* curl would take it for --location */
    {{"--no-location"}, "is not among"},
    {{"--location=1"}, "is not among"},
    {{"-k"}, "--cacert"},
    {{"--insecure"}, "--cacert"},
    {{"-v"}, "print the ticket"},
    {{"-sv"}, "print the ticket"},
    {{"--trace", "-"}, "print the ticket"},
    {{"--trace-ascii", "-"}, "print the ticket"},
    {{"-K", "file"}, "is not looked at"},
    {{"-Kfile"}, "is not looked at"},
    {{"-q"}, "is not among"},
    {{"-u", "x:y"}, "who you are"},
    {{"--oauth2-bearer", "x"}, "who you are"},
    {{"-E", "x"}, "bound to"},
    {{"--key", "x"}, "bound to"},
    {{"-D", "x"}, "-i shows"},
    {{"-x", "http://proxy"}, "is not among"},
    {{"--proxy-header", "x"}, "is not among"},
    {{"--engine", "x"}, "is not among"},
    {{"--libcurl", "x"}, "is not among"},
    {{"--\033[2J"}, "\\x1b"},
    {{"-H", "Authorization: Basic x"}, "are made from"},
    {{"-H", "authorization:"}, "are made from"},
    {{"-HAUTHORIZATION;"}, "are made from"},
    {{"-H", "Authorization : x"}, "are made from"},
    {{"-H", "dpop: x"}, "are made from"},
    {{"-H", "Host: x"}, "are made from"},
    {{"-H", "@file"}, "no file"},
    {{"-X", "get"}, "upper-case"},
    {{"-X", ""}, "upper-case"},
    {{"-X", "GET /x"}, "upper-case"},
    {{"-o"}, "needs a value"},
    {{"--data"}, "needs a value"},
    {{"-sX"}, "needs a value"},
};

static void
refuses_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct curl_arguments a;

        if (parse(bad[i].words, &a, &err) != MAUTH_INVALID ||
            !strstr(err.text, bad[i].says))
            fail_msg("%s: %s", bad[i].words[0], err.text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_passed_on),
        cmocka_unit_test(refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
