#include "authsvc/http_gate.h"
#include "base/str.h"
#include "tests/unit/unit.h"

struct request {
    const char *name;
    const char *method;
    const char *version;
    const char *target;
    const char *header[8]; /* name, value, name, value, ... */
    const char *flaw;      /* NULL: it passes */
};

#define HOST     "Host", "a.example"
#define POST     "POST", "HTTP/1.1", "/v1/token"
#define GET(uri) "GET", "HTTP/1.1", uri

static const struct request requests[] = {
    {"plain", GET("/healthz"), {HOST}, NULL},
    {"with a body", POST, {HOST, "Content-Length", "12"}, NULL},
    {"with an empty body", GET("/healthz"), {HOST, "Content-Length", "0"}, NULL},
    {"chunked", POST, {HOST, "Transfer-Encoding", "chunked"}, NULL},
    {"Chunked", POST, {HOST, "TRANSFER-ENCODING", "Chunked"}, NULL},
    {"a query", GET("/v1/audit?actor=a%20b"), {HOST}, NULL},
    {"an escape", GET("/v1/%41"), {HOST}, NULL},
    {"a tab in a value", GET("/"), {HOST, "X-Note", "a\tb"}, NULL},
    {"three dots", GET("/.../x"), {HOST}, NULL},
    {"a trailing slash", GET("/v1/"), {HOST}, NULL},

    {"length and coding", POST,
        {HOST, "Content-Length", "5", "Transfer-Encoding", "chunked"}, "length"},
    {"two lengths", POST, {HOST, "Content-Length", "0", "content-length", "30"},
        "header-repeated"},
    {"two equal lengths", POST, {HOST, "Content-Length", "5", "Content-Length", "5"},
        "header-repeated"},
    {"length with a sign", POST, {HOST, "Content-Length", "+5"}, "length"},
    {"negative length", POST, {HOST, "Content-Length", "-1"}, "length"},
    {"length with a zero in front", POST, {HOST, "Content-Length", "05"}, "length"},
    {"list of lengths", POST, {HOST, "Content-Length", "5, 5"}, "length"},
    {"hexadecimal length", POST, {HOST, "Content-Length", "0x5"}, "length"},
    {"empty length", POST, {HOST, "Content-Length", ""}, "length"},
    {"length past all bounds", POST, {HOST, "Content-Length", "99999999999999999999"},
        "length"},
    {"gzip, chunked", POST, {HOST, "Transfer-Encoding", "gzip, chunked"}, "coding"},
    {"xchunked", POST, {HOST, "Transfer-Encoding", "xchunked"}, "coding"},
    {"identity", POST, {HOST, "Transfer-Encoding", "identity"}, "coding"},
    {"two codings", POST,
        {HOST, "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"},
        "header-repeated"},
    {"space before the colon", POST, {HOST, "Transfer-Encoding ", "chunked"},
        "header-name"},
    {"empty header name", GET("/"), {HOST, "", "x"}, "header-name"},
    {"control byte in a name", GET("/"), {HOST, "X\x01", "x"}, "header-name"},
    {"bare CR in a value", GET("/"), {HOST, "X-A", "a\rb"}, "header-value"},
    {"folded value", GET("/"), {HOST, "Authorization", "Bea\r\n rer x"},
        "header-value"},
    {"DEL in a value", GET("/"), {HOST, "X-A", "a\x7f"}, "header-value"},
    {"two hosts", GET("/"), {HOST, "host", "b.example"}, "header-repeated"},
    {"no host", GET("/"), {NULL}, "host"},
    {"two authorizations", GET("/"), {HOST, "Authorization", "a", "Authorization", "b"},
        "header-repeated"},
    {"two content types", POST, {HOST, "Content-Type", "a/b", "Content-Type", "a/b"},
        "header-repeated"},
    {"two proofs", POST, {HOST, "DPoP", "a", "dpop", "b"}, "header-repeated"},
    {"HTTP/1.0", "GET", "HTTP/1.0", "/", {HOST}, "version"},
    {"HTTP/9.9", "GET", "HTTP/9.9", "/", {HOST}, "version"},
    {"GET with a body", GET("/"), {HOST, "Content-Length", "5"}, "body"},
    {"chunked GET", GET("/"), {HOST, "Transfer-Encoding", "chunked"}, "body"},
    {"DELETE with a body", "DELETE", "HTTP/1.1", "/", {HOST, "Content-Length", "5"},
        "body"},
    {"absolute form", GET("https://a.example/healthz"), {HOST}, "target"},
    {"asterisk form", "OPTIONS", "HTTP/1.1", "*", {HOST}, "target"},
    {"empty target", GET(""), {HOST}, "target"},
    {"space in it", GET("/a b"), {HOST}, "target"},
    {"fragment", GET("/a#b"), {HOST}, "target"},
    {"backslash", GET("/a\\b"), {HOST}, "target"},
    {"byte above ASCII", GET("/\xc3\xa4"), {HOST}, "target"},
    {"dot", GET("/./a"), {HOST}, "target"},
    {"dots", GET("/a/../b"), {HOST}, "target"},
    {"dots at the end", GET("/a/.."), {HOST}, "target"},
    {"dots before a query", GET("/a/..?b"), {HOST}, "target"},
    {"two slashes", GET("//a"), {HOST}, "target"},
    {"escaped dots", GET("/a/%2e%2E/b"), {HOST}, "target"},
    {"escaped NUL", GET("/a%00b"), {HOST}, "target"},
    {"escaped slash", GET("/a%2fb"), {HOST}, "target"},
    {"escaped backslash", GET("/a%5Cb"), {HOST}, "target"},
    {"escaped line end", GET("/a%0d%0ab"), {HOST}, "target"},
    {"escape cut short", GET("/a%4"), {HOST}, "target"},
    {"escape of nothing", GET("/a%zz"), {HOST}, "target"},
};

