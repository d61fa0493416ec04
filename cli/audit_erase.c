/* meshauth audit erase USER */
#include "store/audit_erase.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "cli/audit_ask.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "store/audit_archive.h"
#include "store/audit_indexing.h"

enum {
    OPT_CONFIG
};

enum {
    LOOK_US = 200000,
    TELL = 25,     /* looks without any progress, until that is said */
    PATIENCE = 600 /* ... and until nobody waits any more */
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
        if (waits && looks == TELL)
            command_complain(call,
                "nothing has been erased for a while: meshauthd's log and /readyz say "
                "why; it goes on by itself, also when this command has ended");
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
    const struct audit_keep for_ever = {.age_us = 0}; /* what has left is deleted */
    struct audit_index *index = NULL;
    struct audit_erasure e = {.end = 0};
    struct kv *kv = NULL;
    bool more = true;
    enum mauth_rc rc = kv_open(a->config->store, KV_OPEN, &kv, err);

    if (rc == MAUTH_OK)
        rc = audit_indexing_open(kv, false, &index, err);
    while (more && rc == MAUTH_OK) {
        rc = audit_archive_step(kv, index, &for_ever, 0, &more, err);
        if (rc != MAUTH_OK || more)
            continue;
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

/* The record that says what was done, the newest about this user. */
static bool
take_record(json_t *record, void *arg)
{
    *(json_t **)arg = json_incref(record);
    return false;
}

static enum mauth_rc
read_outcome(const struct call *call, json_t **out, struct mauth_err *err)
{
    struct audit_source source = {0};
    struct audit_question q = {
        .filter = {
            .value = {
                [AUDIT_USER] = call->arg[0], [AUDIT_ACTION] = AUDIT_ERASED_ACTION}}};
    enum mauth_rc rc = MAUTH_UNAVAILABLE;

    *out = NULL;
    buf_init(&q.query);
    buf_printf(&q.query, "user=%s&action=" AUDIT_ERASED_ACTION, call->arg[0]);
    if (audit_source_open(call, &source) == COMMAND_DONE)
        rc = audit_ask(&source, &q, 1, take_record, out, err);
    audit_source_close(&source);
    buf_clear(&q.query);
    if (rc == MAUTH_OK && !*out)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "that it was done is not on record");
    return rc;
}

static enum command_exit
print(const struct call *call, const json_t *record)
{
    const char *note = admin_text(record, "note");
    json_int_t count = json_integer_value(json_object_get(record, "count"));

    if (call->json)
        (void)output_json(json_pack("{s:s, s:I, s:s*}", "user", call->arg[0], "erased",
            count, "note", *note ? note : NULL));
    else
        output_line(STYLE_GOOD, "erased: ", "%lld records about %s", (long long)count,
            call->arg[0]);
    if (!*note)
        return COMMAND_DONE;
    command_complain(
        call, "%s: what they say is as it was; put them there, and ask again", note);
    return COMMAND_REFUSED;
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    enum command_exit code = COMMAND_DONE;
    json_t *record = NULL;
    enum mauth_rc rc = MAUTH_OK;

    if (id_kind_of(call->arg[0], strlen(call->arg[0])) != ID_USER)
        return command_misused(call, "USER is an id like usr_...");
    code = admin_open(call, call->option[OPT_CONFIG], &admin);
    if (code == COMMAND_DONE)
        rc = erase(call, &admin, &err);
    admin_close(&admin);
    if (code == COMMAND_DONE && rc == MAUTH_OK)
        rc = read_outcome(call, &record, &err);
    if (rc != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = print(call, record);
    json_decref(record);
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
