#include <pthread.h>
#include <time.h>

#include <jansson.h>

#include "base/str.h"
#include "base/time.h"
#include "net/fetch.h"
#include "tests/unit/https.h"

/* Servers that differ in certificate and transport; all serve the same. */
static struct {
    char dir[32];
    char ca[64], other[64], cert[64], key[64], socket[64];
    struct https_server good, wrong, plain, local;
} fix;

static int
set_up(void **state)
{
    char server_crt[64], server_key[64], wrong_crt[64], wrong_key[64];

    (void)state;
    https_certs(fix.dir);
    snprintf(fix.ca, sizeof(fix.ca), "%s/ca.crt", fix.dir);
    snprintf(fix.other, sizeof(fix.other), "%s/other.crt", fix.dir);
    snprintf(fix.cert, sizeof(fix.cert), "%s/client.crt", fix.dir);
    snprintf(fix.key, sizeof(fix.key), "%s/client.key", fix.dir);
    snprintf(fix.socket, sizeof(fix.socket), "%s/socket", fix.dir);
    snprintf(server_crt, sizeof(server_crt), "%s/server.crt", fix.dir);
    snprintf(server_key, sizeof(server_key), "%s/server.key", fix.dir);
    snprintf(wrong_crt, sizeof(wrong_crt), "%s/wrong.crt", fix.dir);
    snprintf(wrong_key, sizeof(wrong_key), "%s/wrong.key", fix.dir);
    fix.good = https_start(fix.dir, (const char *const[]){"--cert", server_crt, "--key",
                                        server_key, "--client-ca", fix.ca, NULL});
    fix.wrong = https_start(
        fix.dir, (const char *const[]){"--cert", wrong_crt, "--key", wrong_key, NULL});
    fix.plain = https_start(fix.dir, (const char *const[]){NULL});
    fix.local = https_start(fix.dir, (const char *const[]){"--unix", fix.socket, NULL});
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    https_stop(&fix.good);
    https_stop(&fix.wrong);
    https_stop(&fix.plain);
    https_stop(&fix.local);
    https_certs_remove(fix.dir);
    return 0;
}

static struct fetch *
open_fetch(const struct fetch_options *o)
{
    struct fetch *f = NULL;

    assert_int_equal(fetch_open(o, &f, NULL), MAUTH_OK);
    return f;
}

/* One request with a scheme, to a port or, with port 0, to a whole URL. */
static enum mauth_rc
ask(struct fetch *f, const char *scheme, int port, const char *path, long *status,
    struct buf *body)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    char url[256];
    struct fetch_request r = {.url = url};
    enum mauth_rc rc;

    if (port)
        snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, port, path);
    else
        snprintf(url, sizeof(url), "%s%s", scheme, path);
    rc = fetch_do(f, &r, status, body, &err);
    assert_int_equal(rc, err.rc);
    return rc;
}

/* The echo of a request, as JSON. */
static json_t *
echo(struct fetch *f, const struct fetch_request *r)
{
    struct buf body;
    json_t *said;
    long status;

    buf_init(&body);
    assert_int_equal(fetch_do(f, r, &status, &body, NULL), MAUTH_OK);
    assert_int_equal(status, 200);
    said = json_loadb((const char *)body.data, body.len, 0, NULL);
    assert_non_null(said);
    buf_clear(&body);
    return said;
}

static const char *
member(const json_t *said, const char *name)
{
    const char *text = json_string_value(json_object_get(said, name));

    return text ? text : "(none)";
}

static void
asks_and_keeps_the_connection(void **state)
{
    struct fetch *f = open_fetch(&(struct fetch_options){.ca_file = fix.ca});
    static const char *const headers[] = {"X-Test: yes", NULL};
    char url[64], peer[64];
    struct fetch_request get = {.url = url},
                         post = {.url = url,
                             .method = "POST",
                             .content_type = "text/x-test",
                             .body = {"a=b", 3},
                             .headers = headers},
                         put = {.url = url, .method = "PUT", .body = {"", 0}},
                         empty = {.url = url, .method = "POST"};
    json_t *said;

    (void)state;
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/echo", fix.good.port);
    said = echo(f, &post);
    assert_string_equal(member(said, "method"), "POST");
    assert_string_equal(member(said, "body"), "a=b");
    assert_string_equal(member(said, "type"), "text/x-test");
    assert_string_equal(member(said, "test"), "yes");
    assert_string_equal(member(said, "client"), "(none)");
    assert_string_equal(member(said, "encoding"), "(none)");
    snprintf(peer, sizeof(peer), "%s", member(said, "peer"));
    json_decref(said);

    /* Nothing of a request is left for the next. */
    said = echo(f, &get);
    assert_string_equal(member(said, "method"), "GET");
    assert_string_equal(member(said, "body"), "");
    assert_string_equal(member(said, "type"), "(none)");
    assert_string_equal(member(said, "test"), "(none)");
    assert_string_equal(member(said, "peer"), peer);
    json_decref(said);
    said = echo(f, &put);
    assert_string_equal(member(said, "method"), "PUT");
    json_decref(said);
    said = echo(f, &empty);
    assert_string_equal(member(said, "method"), "POST");
    assert_string_equal(member(said, "body"), "");
    assert_string_equal(member(said, "peer"), peer);
    json_decref(said);
    fetch_close(f);
}

