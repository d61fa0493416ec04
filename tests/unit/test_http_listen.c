#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authsvc/http_listen.h"
#include "tests/unit/unit.h"

enum {
    STRANGER = 65534 /* nobody's uid */
};

struct world {
    char dir[64];
    char path[96];
};

static int
set_up(void **state)
{
    static struct world w;

    strcpy(w.dir, "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    snprintf(w.path, sizeof(w.path), "%s/socket", w.dir);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    const struct world *w = *state;

    unlink(w->path);
    return rmdir(w->dir);
}

/* 0, or errno. */
static int
dial_tcp(const char *address, int port, int *out)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int e;

    inet_pton(AF_INET, address, &four.sin_addr);
    e = is_six ? connect(fd, (const struct sockaddr *)&six, sizeof(six))
               : connect(fd, (const struct sockaddr *)&four, sizeof(four));
    e = e == 0 ? 0 : errno;
    if (e == 0 && out)
        *out = fd;
    else
        close(fd);
    return e;
}

static int
dial_unix(const char *path, int *out)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int e;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    e = connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 ? 0 : errno;
    if (e == 0 && out)
        *out = fd;
    else
        close(fd);
    return e;
}

static int
take(const struct http_listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    int fd;

    assert_int_equal(poll(&p, 1, 5000), 1);
    fd = accept(l->fd, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static void
assert_none(const struct http_listener *l)
{
    assert_int_equal(l->fd, -1);
    assert_null(l->unix_socket);
}

static void
listens_on_tcp(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct http_listener l;
        int client, server;

        if (http_listen_tcp(addresses[i], 0, &l, &err) != MAUTH_OK) {
            if (i == 0)
                fail_msg("%s", err.text);
            continue; /* a machine without IPv6 */
        }
        assert_in_range(l.port, 1, 65535);
        assert_null(l.unix_socket);
        assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(dial_tcp(addresses[i], l.port, &client), 0);
        server = take(&l);
        close(server); /* we end first: TIME_WAIT is ours ... */
        close(client);
        http_listener_clear(&l);
        assert_none(&l);
    }
}

static void
restarts_on_the_same_port(void **state)
{
    struct http_listener l;
    int client, server, port;
    char byte;

    (void)state;
    assert_int_equal(http_listen_tcp("127.0.0.1", 0, &l, NULL), MAUTH_OK);
    port = l.port;
    assert_int_equal(dial_tcp("127.0.0.1", port, &client), 0);
    server = take(&l);
    close(server); /* we end first, so that TIME_WAIT is on our side */
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    close(client);
    http_listener_clear(&l);
    assert_int_equal(http_listen_tcp("127.0.0.1", port, &l, NULL), MAUTH_OK);
    assert_int_equal(l.port, port);
    http_listener_clear(&l);
}

static void
refuses_what_is_no_address(void **state)
{
    static const char *const bad[] = {"localhost", "256.1.1.1", "127.0.0.1 ", "[::1]",
        "::g", "example.com", "127.0.0.1:80"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct http_listener l = {.fd = 7};

        if (http_listen_tcp(bad[i], 0, &l, NULL) != MAUTH_INVALID)
            fail_msg("taken: %s", bad[i]);
        assert_none(&l);
    }
}

static void
refuses_ports_and_addresses_it_cannot_have(void **state)
{
    struct http_listener l, again = {.fd = 7};
    struct mauth_err err = MAUTH_ERR_INIT;

    (void)state;
    assert_int_equal(http_listen_tcp("127.0.0.1", 0, &l, NULL), MAUTH_OK);
    assert_int_equal(
        http_listen_tcp("127.0.0.1", l.port, &again, &err), MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "Address already in use"));
    assert_none(&again);
    http_listener_clear(&l);
    assert_int_equal(http_listen_tcp("192.0.2.1", 0, &again, NULL), MAUTH_UNAVAILABLE);
    assert_none(&again);
}

static void
shuts_before_it_closes(void **state)
{
    struct http_listener l;

    (void)state;
    assert_int_equal(http_listen_tcp("127.0.0.1", 0, &l, NULL), MAUTH_OK);
    http_listener_shut(&l);
    assert_int_equal(dial_tcp("127.0.0.1", l.port, NULL), ECONNREFUSED);
    assert_true(fcntl(l.fd, F_GETFD) >= 0); /* the number is still ours */
    http_listener_clear(&l);
}

static void
listens_on_a_private_socket(void **state)
{
    const struct world *w = *state;
    mode_t before = umask(0);
    struct http_listener l;
    struct stat st;
    int client;
    uid_t uid;

    assert_int_equal(http_listen_unix(w->path, &l, NULL), MAUTH_OK);
    umask(before);
    assert_string_equal(l.unix_socket, w->path);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(dial_unix(w->path, &client), 0);
    {
        int server = take(&l);

        assert_true(http_peer_admitted(server, &uid));
        assert_int_equal(uid, geteuid());
        close(server);
    }
    close(client);
    http_listener_shut(&l);
    assert_int_equal(dial_unix(w->path, NULL), ECONNREFUSED);
    http_listener_clear(&l);
    assert_none(&l);
    assert_int_equal(access(w->path, F_OK), -1);
}

