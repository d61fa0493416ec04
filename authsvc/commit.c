#include "authsvc/commit.h"

#include "authsvc/service.h"

static void
job_done(struct kv_job *job)
{
    http_resume(((struct commit *)(void *)job)->x);
}

void
commit_start(
    struct http_exchange *x, struct commit *c, kv_fn *fn, void *arg, http_step *next)
{
    const struct service *service = http_context(x);
    bool needed = c->job.needed;

    *c = (struct commit){
        .job = {.fn = fn, .arg = arg, .done = job_done, .needed = needed}, .x = x};
    http_suspend(x, next);
    kv_submit(service->kv, &c->job);
}
