/* meshauth audit verify */
#include "store/audit_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "config/config.h"
#include "keys/trust.h"
#include "updater/witness.h"

enum {
    OPT_CONFIG,
    OPT_STATE,
    OPT_CHECKPOINT,
    OPT_TRUST,
    OPT_WITNESS,
    NOTE_FILE_MAX = 4096
};

static const struct command_option options[] = {
    {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {"state", 0, "FILE", "go on behind what FILE says, and keep it there"},
    {"checkpoint", 0, "FILE", "hold the log against this checkpoint"},
    {"trust", 0, "FILE", "... against the one in a trust file, of a service"},
    {"witness", 0, "FILE", "... against all that an updater has kept"},
    {NULL, 0, NULL, NULL},
};

/* What the log is held against. */
struct evidence {
    const struct call *call;
    struct config *config;
    struct audit_seen seen[AUDIT_SEEN_MAX];
    size_t count;
    struct note_verifier authority; /* of the service's own trust file */
    bool has_authority;
};

static void
add_seen(
    struct evidence *e, uint64_t size, const uint8_t root[HASH_LEN], const char *by)
{
    struct audit_seen *s = &e->seen[e->count];

    if (e->count == AUDIT_SEEN_MAX || !size)
        return;
    s->at.size = size;
    memcpy(s->at.root, root, HASH_LEN);
    s->by = by;
    e->count++;
}

/* What is wrong with a file, with its name. */
static enum mauth_rc
named(const char *path, enum mauth_rc rc, const struct mauth_err *why,
    struct mauth_err *err)
{
    return rc ? mauth_fail(err, rc, "%s: %s", path, why->text) : rc;
}

/* A trust file says how many records there were when it was signed. */
static enum mauth_rc
read_trust(struct evidence *e, const char *path, bool own, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct mauth_trust *trust = NULL;
    uint8_t root[HASH_LEN];
    enum mauth_rc rc;
    uint64_t size;
    struct buf b;

    buf_init(&b);
    rc = file_read(path, MAUTH_TRUST_MAX, &b, err);
    if (rc == MAUTH_OK)
        rc = named(path, trust_parse_untrusted(b.data, b.len, &trust, &why), &why, err);
    if (rc == MAUTH_OK) {
        size = trust_checkpoint(trust, root);
        add_seen(e, size, root, path);
        if (own)
            e->authority = trust_authority(trust)->authority;
        e->has_authority |= own;
    }
    mauth_trust_free(trust);
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
read_checkpoint(struct evidence *e, const char *path, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct audit_checkpoint c;
    enum mauth_rc rc;
    struct buf b;

    if (!e->has_authority)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "%s cannot be checked: the service has no trust file", path);
    buf_init(&b);
    rc = file_read(path, NOTE_FILE_MAX, &b, err);
    if (rc == MAUTH_OK)
        rc = named(path,
            audit_checkpoint_read(
                buf_slice(&b), e->config->issuer.url, &e->authority, &c, &why),
            &why, err);
    if (rc == MAUTH_OK)
        add_seen(e, c.size, c.root, path);
    buf_clear(&b);
    return rc;
}

/* Those of the last epoch: a new one may stand on a backup. */
static enum mauth_rc
read_witness(struct evidence *e, const char *path, struct mauth_err *err)
{
    static struct witness w;
    enum mauth_rc rc = witness_read(path, &w, err);

    for (size_t i = 0; rc == MAUTH_OK && i < w.count; i++)
        if (w.at[i].epoch == w.at[w.count - 1].epoch)
            add_seen(e, w.at[i].size, w.at[i].root, path);
    return rc;
}

/* The state: "ORIGIN\nSIZE\nROOT\n", a checkpoint that nobody need sign. */
static enum mauth_rc
read_state(const struct evidence *e, const char *path, struct audit_checkpoint *out,
    struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct buf b;

    memset(out, 0, sizeof(*out));
    buf_init(&b);
    rc = file_read(path, NOTE_FILE_MAX, &b, NULL);
    if (rc == MAUTH_OK)
        rc = named(path,
            audit_checkpoint_parse(buf_slice(&b), e->config->issuer.url, out, &why),
            &why, err);
    else if (rc == MAUTH_NOT_FOUND)
        rc = MAUTH_OK; /* the first time */
    else
        rc = mauth_fail(err, rc, "%s cannot be read", path);
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
keep_state(const struct evidence *e, const char *path, const struct audit_checkpoint *c,
    struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    audit_checkpoint_format(e->config->issuer.url, c, &b);
    if (buf_ok(&b))
        rc = file_replace(path, b.data, b.len, FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&b);
    return rc;
}

static enum mauth_rc
gather(struct evidence *e, struct mauth_err *err)
{
    const char *const *option = e->call->option;
    enum mauth_rc rc = read_trust(e, e->config->issuer.trust_file, true, NULL);

    rc = rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc; /* the service has never run */
    if (rc != MAUTH_OK)
        return mauth_fail(err, rc, "%s is no trust file", e->config->issuer.trust_file);
    if (option[OPT_CHECKPOINT])
        rc = read_checkpoint(e, option[OPT_CHECKPOINT], err);
    if (rc == MAUTH_OK && option[OPT_TRUST])
        rc = read_trust(e, option[OPT_TRUST], false, err);
    if (rc == MAUTH_OK && option[OPT_WITNESS])
        rc = read_witness(e, option[OPT_WITNESS], err);
    return rc;
}

static const char *
fault_name(enum audit_fault fault)
{
    static const char *const names[] = {"whole", "altered", "missing", "stray", "tree",
        "truncated", "forked", "archive"};

    return names[fault];
}

static bool
print(const struct call *call, const struct audit_verdict *v, const struct evidence *e,
    uint64_t from)
{
    char root[48] = "";

    root[b64_encode(B64_STD, v->head.root, HASH_LEN, root)] = '\0';
    if (call->json && v->fault)
        return output_json(json_pack("{s:b, s:s, s:I, s:s}", "whole", 0, "fault",
            fault_name(v->fault), "at", (json_int_t)v->at, "where", v->where));
    if (call->json)
        return output_json(json_pack("{s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
            "whole", 1, "size", (json_int_t)v->head.size, "root", root, "from",
            (json_int_t)from, "records", (json_int_t)v->records, "erased",
            (json_int_t)v->erased, "left", (json_int_t)v->left, "archived",
            (json_int_t)v->archived, "checkpoints", (json_int_t)e->count));
    if (v->fault) {
        output_line(STYLE_BAD, "not whole: ", "%s", v->where);
        return true;
    }
    output_line(
        STYLE_GOOD, "whole: ", "%" PRIu64 " records, root %s", v->head.size, root);
    if (from)
        output_line(
            STYLE_PLAIN, "", "The first %" PRIu64 " were verified before.", from);
    if (v->erased)
        output_line(STYLE_PLAIN, "", "%" PRIu64 " were erased: their leaves are there.",
            v->erased);
    if (v->left)
        output_line(v->left == v->archived ? STYLE_PLAIN : STYLE_BAD, "",
            "%" PRIu64 " have left the store: %" PRIu64 " of them are in the archive, "
            "as they were appended; of %" PRIu64 " only the leaves are known.",
            v->left, v->archived, v->left - v->archived);
    output_line(STYLE_PLAIN, "",
        "It holds every checkpoint that it was held against (%zu).", e->count);
    return true;
}

static enum command_exit
verify(struct evidence *e)
{
    const char *state = e->call->option[OPT_STATE];
    struct audit_verify_options o = {.seen = e->seen};
    struct audit_verdict v = {.fault = AUDIT_WHOLE};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct kv *kv = NULL;
    enum mauth_rc rc = gather(e, &err);

    o.seen_count = e->count;
    if (progress_wanted(e->call))
        o.progress = progress_records;
    if (rc == MAUTH_OK && state)
        rc = read_state(e, state, &o.from, &err);
    if (rc == MAUTH_OK)
        rc = kv_open(e->config->store, KV_READ, &kv, &err);
    if (rc == MAUTH_OK)
        rc = audit_verify(kv, &o, &v, &err);
    if (rc == MAUTH_OK && state && !v.fault)
        rc = keep_state(e, state, &v.head, &err);
    kv_close(kv);
    if (rc != MAUTH_OK) { /* 1 is for a log that is not whole */
        command_complain(e->call, "%s", err.text);
        return COMMAND_FAILED;
    }
    if (!print(e->call, &v, e, o.from.size))
        return COMMAND_FAILED;
    return v.fault ? COMMAND_REFUSED : COMMAND_DONE;
}

static enum command_exit
run(const struct call *call)
{
    struct evidence e = {.call = call};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;

    if (!call->option[OPT_CONFIG])
        return command_misused(call, "-c FILE is required");
    if (config_load(call->option[OPT_CONFIG], &e.config, &err) != MAUTH_OK)
        return command_misconfigured(call, &err);
    code = verify(&e);
    config_free(e.config);
    return code;
}

const struct command audit_verify_command = {
    .noun = "audit",
    .verb = "verify",
    .synopsis = "-c FILE [--state FILE] [--checkpoint FILE]\n"
                "           [--trust FILE] [--witness FILE] [--json]",
    .summary = "has anything been cut out of the log, or altered?",
    .about =
        "Computes the whole log anew, record by record, also beside a running "
        "service,\n"
        "and holds it against the trust file and whatever else has seen it: "
        "checkpoints\n"
        "that were kept, trust files and witness files of services. Says where it is\n"
        "not whole; the exit code is 1 then.",
    .example =
        "  meshauth audit verify -c /srv/mesh/meshauth.conf --state /root/verified",
    .options = options,
    .run = run,
};
