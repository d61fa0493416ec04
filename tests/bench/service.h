/* A meshauthd of its own: made by `meshauth init`, started, stopped, removed. */
#ifndef TESTS_BENCH_SERVICE_H
#define TESTS_BENCH_SERVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <meshauth/err.h>

struct bench_service {
    char dir[PATH_MAX / 2]; /* of all this */
    char home[PATH_MAX];    /* the service's own folder in it */
    int port;
    pid_t pid; /* 0 while it does not run */
};

/*
 * Make a folder below parent, and in it a service on a free port of 127.0.0.1
 * that trusts BENCH_ISSUER with these keys. programs is the build tree's root,
 * or NULL: the one that this program lies in. Stop it also when this fails.
 */
MAUTH_MUST_USE enum mauth_rc bench_service_make(const char *parent,
    const char *programs, const char *jwks, size_t connections,
    struct bench_service *out, struct mauth_err *err);

/* Add to its configuration, before it starts. */
MAUTH_MUST_USE enum mauth_rc bench_service_configure(
    const struct bench_service *s, const char *more, struct mauth_err *err);

/* The path of a program of the build tree; false when there is none. */
bool bench_service_find(const char *programs, const char *name, char out[PATH_MAX]);

/* A port of 127.0.0.1 that nobody listens on; 0 on failure. */
int bench_free_port(void);

/* Start it, and wait until it listens. */
MAUTH_MUST_USE enum mauth_rc bench_service_start(
    struct bench_service *s, const char *programs, struct mauth_err *err);

/* Let it end; the folder stays. */
void bench_service_end(struct bench_service *s);

/* Let it end, and remove the folder. */
void bench_service_stop(struct bench_service *s);

/* Commits per second that the folder's disk can do: 4 KiB and fdatasync, in turn. */
MAUTH_MUST_USE enum mauth_rc bench_service_disk(
    const struct bench_service *s, double *per_s, struct mauth_err *err);

#endif
