/* Which requests come in (authsvc/http_admit.c); test_http.c has those that do. */
#include "tests/unit/http_world.h"

#define PIPE "GET /query?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

struct refusal {
    const char *name;
    const char *bytes;
    const char *status;
};

/* Each is refused, the connection ends, and what comes behind is never served. */
static const struct refusal refusals[] = {
    {"length and coding",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"two lengths",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 0\r\nContent-Length: 43\r\n\r\n" PIPE,
        "400"},
    {"gzip, chunked",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"xchunked",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"space before the colon",
        "POST /echo HTTP/1.1\r\n" TEXT "Transfer-Encoding : chunked\r\n\r\n" PIPE,
        "400"},
    {"folded header",
        "GET /query HTTP/1.1\r\n" HEAD "Authorization: Bea\r\n rer x\r\n\r\n" PIPE,
        "400"},
    {"bare CR", "GET /query HTTP/1.1\r\n" HEAD "X-A: a\rb\r\n\r\n" PIPE, "400"},
    {"two hosts", "GET /query HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" PIPE, "400"},
    {"no host", "GET /query HTTP/1.1\r\n\r\n" PIPE, "400"},
    {"two authorizations",
        "GET /query HTTP/1.1\r\n" HEAD
        "Authorization: a\r\nAuthorization: b\r\n\r\n" PIPE,
        "400"},
    {"HTTP/1.0 with a coding",
        "POST /echo HTTP/1.0\r\n" TEXT
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" PIPE,
        "400"},
    {"HEAD with a body",
        "HEAD /query HTTP/1.1\r\n" HEAD "Content-Length: 43\r\n\r\n" PIPE, "400"},
    {"HEAD of no GET", "HEAD /echo HTTP/1.1\r\n" HEAD "\r\n" PIPE, "405"},
    {"GET with a body",
        "GET /query HTTP/1.1\r\n" HEAD "Content-Length: 43\r\n\r\n" PIPE, "400"},
    {"length with a sign",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: +5\r\n\r\nhello" PIPE, "400"},
    {"list of lengths",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: 5, 5\r\n\r\nhello" PIPE, "400"},
    {"negative length",
        "POST /echo HTTP/1.1\r\n" TEXT "Content-Length: -1\r\n\r\n" PIPE, "400"},
    {"escaped NUL", "GET /query%00x HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"escaped slash", "GET /a%2fb HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"escaped dots", "GET /%2e%2e/query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"dots", "GET /x/../query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"absolute form", "GET http://a/query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "400"},
    {"unknown path", "GET /nowhere HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"path in another case", "GET /Query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"path and a slash", "GET /query/ HTTP/1.1\r\n" HEAD "\r\n" PIPE, "404"},
    {"another method", "POST /query HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n" PIPE,
        "405"},
    {"unknown method", "BREW /query HTTP/1.1\r\n" HEAD "\r\n" PIPE, "405"},
    {"too large by its length",
        "POST /echo HTTP/1.1\r\n" TEXT
        "Content-Length: 17\r\n\r\n01234567890123456" PIPE,
        "413"},
    {"too large by its chunks",
        "POST /echo HTTP/1.1\r\n" TEXT "Transfer-Encoding: chunked\r\n\r\n"
        "9\r\n012345678\r\n9\r\n012345678\r\n0\r\n\r\n" PIPE,
        "413"},
    {"another content type",
        "POST /echo HTTP/1.1\r\n" HEAD
        "Content-Type: text/html\r\nContent-Length: 2\r\n\r\nhi" PIPE,
        "415"},
    {"no content type",
        "POST /echo HTTP/1.1\r\n" HEAD "Content-Length: 2\r\n\r\nhi" PIPE, "415"},
};

static void
test_refusals(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        char answer[4096];
        bool closed;
        int fd = dial(w);

        send_all(fd, r->bytes, strlen(r->bytes));
        receive(fd, answer, sizeof(answer), 3000, &closed);
        close(fd);
        if (strncmp(answer, "HTTP/1.1 ", 9) != 0 ||
            strncmp(answer + 9, r->status, 3) != 0)
            fail_msg("%s: %.40s", r->name, answer);
        if (!closed)
            fail_msg("%s: the connection stays", r->name);
        if (w->served)
            fail_msg("%s: a route was reached", r->name);
    }
    assert_true(w->refused >= 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
