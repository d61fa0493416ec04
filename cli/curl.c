/* meshauth curl */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/challenge.h"
#include "cli/curl_arguments.h"
#include "cli/curl_run.h"
#include "cli/mesh.h"
#include "cli/resource_lookup.h"
#include "cli/showing.h"

enum {
    OPT_ACCOUNT,
    OPT_ACTION,
    OPT_AUDIENCE,
    OPT_RESOURCE,
    OPT_DPOP
};

enum {
    TRIES = 3, /* each time with something that was learned */
    CURL_FAILED_STATUS = 22,
    CURL_MISSING = 127
};

static const struct command_option options[] = {
    [OPT_ACCOUNT] = MESH_ACCOUNT_OPTION,
    [OPT_ACTION] = {"action", 0, "NAME", "unless it is as the method says"},
    [OPT_AUDIENCE] = {"audience", 0, "A",
        "of the service, if its URL is not registered"},
    [OPT_RESOURCE] = {"resource", 0, "U", "the node that it is about, if so"},
    [OPT_DPOP] = {"dpop", 0, NULL, "prove the key by DPoP, not by TLS certificate"},
    {NULL, 0, NULL, NULL},
};

/* One command's requests. */
struct visit {
    const struct call *call;
    struct broker *broker;
    struct showing showing;
    struct curl_arguments arguments;
    struct challenge said; /* by the service, last */
    bool described;        /* its metadata is read */
    bool dropped;          /* a ticket that it did not take */
    bool rescoped;         /* by what it asked for */
    char scope[CHALLENGE_TEXT];
    char nonce[CHALLENGE_TEXT];
};

/* The configuration. */

/* curl reads FILE:PASSWORD unless the colon is escaped. */
static void
put_certificate(struct buf *out, const char *path)
{
    struct buf escaped;

    buf_init(&escaped);
    for (const char *p = path; *p; p++)
        buf_printf(&escaped, "%s%c", *p == ':' || *p == '\\' ? "\\" : "", *p);
    if (buf_cstr(&escaped))
        curl_run_put(out, "cert", buf_cstr(&escaped));
    else
        out->failed = true;
    buf_clear(&escaped);
}

static enum mauth_rc
write_config(const struct visit *v, const char *credential, struct buf *out,
    struct mauth_err *err)
{
    const struct account *a = broker_account(v->broker);
    struct text rest, line;
    char header[MAUTH_TICKET_MAX * 2];
    enum mauth_rc rc;
    struct buf lines;

    buf_init_secret(&lines);
    rc = showing_write(&v->showing, a, credential, &lines, err);
    rest = buf_slice(&lines);
    while (rc == MAUTH_OK && text_cut(&rest, '\n', &line)) {
        snprintf(header, sizeof(header), "%.*s", (int)line.len, line.p);
        curl_run_put(out, "header", header);
    }
    mauth_wipe(header, sizeof(header));
    buf_clear(&lines);
    curl_run_put(out, "url", v->showing.url);
    curl_run_put(out, "proto", "=https");
    buf_str(out, "globoff\n");
    buf_str(out, v->arguments.progress ? "" : "no-progress-meter\n");
    put_certificate(out, account_certificate_file(a));
    curl_run_put(out, "key", account_key_file(a));
    if (showing_is_own(v->broker, &v->showing) && account_ca_file(a))
        curl_run_put(out, "cacert", account_ca_file(a));
    if (rc == MAUTH_OK && !buf_ok(out))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return rc;
}

/* What a refusal teaches. */

