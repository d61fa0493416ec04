#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/loopback.h"
#include "tests/unit/unit.h"

#define OURS "127.0.0.1:4321"
#define HOST "Host: " OURS "\r\n"
#define END  "\r\n"

static const struct {
    const char *name, *head;
    enum loopback_verdict verdict;
    const char *query;
} heads[] = {
    {"what is wanted", "GET /callback?code=C&state=S HTTP/1.1\r\n" HOST END,
        LOOPBACK_CAME, "code=C&state=S"},
    {"as browsers send it",
        "GET /callback?a HTTP/1.1\r\n" HOST "User-Agent: x\r\nAccept: */*\r\n" END,
        LOOPBACK_CAME, "a"},
    {"HTTP/1.0", "GET /callback?a HTTP/1.0\r\nhost:" OURS "\r\n" END, LOOPBACK_CAME,
        "a"},
    {"a query with a question", "GET /callback?a?b HTTP/1.1\r\n" HOST END,
        LOOPBACK_CAME, "a?b"},
    {"an empty query", "GET /callback? HTTP/1.1\r\n" HOST END, LOOPBACK_CAME, ""},
    {"nothing yet", "", LOOPBACK_MORE, ""},
    {"half a line", "GET /callb", LOOPBACK_MORE, ""},
    {"no end of headers", "GET /callback?a HTTP/1.1\r\n" HOST, LOOPBACK_MORE, ""},
    {"an icon", "GET /favicon.ico HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"no query", "GET /callback HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"below it", "GET /callback/?a HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"beside it", "GET /callbacks?a HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"in other letters", "GET /Callback?a HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"spelt otherwise", "GET /%63allback?a HTTP/1.1\r\n" HOST END, LOOPBACK_ELSE, ""},
    {"POST", "POST /callback?a HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"HEAD", "HEAD /callback?a HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"get", "get /callback?a HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"a proxy's", "GET http://" OURS "/callback?a HTTP/1.1\r\n" HOST END, LOOPBACK_BAD,
        ""},
    {"another protocol", "GET /callback?a HTTP/2\r\n" HOST END, LOOPBACK_BAD, ""},
    {"no protocol", "GET /callback?a\r\n" HOST END, LOOPBACK_BAD, ""},
    {"a blank more", "GET /callback?a  HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"no host", "GET /callback?a HTTP/1.1\r\n\r\n", LOOPBACK_BAD, ""},
    {"another host", "GET /callback?a HTTP/1.1\r\nHost: evil.example:4321\r\n" END,
        LOOPBACK_BAD, ""},
    {"another port", "GET /callback?a HTTP/1.1\r\nHost: 127.0.0.1:4322\r\n" END,
        LOOPBACK_BAD, ""},
    {"a name of loopback", "GET /callback?a HTTP/1.1\r\nHost: localhost:4321\r\n" END,
        LOOPBACK_BAD, ""},
    {"two hosts", "GET /callback?a HTTP/1.1\r\n" HOST HOST END, LOOPBACK_BAD, ""},
    {"a bare newline", "GET /callback?a HTTP/1.1\n" HOST END, LOOPBACK_BAD, ""},
    {"a bare return", "GET /callback?a\r HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"an escape", "GET /callback?\x1b[2J HTTP/1.1\r\n" HOST END, LOOPBACK_BAD, ""},
    {"a second request", "GET /callback?a HTTP/1.1\r\n" HOST END "GET / HTTP/1.1",
        LOOPBACK_BAD, ""},
    {"TLS", "\x16\x03\x01\x02\r\n\r\n", LOOPBACK_BAD, ""},
};

static void
judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct text query = text_of("stale");
        enum loopback_verdict v = loopback_judge(text_of(heads[i].head), OURS, &query);

        if (v != heads[i].verdict || !text_is(query, heads[i].query))
            fail_msg("%s: %d \"%.*s\"", heads[i].name, (int)v, (int)query.len, query.p);
    }
}

static void
judges_nul(void **state)
{
    static const char head[] = "GET /callback?a\0b HTTP/1.1\r\n" HOST END;
    struct text query;

    (void)state;
    assert_int_equal(
        loopback_judge((struct text){head, sizeof(head) - 1}, OURS, &query),
        LOOPBACK_BAD);
}

/* Every beginning of a request is incomplete, and none is read beyond its end. */
static void
judges_beginnings(void **state)
{
    static const char head[] = "GET /callback?code=C HTTP/1.1\r\n" HOST END;
    struct text query;

    (void)state;
    for (size_t len = 0; len < sizeof(head) - 1; len++) {
        char *copy = malloc(len + 1);

        assert_non_null(copy);
        memcpy(copy, head, len);
        assert_int_equal(
            loopback_judge((struct text){copy, len}, OURS, &query), LOOPBACK_MORE);
        free(copy);
    }
}

/* A listener and those who come to it. */

static int
visit(const struct loopback *l)
{
    const struct timeval patience = {10, 0};
    struct sockaddr_in a = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(loopback_url(l) + strlen("http://127.0.0.1:")));
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void
say(const struct loopback *l, int fd, const char *target)
{
    const char *host = loopback_url(l) + strlen("http://");
    char request[256];
    int len = snprintf(request, sizeof(request),
        "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", target, (int)strcspn(host, "/"), host);

    assert_int_equal(write(fd, request, (size_t)len), len);
}

static void
hear(int fd, char *out, size_t cap)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, out + len, cap - len - 1)) > 0)
        len += (size_t)n;
    assert_int_equal(n, 0);
    out[len] = '\0';
    close(fd);
}

