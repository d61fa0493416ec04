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
    account_fits *fits;
    void *arg;
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

static void
choose_fit(const struct account *a, void *arg)
{
    struct choice *c = arg;

    if (!c->found && service_url_parse(account_url(a), &c->url, NULL) == MAUTH_OK)
        c->found = c->fits(a, c->arg);
}

static enum mauth_rc
choose_all(
    struct choice *c, account_fits *const *fits, void *arg, struct mauth_err *err)
{
    enum mauth_rc rc = account_walk(choose, c, err);

    c->arg = arg;
    for (; rc == MAUTH_OK && c->count > 1 && !c->found && *fits; fits++) {
        c->fits = *fits;
        rc = account_walk(choose_fit, c, err);
    }
    return rc;
}

static enum command_exit
choose_near(const struct call *call, const char *near, account_fits *const *fits,
    void *arg, struct service_url *out)
{
    struct choice c = {.near = near};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    const char *all;

    buf_init(&c.all);
    if (choose_all(&c, fits, arg, &err) != MAUTH_OK) {
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
account_choose_fit(const struct call *call, const char *typed, const char *near,
    account_fits *const *fits, void *arg, struct service_url *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!typed)
        return choose_near(call, near, fits, arg, out);
    if (service_url_parse(typed, out, &err) != MAUTH_OK)
        return command_misused(call, "--account: %s", err.text);
    return COMMAND_DONE;
}

enum command_exit
account_choose(const struct call *call, const char *typed, const char *near,
    struct service_url *out)
{
    static account_fits *const none[] = {NULL};

    return account_choose_fit(call, typed, near, none, NULL, out);
}
