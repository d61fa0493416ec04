#include "authsvc/reload.h"

#include "authsvc/log.h"

static void
reload_certificate(struct troubles *t, struct http_server *server)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (http_reload_certificate(server, &err) != MAUTH_OK)
        log_error("the TLS certificate stays as it was: %s", err.text);
    else
        log_info("reloaded the TLS certificate");
    (void)trouble_note(t, TROUBLE_CERTIFICATE, &err);
}

static void
reload_rules(struct troubles *t, struct rules_in_force *rules)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool changed;

    if (in_force_reload(rules, &changed, &err) != MAUTH_OK)
        log_error("the rules stay as they were: %s", err.text);
    else
        log_info(changed ? "other rules are in force" : "the rules are as they were");
    (void)trouble_note(t, TROUBLE_RULES, &err);
}

void
reload_all(struct troubles *t, struct http_server *server, struct rules_in_force *rules)
{
    reload_certificate(t, server);
    reload_rules(t, rules);
}
