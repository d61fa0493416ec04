/* meshauth audit erase USER */
#include "store/audit_erase.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "store/audit_indexing.h"

enum {
    OPT_CONFIG
};

enum {
    LOOK_US = 200000,
    PATIENCE = 600 /* looks without any progress */
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

/* While meshauthd runs it does the work: until it is not on the list any more. */

static const json_t *
find_user(const json_t *erasures, const char *user)
{
    for (size_t i = 0; i < json_array_size(erasures); i++)
        if (strcmp(admin_text(json_array_get(erasures, i), "id"), user) == 0)
            return json_array_get(erasures, i);
    return NULL;
}

static uint64_t
number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

static enum mauth_rc
wait_for_service(const struct call *call, const struct admin *a, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    uint64_t last = 0, now;
    bool waits = true;

    for (int looks = 0; waits && rc == MAUTH_OK; looks++) {
        json_t *erasures = NULL;
        const json_t *e;

        rc = admin_list(a, ADMIN_ERASURES, NULL, &erasures, err);
        e = find_user(erasures, call->arg[0]);
        waits = rc == MAUTH_OK && e;
        if (e && progress_wanted(call))
            progress_records(number(e, "at"), number(e, "of"), NULL);
        now = e ? number(e, "at") + number(e, "segments") : 0;
        json_decref(erasures);
        if (now != last)
            looks = 0;
        last = now;
        if (waits && looks > PATIENCE)
            rc = mauth_fail(err, MAUTH_UNAVAILABLE,
                "no record was looked at for two minutes: meshauthd's log says why; it "
                "goes on by itself once that is mended");
        else if (waits)
            (void)usleep(LOOK_US);
    }
    if (progress_wanted(call))
        progress_records(0, 0, NULL);
    return rc;
}

/* Else it is done here. */
static enum mauth_rc
erase_in_store(const struct call *call, const struct admin *a, struct mauth_err *err)
{
    struct audit_index *index = NULL;
    struct audit_erasure e = {.end = 0};
    struct kv *kv = NULL;
    bool more = true;
    enum mauth_rc rc = kv_open(a->config->store, KV_OPEN, &kv, err);

    if (rc == MAUTH_OK)
        rc = audit_indexing_open(kv, false, &index, err);
    while (more && rc == MAUTH_OK) {
        rc = audit_erase_step(kv, index, &e, &more, err);
        if (more && progress_wanted(call))
            progress_records(e.at, e.end, NULL);
    }
    audit_index_close(index);
    kv_close(kv);
    return rc;
}

static enum mauth_rc
erase(const struct call *call, const struct admin *a, struct mauth_err *err)
{
    struct admin_change change = {.op = ADMIN_ERASE, .whom = call->arg[0]};
    json_t *unused = NULL;
    enum mauth_rc rc = admin_do(a, &change, &unused, err);

    json_decref(unused);
    if (rc != MAUTH_OK)
        return rc;
    return a->served ? wait_for_service(call, a, err) : erase_in_store(call, a, err);
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    enum command_exit code = admin_open(call, call->option[OPT_CONFIG], &admin);

    if (code == COMMAND_DONE && erase(call, &admin, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE && call->json)
        (void)output_json(json_pack("{s:s}", "user", call->arg[0]));
    else if (code == COMMAND_DONE)
        output_line(STYLE_GOOD,
            "erased: ", "what the audit log and its archive said of %s", call->arg[0]);
    admin_close(&admin);
    return code;
}

const struct command audit_erase_command = {
    .noun = "audit",
    .verb = "erase",
    .synopsis = "USER -c FILE [--json]",
    .summary = "let go of what the log says of a person who has gone",
    .about =
        "Erases every record that names the user, usr_..., in the store, its index "
        "and\n"
        "the archive, and returns when that is done. The account is closed before\n"
        "(`meshauth user remove`). Of each record its time stays, and the ticket with\n"
        "its digest; the log stays whole. That this was done is itself on record.",
    .example = "  meshauth audit erase usr_... -c /srv/mesh/meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
