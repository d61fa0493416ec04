/* meshauth keys reseal: another seal key for all that is sealed in the store. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "store/audit.h"
#include "store/reseal.h"

enum {
    OPT_CONFIG,
    OPT_SEAL
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_SEAL] = {"seal-key-file", 0, "NEW",
        "the new seal key, made if not there (required)"},
    {NULL, 0, NULL, NULL},
};

struct work {
    struct reseal reseal;
    uint8_t salt[AUDIT_SALT];
};

static enum mauth_rc
reseal_and_record(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct work *w = arg;
    char actor[32];
    const struct audit_record record = {
        .time_us = time_now_us(),
        .actor = actor,
        .action = "key.reseal",
        .outcome = "done",
        .client = "local",
    };
    enum mauth_rc rc = reseal_all(txn, &w->reseal, err);

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    if (rc != MAUTH_OK || w->reseal.unchanged)
        return rc;
    rc = audit_append_record(txn, &record, w->salt, err);
    fault_point("reseal.recorded");
    return rc;
}

/* It is there already after a run that came to nothing. */
static enum mauth_rc
take_new(const char *path, struct mauth_secret **out, struct mauth_err *err)
{
    if (access(path, F_OK) == 0 || errno != ENOENT)
        return keystore_seal_read(path, out, err);
    return keystore_seal_create(path, out, err);
}

static enum mauth_rc
reseal(const struct config *config, const char *path, struct work *w,
    struct mauth_err *err)
{
    struct mauth_secret *from = NULL, *to = NULL;
    struct kv *kv = NULL;
    enum mauth_rc rc;

    rc = keystore_seal_read(config->seal_key_file, &from, err);
    if (rc == MAUTH_OK)
        rc = kv_open(config->store, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = take_new(path, &to, err);
    fault_point("reseal.new-key");
    if (rc == MAUTH_OK)
        rc = reseal_ready(&w->reseal, err);
    if (rc == MAUTH_OK)
        rc = mauth_random(w->salt, sizeof(w->salt), err);
    w->reseal.from = from;
    w->reseal.to = to;
    if (rc == MAUTH_OK)
        rc = kv_write(kv, reseal_and_record, w, err);
    fault_point("reseal.committed");
    kv_close(kv);
    mauth_secret_free(from);
    mauth_secret_free(to);
    return rc;
}

static void
say(const struct call *call, const struct work *w, const char *path)
{
    if (call->json) {
        output_json(json_pack(
            "{s:I, s:s}", "resealed", (json_int_t)w->reseal.records, "file", path));
        return;
    }
    if (w->reseal.unchanged)
        output_line(STYLE_PLAIN, path, ": the store is sealed with this key already");
    else
        output_line(STYLE_PLAIN, path, ": sealed anew, %zu records", w->reseal.records);
    printf("Now name it in the configuration, as seal_key_file, and start meshauthd.\n"
           "Backups of the store from before still open with the old key.\n");
}

static enum command_exit
run(const struct call *call)
{
    const char *path = call->option[OPT_SEAL];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    struct work work = {.reseal = {.records = 0}};
    enum command_exit code = COMMAND_DONE;

    if (!path)
        return command_misused(call, "--seal-key-file NEW is missing");
    code = admin_open(call, call->option[OPT_CONFIG], &admin);
    if (code == COMMAND_DONE && admin.served) {
        command_complain(call, "meshauthd runs, with the old key; stop it first");
        code = COMMAND_REFUSED;
    } else if (code == COMMAND_DONE &&
               reseal(admin.config, path, &work, &err) != MAUTH_OK) {
        code = admin_failed(call, &err);
    } else if (code == COMMAND_DONE) {
        say(call, &work, path);
    }
    admin_close(&admin);
    return code;
}

const struct command keys_reseal_command = {
    .noun = "keys",
    .verb = "reseal",
    .synopsis = "-c FILE --seal-key-file NEW [--json]",
    .summary = "seal the store's keys under another key",
    .about =
        "Seals all private keys in the store under another seal key, in one step; "
        "while\n"
        "meshauthd is stopped. NEW is made if there is no such file. Then name it in\n"
        "meshauth.conf as seal_key_file. Should this be interrupted, do it again: the "
        "old\n"
        "or the new key opens everything.",
    .example = "  meshauth keys reseal -c /srv/mesh/meshauth.conf \\\n"
               "      --seal-key-file /srv/mesh/seal2.key",
    .options = options,
    .run = run,
};