/* Who says nothing, asks for an icon or goes away holds nobody up. */
static void
finds_the_one(void **state)
{
    int silent[LOOPBACK_CLIENTS - 3], icon, gone, one;
    struct loopback *l = NULL;
    char page[1024];
    struct buf query;

    (void)state;
    assert_int_equal(loopback_open(&l, NULL), MAUTH_OK);
    buf_init_secret(&query);
    for (size_t i = 0; i < COUNT(silent); i++)
        silent[i] = visit(l);
    icon = visit(l);
    say(l, icon, "/favicon.ico");
    gone = visit(l);
    close(gone);
    one = visit(l);
    say(l, one, "/callback?code=C");
    assert_int_equal(loopback_wait(l, 10000, &query, NULL), MAUTH_OK);
    assert_string_equal(buf_cstr(&query), "code=C");
    hear(one, page, sizeof(page));
    assert_non_null(strstr(page, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(page, "You may close this window"));
    assert_null(strstr(page, "code"));
    hear(icon, page, sizeof(page));
    assert_non_null(strstr(page, "HTTP/1.1 404 "));
    loopback_close(l);
    for (size_t i = 0; i < COUNT(silent); i++)
        close(silent[i]);
    buf_clear(&query);
}

struct flood {
    struct loopback *l;
    int fd;
};

static void *
pour(void *arg)
{
    struct flood *f = arg;
    char page[1024];
    size_t len = 0;
    ssize_t n;

    for (size_t sent = 0; sent < 4 * LOOPBACK_HEAD_MAX; sent += 64)
        if (send(f->fd,
                "X-Pad: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
                64, MSG_NOSIGNAL) < 0)
            break;
    while (len < sizeof(page) && (n = read(f->fd, page + len, sizeof(page) - len)) > 0)
        len += (size_t)n;
    close(f->fd);
    f->fd = visit(f->l);
    say(f->l, f->fd, "/callback?code=D");
    return NULL;
}

/* A head without an end takes no more than its place, and the next one is heard. */
static void
bounds_a_head(void **state)
{
    struct flood f = {.l = NULL};
    pthread_t thread;
    struct buf query;

    (void)state;
    assert_int_equal(loopback_open(&f.l, NULL), MAUTH_OK);
    buf_init_secret(&query);
    f.fd = visit(f.l);
    assert_int_equal(pthread_create(&thread, NULL, pour, &f), 0);
    assert_int_equal(loopback_wait(f.l, 10000, &query, NULL), MAUTH_OK);
    pthread_join(thread, NULL);
    assert_string_equal(buf_cstr(&query), "code=D");
    close(f.fd);
    loopback_close(f.l);
    buf_clear(&query);
}

static void
ends_in_time(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    int64_t started_ms = time_monotonic_ms();
    struct loopback *l = NULL;
    struct buf query;
    int silent;

    (void)state;
    assert_int_equal(loopback_open(&l, NULL), MAUTH_OK);
    buf_init_secret(&query);
    silent = visit(l);
    assert_int_equal(loopback_wait(l, 100, &query, &err), MAUTH_EXPIRED);
    assert_true(time_monotonic_ms() - started_ms >= 100);
    assert_int_equal(query.len, 0);
    close(silent);
    loopback_close(l);
    buf_clear(&query);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(judges_nul),
        cmocka_unit_test(judges_beginnings),
        cmocka_unit_test(finds_the_one),
        cmocka_unit_test(bounds_a_head),
        cmocka_unit_test(ends_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
