/* A real HTTPS server on loopback, for one test program (tests/data/https). */
#ifndef TESTS_HTTPS_H
#define TESTS_HTTPS_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct https_server {
    pid_t pid;
    int input; /* closed: the server ends */
    int port;
};

/* A folder of throw-away certificates, removed by https_certs_remove(). */
static inline void
https_certs(char dir[32])
{
    char command[1200];

    strcpy(dir, "/tmp/mauth-https-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command), "'%s/https/certs.sh' %s 2>%s/certs.log",
        MAUTH_TEST_DATA, dir, dir);
    assert_int_equal(system(command), 0);
}

static inline void
https_certs_remove(const char *dir)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* args: further ones of server.py, ended by NULL. */
static inline struct https_server
https_start(const char *root, const char *const *args)
{
    char script[1024], line[16] = "";
    const char *argv[16] = {"python3", "-I", script, "--root", root};
    struct https_server s = {.pid = -1};
    int in[2], out[2], count = 5;
    size_t len = 0;

    snprintf(script, sizeof(script), "%s/https/server.py", MAUTH_TEST_DATA);
    while (*args)
        argv[count++] = *args++;
    assert_true(count < 16);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execvp(argv[0], (char **)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    s.input = in[1];
    while (len < sizeof(line) - 1 && !strchr(line, '\n') &&
           read(out[0], line + len, 1) == 1)
        len++;
    close(out[0]);
    if (!strchr(line, '\n'))
        fail_msg("the server does not start");
    s.port = atoi(line);
    return s;
}

static inline void
https_stop(struct https_server *s)
{
    if (s->pid <= 0)
        return;
    close(s->input);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    s->pid = -1;
}

#endif
