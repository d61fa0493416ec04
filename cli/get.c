/* meshauth get */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/account_choice.h"
#include "cli/broker.h"
#include "cli/mesh.h"
#include "cli/mesh_find.h"
#include "cli/output.h"
#include "cli/rights_options.h"
#include "cli/ticket_view.h"

enum {
    OPT_ACCOUNT,
    OPT_AUDIENCE,
    OPT_RESOURCE,
    OPT_ACTION,
    OPT_SYNC
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_AUDIENCE] = {"audience", 0, "A",
        "a service's name or URN; several times: each"},
    [OPT_RESOURCE] = {"resource", 0, "U", "a node's URL, or a service's place"},
    [OPT_ACTION] = {"action", 0, "NAME", "read unless given; several times: all"},
    [OPT_SYNC] = {"sync", 0, "DEVICE", "for a sync with that device"},
    {NULL, 0, NULL, NULL},
};

static json_t *
describe(const struct wallet_ticket *t)
{
    json_t *o = ticket_view_json_core(t->says);

    if (json_object_set_new(o, "credential", json_string(t->credential)) == 0)
        return o;
    json_decref(o);
    return NULL;
}

/* Alone; several are lines, in the order of their audiences. */
static bool
print(
    const struct call *call, const struct wallet_ticket *t, bool several, json_t *list)
{
    if (call->json)
        return json_array_append_new(list, describe(t)) == 0;
    printf("%s%s", t->credential, several || isatty(STDOUT_FILENO) ? "\n" : "");
    return true;
}

/* Each audience has a ticket of its own, but for a sync's. */
static enum command_exit
get_each(const struct call *call, struct broker *b, const struct token_rights *want,
    json_t *list)
{
    bool together = call->option[OPT_SYNC] != NULL || want->audiences < 2;
    size_t count = together ? 1 : want->audiences;
    enum command_exit code = COMMAND_DONE;

    for (size_t i = 0; i < count && code == COMMAND_DONE; i++) {
        struct token_rights one = *want;
        struct wallet_ticket t;

        if (!together) {
            one.audience = &want->audience[i];
            one.audiences = 1;
        }
        code = broker_rights(b, &one, &t);
        if (code == COMMAND_DONE && !print(call, &t, count > 1, list)) {
            command_complain(call, "no memory");
            code = COMMAND_FAILED;
        }
    }
    return code;
}

/* A name is one of your own devices', which the service knows. */
static enum command_exit
find_device(
    const struct call *call, const struct service_url *service, char out[ID_LEN + 1])
{
    const char *typed = call->option[OPT_SYNC];
    enum command_exit code;
    struct mesh *m = NULL;

    if (rights_options_device(service->text, typed, out))
        return COMMAND_DONE;
    code = mesh_open(call, service, NULL, &m);
    if (code == COMMAND_DONE)
        code = mesh_find_device(m, call, typed, out);
    mesh_close(m);
    return code;
}

static enum command_exit
want_sync(const struct call *call, const struct service_url *service,
    struct rights_options *o)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    char device[ID_LEN + 1];
    enum command_exit code = find_device(call, service, device);

    if (code != COMMAND_DONE)
        return code;
    if (rights_options_sync(o, service->text, device, &err) != MAUTH_OK)
        return command_misused(call, "%s", err.text);
    return COMMAND_DONE;
}

/* Does it say what is asked for? */
static enum command_exit
check(const struct call *call, struct rights_options *o)
{
    bool syncs = call->option[OPT_SYNC] != NULL;

    if (syncs && (o->want.resources || o->want.actions))
        return command_misused(
            call, "--sync says what is asked for; give no --resource or --action");
    if (!syncs && !o->want.audiences && !o->want.resources)
        return command_misused(call,
            "for whom? Name a service with --audience and a node with --resource, a "
            "place with --resource alone, or a device with --sync");
    if (!o->want.actions) {
        o->action[0] = "read";
        o->want.actions = 1;
    }
    return COMMAND_DONE;
}

static enum command_exit
run(const struct call *call)
{
    static const struct rights_numbers numbers = {
        OPT_AUDIENCE, OPT_RESOURCE, OPT_ACTION};
    json_t *list = call->json ? json_array() : NULL;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct service_url service;
    struct rights_options o;
    struct broker *b = NULL;
    enum command_exit code;

    if (rights_options_read(call, &numbers, &o, &err) != MAUTH_OK)
        code = command_misused(call, "%s", err.text);
    else
        code = check(call, &o);
    if (code == COMMAND_DONE)
        code = account_choose(call, call->option[OPT_ACCOUNT],
            o.want.resources ? o.resource[0] : NULL, &service);
    if (code == COMMAND_DONE && call->option[OPT_SYNC])
        code = want_sync(call, &service, &o);
    if (code == COMMAND_DONE)
        code = broker_open(call, &service, &b);
    if (code == COMMAND_DONE)
        code = get_each(call, b, &o.want, list);
    if (code == COMMAND_DONE && call->json) {
        if (!output_json(json_pack("{s:O}", "tickets", list)))
            code = COMMAND_FAILED;
    }
    json_decref(list);
    broker_close(b);
    return code;
}

const struct command get_command = {
    .noun = "get",
    .synopsis = "(--audience A ... --resource U ... [--action NAME ...] |\n"
                "       --resource PLACE ... | --sync DEVICE) [--account URL] [--json]",
    .summary = "print a ticket, kept or new, for use elsewhere",
    .about =
        "Prints the credential of a ticket that says you may do all of this: what\n"
        "follows `Bearer ` or `DPoP ` in an Authorization header. A kept ticket\n"
        "serves while it is valid, also while the account service is not there;\n"
        "else a new one is fetched, and the login renewed on the way. Each audience\n"
        "has a ticket and a line of its own; a file or a pipe gets a single one\n"
        "without a newline. A PLACE is a URL where a registered service is.\n"
        "For --sync the ticket is for the service `relay`, or those that --audience\n"
        "names, and for that device: dev_..., or one of yours by its name.",
    .example = "  meshauth get --audience storage --action write \\\n"
               "      --resource https://auth.example.org/v1/mesh/folders/fld_...",
    .options = options,
    .many = 1U << OPT_AUDIENCE | 1U << OPT_RESOURCE | 1U << OPT_ACTION,
    .run = run,
};
