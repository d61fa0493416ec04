#include "authsvc/reload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "authsvc/log.h"
#include "base/fail.h"

struct reload {
    pthread_mutex_t lock;
    struct mauth_err certificate, rules; /* of the last time */
};

enum mauth_rc
reload_new(struct reload **out, struct mauth_err *err)
{
    struct reload *r = calloc(1, sizeof(*r));

    *out = r;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "reload: no memory");
    pthread_mutex_init(&r->lock, NULL);
    return MAUTH_OK;
}

void
reload_free(struct reload *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void
note(struct reload *r, struct mauth_err *which, const struct mauth_err *err)
{
    pthread_mutex_lock(&r->lock);
    *which = *err;
    pthread_mutex_unlock(&r->lock);
}

static void
reload_certificate(struct reload *r, struct http_server *server)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (http_reload_certificate(server, &err) != MAUTH_OK)
        log_error("the TLS certificate stays as it was: %s", err.text);
    else
        log_info("reloaded the TLS certificate");
    note(r, &r->certificate, &err);
}

static void
reload_rules(struct reload *r, struct rules_in_force *rules)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool changed;

    if (in_force_reload(rules, &changed, &err) != MAUTH_OK)
        log_error("the rules stay as they were: %s", err.text);
    else
        log_info(changed ? "other rules are in force" : "the rules are as they were");
    note(r, &r->rules, &err);
}

void
reload_all(struct reload *r, struct http_server *server, struct rules_in_force *rules)
{
    reload_certificate(r, server);
    reload_rules(r, rules);
}

void
reload_complain(struct reload *r, struct buf *lines)
{
    pthread_mutex_lock(&r->lock);
    if (r->certificate.rc)
        buf_printf(
            lines, "The TLS certificate stayed as it was: %s\n", r->certificate.text);
    if (r->rules.rc)
        buf_printf(lines, "The rules stayed as they were: %s\n", r->rules.text);
    pthread_mutex_unlock(&r->lock);
}
