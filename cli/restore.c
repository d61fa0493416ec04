/* meshauth restore: a store from a backup, under another authority. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/authority_admin.h"
#include "cli/authority_print.h"
#include "cli/output.h"
#include "cli/root_key.h"
#include "cli/when.h"
#include "keys/trust.h"
#include "store/admin.h"
#include "store/backup.h"

enum {
    OPT_CONFIG,
    OPT_ROOT,
    OPT_REQUEST,
    OPT_EPOCH,
    OPT_FOR,
    OPT_KEEP
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [OPT_ROOT] = {"root", 0, "FILE", "root.key, to sign another authority at once"},
    [OPT_REQUEST] = {"request", 0, "FILE", "where to write what the root must sign"},
    [OPT_EPOCH] = {"epoch", 0, "N", "the epoch, if there were some since the backup"},
    [OPT_FOR] = {"for", 0, "SPAN", "how long the authority is good (365d)"},
    [OPT_KEEP] = {"keep-sessions", 0, NULL, "close none, nor those closed since"},
    {NULL, 0, NULL, NULL},
};

struct work {
    const struct call *call;
    struct admin admin;
    struct mauth_secret *seal, *root;
    struct authority_renewal what;
    struct restore restore;
    struct mauth_trust *published;  /* what services have believed, or NULL */
    struct admin_change revocation; /* of a key, as it says */
    size_t revoked;
    json_t *node; /* the authority, or the request for one */
    struct mauth_err err;
};

static enum command_exit
read_options(struct work *w)
{
    const struct call *call = w->call;
    const char *root = call->option[OPT_ROOT], *file = call->option[OPT_REQUEST];
    const char *span = call->option[OPT_FOR], *epoch = call->option[OPT_EPOCH];

    if ((root != NULL) == (file != NULL))
        return command_misused(call, "give either --root FILE or --request FILE");
    if (span && !when_span(span, &w->what.life_s))
        return command_misused(call, "--for: %s is no span, as in 365d or 12h", span);
    if (epoch && (!str_number(text_of(epoch), &w->what.epoch) || !w->what.epoch))
        return command_misused(call, "--epoch: %s is no number from 1 on", epoch);
    if (root && root_key_read(root, &w->root, &w->err) != MAUTH_OK)
        return command_failed(call, &w->err);
    w->what.root = w->root;
    return COMMAND_DONE;
}

/* The trust file that lies where it always lay, if the store's root vouches for it. */
static enum mauth_rc
read_published(
    struct work *w, const struct authority_place *place, struct mauth_err *err)
{
    const char *path = w->admin.config->issuer.trust_file;
    json_t *node = NULL;
    struct buf file;
    enum mauth_rc rc = authority_admin_show(place, &node, err);

    if (rc != MAUTH_OK)
        return rc;
    buf_init(&file);
    if (file_read(path, MAUTH_TRUST_MAX, &file, NULL) == MAUTH_OK)
        rc = mauth_trust_parse(
            file.data, file.len, admin_text(node, "root"), &w->published, NULL);
    buf_clear(&file);
    json_decref(node);
    return rc == MAUTH_NO_MEMORY ? mauth_fail(err, rc, "no memory") : MAUTH_OK;
}

/* Beyond every epoch that is known of here: services never go back. */
static void
choose_epoch(struct work *w)
{
    uint64_t published = w->published ? mauth_trust_epoch(w->published) : 0;

    if (!w->what.epoch && published >= w->restore.head.epoch)
        w->what.epoch = published + 1;
}

/* One that has come after the backup is not there. */
static enum mauth_rc
revoke_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct work *w = arg;
    struct admin_change *c = &w->revocation;
    enum mauth_rc rc = admin_change_find(txn, c, err);

    if (rc == MAUTH_NOT_FOUND) {
        mauth_err_reset(err);
        c->unchanged = true;
        return MAUTH_OK;
    }
    if (rc == MAUTH_OK)
        rc = admin_change_apply(txn, c, err);
    if (rc != MAUTH_OK || c->unchanged)
        return rc;
    return admin_change_record(txn, c, &w->restore.who, NULL, err);
}

/* Whoever has stolen a key would else have it back, in every service. */
static enum mauth_rc
revoke_again(struct work *w, struct kv *kv, struct mauth_err *err)
{
    struct admin_change *c = &w->revocation;
    size_t count = w->published ? trust_key_count(w->published) : 0;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        const struct trust_key *k = trust_key_at(w->published, i);

        if (k->state != TRUST_REVOKED)
            continue;
        *c = (struct admin_change){.op = ADMIN_KEY_REVOKE,
            .now_s = w->restore.now_s,
            .whom = mauth_key_id(k->key),
            .key = {.seal = w->seal,
                .longest_s = config_longest_ticket_s(w->admin.config)}};
        rc = admin_change_ready(c, err);
        if (rc == MAUTH_OK)
            rc = kv_write(kv, revoke_key, w, err);
        if (rc == MAUTH_OK && !c->unchanged)
            w->revoked++;
    }
    return rc;
}

