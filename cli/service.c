/* meshauth service: the registry of services, for admins. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/admin.h"
#include "cli/output.h"

enum {
    OPT_CONFIG, /* of each of these */
    OPT_KEY,
    OPT_URL,
    OPT_ACTION,
    PEM_MAX = 16384
};

static const struct command_option add_options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_KEY] = {"key", 0, "PEM", "its public key, or a certificate with it"},
    [OPT_URL] = {"url", 0, "PREFIX", "where it is: https://HOST[:PORT][/PATH]"},
    [OPT_ACTION] = {"action", 0, "A[,A...]", "all that its tickets may carry"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option update_options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_KEY] = {"key", 0, "PEM", "its new public key, or a certificate with it"},
    [OPT_URL] = {"url", 0, "PREFIX", "where it is from now on"},
    [OPT_ACTION] = {"action", 0, "A[,A...]", "all that its tickets may carry"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static enum mauth_rc
read_key(const char *path, struct graph_service *out, struct mauth_err *err)
{
    struct mauth_key *key = NULL;
    const uint8_t *spki;
    enum mauth_rc rc;
    struct buf pem;

    buf_init(&pem);
    rc = file_read(path, PEM_MAX, &pem, err);
    if (rc == MAUTH_OK &&
        mauth_key_from_pem((const char *)pem.data, pem.len, &key, NULL) != MAUTH_OK)
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "%s: not a public key or a certificate in PEM, for P-256 or RSA of 2048 to "
            "4096 bits",
            path);
    if (rc == MAUTH_OK) {
        spki = mauth_key_spki(key, &out->spki_len);
        memcpy(out->spki, spki, out->spki_len);
    }
    mauth_key_free(key);
    buf_clear(&pem);
    return rc;
}

/* "read,write"; that they are names the store sees to. */
static bool
read_actions(const char *list, struct graph_service *out)
{
    struct text rest = text_of(list), name;
    bool more;

    do {
        more = text_cut(&rest, ',', &name);
        if (!more)
            name = rest;
        if (out->actions == GRAPH_ACTIONS || !str_is_name(name))
            return false;
        memcpy(out->action[out->actions++], name.p, name.len);
    } while (more);
    return true;
}

/* What the options give; an empty value takes away what was there. */
static enum command_exit
read_service(const struct call *call, struct admin_change *c)
{
    const char *key = call->option[OPT_KEY], *url = call->option[OPT_URL];
    const char *action = call->option[OPT_ACTION];
    struct mauth_err err = MAUTH_ERR_INIT;

    if (url && strlen(url) > GRAPH_URL_MAX)
        return command_misused(
            call, "--url has %d characters at most", (int)GRAPH_URL_MAX);
    if (action && *action && !read_actions(action, &c->service))
        return command_misused(call,
            "--action takes names, %d at most, with ',' between", (int)GRAPH_ACTIONS);
    if (key && *key && read_key(key, &c->service, &err) != MAUTH_OK)
        return command_failed(call, &err);
    snprintf(c->service.url, sizeof(c->service.url), "%s", url ? url : "");
    c->gives = (key ? ADMIN_GIVES_KEY : 0U) | (url ? ADMIN_GIVES_PREFIX : 0U) |
               (action ? ADMIN_GIVES_ACTIONS : 0U);
    return COMMAND_DONE;
}

static void
print_actions(struct buf *b, const json_t *node)
{
    const json_t *actions = json_object_get(node, "actions");

    for (size_t i = 0; i < json_array_size(actions); i++)
        buf_printf(
            b, "%s%s", i ? ", " : "", json_string_value(json_array_get(actions, i)));
    if (!json_array_size(actions))
        buf_str(b, "any");
}

static void
cell_actions(struct table *t, const json_t *node)
{
    struct buf b;
    const char *text;

    buf_init(&b);
    print_actions(&b, node);
    text = buf_cstr(&b);
    table_cell(t, STYLE_PLAIN, "%s", text ? text : "");
    buf_clear(&b);
}

/* The short name of its key, as in records. */
static void
cell_key(struct table *t, const json_t *node)
{
    const char *pem = admin_text(node, "key");
    struct mauth_key *key = NULL;

    if (*pem && mauth_key_from_pem(pem, strlen(pem), &key, NULL) == MAUTH_OK)
        table_cell(t, STYLE_PLAIN, "%s", mauth_key_id(key));
    else
        table_cell(t, STYLE_DIM, "none: it cannot log in");
    mauth_key_free(key);
}

static bool
print_service(const json_t *node)
{
    static const struct {
        const char *head, *member;
    } rows[] = {{"id", "id"}, {"audience", "audience"}, {"url", "prefix"},
        {"registered", "created"}, {"changed", "updated"}};
    struct table *t;

    output_line(STYLE_BOLD, admin_text(node, "name"), ", a service");
    t = table_new(2, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!*admin_text(node, rows[i].member))
            continue;
        table_cell(t, STYLE_DIM, "%s", rows[i].head);
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, rows[i].member));
    }
    table_cell(t, STYLE_DIM, "key");
    cell_key(t, node);
    table_cell(t, STYLE_DIM, "actions");
    cell_actions(t, node);
    return table_end(t);
}