static void
shows_its_certificate(void **state)
{
    struct fetch *f = open_fetch(&(struct fetch_options){
        .ca_file = fix.ca, .cert_file = fix.cert, .key_file = fix.key});
    char url[64];
    json_t *said;

    (void)state;
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/echo", fix.good.port);
    said = echo(f, &(struct fetch_request){.url = url});
    assert_string_equal(member(said, "client"), "client");
    json_decref(said);
    fetch_close(f);
}

static void
talks_over_a_unix_socket(void **state)
{
    struct fetch *f = open_fetch(&(struct fetch_options){.unix_socket = fix.socket});
    struct fetch_request r = {.url = "http://localhost/echo", .body = {"x", 1}};
    json_t *said;
    struct buf body;
    long status;

    (void)state;
    said = echo(f, &r);
    assert_string_equal(member(said, "peer"), ""); /* no address at all */
    assert_string_equal(member(said, "body"), "x");
    json_decref(said);
    fetch_close(f);

    buf_init(&body);
    f = open_fetch(&(struct fetch_options){.unix_socket = fix.ca});
    assert_int_equal(
        ask(f, "http://localhost", 0, "/echo", &status, &body), MAUTH_UNAVAILABLE);
    fetch_close(f);
}

/* Statuses are the caller's to judge, and no answer sends us elsewhere. */
static void
hands_over_what_came(void **state)
{
    static const struct {
        const char *path;
        long status;
        const char *body;
    } cases[] = {
        {"/none", 404, "+no such file"},
        {"/redirect", 302, "+elsewhere"},
        {"/gzip", 200, "+\x1f\x8b\x08"},
        {"/bytes/3", 200, "+xxx"},
        {"/bytes/0", 200, "+"},
        {"/endless/0", 200, "+"},
    };
    struct fetch *f = open_fetch(&(struct fetch_options){.ca_file = fix.ca});

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf body;
        long status;

        buf_init(&body);
        buf_str(&body, "+"); /* was there before, stays */
        assert_int_equal(
            ask(f, "https", fix.good.port, cases[i].path, &status, &body), MAUTH_OK);
        assert_int_equal(status, cases[i].status);
        assert_string_equal(buf_cstr(&body), cases[i].body);
        buf_clear(&body);
    }
    fetch_close(f);
}

