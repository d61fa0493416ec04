/* meshauth trust fetch */
#include <inttypes.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/trust_client.h"
#include "cli/trust_json.h"

enum {
    OPT_SERVICE
};

static const struct command_option options[] = {
    [OPT_SERVICE] = {"service", 0, "ID", "svc_..., as it is registered; remembered"},
    {NULL, 0, NULL, NULL},
};

static enum command_exit
name_service(const struct call *call, struct trust_home *h)
{
    const char *name = call->option[OPT_SERVICE];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct id id;

    if (name && !id_parse(ID_SERVICE, name, strlen(name), &id))
        return command_misused(
            call, "--service: svc_..., as `meshauth service show` prints it");
    if (name && trust_home_set_service(h, name, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (h->service[0])
        return COMMAND_DONE;
    return command_misused(call,
        "as which service? Register %s with `meshauth service add`, and give its id "
        "with --service",
        h->certificate_file);
}

static bool
print(const struct call *call, const struct trust_home *h, const struct mauth_trust *t,
    const struct keep_news *news)
{
    json_t *o;

    if (!call->json) {
        output_line(STYLE_GOOD, h->trust_file,
            ": epoch %" PRIu64 ", sequence %" PRIu64 ", %s", mauth_trust_epoch(t),
            mauth_trust_sequence(t), news->changed ? "new" : "as it was");
        if (news->rewritten)
            output_line(STYLE_BAD, "The audit log",
                " contradicts the one of the epoch before: was a backup restored?");
        return true;
    }
    o = trust_json_core(t);
    if (json_object_set_new(o, "changed", json_boolean(news->changed)) != 0 ||
        json_object_set_new(o, "rewritten", json_boolean(news->rewritten)) != 0 ||
        json_object_set_new(o, "file", json_string(h->trust_file)) != 0) {
        json_decref(o);
        o = NULL;
    }
    return output_json(o);
}

static enum command_exit
fetch_it(const struct call *call, const struct trust_home *h)
{
    struct mauth_err err = MAUTH_ERR_INIT, trouble = MAUTH_ERR_INIT;
    enum command_exit code = COMMAND_DONE;
    struct trust_client *c = NULL;
    const struct trust_wish wish = {.wait = false};
    struct keep_news news;

    if (trust_client_open(h, &c, &trouble, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (trouble.rc != MAUTH_OK)
        command_complain(call, "%s is replaced: %s", h->trust_file, trouble.text);
    if (trust_client_look(c, &wish, &news, &err) != MAUTH_OK) {
        code = command_failed(call, &err);
        if (err.rc == MAUTH_CONFLICT)
            command_complain(
                call, "ALARM: the file that shows it is %s", h->alarm_file);
    } else if (!print(call, h, keep_trust(trust_client_keep(c)), &news)) {
        command_complain(call, "no memory");
        code = COMMAND_FAILED;
    }
    if (code == COMMAND_DONE &&
        keep_check_proofs(trust_client_keep(c), &err) != MAUTH_OK)
        command_complain(call, "%s", err.text);
    trust_client_close(c);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct trust_home home;
    enum command_exit code = COMMAND_DONE;

    if (trust_home_open(call->arg[0], &home, &err) != MAUTH_OK)
        code = command_failed(call, &err);
    if (code == COMMAND_DONE)
        code = name_service(call, &home);
    if (code == COMMAND_DONE)
        code = fetch_it(call, &home);
    trust_home_close(&home);
    return code;
}

const struct command trust_fetch_command = {
    .noun = "trust",
    .verb = "fetch",
    .synopsis = "DIR [--service ID] [--json]",
    .summary = "bring a service's trust file up to date, once",
    .about = "Fetches the trust file into DIR, where `trust bootstrap` has pinned the "
             "root,\n"
             "as the registered service whose key lies there. Everything about it is "
             "checked\n"
             "first; a bad one leaves the file as it was, and ends with 1.",
    .example = "  meshauth trust fetch /var/lib/meshauth-trust/relay \\\n"
               "      --service svc_2h8x4c7n1v5q9w3e6r0tyzpmka",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
