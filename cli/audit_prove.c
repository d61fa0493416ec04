/* meshauth audit prove TICKET */
#include "store/audit_prove.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/b64.h"
#include "base/str.h"
#include "cli/audit_ask.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static json_t *
hash_json(const uint8_t hash[HASH_LEN])
{
    char b64[48];
    size_t len = b64_encode(B64_STD, hash, HASH_LEN, b64);

    return json_stringn(b64, len);
}

static json_t *
to_json(const char *ticket, const struct audit_evidence *e)
{
    json_t *o = json_pack("{s:s, s:b, s:I, s:o, s:I}", "ticket", ticket, "found",
        e->found, "size", (json_int_t)e->head.size, "root", hash_json(e->head.root),
        "unseen", (json_int_t)(e->found ? 0 : e->unseen));
    json_t *hashes = json_array();

    if (e->found) {
        for (size_t i = 0; i < e->proof.count; i++)
            json_array_append_new(hashes, hash_json(e->proof.hash[i]));
        json_object_set_new(o, "sequence", json_integer((json_int_t)e->sequence));
        json_object_set_new(o, "erased", json_boolean(e->erased));
        json_object_set_new(o, "leaf", hash_json(e->leaf));
        json_object_set(o, "hashes", hashes);
        if (!e->erased)
            json_object_set_new(o, "record",
                json_loadb((const char *)e->json.data, e->json.len, 0, NULL));
    }
    json_decref(hashes);
    return o;
}

static bool
print(const struct call *call, const struct audit_evidence *e)
{
    if (call->json)
        return output_json(to_json(call->arg[0], e));
    if (!e->found && e->unseen)
        output_line(STYLE_BAD, "not found: ",
            "up to checkpoint %" PRIu64 ", but for %" PRIu64
            " records that are not in the archive either",
            e->head.size, e->unseen);
    else if (!e->found)
        output_line(STYLE_BAD,
            "not found: ", "in a full scan up to checkpoint %" PRIu64, e->head.size);
    if (!e->found)
        return true;
    output_line(STYLE_GOOD, "issued: ",
        "record %" PRIu64 " of checkpoint %" PRIu64 ", by a proof of %zu hashes",
        e->sequence, e->head.size, e->proof.count);
    if (e->erased)
        output_line(STYLE_PLAIN, "", "What the record said was erased.");
    else
        output_line(
            STYLE_PLAIN, "", "%.*s", (int)e->json.len, (const char *)e->json.data);
    return true;
}

static bool
ignore(json_t *record, void *arg)
{
    (void)record;
    (void)arg;
    return false;
}

/* That it was asked is on record, as any question. */
static enum mauth_rc
put_on_record(struct audit_source *s, const char *ticket, struct mauth_err *err)
{
    struct audit_question q = {.filter = {.value[AUDIT_TICKET] = ticket}};
    enum mauth_rc rc;

    buf_init(&q.query);
    buf_printf(&q.query, "ticket=%s", ticket);
    rc = audit_ask(s, &q, 1, ignore, NULL, err);
    buf_clear(&q.query);
    return rc;
}

static enum command_exit
prove(const struct call *call, struct audit_source *s)
{
    struct audit_evidence e = {.found = false};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct kv *beside = NULL;
    enum mauth_rc rc = put_on_record(s, call->arg[0], &err);
    bool printed;

    if (rc == MAUTH_OK && s->admin.served)
        rc = kv_open(s->admin.config->store, KV_READ, &beside, &err);
    if (rc == MAUTH_OK)
        rc = audit_prove(beside ? beside : s->kv, call->arg[0],
            progress_wanted(call) ? progress_records : NULL, NULL, &e, &err);
    printed = rc == MAUTH_OK && print(call, &e);
    kv_close(beside);
    buf_clear(&e.json);
    if (rc == MAUTH_MALFORMED) { /* of the archive: that says nothing of the ticket */
        command_complain(call, "%s", err.text);
        return COMMAND_FAILED;
    }
    if (rc != MAUTH_OK)
        return command_failed(call, &err);
    if (!printed)
        return COMMAND_FAILED;
    return e.found ? COMMAND_DONE : COMMAND_REFUSED;
}

/* As tickets have them: "_" and 32 hex digits. */
static bool
is_ticket(const char *id)
{
    return id[0] == '_' && str_is_hex(text_of(id + 1), strlen(id + 1)) &&
           strlen(id + 1) == 32;
}

static enum command_exit
run(const struct call *call)
{
    struct audit_source source = {0};
    enum command_exit code = COMMAND_DONE;

    if (!is_ticket(call->arg[0]))
        code = command_misused(call, "TICKET is a ticket's ID, like _0123..., which "
                                     "`meshauth ticket show` prints");
    if (code == COMMAND_DONE)
        code = audit_source_open(call, &source);
    if (code == COMMAND_DONE)
        code = prove(call, &source);
    audit_source_close(&source);
    return code;
}

const struct command audit_prove_command = {
    .noun = "audit",
    .verb = "prove",
    .synopsis = "TICKET -c FILE [--json]",
    .summary = "was this ticket issued by us?",
    .about =
        "Looks at every record for the ticket with this ID. When it is there, proves\n"
        "that its record is in the tree, and with --json prints the proof (RFC 6962);\n"
        "else says up to which checkpoint it was not found, with exit code 1.",
    .example =
        "  meshauth audit prove _00112233445566778899aabbccddeeff -c meshauth.conf",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
