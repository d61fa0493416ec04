/* meshauth ticket show */
#include <string.h>

#include "base/time.h"
#include "cli/account.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/ticket_view.h"
#include <meshauth/ticket.h>

enum {
    OPT_AUDIENCE
};

static const struct command_option options[] = {
    [OPT_AUDIENCE] = {"audience", 0, "URI",
        "of this device's tickets only that for URI"},
    {NULL, 0, NULL, NULL},
};

/* The tickets shown so far. */
struct showing {
    const char *audience; /* only these; NULL: all */
    json_t *list;         /* with --json; else they are printed as they come */
    int64_t now_s;
    size_t count;
    bool failed;
};

static bool
is_wanted(const struct showing *s, const struct mauth_ticket *t)
{
    for (size_t i = 0; i < mauth_ticket_audience_count(t); i++)
        if (!s->audience || strcmp(mauth_ticket_audience(t, i), s->audience) == 0)
            return true;
    return false;
}

static void
show(struct showing *s, const struct mauth_ticket *t)
{
    if (!is_wanted(s, t))
        return;
    if (s->list) {
        s->failed |= json_array_append_new(s->list, ticket_view_json(t)) != 0;
    } else {
        if (s->count)
            putchar('\n');
        s->failed |= !ticket_view_print(t, s->now_s);
    }
    s->count++;
}

static void
show_account(const struct account *a, void *arg)
{
    const struct grant *g = account_grant(a);

    for (size_t i = 0; i < grant_count(g); i++)
        show(arg, grant_ticket(g, i));
}

static enum mauth_rc
show_file(const char *path, struct showing *s, struct mauth_err *err)
{
    struct mauth_ticket *ticket = NULL;
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    rc = ticket_view_read(path, xml, &len, err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, len, &ticket, err);
    if (rc == MAUTH_OK)
        show(s, ticket);
    mauth_ticket_free(ticket);
    return rc;
}

/* One ticket of a file is an object of its own, those of this device a list. */
static bool
print_json(const struct call *call, const struct showing *s)
{
    if (call->arg[0])
        return output_json(json_incref(json_array_get(s->list, 0)));
    return output_json(json_pack("{s:O}", "tickets", s->list));
}

static enum command_exit
finish(const struct call *call, const struct showing *s)
{
    bool printed = !s->failed;

    if (printed && s->list)
        printed = print_json(call, s);
    else if (printed && s->count)
        output_line(STYLE_DIM,
            "  Only read, not checked: `meshauth ticket verify` does that.", "%s", "");
    if (!printed) {
        command_complain(call, "no memory");
        return COMMAND_FAILED;
    }
    if (!s->count && !s->list)
        output_line(STYLE_PLAIN, "", "This device has no such ticket.");
    return s->count ? COMMAND_DONE : COMMAND_REFUSED;
}

static enum command_exit
run(const struct call *call)
{
    struct showing s = {.audience = call->option[OPT_AUDIENCE],
        .list = call->json ? json_array() : NULL,
        .now_s = time_now_s()};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;
    enum mauth_rc rc;

    if (call->arg[0] && s.audience) {
        json_decref(s.list);
        return command_misused(call,
            "--audience chooses among this device's tickets; it goes without FILE");
    }
    if (call->arg[0])
        rc = show_file(call->arg[0], &s, &err);
    else
        rc = account_walk(show_account, &s, &err);
    code = rc == MAUTH_OK ? finish(call, &s) : command_failed(call, &err);
    json_decref(s.list);
    return code;
}

const struct command ticket_show_command = {
    .noun = "ticket",
    .verb = "show",
    .synopsis = "[FILE|-] [--audience URI] [--json]",
    .summary = "what a ticket says, without checking it",
    .about =
        "Shows what a ticket says; its signature, times and audience are not checked.\n"
        "FILE holds an assertion (XML) or a credential of one ticket, as it stands in "
        "an\n"
        "Authorization header; - is standard input. Without FILE: the tickets that "
        "the\n"
        "last logins of this device brought.",
    .example = "  meshauth ticket show\n"
               "  meshauth ticket show storage.ticket",
    .options = options,
    .args_max = 1,
    .run = run,
};
