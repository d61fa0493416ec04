/* meshauth folder invite: the one answer that holds a secret. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"
#include "cli/when.h"

enum {
    OPT_ACCOUNT,
    OPT_ROLE,
    OPT_FOR,
    OPT_ISSUER,
    OPT_EXPIRES
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_ROLE] = {"role", 0, "ROLE", "reader (unless given) or contributor"},
    [OPT_FOR] = {"for", 0, "WHO", "usr_... alone; an e-mail address, with --issuer"},
    [OPT_ISSUER] = {"issuer", 0, "URL", "the provider that vouches for the address"},
    [OPT_EXPIRES] = {"expires", 0, "SPAN", "60s to 30d; 7d unless given"},
    {NULL, 0, NULL, NULL},
};

static const struct mesh_hint hints[] = {
    {"not-found", "`meshauth folder list` shows your folders."},
    {"forbidden",
        "The owner invites readers and contributors, a contributor only where "
        "the folder lets contributors invite."},
    {"too-many", "`meshauth invitation list` shows those that are open, and `meshauth "
                 "invitation revoke` ends one."},
    {NULL, NULL},
};

/* Whom it is for, or NULL: whoever has the link. */
static enum command_exit
read_addressee(const struct call *call, json_t **out)
{
    const char *who = call->option[OPT_FOR], *issuer = call->option[OPT_ISSUER];
    struct text id = text_of(who);

    *out = NULL;
    if (!who)
        return issuer ? command_misused(call, "--issuer goes with --for EMAIL")
                      : COMMAND_DONE;
    if (id_kind_of(id.p, id.len) == ID_USER) {
        *out = json_string(who);
        return issuer ? command_misused(call, "--issuer goes with an e-mail address")
                      : COMMAND_DONE;
    }
    if (!strchr(who, '@'))
        return command_misused(
            call, "--for takes a user's id, usr_..., or an e-mail address");
    if (!issuer)
        return command_misused(call,
            "--issuer is missing: the identity provider that vouches for the address");
    *out = json_pack("{s:s, s:s}", "email", who, "issuer", issuer);
    return COMMAND_DONE;
}

static enum command_exit
read_body(const struct call *call, json_t **out)
{
    const char *role = call->option[OPT_ROLE], *span = call->option[OPT_EXPIRES];
    enum command_exit code;
    json_t *who = NULL;
    int64_t expires_s;

    *out = NULL;
    if (span && !when_span(span, &expires_s))
        return command_misused(
            call, "--expires: no span like '%s'; write 90s, 30m, 12h or 7d", span);
    code = read_addressee(call, &who);
    *out = json_pack("{s:s}", "role", role ? role : "reader");
    if (who)
        json_object_set(*out, "for", who);
    if (span)
        json_object_set_new(*out, "expires_in", json_integer(expires_s));
    json_decref(who);
    return code;
}

/* A file or a pipe gets the link alone. */
static bool
print_link(const json_t *invitation)
{
    const char *expires = mesh_text(invitation, "expires");
    char when[WHEN_LEN];
    int64_t expires_s;

    if (isatty(STDOUT_FILENO) && time_parse(expires, strlen(expires), &expires_s)) {
        when_format(expires_s, time_now_s(), when);
        output_line(STYLE_BOLD, mesh_text(invitation, "folder_name"),
            ": whoever has this link may join as %s, once; it closes %s.",
            mesh_text(invitation, "role"), when);
    }
    output_line(STYLE_PLAIN, mesh_text(invitation, "link"), "%s", "");
    return true;
}

static enum command_exit
do_invite(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    json_t *body = NULL, *invitation = NULL;
    struct mesh_request r = {.method = "POST", .url = url};
    enum command_exit code = read_body(call, &body);

    if (code == COMMAND_DONE)
        code = mesh_find_folder(m, call, call->arg[0], id);
    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s/invitations", id);
        r.body = body;
        code = mesh_ask(m, &r, &invitation);
    }
    if (code == COMMAND_DONE)
        code = mesh_print(call, invitation, print_link);
    json_decref(invitation);
    json_decref(body);
    return code;
}

static enum command_exit
invite(const struct call *call)
{
    return mesh_run(call, hints, do_invite);
}

const struct command folder_invite_command = {
    .noun = "folder",
    .verb = "invite",
    .synopsis =
        "FOLDER [--role ROLE] [--expires SPAN]\n"
        "           [--for usr_...|EMAIL --issuer URL] [--account URL] [--json]",
    .summary = "make a link by which somebody joins",
    .about =
        "Invites to a folder and prints a link, which is good for one person, once.\n"
        "Whoever has it may join; --for names who alone may. A file or a pipe gets "
        "the\n"
        "link alone. Hand it on as you would a password: its end, behind '#', is a\n"
        "secret that the service does not show again.",
    .example = "  meshauth folder invite Trip --role contributor --expires 2d > link\n"
               "  meshauth folder invite Trip --for bob@example.org \\\n"
               "      --issuer https://accounts.example.org",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = invite,
};
