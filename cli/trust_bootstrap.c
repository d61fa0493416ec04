/* meshauth trust bootstrap */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/service_metadata.h"
#include "cli/trust_home.h"
#include "net/fetch.h"

enum {
    OPT_OUT,
    OPT_CA,
    OPT_FINGERPRINT,
    OPT_KEY,
    OPT_SERVICE
};

static const struct command_option options[] = {
    [OPT_OUT] = {"out", 0, "DIR", "where the root is pinned (required)"},
    [OPT_CA] = {"ca", 0, "FILE", "the account service's authorities; kept"},
    [OPT_FINGERPRINT] = {"fingerprint", 0, "SHA256:...", "the root's, as you know it"},
    [OPT_KEY] = {"key", 0, "PEM", "the service's private key (DIR/service.key)"},
    [OPT_SERVICE] = {"service", 0, "ID", "svc_..., as the service is registered"},
    {NULL, 0, NULL, NULL},
};

enum {
    CA_MAX = 1 << 20,
    ANSWER_MAX = 64
};

struct bootstrap {
    struct service_url url;
    struct note_verifier root;
    char fingerprint[NOTE_FINGERPRINT_LEN + 1];
    struct buf ca;
    char *key; /* absolute: updater.json is read from elsewhere */
    struct trust_home home;
};

static enum command_exit
read_options(const struct call *call, struct bootstrap *b)
{
    const char *const *o = call->option;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct id id;

    if (!o[OPT_OUT] || !*o[OPT_OUT])
        return command_misused(call, "--out is missing: where is the root pinned?");
    if (service_url_parse(call->arg[0], &b->url, &err) != MAUTH_OK)
        return command_misused(call, "%s", err.text);
    if (o[OPT_FINGERPRINT] && (strlen(o[OPT_FINGERPRINT]) != NOTE_FINGERPRINT_LEN ||
                                  strncmp(o[OPT_FINGERPRINT], "SHA256:", 7) != 0))
        return command_misused(call,
            "--fingerprint: SHA256: and 43 characters, as `meshauth init` prints it");
    if (o[OPT_SERVICE] &&
        !id_parse(ID_SERVICE, o[OPT_SERVICE], strlen(o[OPT_SERVICE]), &id))
        return command_misused(
            call, "--service: svc_..., as `meshauth service show` prints it");
    if (o[OPT_CA] && file_read(o[OPT_CA], CA_MAX, &b->ca, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (o[OPT_KEY] && !(b->key = realpath(o[OPT_KEY], NULL)))
        return command_misused(call, "--key: there is no %s", o[OPT_KEY]);
    return COMMAND_DONE;
}

static enum command_exit
ask_for_root(const struct call *call, struct bootstrap *b)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = net_init(&err);
    struct buf body;

    buf_init(&body);
    if (rc == MAUTH_OK)
        rc = service_metadata_fetch(&b->url, call->option[OPT_CA], &body, &err);
    if (rc == MAUTH_OK)
        rc = service_metadata_root(buf_slice(&body), &b->url, &b->root, &err);
    if (rc == MAUTH_OK)
        rc = note_fingerprint(&b->root, b->fingerprint, &err);
    buf_clear(&body);
    return rc == MAUTH_OK ? COMMAND_DONE : command_failed(call, &err);
}

/* As ssh does at a first connection. */
static enum command_exit
ask_person(const struct call *call, const struct bootstrap *b)
{
    char answer[ANSWER_MAX] = "";

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        command_complain(call,
            "nobody is here to compare the root's fingerprint; give the one that you "
            "know from elsewhere with --fingerprint (they say %s)",
            b->fingerprint);
        return COMMAND_REFUSED;
    }
    fprintf(stderr, "The root of %s has the fingerprint\n\n    %s\n\n", b->url.text,
        b->fingerprint);
    fputs("`meshauth keys list` prints it over there. Is it the one that you were told "
          "by\nsomebody whom you believe (yes/no)? ",
        stderr);
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return COMMAND_DONE;
    command_complain(call, "nothing is pinned");
    return COMMAND_REFUSED;
}

