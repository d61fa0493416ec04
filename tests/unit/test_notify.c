#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/scratch_dir.h"
#include "updater/notify.h"

static int
listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    size_t len = strlen(path);

    assert_true(fd >= 0);
    memcpy(a.sun_path, path, len);
    if (path[0] == '@')
        a.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&a,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
        0);
    return fd;
}

static void
hears(const char *path)
{
    char text[64] = "";
    int fd = listen_at(path);

    setenv("NOTIFY_SOCKET", path, 1);
    notify_send("READY=1\nSTATUS=x");
    assert_int_equal(recv(fd, text, sizeof(text), 0), strlen("READY=1\nSTATUS=x"));
    assert_memory_equal(text, "READY=1\nSTATUS=x", strlen("READY=1\nSTATUS=x"));
    close(fd);
}

static void
is_heard(void **state)
{
    struct scratch_dir d;
    char name[64];

    (void)state;
    scratch_dir_make(&d);
    hears(scratch_path(&d, "socket"));
    snprintf(name, sizeof(name), "@mauth-notify-%ld", (long)getpid());
    hears(name);
    scratch_dir_remove(&d);
}

/* Nobody supervises, or he is not there: no trouble of ours. */
static void
speaks_to_nobody(void **state)
{
    static const char *const nowhere[] = {"", "/", "relative", "/none/such",
        "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "a"};

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    for (size_t i = 0; i < COUNT(nowhere); i++) {
        setenv("NOTIFY_SOCKET", nowhere[i], 1);
        notify_send("READY=1");
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_heard),
        cmocka_unit_test(speaks_to_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