/* Before the store takes its place: with the root at hand it is complete then. */
static enum mauth_rc
give_authority(struct kv *kv, void *arg, struct mauth_err *err)
{
    struct work *w = arg;
    const struct authority_place place = {
        .admin = &w->admin, .kv = kv, .seal = w->seal};
    enum mauth_rc rc = read_published(w, &place, err);

    if (rc == MAUTH_OK)
        rc = revoke_again(w, kv, err);
    if (rc != MAUTH_OK)
        return rc;
    choose_epoch(w);
    if (w->root)
        return authority_admin_renew(&place, &w->what, &w->node, err);
    return authority_admin_request(&place, &w->what, &w->node, err);
}

static enum mauth_rc
restore(struct work *w, struct mauth_err *err)
{
    const struct config *c = w->admin.config;
    enum mauth_rc rc;
    char actor[32];

    if (w->admin.served)
        return mauth_fail(err, MAUTH_CONFLICT,
            "meshauthd is running; a backup is restored while it is not");
    if (w->call->option[OPT_REQUEST] && access(w->call->option[OPT_REQUEST], F_OK) == 0)
        return mauth_fail(
            err, MAUTH_CONFLICT, "%s is there already", w->call->option[OPT_REQUEST]);
    rc = keystore_seal_read(c->seal_key_file, &w->seal, err);
    if (rc != MAUTH_OK)
        return rc;
    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    w->restore = (struct restore){
        .store = c->store,
        .backup = w->call->arg[0],
        .issuer = c->issuer.url,
        .seal = w->seal,
        .now_s = time_now_s(),
        .keep_sessions = w->call->option[OPT_KEEP] != NULL,
        .who = {.actor = actor, .client = "local"},
        .finish = give_authority,
        .arg = w,
    };
    return restore_run(&w->restore, err);
}

static void
print_restored(const struct work *w)
{
    char made[TIME_LEN + 1];

    time_format(w->restore.head.made_s, made);
    output_line(STYLE_BOLD, "Restored", ": as it was at %s; from state %" PRIu64 " on.",
        made, w->restore.state);
    if (w->restore.keep_sessions)
        output_line(
            STYLE_BAD, "Sessions go on", ", also those that were closed since then.");
    else
        output_line(STYLE_PLAIN, "", "%zu sessions closed: everybody logs in again.",
            w->restore.sessions);
    if (w->published)
        output_line(STYLE_PLAIN, "", "%zu keys revoked again, as the trust file says.",
            w->revoked);
    output_line(STYLE_PLAIN, "What was changed since then is gone",
        w->published ? ": take away again what was taken away."
                     : ": revoke keys again that were revoked.");
}

static enum command_exit
tell(struct work *w)
{
    const char *file = w->call->option[OPT_REQUEST];
    char made[TIME_LEN + 1];

    time_format(w->restore.head.made_s, made);
    json_object_set_new(w->node, "made", json_string(made));
    json_object_set_new(w->node, "state", json_integer((json_int_t)w->restore.state));
    json_object_set_new(
        w->node, "sessions_closed", json_integer((json_int_t)w->restore.sessions));
    json_object_set_new(w->node, "keys_revoked", json_integer((json_int_t)w->revoked));
    if (!w->call->json)
        print_restored(w);
    if (file)
        return authority_print_request(
            w->call, w->node, file, w->call->option[OPT_CONFIG]);
    return admin_print(w->call, w->node, authority_print_in_force);
}

static enum command_exit
run(const struct call *call)
{
    struct work w = {.call = call, .err = MAUTH_ERR_INIT};
    enum command_exit code = read_options(&w);

    if (code == COMMAND_DONE)
        code = admin_open(call, call->option[OPT_CONFIG], &w.admin);
    if (code == COMMAND_DONE && restore(&w, &w.err) == MAUTH_OK)
        code = tell(&w);
    else if (code == COMMAND_DONE)
        code = command_failed(call, &w.err);
    json_decref(w.node);
    mauth_trust_free(w.published);
    mauth_secret_free(w.root);
    mauth_secret_free(w.seal);
    admin_close(&w.admin);
    return code;
}

const struct command restore_command = {
    .noun = "restore",
    .synopsis = "BACKUP -c FILE (--root FILE | --request FILE)\n"
                "           [--epoch N] [--for SPAN] [--keep-sessions] [--json]",
    .summary = "make a store from a backup",
    .about =
        "Makes the store of a service from a backup, where there is none, while\n"
        "meshauthd does not run. Needs the seal.key that it had, and another "
        "authority\n"
        "under the root's signature, as `authority renew` does: until it is in force\n"
        "meshauthd does not start. All tickets die, and everybody logs in again; "
        "--keep-\n"
        "sessions lets sessions go on, with those that were closed since the backup "
        "was\n"
        "made.",
    .example = "  meshauth restore mesh.backup -c /srv/mesh/meshauth.conf \\\n"
               "      --root root.key",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