/* The actions that a service asks for, unless the user has said which. */
static bool
learn_scope(struct visit *v)
{
    struct rights_options *o = &v->showing.rights;
    struct text rest, name;
    size_t n = 0;
    bool more;

    if (v->rescoped || v->call->option[OPT_ACTION] || !*v->said.scope)
        return false;
    snprintf(v->scope, sizeof(v->scope), "%s", v->said.scope);
    rest = text_of(v->scope);
    do {
        more = text_cut(&rest, ' ', &name);
        if (!more)
            name = rest;
        if (n == RIGHTS_OPTIONS_MAX || !str_is_name(name))
            return false;
        v->scope[(size_t)(name.p - v->scope) + name.len] = '\0';
        o->action[n++] = name.p;
    } while (more);
    o->want.actions = n;
    v->rescoped = true;
    return true;
}

/* Another scheme, or a nonce for the proof. */
static bool
learn_proof(struct visit *v, bool needed)
{
    const struct challenge *said = &v->said;

    if (said->dpop && !v->showing.dpop && (needed || !said->bearer)) {
        v->showing.dpop = true;
    } else if (said->bearer && !said->dpop && v->showing.dpop &&
               !v->call->option[OPT_DPOP]) {
        v->showing.dpop = false;
        return true;
    } else if (!v->showing.dpop || !*said->nonce ||
               strcmp(said->nonce, v->nonce) == 0) {
        return false;
    }
    memcpy(v->nonce, said->nonce, sizeof(v->nonce));
    v->showing.nonce = *v->nonce ? v->nonce : NULL;
    return true;
}

/* What the service says of itself: is it ours, and does it want DPoP? */
static enum mauth_rc
learn_metadata(struct visit *v, struct mauth_err *err)
{
    const char *issuer = account_url(broker_account(v->broker));
    struct resource_metadata m = {.dpop = false};
    struct buf resource, answer;
    enum mauth_rc rc;

    if (v->described || v->said.status != 401 || !*v->said.metadata)
        return MAUTH_OK;
    v->described = true;
    buf_init(&resource);
    buf_init(&answer);
    rc = resource_metadata_place(v->said.metadata, v->showing.place, &resource, err);
    if (rc == MAUTH_OK)
        rc = resource_lookup_fetch(v->said.metadata, v->arguments.cacert, &answer, err);
    if (rc == MAUTH_OK)
        rc = resource_metadata_read(buf_slice(&answer), buf_cstr(&resource), &m, err);
    if (rc == MAUTH_OK)
        rc = resource_metadata_check(&m, issuer, err);
    v->said.bearer = v->said.bearer && !m.dpop;
    v->said.dpop = v->said.dpop || m.dpop;
    resource_metadata_clear(&m);
    buf_clear(&answer);
    buf_clear(&resource);
    return rc;
}

/* Is there anything to be done otherwise? */
static bool
learn(struct visit *v, const char *credential)
{
    const char *error = v->said.error;
    bool scope = strcmp(error, "insufficient_scope") == 0;

    if (v->arguments.once)
        return false;
    if (scope && (v->said.status == 401 || v->said.status == 403))
        return learn_scope(v);
    if (v->said.status != 401)
        return false;
    if (learn_proof(v, false))
        return true;
    if (strcmp(error, "invalid_token") == 0 && !v->dropped) {
        v->dropped = true;
        return broker_drop(v->broker, credential) == COMMAND_DONE;
    }
    return learn_proof(v, true);
}

/* Outcomes. */

static enum command_exit
judge(const struct visit *v, int code)
{
    const struct challenge *said = &v->said;
    bool refused = said->status == 401 || said->status == 403;

    if (refused)
        command_complain(v->call, "%s said no (%d%s%s%s%s).%s", v->showing.place,
            said->status, *said->error ? ", " : "", said->error,
            *said->text ? ": " : "", said->text,
            v->arguments.once ? " Standard input is gone, so it was not tried again."
                              : "");
    if (refused || code == CURL_FAILED_STATUS)
        return COMMAND_REFUSED;
    if (code == CURL_MISSING)
        command_complain(v->call, "curl cannot be run; is it installed?");
    else if (code)
        command_complain(v->call, "curl ended with %d; `man curl` explains it", code);
    return code ? COMMAND_FAILED : COMMAND_DONE;
}

