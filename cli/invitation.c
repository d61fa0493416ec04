/* meshauth invitation: by its link for who is invited, by its id for the inviter. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/invitation_link.h"
#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"
#include "cli/when.h"

static const struct command_option options[] = {
    MESH_ACCOUNT_OPTION,
    {NULL, 0, NULL, NULL},
};

static const struct mesh_hint link_hints[] = {
    {"not-found", "It was never made here, or the link's secret is another one."},
    {"forbidden",
        "It is for somebody else, or whoever sent it may not invite any more."},
    {"invitation-closed", "Ask for another one."},
    {NULL, NULL},
};

static const struct mesh_hint hints[] = {
    {"not-found", "`meshauth invitation list FOLDER` shows those that you have made."},
    {"forbidden", "Only who has made an invitation, and still may, revokes it."},
    {NULL, NULL},
};

/* By its link. */

/* As an argument, or with "-" from standard input; one newline at its end is ignored. */
static enum command_exit
read_link(const struct call *call, struct invitation_link *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct text link = text_of(call->arg[0]);
    enum command_exit code = COMMAND_DONE;
    struct buf in;

    buf_init_secret(&in);
    memset(out, 0, sizeof(*out));
    if (text_is(link, "-")) {
        if (file_read("-", INVITATION_LINK_MAX, &in, &err) != MAUTH_OK)
            code = command_failed(call, &err);
        link = buf_slice(&in);
        if (link.len && link.p[link.len - 1] == '\n')
            link.len--;
    }
    if (code == COMMAND_DONE && invitation_link_parse(link, out, &err) != MAUTH_OK)
        code = command_misused(call, "LINK: %s", err.text);
    buf_clear(&in);
    return code;
}

/* POST what the secret opens. */
static enum command_exit
open_with(const struct mesh *m, const struct invitation_link *link, const char *verb,
    json_t **out)
{
    json_t *body = json_pack("{s:s}", "secret", link->secret);
    char url[MESH_URL_MAX];
    const struct mesh_request r = {.method = "POST",
        .url = url,
        .body = body,
        .anyone = strcmp(verb, "accept") != 0};
    enum command_exit code;

    snprintf(url, sizeof(url), "invitations/%s/%s", link->id, verb);
    code = mesh_ask(m, &r, out);
    json_decref(body);
    return code;
}

static bool
print_invitation(const json_t *i)
{
    const char *expires = mesh_text(i, "expires");
    const json_t *who = json_object_get(i, "for");
    struct table *t = table_new(2, NULL);
    char when[WHEN_LEN] = "";
    int64_t expires_s;

    if (time_parse(expires, strlen(expires), &expires_s))
        when_format(expires_s, time_now_s(), when);
    table_cell(t, STYLE_DIM, "folder");
    table_cell(t, STYLE_BOLD, "%s", mesh_text(i, "folder_name"));
    table_cell(t, STYLE_DIM, "role");
    table_cell(t, STYLE_PLAIN, "%s", mesh_text(i, "role"));
    table_cell(t, STYLE_DIM, "from");
    table_cell(t, STYLE_PLAIN, "%s", mesh_url_id(mesh_text(i, "inviter")));
    table_cell(t, STYLE_DIM, "for");
    if (json_is_object(who))
        table_cell(t, STYLE_PLAIN, "%s, as %s says", mesh_text(who, "email"),
            mesh_text(who, "issuer"));
    else
        table_cell(
            t, STYLE_PLAIN, "%s", who ? mesh_text(i, "for") : "whoever has the link");
    table_cell(t, STYLE_DIM, "state");
    table_cell(t, STYLE_PLAIN, "%s", mesh_text(i, "state"));
    table_cell(t, STYLE_DIM, "closes");
    table_cell(t, STYLE_PLAIN, "%s (%s)", expires, when);
    return table_end(t);
}

static bool
print_declined(const json_t *invitation)
{
    output_line(STYLE_PLAIN, "Declined", ": %s", mesh_text(invitation, "folder_name"));
    return true;
}

static enum command_exit
use_link(const struct call *call, const char *verb, bool (*print)(const json_t *node))
{
    struct invitation_link link;
    struct mesh *m = NULL;
    json_t *node = NULL;
    enum command_exit code = read_link(call, &link);

    if (code == COMMAND_DONE)
        code = mesh_open(call, &link.service, link_hints, &m);
    if (code == COMMAND_DONE)
        code = open_with(m, &link, verb, &node);
    if (code == COMMAND_DONE)
        code = mesh_print(call, node, print);
    json_decref(node);
    mesh_close(m);
    invitation_link_clear(&link);
    return code;
}

static enum command_exit
show(const struct call *call)
{
    return use_link(call, "view", print_invitation);
}