/* What each kind of fetch must not do, and how soon it must give up. */
static void
refuses(void **state)
{
    const struct fetch_options ca = {.ca_file = fix.ca, .timeout_ms = 700},
                               other = {.ca_file = fix.other}, system_ca = {0},
                               missing = {.ca_file = "/nonexistent"},
                               small = {.ca_file = fix.ca, .max_bytes = 5000},
                               lax = {.ca_file = fix.ca, .allow_http_loopback = true},
                               local = {.unix_socket = fix.socket},
                               no_key = {.ca_file = fix.ca,
                                   .cert_file = fix.cert,
                                   .key_file = "/nonexistent"};
    const struct {
        const char *name;
        const struct fetch_options *options;
        const char *scheme;
        int port;
        const char *path;
        enum mauth_rc rc;
    } cases[] = {
        {"another authority", &other, "https", fix.good.port, "/echo",
            MAUTH_UNAVAILABLE},
        {"the system's authorities", &system_ca, "https", fix.good.port, "/echo",
            MAUTH_UNAVAILABLE},
        {"no such authority", &missing, "https", fix.good.port, "/echo",
            MAUTH_UNAVAILABLE},
        {"another host's certificate", &ca, "https", fix.wrong.port, "/echo",
            MAUTH_UNAVAILABLE},
        {"no key for the certificate", &no_key, "https", fix.good.port, "/echo",
            MAUTH_UNAVAILABLE},
        {"nobody listens", &ca, "https", 1, "/", MAUTH_UNAVAILABLE},
        {"no TLS there", &ca, "https", fix.plain.port, "/echo", MAUTH_UNAVAILABLE},
        {"plain HTTP", &ca, "http", fix.plain.port, "/echo", MAUTH_INVALID},
        {"plain HTTP to a name", &lax, "http://localhost", 0, "/", MAUTH_INVALID},
        {"plain HTTP to the world", &lax, "http://192.0.2.1", 0, "/", MAUTH_INVALID},
        {"HTTPS over the socket", &local, "https://localhost", 0, "/", MAUTH_INVALID},
        {"a file", &ca, "file://", 0, "/etc/passwd", MAUTH_INVALID},
        {"FTP", &lax, "ftp://127.0.0.1", 0, "/", MAUTH_INVALID},
        {"no scheme", &ca, "127.0.0.1", 0, "/", MAUTH_INVALID},
        {"a user", &ca, "https://a:b@127.0.0.1", 0, "/", MAUTH_INVALID},
        {"a line more", &ca, "https://127.0.0.1", 0, "/\r\nX: y", MAUTH_INVALID},
        {"nothing", &ca, "", 0, "", MAUTH_INVALID},
        {"a byte too many", &small, "https", fix.good.port, "/bytes/5001",
            MAUTH_TOO_LARGE},
        {"too many, unannounced", &small, "https", fix.good.port, "/endless/6",
            MAUTH_TOO_LARGE},
        {"more than the usual", &ca, "https", fix.good.port, "/bytes/1048577",
            MAUTH_TOO_LARGE},
        {"no answer in time", &ca, "https", fix.good.port, "/slow/3",
            MAUTH_UNAVAILABLE},
        {"an answer without end", &ca, "https", fix.good.port, "/drip",
            MAUTH_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fetch *f = open_fetch(cases[i].options);
        int64_t start_ms = time_monotonic_ms();
        long status = 1;
        struct buf body;
        enum mauth_rc rc;

        buf_init(&body);
        buf_str(&body, "before");
        rc = ask(f, cases[i].scheme, cases[i].port, cases[i].path, &status, &body);
        if (rc != cases[i].rc || status != 0 || body.len != 6)
            fail_msg("%s: %s, status %ld, %zu bytes", cases[i].name, mauth_rc_name(rc),
                status, body.len);
        if (time_monotonic_ms() - start_ms > 2500)
            fail_msg("%s: too late", cases[i].name);
        buf_clear(&body);
        fetch_close(f);
    }
}

static void
allows_what_the_bounds_allow(void **state)
{
    struct fetch *f =
        open_fetch(&(struct fetch_options){.ca_file = fix.ca, .max_bytes = 5000});
    struct buf body;
    long status;

    (void)state;
    buf_init(&body);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/bytes/5000", &status, &body), MAUTH_OK);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/endless/5", &status, &body), MAUTH_OK);
    assert_int_equal(body.len, 10000);
    fetch_close(f);
    f = open_fetch(&(struct fetch_options){.allow_http_loopback = true});
    assert_int_equal(
        ask(f, "http", fix.plain.port, "/bytes/1", &status, &body), MAUTH_OK);
    assert_int_equal(body.len, 10001);
    buf_clear(&body);
    fetch_close(f);
}

