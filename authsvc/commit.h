/* A write to the store that an exchange waits for. */
#ifndef AUTHSVC_COMMIT_H
#define AUTHSVC_COMMIT_H

#include "authsvc/http.h"
#include "store/kv.h"

/* A part of the exchange's state, which may be used for one write after another. */
struct commit {
    struct kv_job job; /* first: the store hands back a pointer to it */
    struct http_exchange *x;
};

/*
 * Suspend the exchange, whose context is the service, and hand fn to the committer;
 * next(x) runs when c->job.rc and c->job.err say what has become of it. Of what is in c
 * before, only c->job.needed counts.
 */
void commit_start(
    struct http_exchange *x, struct commit *c, kv_fn *fn, void *arg, http_step *next);

#endif
