/* meshauth header */
#include <stdio.h>

#include "base/str.h"
#include "cli/mesh.h"
#include "cli/output.h"
#include "cli/showing.h"

enum {
    OPT_ACCOUNT,
    OPT_METHOD,
    OPT_AUDIENCE,
    OPT_RESOURCE,
    OPT_ACTION,
    OPT_DPOP,
    OPT_NONCE,
    OPT_CACERT
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_METHOD] = {"method", 0, "M", "of the request; GET unless given"},
    [OPT_AUDIENCE] = {"audience", 0, "A",
        "of the service, if its URL is not registered"},
    [OPT_RESOURCE] = {"resource", 0, "U", "the node that it is about, if so"},
    [OPT_ACTION] = {"action", 0, "NAME", "unless it is as the method says"},
    [OPT_DPOP] = {"dpop", 0, NULL, "prove the key by DPoP, not by TLS certificate"},
    [OPT_NONCE] = {"nonce", 0, "N", "that the service wants in the DPoP proof"},
    [OPT_CACERT] = {"cacert", 0, "FILE", "the service's authorities (PEM)"},
    {NULL, 0, NULL, NULL},
};

static enum command_exit
print(const struct call *call, const struct showing *s, const struct account *a,
    const char *credential)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    json_t *list = json_array();
    struct buf lines;
    enum mauth_rc rc;

    buf_init_secret(&lines);
    rc = showing_write(s, a, credential, &lines, &err);
    if (rc != MAUTH_OK) {
        code = command_failed(call, &err);
    } else if (!call->json) {
        fwrite(lines.data, 1, lines.len, stdout);
    } else {
        struct text rest = buf_slice(&lines), line;

        while (text_cut(&rest, '\n', &line))
            json_array_append_new(list, json_stringn(line.p, line.len));
        if (!output_json(json_pack("{s:O}", "headers", list)))
            code = COMMAND_FAILED;
    }
    json_decref(list);
    buf_clear(&lines);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    static const struct rights_numbers numbers = {
        OPT_AUDIENCE, OPT_RESOURCE, OPT_ACTION};
    const char *method = call->option[OPT_METHOD];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    const char *credential = NULL;
    struct service_url service;
    struct broker *b = NULL;
    struct showing s = {.url = call->arg[0],
        .method = method ? method : "GET",
        .dpop = call->option[OPT_DPOP] || call->option[OPT_NONCE],
        .nonce = call->option[OPT_NONCE],
        .lookup = {.ca_file = call->option[OPT_CACERT]}};

    if (rights_options_read(call, &numbers, &s.rights, &err) != MAUTH_OK ||
        showing_complete(&s, &err) != MAUTH_OK)
        code = command_misused(call, "%s", err.text);
    if (code == COMMAND_DONE)
        code = showing_choose(call, call->option[OPT_ACCOUNT], &s, &service);
    if (code == COMMAND_DONE)
        code = broker_open(call, &service, &b);
    if (code == COMMAND_DONE)
        code = showing_find(call, b, &s, &credential);
    if (code == COMMAND_DONE)
        code = print(call, &s, broker_account(b), credential);
    showing_clear(&s);
    broker_close(b);
    return code;
}

const struct command header_command = {
    .noun = "header",
    .synopsis = "URL [--method M] [--action NAME] [--dpop [--nonce N]]\n"
                "       [--audience A [--resource U]] [--cacert FILE] [--account URL]\n"
                "       [--json]",
    .summary = "print the header that shows a ticket to a service",
    .about =
        "Prints the Authorization header for one request to URL: with the login's\n"
        "own ticket where URL is of the account service, else with a ticket for the\n"
        "service that is registered there, kept or new. GET and HEAD want the\n"
        "action read, PUT, POST and PATCH write, DELETE delete.\n"
        "The request must prove the device's key: by device.key and device.crt of\n"
        "the account as TLS client certificate, or with --dpop by the DPoP header\n"
        "that is printed as well, good for this one request, within a minute.\n"
        "Before a new ticket is fetched the service is asked what it says of itself\n"
        "(RFC 9728): of several accounts it tells which is meant, and whether DPoP is.",
    .example = "  meshauth header https://storage.example.org/files/fld_.../a --dpop",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
