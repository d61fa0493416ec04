#include "tests/bench/audit_desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "tests/bench/wire.h"

enum {
    ANSWER_MAX = 32 << 20,
    NAP_NS = 2000000
};

/* Of each, the answer's first 100 or 10,000; where there is a %s, it is a user. */
static const char *const questions[] = {
    "/v1/audit/count?by=user",
    "/v1/audit?outcome=deny&action=ticket.issue&limit=10000",
    "/v1/audit?user=%s&limit=1000",
    "/v1/audit/count?by=folder&action=ticket.issue&outcome=allow",
    "/v1/audit?user=%s&outcome=deny&order=oldest&limit=1000",
    "/v1/audit/count?by=hour&rule=read",
};

static bool
read_answer(struct audit_desk *d)
{
    size_t have = 0, want = 0;

    while (!want || have < want) {
        ssize_t n = recv(d->fd, d->answer + have, ANSWER_MAX - 1 - have, 0);

        if (n <= 0)
            return false;
        have += (size_t)n;
        d->answer[have] = '\0';
        if (!want)
            want = wire_answer_length(d->answer, have);
        if (want >= ANSWER_MAX)
            return false;
    }
    return strncmp(d->answer, "HTTP/1.1 200 ", 13) == 0;
}

static bool
ask(struct audit_desk *d, uint64_t n)
{
    char path[160], user[AUDIT_FILL_NAME], request[256];
    int len;

    audit_fill_user(d->fill, n, user);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of the table's */
    snprintf(path, sizeof(path),
        questions[n % (sizeof(questions) / sizeof(*questions))], user);
#pragma GCC diagnostic pop
    len = snprintf(
        request, sizeof(request), "GET %s HTTP/1.1\r\nHost: meshauth\r\n\r\n", path);
    return send(d->fd, request, (size_t)len, MSG_NOSIGNAL) == len && read_answer(d);
}

static void *
run(void *arg)
{
    static const struct timespec nap = {.tv_nsec = NAP_NS};
    struct audit_desk *d = arg;

    for (uint64_t n = 0; !atomic_load(&d->stop) && d->rc == MAUTH_OK;) {
        if (!atomic_load(&d->asks))
            nanosleep(&nap, NULL);
        else if (ask(d, n++))
            atomic_fetch_add(&d->answers, 1);
        else
            d->rc = mauth_fail(&d->err, MAUTH_UNAVAILABLE,
                "bench: question %" PRIu64 " to the log was not answered: %.60s", n,
                d->answer);
    }
    return NULL;
}

enum mauth_rc
audit_desk_start(struct audit_desk *d, const struct bench_service *s,
    const struct audit_fill *f, struct mauth_err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    memset(d, 0, sizeof(*d));
    d->fill = f;
    d->answer = calloc(1, ANSWER_MAX);
    if (!d->answer)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (snprintf(to.sun_path, sizeof(to.sun_path), "%s/admin.sock", s->home) >=
            (int)sizeof(to.sun_path) ||
        d->fd < 0 || connect(d->fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no admin socket");
    d->runs = pthread_create(&d->thread, NULL, run, d) == 0;
    return d->runs ? MAUTH_OK : mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no thread");
}

enum mauth_rc
audit_desk_end(struct audit_desk *d, struct mauth_err *err)
{
    atomic_store(&d->stop, true);
    if (d->runs)
        pthread_join(d->thread, NULL);
    if (d->answer && d->fd >= 0)
        close(d->fd);
    free(d->answer);
    d->answer = NULL;
    d->runs = false;
    return d->rc ? mauth_fail(err, d->rc, "%s", d->err.text) : MAUTH_OK;
}
