#include <fcntl.h>
#include <stdbool.h>

#include <jansson.h>

#include "authsvc/log.h"
#include "base/fail.h"
#include "base/time.h"
#include "tests/unit/plain_http.h"

/* Standard error goes to a file from divert() to read_line(). */
struct world {
    int file;
    int before;
    struct plain_http http;
};

static void
answer(struct http_exchange *x)
{
    struct text body = {"", 0};

    http_set_reason(x, http_header(x, "X-Reason") ? "token-form" : NULL);
    http_answer(x, 204, NULL, body, NULL);
}

static int
set_up(void **state)
{
    static const struct http_route routes[] = {{"GET", "/x", 0, NULL, answer, NULL}};
    static struct world w;
    const struct http_options o = {
        .routes = routes, .route_count = 1, .log = log_request};
    char name[] = "/tmp/meshauth-log.XXXXXX";

    unsetenv("JOURNAL_STREAM");
    plain_start(&w.http, o);
    w.file = mkstemp(name);
    assert_true(w.file >= 0);
    unlink(name);
    w.before = dup(STDERR_FILENO);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    close(w->before);
    close(w->file);
    plain_stop(&w->http);
    return 0;
}

static void
divert(struct world *w)
{
    assert_int_equal(dup2(w->file, STDERR_FILENO), STDERR_FILENO);
}

/* What was written since; a server's thread may need a moment. */
static void
read_lines(struct world *w, char *out, size_t cap)
{
    int64_t end_ms = time_monotonic_ms() + 5000;
    ssize_t n = 0;

    while (n == 0 && time_monotonic_ms() < end_ms) {
        n = pread(w->file, out, cap - 1, 0);
        usleep(n ? 0 : 1000);
    }
    dup2(w->before, STDERR_FILENO);
    assert_true(n > 0);
    out[n] = '\0';
    assert_int_equal(ftruncate(w->file, 0), 0);
    lseek(w->file, 0, SEEK_SET);
}

/* The one line, which begins with prefix and is JSON in printable ASCII. */
static json_t *
read_line(struct world *w, const char *prefix)
{
    char text[16384];
    json_t *line;

    read_lines(w, text, sizeof(text));
    assert_true(strlen(text) <= 4096);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_memory_equal(text, prefix, strlen(prefix));
    for (const char *p = text; p[1]; p++)
        assert_in_range(*p, 0x20, 0x7e);
    line = json_loads(text + strlen(prefix), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    return line;
}

static const char *
member(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));

    return text ? text : "";
}

static void
has_level_time_and_message(void **state)
{
    struct world *w = *state;
    json_t *line;
    int64_t t_s;

    divert(w);
    log_info("serving %s on port %d", "\"all\"", 8443);
    line = read_line(w, "");
    assert_int_equal(json_object_size(line), 3);
    assert_string_equal(member(line, "level"), "info");
    assert_string_equal(member(line, "message"), "serving \"all\" on port 8443");
    assert_true(time_parse(member(line, "time"), strlen(member(line, "time")), &t_s));
    assert_in_range(t_s, time_now_s() - 5, time_now_s());
    json_decref(line);
    divert(w);
    log_error("%s", "failed");
    line = read_line(w, "");
    assert_string_equal(member(line, "level"), "error");
    assert_string_equal(member(line, "message"), "failed");
    json_decref(line);
}

static void
tells_the_journal_the_level(void **state)
{
    struct world *w = *state;

    setenv("JOURNAL_STREAM", "8:1", 1);
    divert(w);
    log_info("%s", "a");
    json_decref(read_line(w, "<6>"));
    divert(w);
    log_error("%s", "a");
    json_decref(read_line(w, "<3>"));
    unsetenv("JOURNAL_STREAM");
}