static void
test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        const struct request *r = &requests[i];
        struct http_gate gate;
        const char *flaw;

        http_gate_init(&gate);
        for (size_t h = 0; h < COUNT(r->header) && r->header[h]; h += 2)
            http_gate_header(&gate, text_of(r->header[h]), text_of(r->header[h + 1]));
        flaw = http_gate_verdict(&gate, r->method, r->version, r->target);
        if (!r->flaw && flaw)
            fail_msg("%s: refused for %s", r->name, flaw);
        if (r->flaw && (!flaw || strcmp(flaw, r->flaw) != 0))
            fail_msg("%s: %s instead of %s", r->name, flaw ? flaw : "passed", r->flaw);
    }
}

static void
test_value_with_nul(void **state)
{
    struct text value = {"a\0b", 3};
    struct http_gate gate;

    (void)state;
    http_gate_init(&gate);
    http_gate_header(&gate, text_of("X-A"), value);
    assert_string_equal(
        http_gate_verdict(&gate, "GET", "HTTP/1.1", "/"), "header-value");
}

static void
test_paths(void **state)
{
    static const struct {
        const char *route, *path;
        const char *id[2]; /* NULL: no such; both NULL and !good: no match */
        bool good;
    } cases[] = {
        {"/a", "/a", {"", ""}, true},
        {"/a", "/a/", {NULL, NULL}, false},
        {"/a", "/", {NULL, NULL}, false},
        {"/a/{id}", "/a/x", {"x", ""}, true},
        {"/a/{id}", "/a/{id}", {"{id}", ""}, true},
        {"/a/{id}", "/a/", {NULL, NULL}, false},
        {"/a/{id}", "/a", {NULL, NULL}, false},
        {"/a/{id}", "/a/x/", {NULL, NULL}, false},
        {"/a/{id}", "/a/x/y", {NULL, NULL}, false},
        {"/a/{id}/b/{id}", "/a/x/b/y", {"x", "y"}, true},
        {"/a/{id}/b/{id}", "/a/x/c/y", {NULL, NULL}, false},
        {"/a/{id}/b/{id}", "/a/x/b", {NULL, NULL}, false},
    };
    struct text id;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t n = 0; n < 2; n++) {
            bool good = http_path_matches(cases[i].route, cases[i].path, n, &id);

            if (good != cases[i].good)
                fail_msg("%s on %s", cases[i].path, cases[i].route);
            if (good && !text_is(id, cases[i].id[n]))
                fail_msg(
                    "%s on %s: %.*s", cases[i].path, cases[i].route, (int)id.len, id.p);
        }
}

static void
test_media_types(void **state)
{
    static const char form[] = "application/x-www-form-urlencoded";

    (void)state;
    assert_true(http_media_type_is(form, form));
    assert_true(http_media_type_is("Application/X-WWW-Form-Urlencoded", form));
    assert_true(
        http_media_type_is("application/x-www-form-urlencoded; charset=UTF-8", form));
    assert_true(http_media_type_is(
        "application/x-www-form-urlencoded;charset=\"utf-8\"", form));
    assert_false(http_media_type_is(NULL, form));
    assert_false(http_media_type_is("", form));
    assert_false(http_media_type_is("application/json", form));
    assert_false(http_media_type_is("application/x-www-form-urlencodedx", form));
    assert_false(
        http_media_type_is("application/x-www-form-urlencoded; charset=latin1", form));
    assert_false(http_media_type_is("application/x-www-form-urlencoded;", form));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_value_with_nul),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_media_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
