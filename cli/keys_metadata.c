/* meshauth keys metadata: the certificate by which SAML metadata is pinned. */
#include <stdio.h>

#include "base/fail.h"
#include "cli/admin_store.h"
#include "cli/output.h"

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

/* The PEM alone, so that it can be put into a file. */
static bool
print(const json_t *node)
{
    return fputs(admin_text(node, "certificate"), stdout) >= 0;
}

static enum mauth_rc
ask(const struct admin *a, json_t **out, struct mauth_err *err)
{
    const struct admin_request request = {
        .method = "GET", .path = "/v1/admin/metadata-key"};
    const struct admin_question question = {.kind = ADMIN_METADATA_KEY};
    enum mauth_rc rc = a->served ? admin_ask(a, &request, out, err)
                                 : admin_store_look(a, &question, out, err);

    if (rc != MAUTH_NOT_FOUND)
        return rc;
    mauth_err_reset(err);
    return mauth_fail(err, rc, "there is none yet: meshauthd makes it as it starts");
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[OPT_CONFIG], &admin);

    if (code == COMMAND_DONE && ask(&admin, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, node, print);
    json_decref(node);
    admin_close(&admin);
    return code;
}

const struct command keys_metadata_command = {
    .noun = "keys",
    .verb = "metadata",
    .synopsis = "-c FILE [--json]",
    .summary = "the certificate that signs SAML metadata",
    .about = "Prints the certificate of the key that signs /saml/metadata, in PEM, for "
             "those\n"
             "who pin it. The key signs nothing else, and does not rotate.",
    .example = "  meshauth keys metadata -c /srv/mesh/meshauth.conf > metadata.crt",
    .options = options,
    .run = run,
};
