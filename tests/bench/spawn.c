#include "tests/bench/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum {
    STOP_MS = 15000
};

void
spawn_nap(void)
{
    struct timespec ts = {0, 10000000};

    nanosleep(&ts, NULL);
}

/* Its standard output goes to printed, unless that is -1. */
static pid_t
start(const char *dir, const char *const *argv, int printed)
{
    union { /* execv() changes none of them */
        const char *const *given;
        char *const *taken;
    } arguments = {argv};
    char log[PATH_MAX + 8];
    pid_t pid;
    int fd;

    snprintf(log, sizeof(log), "%s/log", dir);
    pid = fork();
    if (pid != 0)
        return pid;
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (fd >= 0 && dup2(printed < 0 ? fd : printed, STDOUT_FILENO) >= 0 &&
        dup2(fd, STDERR_FILENO) >= 0)
        execv(argv[0], arguments.taken);
    _exit(127);
}

pid_t
spawn(const char *dir, const char *const *argv)
{
    return start(dir, argv, -1);
}

bool
spawn_wait(pid_t pid)
{
    int status = -1;

    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

bool
spawn_and_wait(const char *dir, const char *const *argv)
{
    return spawn_wait(spawn(dir, argv));
}

/* To its end: what does not fit is read, and lost. */
static void
read_all(int fd, char *out, size_t size)
{
    char lost[512];
    size_t len = 0;
    ssize_t n;

    do {
        bool fits = len < size - 1;

        n = fits ? read(fd, out + len, size - 1 - len) : read(fd, lost, sizeof(lost));
        if (fits && n > 0)
            len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    out[len] = '\0';
}

bool
spawn_and_read(const char *dir, const char *const *argv, char *out, size_t size)
{
    int ends[2];
    pid_t pid;

    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid = start(dir, argv, ends[1]);
    close(ends[1]);
    if (pid > 0)
        read_all(ends[0], out, size);
    close(ends[0]);
    return spawn_wait(pid);
}

void
spawn_end(pid_t *pid)
{
    int64_t end = bench_now_ns() + (int64_t)STOP_MS * 1000000;

    if (*pid > 0) {
        kill(*pid, SIGTERM);
        while (waitpid(*pid, NULL, WNOHANG) == 0) {
            if (bench_now_ns() > end)
                kill(*pid, SIGKILL);
            spawn_nap();
        }
    }
    *pid = 0;
}
