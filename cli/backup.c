/* meshauth backup: the whole store in a file, while the service goes on. */
#include "store/backup.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "config/config.h"

enum {
    OPT_CONFIG,
    OPT_OUT
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_OUT] = {"out", 0, "FILE", "a new file, which only you can read (required)"},
    {NULL, 0, NULL, NULL},
};

static enum command_exit
tell(const struct call *call, const struct backup_head *h)
{
    char made[TIME_LEN + 1], hash[2 * HASH_LEN + 1];
    bool printed = true;

    time_format(h->made_s, made);
    str_hex(h->hash, sizeof(h->hash), hash);
    if (call->json)
        printed = output_json(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}",
            "file", call->option[OPT_OUT], "issuer", h->issuer, "made", made, "epoch",
            (json_int_t)h->epoch, "sequence", (json_int_t)h->sequence, "state",
            (json_int_t)h->state, "records", (json_int_t)h->tree.size, "sha256", hash));
    else
        output_line(STYLE_BOLD, call->option[OPT_OUT],
            ": %s of %s, epoch %" PRIu64 ", state %" PRIu64 ", %" PRIu64
            " records, SHA-256 %s",
            made, h->issuer, h->epoch, h->state, h->tree.size, hash);
    if (printed)
        return COMMAND_DONE;
    command_complain(call, "it is made, but there is no memory to tell of it");
    return COMMAND_FAILED;
}

static enum mauth_rc
make(const struct config *c, const char *path, struct backup_head *head,
    struct mauth_err *err)
{
    struct kv *kv = NULL;
    enum mauth_rc rc;

    if (access(path, F_OK) == 0)
        return mauth_fail(err, MAUTH_CONFLICT, "%s is there already", path);
    rc = kv_open(c->store, KV_READ, &kv, err);
    if (rc == MAUTH_OK)
        rc = backup_make(kv, c->issuer.url, time_now_s(), path, head, err);
    kv_close(kv);
    return rc;
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *config = NULL;
    struct backup_head head;
    enum command_exit code;

    if (!call->option[OPT_CONFIG])
        return command_misused(call, "-c FILE is missing: the service's meshauth.conf");
    if (!call->option[OPT_OUT])
        return command_misused(call, "--out FILE is missing");
    if (config_load(call->option[OPT_CONFIG], &config, &err) != MAUTH_OK)
        return command_misconfigured(call, &err);
    if (make(config, call->option[OPT_OUT], &head, &err) == MAUTH_OK)
        code = tell(call, &head);
    else
        code = command_failed(call, &err);
    config_free(config);
    return code;
}

const struct command backup_command = {
    .noun = "backup",
    .synopsis = "-c FILE --out FILE [--json]",
    .summary = "write the whole store into a file",
    .about =
        "Writes the whole store, as it is at one moment, into a new file: users, the\n"
        "mesh, sessions, keys, the audit log. meshauthd goes on meanwhile. Keys stay\n"
        "under seal: keep seal.key as well, at another place, and root.key at a third.",
    .example = "  meshauth backup -c /srv/mesh/meshauth.conf --out mesh.backup",
    .options = options,
    .run = run,
};
