/* meshauth logout */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/account.h"
#include "cli/mesh.h"
#include "cli/output.h"
#include "cli/session_close.h"

enum {
    OPT_ACCOUNT,
    OPT_LOCAL,
    REFUSAL_TEXT = 512
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_LOCAL] = {"local", 0, NULL, "only forget it here; the service is not asked"},
    {NULL, 0, NULL, NULL},
};

/* The login is as it was; what else could be done. */
static void
say_local(const struct call *call)
{
    command_complain(call, "You are still logged in. `meshauth logout --local` forgets "
                           "it here; what was issued stays good until it closes.");
}

static enum command_exit
say_refusal(const struct call *call, const struct mesh *m, long status,
    const struct buf *answer)
{
    json_t *o = json_loadb(
        (const char *)answer->data, answer->len, JSON_REJECT_DUPLICATES, NULL);
    const char *text = mesh_text(o, "error_description");

    command_complain(call, "%s refused with status %ld: %.*s",
        account_url(mesh_account(m)), status, REFUSAL_TEXT,
        *text ? text : "it does not say why");
    json_decref(o);
    say_local(call);
    return status >= 500 || status == 429 ? COMMAND_FAILED : COMMAND_REFUSED;
}

/* Answered 200 as well when the session was over already (RFC 7009 2.2). */
static enum command_exit
close_session(const struct call *call, const struct mesh *m)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    struct buf answer;
    long status = 0;

    buf_init(&answer);
    if (session_close(mesh_fetch(m), mesh_account(m), &status, &answer, &err)) {
        command_complain(call, "%s", err.text);
        say_local(call);
        code = COMMAND_FAILED;
    } else if (status != 200) {
        code = say_refusal(call, m, status, &answer);
    }
    buf_clear(&answer);
    return code;
}

static enum command_exit
work(struct mesh *m, const struct call *call)
{
    bool local = call->option[OPT_LOCAL];
    char *url = strdup(account_url(mesh_account(m)));
    char *session =
        strdup(mauth_ticket_session(grant_ticket(account_grant(mesh_account(m)), 0)));
    enum command_exit code = local ? COMMAND_DONE : close_session(call, m);
    bool told = url && session;

    if (code == COMMAND_DONE)
        code = mesh_log_out(m);
    if (code == COMMAND_DONE && told && call->json)
        told = output_json(json_pack(
            "{s:s, s:s, s:b}", "url", url, "session", session, "closed", !local));
    else if (code == COMMAND_DONE && told)
        output_line(STYLE_GOOD, "Logged out", " at %s%s", url,
            local ? ", here alone: the session stays open there until its end." : ".");
    if (!told && code == COMMAND_DONE) {
        command_complain(call, "logged out, but there is no memory to tell of it");
        code = COMMAND_FAILED;
    }
    free(session);
    free(url);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    return mesh_run(call, NULL, work);
}

const struct command logout_command = {
    .noun = "logout",
    .synopsis = "[--account URL] [--local] [--json]",
    .summary = "end the login on this device",
    .about =
        "Closes the session at the service, which kills all of its tickets, and\n"
        "forgets the login here; the device's key stays, for the next one. When the\n"
        "service cannot be reached nothing is forgotten, but with --local, which\n"
        "does not ask it.",
    .example = "  meshauth logout",
    .options = options,
    .run = run,
};