/* The same trouble is the same sentence, however long it took to meet it. */
static void
tells_no_times(void **state)
{
    const struct fetch_options o = {.ca_file = fix.ca, .timeout_ms = 300};
    const struct {
        int port;
        const char *path, *has;
    } cases[] = {
        {1, "/", "fetch: 127.0.0.1: Failed to connect to 127.0.0.1 port 1"},
        {fix.good.port, "/slow/3", "timed out with 0 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct fetch *f = open_fetch(&o);
        char url[64];
        struct fetch_request r = {.url = url};
        struct buf body;
        long status;

        buf_init(&body);
        snprintf(
            url, sizeof(url), "https://127.0.0.1:%d%s", cases[i].port, cases[i].path);
        assert_int_equal(fetch_do(f, &r, &status, &body, &err), MAUTH_UNAVAILABLE);
        if (!strstr(err.text, cases[i].has) || strstr(err.text, " after "))
            fail_msg("%s", err.text);
        buf_clear(&body);
        fetch_close(f);
    }
}

static void
refuses_what_callers_must_not_ask(void **state)
{
    static const char *const lines[] = {"A: b\r\nC: d", NULL};
    struct fetch *f = open_fetch(&(struct fetch_options){.ca_file = fix.ca});
    struct fetch_request r = {.url = "https://127.0.0.1:1/", .headers = lines};
    struct fetch *none = f;
    struct buf body;
    long status;

    (void)state;
    buf_init(&body);
    assert_int_equal(fetch_do(f, &r, &status, &body, NULL), MAUTH_INVALID);
    r.headers = NULL;
    r.content_type = "text/plain\nA: b";
    assert_int_equal(fetch_do(f, &r, &status, &body, NULL), MAUTH_INVALID);
    assert_int_equal(
        fetch_open(&(struct fetch_options){.cert_file = fix.cert}, &none, NULL),
        MAUTH_INVALID);
    assert_null(none);
    buf_clear(&body);
    fetch_close(f);
}

/* What is said beside the body; of each answer anew. */
static void
tells_how_long_to_stay_away(void **state)
{
    struct fetch *f = open_fetch(&(struct fetch_options){.ca_file = fix.ca});
    struct buf body;
    long status;

    (void)state;
    buf_init(&body);
    assert_int_equal(fetch_retry_after_s(f), 0);
    assert_string_equal(fetch_content_type(f), "");
    assert_int_equal(
        ask(f, "https", fix.good.port, "/busy/17", &status, &body), MAUTH_OK);
    assert_int_equal(status, 503);
    assert_int_equal(fetch_retry_after_s(f), 17);
    assert_string_equal(fetch_content_type(f), "text/x; a=b");
    assert_int_equal(
        ask(f, "https", fix.good.port, "/busy/soon", &status, &body), MAUTH_OK);
    assert_int_equal(fetch_retry_after_s(f), 0);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/bytes/1", &status, &body), MAUTH_OK);
    assert_int_equal(fetch_retry_after_s(f), 0);
    assert_string_equal(fetch_content_type(f), "");
    buf_clear(&body);
    fetch_close(f);
}

static void *
cancel_soon(void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    fetch_cancel(arg);
    return NULL;
}

static void
ends_when_cancelled(void **state)
{
    struct fetch *f = open_fetch(&(struct fetch_options){.ca_file = fix.ca});
    int64_t start_ms = time_monotonic_ms();
    struct buf body;
    pthread_t thread;
    long status;

    (void)state;
    buf_init(&body);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, f), 0);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/slow/5", &status, &body), MAUTH_UNAVAILABLE);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/slow/5", &status, &body), MAUTH_UNAVAILABLE);
    assert_in_range(time_monotonic_ms() - start_ms, 200, 3000);
    pthread_join(thread, NULL);
    fetch_close(f);
}

static bool
gives_up_at_third(void *arg)
{
    unsigned *asked = arg;

    return ++*asked == 3;
}

/* Only the request that is under way; the next one is asked. */
static void
ends_when_it_is_given_up(void **state)
{
    unsigned asked = 0;
    struct fetch *f = open_fetch(&(struct fetch_options){
        .ca_file = fix.ca, .gives_up = gives_up_at_third, .arg = &asked});
    int64_t start_ms = time_monotonic_ms();
    struct buf body;
    long status;

    (void)state;
    buf_init(&body);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/slow/8", &status, &body), MAUTH_UNAVAILABLE);
    assert_in_range(time_monotonic_ms() - start_ms, 0, 5000);
    assert_true(asked >= 3);
    assert_int_equal(
        ask(f, "https", fix.good.port, "/bytes/1", &status, &body), MAUTH_OK);
    buf_clear(&body);
    fetch_close(f);
}

static void
escapes_form_values(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    fetch_form_escape(&b, "a-Z_0.9", 7);
    fetch_form_escape(&b, " &=+%\n\0~\xff", 9);
    assert_string_equal(buf_cstr(&b), "a-Z_0.9%20%26%3D%2B%25%0A%00%7E%FF");
    buf_clear(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_keeps_the_connection),
        cmocka_unit_test(shows_its_certificate),
        cmocka_unit_test(talks_over_a_unix_socket),
        cmocka_unit_test(hands_over_what_came),
        cmocka_unit_test(refuses),
        cmocka_unit_test(tells_no_times),
        cmocka_unit_test(allows_what_the_bounds_allow),
        cmocka_unit_test(refuses_what_callers_must_not_ask),
        cmocka_unit_test(tells_how_long_to_stay_away),
        cmocka_unit_test(ends_when_cancelled),
        cmocka_unit_test(ends_when_it_is_given_up),
        cmocka_unit_test(escapes_form_values),
    };

    if (net_init(NULL) != MAUTH_OK)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