static enum command_exit
confirm(const struct call *call, const struct bootstrap *b)
{
    const char *known = call->option[OPT_FINGERPRINT];

    if (!known)
        return ask_person(call, b);
    if (strcmp(known, b->fingerprint) == 0)
        return COMMAND_DONE;
    command_complain(call,
        "%s has another root, %s: either the fingerprint that you know is of another "
        "service, or somebody stands between you and it",
        b->url.text, b->fingerprint);
    return COMMAND_REFUSED;
}

static enum command_exit
pin(const struct call *call, struct bootstrap *b)
{
    const struct trust_pin what = {
        .dir = call->option[OPT_OUT],
        .url = &b->url,
        .root = &b->root,
        .key_file = b->key,
        .service = call->option[OPT_SERVICE],
        .ca = buf_slice(&b->ca),
    };
    struct mauth_err err = MAUTH_ERR_INIT;

    if (trust_home_pin(&what, &b->home, &err) != MAUTH_OK)
        return command_failed(call, &err);
    return COMMAND_DONE;
}

static bool
print(const struct call *call, const struct bootstrap *b)
{
    const struct trust_home *h = &b->home;

    if (call->json)
        return output_json(json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "url",
            h->url.text, "dir", h->dir, "root_vkey", h->vkey, "root_fingerprint",
            b->fingerprint, "service", h->service[0] ? h->service : NULL, "certificate",
            h->certificate_file));
    output_line(STYLE_GOOD, "Pinned", ": the root of %s, %s, in %s", h->url.text,
        b->fingerprint, h->dir);
    if (!h->service[0]) {
        output_line(STYLE_PLAIN, "Next",
            ", over there: meshauth service add NAME "
            "-c FILE --key service.crt");
        output_line(STYLE_PLAIN, "", "with %s, which shows its public key",
            h->certificate_file);
    }
    output_line(STYLE_PLAIN, "Then", ": meshauth trust fetch %s%s", h->dir,
        h->service[0] ? "" : " --service svc_...");
    return true;
}

static enum command_exit
run(const struct call *call)
{
    struct bootstrap b = {.key = NULL};
    enum command_exit code;

    buf_init(&b.ca);
    code = read_options(call, &b);
    if (code == COMMAND_DONE)
        code = ask_for_root(call, &b);
    if (code == COMMAND_DONE)
        code = confirm(call, &b);
    if (code == COMMAND_DONE) {
        code = pin(call, &b);
        if (code == COMMAND_DONE && !print(call, &b)) {
            command_complain(
                call, "it is pinned, but there is no memory to tell of it");
            code = COMMAND_FAILED;
        }
        trust_home_close(&b.home);
    }
    free(b.key);
    buf_clear(&b.ca);
    return code;
}

const struct command trust_bootstrap_command = {
    .noun = "trust",
    .verb = "bootstrap",
    .synopsis = "URL --out DIR [--fingerprint SHA256:...]\n"
                "           [--ca FILE] [--key PEM] [--service ID] [--json]",
    .summary = "pin the root of an account service",
    .about =
        "Asks the account service for its root's verifier key and pins it in DIR, for\n"
        "a service that decides by it. The fingerprint is to be compared with what "
        "you\n"
        "know from elsewhere, as with ssh: on a terminal you are asked, a script "
        "gives\n"
        "it. DIR also gets the key with which the service proves who it is, if none "
        "is\n"
        "named.",
    .example = "  meshauth trust bootstrap https://auth.example.org \\\n"
               "      --out /var/lib/meshauth-trust/relay \\\n"
               "      --fingerprint SHA256:TSO1G3W1MT12jdttjdGYqTRPZ4DmgGEkhTr0dk8/G5A",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
