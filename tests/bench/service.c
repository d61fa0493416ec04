#include "tests/bench/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "tests/bench/bench.h"
#include "tests/bench/spawn.h"
#include "tests/bench/tokens.h"

enum {
    START_MS = 10000,
    DISK_NS = 500000000,
    BLOCK = 4096
};

static const char configuration[] = "issuer: { url = \"https://127.0.0.1:%d\"; };\n"
                                    "listen: { port = %d; };\n"
                                    "providers = ( {\n"
                                    "    name = \"bench\";\n"
                                    "    issuer = \"" BENCH_ISSUER "\";\n"
                                    "    client_ids = [ \"" BENCH_CLIENT_ID "\" ];\n"
                                    "    jwks_file = \"bench.jwks\";\n"
                                    "    create_users = true;\n"
                                    "    max_age_s = 3600;\n"
                                    "} );\n"
                                    "limits: { connections = %zu;"
                                    " connections_per_ip = %zu;"
                                    " request_s = 120; idle_s = 300;"
                                    " changes_per_minute = 1000000; };\n";

static struct sockaddr_in
loopback(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return a;
}

int
bench_free_port(void)
{
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
        getsockname(fd, (struct sockaddr *)&a, &len) == 0)
        port = ntohs(a.sin_port);
    if (fd >= 0)
        close(fd);
    return port;
}

static bool
listens(int port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;

    if (fd >= 0)
        close(fd);
    return yes;
}

bool
bench_service_find(const char *programs, const char *name, char out[PATH_MAX])
{
    char self[PATH_MAX - 64], *slash;
    ssize_t n;

    if (!programs) { /* ROOT/tests/bench/meshauth-bench */
        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[n > 0 ? n : 0] = '\0';
        for (int i = 0; i < 3; i++) {
            slash = strrchr(self, '/');
            if (!slash)
                return false;
            *slash = '\0';
        }
        programs = self;
    }
    return snprintf(out, PATH_MAX, "%s/%s", programs, name) < PATH_MAX &&
           access(out, X_OK) == 0;
}

/* The end of the log, for whoever wonders what went wrong. */
static void
show_log(const struct bench_service *s)
{
    char path[PATH_MAX + 8], text[2048];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/log", s->dir);
    f = fopen(path, "r");
    if (!f)
        return;
    if (fseek(f, -(long)sizeof(text), SEEK_END) != 0)
        rewind(f);
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    fwrite(text, 1, n, stderr);
}

static enum mauth_rc
initialise(const struct bench_service *s, const char *programs, struct mauth_err *err)
{
    char program[PATH_MAX], listen_on[32];
    const char *const argv[] = {
        program, "init", s->home, "--demo", "--listen", listen_on, NULL};

    if (!bench_service_find(programs, "cli/meshauth", program))
        return mauth_fail(err, MAUTH_NOT_FOUND, "bench: no program cli/meshauth");
    snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%d", s->port);
    if (!spawn_and_wait(s->dir, argv)) {
        show_log(s);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: meshauth init failed");
    }
    return MAUTH_OK;
}

static enum mauth_rc
write_file(const struct bench_service *s, const char *name, const char *text,
    struct mauth_err *err)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/%s", s->home, name);
    return file_replace(path, text, strlen(text), FILE_PUBLIC, err);
}

enum mauth_rc
bench_service_make(const char *parent, const char *programs, const char *jwks,
    size_t connections, struct bench_service *s, struct mauth_err *err)
{
    char text[1024];
    enum mauth_rc rc;

    memset(s, 0, sizeof(*s));
    if (snprintf(s->dir, sizeof(s->dir), "%s/meshauth-bench-XXXXXX", parent) >=
            (int)sizeof(s->dir) ||
        !mkdtemp(s->dir)) {
        s->dir[0] = '\0';
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no folder below %s", parent);
    }
    snprintf(s->home, sizeof(s->home), "%s/mesh", s->dir);
    s->port = bench_free_port();
    if (!s->port)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no free port");
    rc = initialise(s, programs, err);
    if (rc == MAUTH_OK)
        rc = write_file(s, "bench.jwks", jwks, err);
    if (rc)
        return rc;
    snprintf(text, sizeof(text), configuration, s->port, s->port, connections + 64,
        connections + 16);
    return write_file(s, "meshauth.conf", text, err);
}

enum mauth_rc
bench_service_configure(
    const struct bench_service *s, const char *more, struct mauth_err *err)
{
    char path[PATH_MAX + 16];
    FILE *f;
    bool good;

    snprintf(path, sizeof(path), "%s/meshauth.conf", s->home);
    f = fopen(path, "ae");
    good = f && fputs(more, f) >= 0;
    if (f && fclose(f) != 0)
        good = false;
    return good ? MAUTH_OK
                : mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s: not written", path);
}

enum mauth_rc
bench_service_start(
    struct bench_service *s, const char *programs, struct mauth_err *err)
{
    char program[PATH_MAX], config[PATH_MAX + 16];
    const char *const argv[] = {program, "-c", config, NULL};
    int64_t end = bench_now_ns() + (int64_t)START_MS * 1000000;

    if (!bench_service_find(programs, "authsvc/meshauthd", program))
        return mauth_fail(err, MAUTH_NOT_FOUND, "bench: no program authsvc/meshauthd");
    snprintf(config, sizeof(config), "%s/meshauth.conf", s->home);
    s->pid = spawn(s->dir, argv);
    while (s->pid > 0 && bench_now_ns() < end) {
        if (listens(s->port))
            return MAUTH_OK;
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
            break;
        spawn_nap();
    }
    show_log(s);
    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: meshauthd does not start");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void
bench_service_end(struct bench_service *s)
{
    spawn_end(&s->pid);
}

void
bench_service_stop(struct bench_service *s)
{
    bench_service_end(s);
    if (s->dir[0])
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    s->dir[0] = '\0';
}

enum mauth_rc
bench_service_disk(const struct bench_service *s, double *per_s, struct mauth_err *err)
{
    char path[PATH_MAX + 16], block[BLOCK] = {0};
    int64_t start, now;
    size_t n = 0;
    int fd;

    *per_s = 0;
    snprintf(path, sizeof(path), "%s/commit", s->home);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s", strerror(errno));
    start = now = bench_now_ns();
    for (; now - start < DISK_NS; n++, now = bench_now_ns()) {
        memcpy(block, &n, sizeof(n));
        if (pwrite(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block) ||
            fdatasync(fd) != 0)
            break;
    }
    close(fd);
    unlink(path);
    if (now - start < DISK_NS)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: cannot write to the disk");
    *per_s = (double)n * 1e9 / (double)(now - start);
    return MAUTH_OK;
}