/* What is joined has a name only in the invitation, which people see first. */
static enum command_exit
join(const struct mesh *m, const struct call *call, const struct invitation_link *link)
{
    json_t *invitation = NULL, *member = NULL;
    enum command_exit code = COMMAND_DONE;

    if (!call->json)
        code = open_with(m, link, "view", &invitation);
    if (code == COMMAND_DONE)
        code = open_with(m, link, "accept", &member);
    if (code == COMMAND_DONE && call->json)
        code = mesh_print(call, member, NULL);
    else if (code == COMMAND_DONE)
        output_line(STYLE_GOOD, "Joined", " %s as %s: %s",
            mesh_text(invitation, "folder_name"), mesh_text(member, "role"),
            mesh_url_id(mesh_text(member, "folder")));
    json_decref(member);
    json_decref(invitation);
    return code;
}

static enum command_exit
accept_it(const struct call *call)
{
    struct invitation_link link;
    struct mesh *m = NULL;
    enum command_exit code = read_link(call, &link);

    if (code == COMMAND_DONE)
        code = mesh_open(call, &link.service, link_hints, &m);
    if (code == COMMAND_DONE)
        code = join(m, call, &link);
    mesh_close(m);
    invitation_link_clear(&link);
    return code;
}

static enum command_exit
decline(const struct call *call)
{
    return use_link(call, "decline", print_declined);
}

/* By its id. */

static bool
print_list(const struct mesh *m, const json_t *items)
{
    static const char *const heads[] = {"id", "role", "state", "closes", "for"};
    struct table *t;

    (void)m;
    if (!json_array_size(items)) {
        output_line(STYLE_PLAIN, "", "You have made no invitation to it.");
        return true;
    }
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *invitation = json_array_get(items, i);
        const json_t *who = json_object_get(invitation, "for");

        table_cell(t, STYLE_BOLD, "%s", mesh_text(invitation, "id"));
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(invitation, "role"));
        table_cell(t, STYLE_PLAIN, "%s", mesh_text(invitation, "state"));
        table_cell(t, STYLE_DIM, "%s", mesh_text(invitation, "expires"));
        table_cell(t, STYLE_PLAIN, "%s",
            json_is_object(who) ? mesh_text(who, "email")
                                : mesh_text(invitation, "for"));
    }
    return table_end(t);
}

static enum command_exit
do_list(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_folder(m, call, call->arg[0], id);
    json_t *invitations = NULL;

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "folders/%s/invitations", id);
        code = mesh_list(m, url, &invitations);
    }
    if (code == COMMAND_DONE)
        code = mesh_print_list(call, m, "invitations", invitations, print_list);
    json_decref(invitations);
    return code;
}

static enum command_exit
do_revoke(struct mesh *m, const struct call *call)
{
    char id[ID_LEN + 1], url[MESH_URL_MAX];
    enum command_exit code = mesh_find_id(call, ID_INVITATION, call->arg[0], id);

    if (code == COMMAND_DONE) {
        snprintf(url, sizeof(url), "invitations/%s", id);
        code = mesh_delete(m, url);
    }
    if (code == COMMAND_DONE)
        code = mesh_done(call, NULL, id, "revoked");
    return code;
}

static enum command_exit
list(const struct call *call)
{
    return mesh_run(call, hints, do_list);
}

static enum command_exit
revoke_it(const struct call *call)
{
    return mesh_run(call, hints, do_revoke);
}

const struct command invitation_show_command = {
    .noun = "invitation",
    .verb = "show",
    .synopsis = "LINK|- [--json]",
    .summary = "what you are invited to, and by whom",
    .about = "Shows an invitation. LINK is what `meshauth folder invite` printed, in "
             "quotes,\n"
             "as there is a '#' in it; or - for standard input, which others on this\n"
             "machine do not see.",
    .example = "  meshauth invitation show - < link",
    .args_min = 1,
    .args_max = 1,
    .run = show,
};

const struct command invitation_accept_command = {
    .noun = "invitation",
    .verb = "accept",
    .synopsis = "LINK|- [--json]",
    .summary = "join the folder",
    .about =
        "Accepts an invitation, as the account at the service of its LINK, which is "
        "what\n"
        "`meshauth folder invite` printed; - is standard input.",
    .example = "  meshauth invitation accept - < link",
    .args_min = 1,
    .args_max = 1,
    .run = accept_it,
};

const struct command invitation_decline_command = {
    .noun = "invitation",
    .verb = "decline",
    .synopsis = "LINK|- [--json]",
    .summary = "say no, for good",
    .about = "Declines an invitation: nobody joins by its LINK any more. - is standard "
             "input.",
    .example = "  meshauth invitation decline - < link",
    .args_min = 1,
    .args_max = 1,
    .run = decline,
};

const struct command invitation_list_command = {
    .noun = "invitation",
    .verb = "list",
    .synopsis = "FOLDER [--account URL] [--json]",
    .summary = "those that you have made to a folder",
    .about =
        "Lists your invitations to a folder and what has become of them. FOLDER is "
        "its\n"
        "id, or its exact name when only one of yours has it.",
    .example = "  meshauth invitation list Trip",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = list,
};

const struct command invitation_revoke_command = {
    .noun = "invitation",
    .verb = "revoke",
    .synopsis = "ID [--account URL] [--json]",
    .summary = "take one back that nobody has accepted yet",
    .about = "Revokes an invitation that you have made. Members whom it brought stay.",
    .example = "  meshauth invitation revoke inv_...",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = revoke_it,
};