/* No text makes a second line, moves a cursor, or is lost for what it holds. */
static void
tames_foreign_text(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"a\nb\r{}", "a\nb\r{}"},
        {"\x1b[2J\x07", "\x1b[2J\x07"},
        {"gr\xc3\xbcn \xe2\x80\xa8 \xc2\x9b", "gr\xc3\xbcn \xe2\x80\xa8 \xc2\x9b"},
        {"\xff\xfe a \xc3", "?? a ?"},
        {"\\ \"", "\\ \""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *line;

        divert(w);
        log_info("%s", cases[i].text);
        line = read_line(w, "");
        assert_string_equal(member(line, "message"), cases[i].want);
        json_decref(line);
    }
}

static void
caps_a_message(void **state)
{
    static const char *const pieces[] = {
        "x", "\"", "\x01", "\xc3\xbc", "\xf0\x9f\x98\x80"};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(pieces); i++) {
        char text[8192] = "";
        json_t *line;

        while (strlen(text) < 6000)
            strcat(text, pieces[i]);
        divert(w);
        log_error("%s", text);
        line = read_line(w, ""); /* at most 4096 bytes */
        assert_true(strlen(member(line, "message")) >= 600);
        json_decref(line);
    }
}

static void
tells_a_failure(void **state)
{
    struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    json_t *line;

    assert_int_equal(
        mauth_fail(&err, MAUTH_UNAVAILABLE, "store: %s", "full"), MAUTH_UNAVAILABLE);
    divert(w);
    log_failure("r1", &err);
    line = read_line(w, "");
    assert_string_equal(member(line, "level"), "error");
    assert_string_equal(member(line, "request"), "r1");
    assert_string_equal(member(line, "code"), "unavailable");
    assert_string_equal(member(line, "message"), "store: full");
    assert_non_null(strstr(member(line, "where"), "test_log.c:"));
    json_decref(line);
}

static json_t *
ask(struct world *w, const char *method, const char *target, const char *headers)
{
    char reply[4096];

    divert(w);
    plain_ask(&w->http, method, target, headers, reply, sizeof(reply));
    return read_line(w, "");
}

static void
tells_each_request(void **state)
{
    struct world *w = *state;
    json_t *line = ask(w, "GET", "/x?token=secret", "Authorization: Bearer secret\r\n");
    char *all = json_dumps(line, 0);

    assert_null(strstr(all, "secret"));
    free(all);
    assert_int_equal(json_object_size(line), 7);
    assert_string_equal(member(line, "level"), "info");
    assert_string_equal(member(line, "method"), "GET");
    assert_string_equal(member(line, "path"), "/x");
    assert_string_equal(member(line, "client"), "unix");
    assert_int_equal(json_integer_value(json_object_get(line, "status")), 204);
    assert_true(strlen(member(line, "request")) >= 16);
    json_decref(line);

    line = ask(w, "GET", "/x", "X-Reason: 1\r\n");
    assert_string_equal(member(line, "reason"), "token-form");
    json_decref(line);
}

static void
tells_refused_requests(void **state)
{
    struct world *w = *state;
    char target[2048] = "/";
    json_t *line;

    line = ask(w, "BREWBREWBREWBREWBREWBREWBREWBREWBREWBREW", "/x", "");
    assert_memory_equal(member(line, "method"), "BREWBREW", 8);
    assert_true(strlen(member(line, "method")) < 32);
    assert_int_equal(json_integer_value(json_object_get(line, "status")), 405);
    assert_true(strlen(member(line, "reason")) > 0);
    json_decref(line);

    while (strlen(target) < 1900)
        strcat(target, "%22%0a");
    line = ask(w, "GET", target, "");
    assert_true(strlen(member(line, "path")) < 256);
    assert_null(strpbrk(member(line, "path"), "\n\""));
    assert_in_range(json_integer_value(json_object_get(line, "status")), 400, 499);
    json_decref(line);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_level_time_and_message),
        cmocka_unit_test(tells_the_journal_the_level),
        cmocka_unit_test(tames_foreign_text),
        cmocka_unit_test(caps_a_message),
        cmocka_unit_test(tells_a_failure),
        cmocka_unit_test(tells_each_request),
        cmocka_unit_test(tells_refused_requests),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