static void
leaves_a_served_socket_alone(void **state)
{
    const struct world *w = *state;
    struct http_listener first, second = {.fd = 7};
    struct mauth_err err = MAUTH_ERR_INIT;

    assert_int_equal(http_listen_unix(w->path, &first, NULL), MAUTH_OK);
    assert_int_equal(http_listen_unix(w->path, &second, &err), MAUTH_CONFLICT);
    assert_non_null(strstr(err.text, "in use"));
    assert_none(&second);
    assert_int_equal(dial_unix(w->path, NULL), 0);
    http_listener_clear(&first);
}

static void
takes_over_what_a_dead_one_left(void **state)
{
    const struct world *w = *state;
    struct http_listener l;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd); /* as by kill -9 */
    assert_int_equal(http_listen_unix(w->path, &l, NULL), MAUTH_OK);
    assert_int_equal(dial_unix(w->path, NULL), 0);
    http_listener_clear(&l);
}

static void
removes_nothing_but_sockets(void **state)
{
    const struct world *w = *state;
    struct http_listener l = {.fd = 7};
    struct stat st;
    FILE *f = fopen(w->path, "w");

    assert_non_null(f);
    fputs("precious", f);
    fclose(f);
    assert_int_equal(http_listen_unix(w->path, &l, NULL), MAUTH_CONFLICT);
    assert_none(&l);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_size, 8);
    unlink(w->path);
    assert_int_equal(symlink("/nonexistent/socket", w->path), 0);
    assert_int_equal(http_listen_unix(w->path, &l, NULL), MAUTH_CONFLICT);
    assert_int_equal(lstat(w->path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void
refuses_paths_it_cannot_have(void **state)
{
    struct sockaddr_un a;
    char path[sizeof(a.sun_path) + 1];
    struct http_listener l = {.fd = 7};

    (void)state;
    memset(path, 'a', sizeof(path) - 1);
    memcpy(path, "/tmp/", 5);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(http_listen_unix(path, &l, NULL), MAUTH_INVALID);
    assert_none(&l);
    assert_int_equal(
        http_listen_unix("/nonexistent/socket", &l, NULL), MAUTH_UNAVAILABLE);
    assert_none(&l);
}

/* A daemon that ends late must not cut off the one that came after it. */
static void
leaves_its_successors_socket_there(void **state)
{
    const struct world *w = *state;
    struct http_listener old, new;

    assert_int_equal(http_listen_unix(w->path, &old, NULL), MAUTH_OK);
    http_listener_shut(&old);
    assert_int_equal(http_listen_unix(w->path, &new, NULL), MAUTH_OK);
    http_listener_clear(&old);
    assert_int_equal(dial_unix(w->path, NULL), 0);
    http_listener_clear(&new);
    assert_int_equal(access(w->path, F_OK), -1);
}

/* In a child, under another uid, through a door that was left open. */
static void
dial_as_a_stranger(const char *path)
{
    int fd;
    char byte;

    if (setuid(STRANGER) != 0 || dial_unix(path, &fd) != 0)
        _exit(1);
    _exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 2);
}

static void
admits_no_strangers(void **state)
{
    const struct world *w = *state;
    struct http_listener l;
    int server, status;
    uid_t uid;
    pid_t pid;

    if (geteuid() != 0)
        skip(); /* only root can become another */
    assert_int_equal(http_listen_unix(w->path, &l, NULL), MAUTH_OK);
    assert_int_equal(chmod(w->path, 0666), 0);
    assert_int_equal(chmod(w->dir, 0711), 0);
    pid = fork();
    if (pid == 0)
        dial_as_a_stranger(w->path);
    server = take(&l);
    assert_false(http_peer_admitted(server, &uid));
    assert_int_equal(uid, STRANGER);
    close(server);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    http_listener_clear(&l);
}

static void
admits_nobody_without_a_name(void **state)
{
    struct http_listener l;
    int client, server, pair[2];
    uid_t uid = 0;

    (void)state;
    assert_int_equal(pipe(pair), 0);
    assert_false(http_peer_admitted(pair[0], &uid));
    assert_int_equal(uid, (uid_t)-1);
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(http_listen_tcp("127.0.0.1", 0, &l, NULL), MAUTH_OK);
    assert_int_equal(dial_tcp("127.0.0.1", l.port, &client), 0);
    server = take(&l);
    uid = 0;
    assert_false(http_peer_admitted(server, &uid)); /* TCP has no uid */
    assert_int_equal(uid, (uid_t)-1);
    close(server);
    close(client);
    http_listener_clear(&l);
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(listens_on_tcp),
        cmocka_unit_test(restarts_on_the_same_port),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(refuses_ports_and_addresses_it_cannot_have),
        cmocka_unit_test(shuts_before_it_closes),
        IN_WORLD(listens_on_a_private_socket),
        IN_WORLD(leaves_a_served_socket_alone),
        IN_WORLD(takes_over_what_a_dead_one_left),
        IN_WORLD(removes_nothing_but_sockets),
        cmocka_unit_test(refuses_paths_it_cannot_have),
        IN_WORLD(leaves_its_successors_socket_there),
        IN_WORLD(admits_no_strangers),
        cmocka_unit_test(admits_nobody_without_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
