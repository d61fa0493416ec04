#include "cli/account_choice.h"

#include <string.h>

#include "base/buf.h"
#include "cli/account.h"

struct choice {
    const char *near;
    bool found; /* the one that near lies at; else url is of the last one */
    struct service_url url;
    size_t count;
    struct buf all;
};

static void
choose(const struct account *a, void *arg)
{
    struct choice *c = arg;
    size_t len;

    buf_printf(&c->all, "%s%s", c->count ? ", " : "", account_url(a));
    c->count++;
    if (c->found || service_url_parse(account_url(a), &c->url, NULL) != MAUTH_OK)
        return;
    len = strlen(c->url.text);
    c->found = c->near && strncmp(c->near, c->url.text, len) == 0 &&
               (c->near[len] == '/' || !c->near[len]);
}

static enum command_exit
choose_near(const struct call *call, const char *near, struct service_url *out)
{
    struct choice c = {.near = near};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    const char *all;

    buf_init(&c.all);
    if (account_walk(choose, &c, &err) != MAUTH_OK) {
        code = command_failed(call, &err);
    } else if (!c.count) {
        command_complain(call, "Nobody is logged in; `meshauth login URL` does that.");
        code = COMMAND_REFUSED;
    } else if (c.count > 1 && !c.found) {
        all = buf_cstr(&c.all);
        code = command_misused(call,
            "there are several accounts, name one with --account: %s", all ? all : "");
    }
    *out = c.url;
    buf_clear(&c.all);
    return code;
}

enum command_exit
account_choose(const struct call *call, const char *typed, const char *near,
    struct service_url *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!typed)
        return choose_near(call, near, out);
    if (service_url_parse(typed, out, &err) != MAUTH_OK)
        return command_misused(call, "--account: %s", err.text);
    return COMMAND_DONE;
}
