#include "tests/bench/spawn.h"

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

pid_t
spawn(const char *dir, const char *const *argv)
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
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
        execv(argv[0], arguments.taken);
    _exit(127);
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