/* Carry it out, and show what has become of the service. */
static enum command_exit
do_and_show(const struct call *call, struct admin_change *c)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[OPT_CONFIG], &admin);

    if (code == COMMAND_DONE && admin_do(&admin, c, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, node, print_service);
    json_decref(node);
    admin_close(&admin);
    return code;
}

static enum command_exit
add(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_SERVICE_CREATE};
    enum command_exit code;

    if (strlen(call->arg[0]) > GRAPH_NAME_MAX)
        return command_misused(
            call, "a name has %d characters at most", (int)GRAPH_NAME_MAX);
    for (size_t i = OPT_KEY; i <= OPT_ACTION; i++)
        if (call->option[i] && !*call->option[i])
            return command_misused(
                call, "--%s is empty; leave it out", add_options[i].name);
    snprintf(change.service.name, sizeof(change.service.name), "%s", call->arg[0]);
    code = read_service(call, &change);
    return code == COMMAND_DONE ? do_and_show(call, &change) : code;
}

static enum command_exit
update(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_SERVICE_UPDATE, .whom = call->arg[0]};
    enum command_exit code = read_service(call, &change);

    if (code == COMMAND_DONE && !change.gives)
        return command_misused(
            call, "nothing is to be changed: give --key, --url or --action");
    return code == COMMAND_DONE ? do_and_show(call, &change) : code;
}

static bool
print_list(const json_t *items)
{
    static const char *const heads[] = {"name", "id", "key", "url", "actions"};
    struct table *t = table_new(sizeof(heads) / sizeof(*heads), heads);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *node = json_array_get(items, i);

        table_cell(t, STYLE_BOLD, "%s", admin_text(node, "name"));
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, "id"));
        cell_key(t, node);
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, "prefix"));
        cell_actions(t, node);
    }
    return table_end(t);
}

static enum command_exit
list(const struct call *call)
{
    return admin_print_list(call, ADMIN_SERVICES, print_list);
}

static enum command_exit
show(const struct call *call)
{
    return admin_print_one(call, ADMIN_SERVICES, print_service);
}

static enum command_exit
remove_it(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_SERVICE_DELETE, .whom = call->arg[0]};

    return admin_run(call, &change, "removed", call->arg[0]);
}

const struct command service_add_command = {
    .noun = "service",
    .verb = "add",
    .synopsis = "NAME -c FILE [--key PEM] [--url PREFIX]\n"
                "           [--action A[,A...]] [--json]",
    .summary = "register a service",
    .about =
        "Registers a service: tickets can then be for urn:meshauth:service:NAME. With "
        "its\n"
        "public key it can log in itself, by private_key_jwt or TLS certificate, and "
        "have\n"
        "roles (`meshauth role grant`). --url lets clients name the place they call.",
    .example =
        "  meshauth service add relay -c /srv/mesh/meshauth.conf --key relay.pub\n"
        "  meshauth service add storage2 -c /srv/mesh/meshauth.conf \\\n"
        "      --url https://storage.example --action read,write,delete",
    .options = add_options,
    .args_min = 1,
    .args_max = 1,
    .run = add,
};

const struct command service_update_command = {
    .noun = "service",
    .verb = "update",
    .synopsis = "NAME -c FILE [--key PEM] [--url PREFIX]\n"
                "           [--action A[,A...]] [--json]",
    .summary = "change its key, its place or its actions",
    .about = "Changes what is registered of a service; NAME is its name or its id, "
             "svc_...\n"
             "What is not named stays. An empty value takes away: of --key, so that "
             "it can\n"
             "log in no more; of --url its place; of --action the limit, so that its "
             "tickets\n"
             "may carry any. Under another key it logs in again.",
    .example =
        "  meshauth service update relay -c /srv/mesh/meshauth.conf --key new.pub\n"
        "  meshauth service update storage2 -c /srv/mesh/meshauth.conf --action ''",
    .options = update_options,
    .args_min = 1,
    .args_max = 1,
    .run = update,
};

const struct command service_list_command = {
    .noun = "service",
    .verb = "list",
    .synopsis = "-c FILE [--json]",
    .summary = "the registered services",
    .about = "Lists the services that are registered, by name.",
    .example = "  meshauth service list -c /srv/mesh/meshauth.conf",
    .options = options,
    .run = list,
};

const struct command service_show_command = {
    .noun = "service",
    .verb = "show",
    .synopsis = "NAME -c FILE [--json]",
    .summary = "one of them",
    .about = "Shows a service; NAME is its name or its id, svc_...",
    .example = "  meshauth service show relay -c /srv/mesh/meshauth.conf --json",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = show,
};

const struct command service_remove_command = {
    .noun = "service",
    .verb = "remove",
    .synopsis = "NAME -c FILE [--json]",
    .summary = "end one, with its roles and sessions",
    .about = "Ends a service: its own tickets die, its roles and sessions go with it. "
             "Its\n"
             "name, key and URL are free again; another service of the same name is "
             "another\n"
             "principal with the same audience.",
    .example = "  meshauth service remove relay -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = remove_it,
};