/* One request; *again: it was refused, and the next one will be another. */
static enum command_exit
request(struct visit *v, bool last, bool *again)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct curl_run *run = NULL;
    const char *credential;
    struct buf config, headers;
    enum command_exit code = showing_find(v->call, v->broker, &v->showing, &credential);
    enum mauth_rc rc;
    enum mauth_rc why = MAUTH_OK; /* it is not asked again */
    int exit_code;

    *again = false;
    if (code != COMMAND_DONE)
        return code;
    buf_init_secret(&config);
    buf_init(&headers);
    rc = write_config(v, credential, &config, &err);
    if (rc == MAUTH_OK)
        rc = curl_run_start(&config, v->call->rest, &run, &err);
    if (rc == MAUTH_OK)
        rc = curl_run_headers(run, &headers, &err);
    if (rc == MAUTH_OK) {
        challenge_read(buf_slice(&headers), &v->said);
        why = last ? MAUTH_OK : learn_metadata(v, &err);
        *again = !last && why == MAUTH_OK && learn(v, credential);
    }
    exit_code = run ? curl_run_finish(run, rc == MAUTH_OK && !*again) : 0;
    if (rc != MAUTH_OK || why != MAUTH_OK)
        code = command_failed(v->call, &err);
    else if (!*again)
        code = judge(v, exit_code);
    buf_clear(&headers);
    buf_clear(&config);
    return code;
}

static enum command_exit
visit(struct visit *v)
{
    enum command_exit code = COMMAND_DONE;
    bool again = true;

    for (int i = 1; i <= TRIES && again && code == COMMAND_DONE; i++)
        code = request(v, i == TRIES, &again);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    static const struct rights_numbers numbers = {
        OPT_AUDIENCE, OPT_RESOURCE, OPT_ACTION};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    struct service_url service;
    struct visit v = {.call = call,
        .showing = {.url = call->arg[0], .dpop = call->option[OPT_DPOP] != NULL}};

    if (rights_options_read(call, &numbers, &v.showing.rights, &err) != MAUTH_OK ||
        curl_arguments_read(call->rest, &v.arguments, &err) != MAUTH_OK)
        return command_misused(call, "%s", err.text);
    v.showing.method = v.arguments.method;
    if (call->json)
        return command_misused(call, "what curl prints is the service's answer alone");
    if (showing_complete(&v.showing, &err) != MAUTH_OK)
        return command_misused(call, "%s", err.text);
    v.showing.lookup.ca_file = v.arguments.cacert;
    code = showing_choose(call, call->option[OPT_ACCOUNT], &v.showing, &service);
    if (code == COMMAND_DONE)
        code = broker_open(call, &service, &v.broker);
    if (code == COMMAND_DONE)
        code = visit(&v);
    showing_clear(&v.showing);
    broker_close(v.broker);
    return code;
}

const struct command curl_command = {
    .noun = "curl",
    .synopsis = "[--action NAME] [--dpop] [--audience A [--resource U]]\n"
                "       [--account URL] URL [CURL-OPTION ...]",
    .summary = "run curl with a ticket for the service at a URL",
    .about =
        "Runs curl for one request to URL: with a ticket as `meshauth header` finds\n"
        "it, and with the device's key as TLS client certificate. Options of curl\n"
        "follow the URL. When the service refuses, what its answer teaches is tried\n"
        "at once: DPoP with its nonce, a new ticket, the actions that it asks for.\n"
        "Neither ticket nor proof stands on curl's command line. What would take\n"
        "them elsewhere is not passed on: redirects (-L), other URLs, -k, -v.\n"
        "Ends with 1 when the service says 401 or 403, with 3 when curl fails.",
    .example =
        "  meshauth curl https://storage.example.org/files/fld_.../a -T photo.jpg",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .rest = true,
    .run = run,
};
