#include "cli/curl_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"

enum {
    HEADERS_MAX = 256 * 1024,
    OWN_ARGUMENTS = 4,
    NOT_FOUND = 127
};

struct curl_run {
    pid_t pid;
    int config;  /* these two have no name, */
    int headers; /* and curl finds them as /dev/fd/N */
    int output;  /* our end of a pipe */
};

void
curl_run_put(struct buf *config, const char *name, const char *value)
{
    buf_printf(config, "%s = \"", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            buf_str(config, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(config, "\\%c", *p);
        else
            buf_u8(config, (uint8_t)*p);
    }
    buf_str(config, "\"\n");
}

static void
close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void
run_free(struct curl_run *r)
{
    if (!r)
        return;
    close_one(r->output);
    close_one(r->headers);
    close_one(r->config);
    free(r);
}

static bool
write_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* In the child: nothing but system calls from here to exec. */
static void
become_curl(const struct curl_run *r, int output, char **argv)
{
    if (dup2(output, STDOUT_FILENO) < 0 || fcntl(r->config, F_SETFD, 0) != 0 ||
        fcntl(r->headers, F_SETFD, 0) != 0)
        _exit(NOT_FOUND);
    signal(SIGPIPE, SIG_DFL);
    execvp("curl", argv);
    _exit(NOT_FOUND);
}

/* -q, the file, then what the user wants; malloc'd, not what it points to. */
static char **
list_arguments(char *const *arguments, char *file)
{
    static char curl[] = "curl", quiet[] = "-q", config[] = "--config";
    size_t count = 0;
    char **argv;

    while (arguments[count])
        count++;
    argv = calloc(count + OWN_ARGUMENTS + 1, sizeof(*argv));
    if (!argv)
        return NULL;
    argv[0] = curl;
    argv[1] = quiet;
    argv[2] = config;
    argv[3] = file;
    memcpy(&argv[OWN_ARGUMENTS], arguments, count * sizeof(*argv));
    return argv;
}

static enum mauth_rc
spawn(struct curl_run *r, char *const *arguments, struct mauth_err *err)
{
    char file[32], **argv;
    int ends[2];

    snprintf(file, sizeof(file), "/dev/fd/%d", r->config);
    argv = list_arguments(arguments, file);
    if (!argv)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(argv);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "curl: %s", strerror(errno));
    }
    r->output = ends[0];
    fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        become_curl(r, ends[1], argv);
    close(ends[1]);
    free(argv);
    if (r->pid < 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "curl: %s", strerror(errno));
    return MAUTH_OK;
}

enum mauth_rc
curl_run_start(const struct buf *config, char *const *arguments, struct curl_run **out,
    struct mauth_err *err)
{
    struct curl_run *r = calloc(1, sizeof(*r));
    char line[64];
    enum mauth_rc rc;

    *out = NULL;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    r->output = -1;
    r->config = memfd_create("config", MFD_CLOEXEC);
    r->headers = memfd_create("headers", MFD_CLOEXEC);
    snprintf(line, sizeof(line), "dump-header = \"/dev/fd/%d\"\n", r->headers);
    if (r->config < 0 || r->headers < 0 ||
        !write_all(r->config, config->data, config->len) ||
        !write_all(r->config, line, strlen(line)) || lseek(r->config, 0, SEEK_SET) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "curl: %s", strerror(errno));
    else
        rc = spawn(r, arguments, err);
    if (rc == MAUTH_OK)
        *out = r;
    else
        run_free(r);
    return rc;
}

enum mauth_rc
curl_run_headers(struct curl_run *r, struct buf *headers, struct mauth_err *err)
{
    struct pollfd p = {.fd = r->output, .events = POLLIN};
    struct stat st;
    ssize_t n = 0;
    size_t len;
    void *at;

    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    if (fstat(r->headers, &st) != 0 || st.st_size > HEADERS_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "curl: no headers that could be read");
    len = (size_t)st.st_size;
    if (!len)
        return MAUTH_OK;
    at = buf_space(headers, len);
    if (!at)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    for (size_t done = 0; done < len; done += (size_t)n) {
        n = pread(r->headers, (char *)at + done, len - done, (off_t)done);
        if (n <= 0)
            return mauth_fail(err, MAUTH_UNAVAILABLE, "curl: %s", strerror(errno));
    }
    return MAUTH_OK;
}

int
curl_run_finish(struct curl_run *r, bool print)
{
    char part[16384];
    int status = 0;
    ssize_t n;

    while ((n = read(r->output, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (print && !write_all(STDOUT_FILENO, part, (size_t)n)))
            break; /* nobody reads it: curl is told so by its own pipe */
    }
    close(r->output);
    r->output = -1;
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        ;
    run_free(r);
    if (WIFSIGNALED(status))
        return 128 + WTERMSIG(status);
    return WEXITSTATUS(status);
}
