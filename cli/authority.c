/* meshauth authority: who signs trust, and another one under the root's signature. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/authority_admin.h"
#include "cli/authority_print.h"
#include "cli/output.h"
#include "cli/root_key.h"
#include "cli/vkey.h"
#include "cli/when.h"

enum {
    NOTE_MAX = 4096 /* bytes of a request or of what is signed */
};

/* show */

enum {
    SHOW_CONFIG
};

static const struct command_option show_options[] = {
    [SHOW_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    {NULL, 0, NULL, NULL},
};

static void
row(struct table *t, const char *name, const char *value)
{
    table_cell(t, STYLE_DIM, "%s", name);
    table_cell(t, STYLE_PLAIN, "%s", value);
}

static bool
print_authority(const json_t *node)
{
    const json_t *pending = json_object_get(node, "pending");
    struct table *t = table_new(2, NULL);

    row(t, "authority", admin_text(node, "authority"));
    row(t, "from", admin_text(node, "from"));
    row(t, "until", admin_text(node, "until"));
    row(t, "root", admin_text(node, "root"));
    row(t, "fingerprint", admin_text(node, "root_fingerprint"));
    if (pending) {
        table_cell(t, STYLE_DIM, "waits");
        table_cell(t, STYLE_PLAIN, "%s, epoch %" JSON_INTEGER_FORMAT,
            admin_text(pending, "authority"), authority_epoch_of(pending));
    }
    output_line(STYLE_BOLD, admin_text(node, "issuer"), ": epoch %" JSON_INTEGER_FORMAT,
        authority_epoch_of(node));
    if (!table_end(t))
        return false;
    authority_print_warnings_of(node);
    return true;
}

static enum command_exit
show(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    const struct authority_place place = {.admin = &admin};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[SHOW_CONFIG], &admin);

    if (code == COMMAND_DONE && authority_admin_show(&place, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, node, print_authority);
    json_decref(node);
    admin_close(&admin);
    return code;
}

/* renew */

enum {
    RENEW_CONFIG,
    RENEW_ROOT,
    RENEW_REQUEST,
    RENEW_FOR,
    RENEW_EPOCH,
    RENEW_NEW_ROOT
};

static const struct command_option renew_options[] = {
    [RENEW_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of the service (required)"},
    [RENEW_ROOT] = {"root", 0, "FILE", "root.key, to sign and install it at once"},
    [RENEW_REQUEST] = {"request", 0, "FILE|-",
        "where to write what the root must sign"},
    [RENEW_FOR] = {"for", 0, "SPAN", "how long it is good (365d)"},
    [RENEW_EPOCH] = {"epoch", 0, "N", "an epoch further on than the next"},
    [RENEW_NEW_ROOT] = {"new-root", 0, NULL, "pin this root, in the place of another"},
    {NULL, 0, NULL, NULL},
};

struct renewal {
    const struct call *call;
    struct admin admin;
    struct authority_place place;
    struct mauth_secret *root;
    struct note_verifier root_verifier;
    struct authority_renewal what;
    json_t *node;
    struct mauth_err err;
};

static enum command_exit
read_renewal(struct renewal *r)
{
    const struct call *call = r->call;
    const char *root = call->option[RENEW_ROOT], *span = call->option[RENEW_FOR];
    const char *epoch = call->option[RENEW_EPOCH], *file = call->option[RENEW_REQUEST];

    if ((root != NULL) == (file != NULL))
        return command_misused(call, "give either --root FILE or --request FILE");
    if (call->option[RENEW_NEW_ROOT] && !root)
        return command_misused(
            call, "--new-root goes with --root; offline, with `authority install`");
    if (span && !when_span(span, &r->what.life_s))
        return command_misused(call, "--for: %s is no span, as in 365d or 12h", span);
    if (epoch && (!str_number(text_of(epoch), &r->what.epoch) || !r->what.epoch))
        return command_misused(call, "--epoch: %s is no number from 1 on", epoch);
    if (file && strcmp(file, "-") != 0 && access(file, F_OK) == 0) {
        mauth_err_reset(&r->err);
        (void)mauth_fail(&r->err, MAUTH_CONFLICT, "%s is there already", file);
        return command_failed(call, &r->err);
    }
    if (root && root_key_read(root, &r->root, &r->err) != MAUTH_OK)
        return command_failed(call, &r->err);
    return COMMAND_DONE;
}

/* Is it the root that the service pins? Asked before anything is made. */
static enum mauth_rc
check_root(struct renewal *r, struct mauth_err *err)
{
    char vkey[NOTE_VKEY_MAX + 1];
    json_t *node = NULL;
    enum mauth_rc rc;

    rc = root_key_verifier(
        r->root, text_of(r->admin.config->issuer.url), &r->root_verifier, err);
    if (rc != MAUTH_OK || r->call->option[RENEW_NEW_ROOT])
        return rc;
    note_verifier_format(&r->root_verifier, vkey);
    rc = authority_admin_show(&r->place, &node, err);
    if (rc == MAUTH_OK && strcmp(admin_text(node, "root"), vkey) != 0)
        rc = mauth_fail(err, MAUTH_DENIED,
            "%s is not the root of this service, which is %s; another is pinned by "
            "--new-root",
            r->call->option[RENEW_ROOT], admin_text(node, "root"));
    json_decref(node);
    return rc;
}

/* The root is at hand: all three steps, and it leaves this process in none. */
static enum mauth_rc
renew_now(struct renewal *r, struct mauth_err *err)
{
    enum mauth_rc rc = check_root(r, err);

    r->what.root = r->root;
    if (r->call->option[RENEW_NEW_ROOT])
        r->what.new_root = &r->root_verifier;
    return rc ? rc : authority_admin_renew(&r->place, &r->what, &r->node, err);
}

static enum command_exit
renew_later(struct renewal *r)
{
    const char *file = r->call->option[RENEW_REQUEST];

    if (authority_admin_request(&r->place, &r->what, &r->node, &r->err) != MAUTH_OK)
        return admin_failed(r->call, &r->err);
    return authority_print_request(
        r->call, r->node, file, r->call->option[RENEW_CONFIG]);
}

static enum command_exit
renew(const struct call *call)
{
    struct renewal r = {.call = call, .err = MAUTH_ERR_INIT};
    enum command_exit code;

    r.place.admin = &r.admin;
    code = read_renewal(&r);
    if (code == COMMAND_DONE)
        code = admin_open(call, call->option[RENEW_CONFIG], &r.admin);

    if (code == COMMAND_DONE && call->option[RENEW_REQUEST])
        code = renew_later(&r);
    else if (code == COMMAND_DONE && renew_now(&r, &r.err) != MAUTH_OK)
        code = admin_failed(call, &r.err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, r.node, authority_print_in_force);
    json_decref(r.node);
    mauth_secret_free(r.root);
    admin_close(&r.admin);
    return code;
}

/* install */

enum {
    INSTALL_CONFIG,
    INSTALL_NEW_ROOT
};

static const struct command_option install_options[] = {
    [INSTALL_CONFIG] = {"config", 'c', "FILE",
        "meshauth.conf of the service (required)"},
    [INSTALL_NEW_ROOT] = {"new-root", 0, "VKEY",
        "pin this root, in the place of another"},
    {NULL, 0, NULL, NULL},
};

/* Is there a signature below? The request has none. */
static bool
is_signed(struct text note)
{
    return memmem(note.p, note.len, "\n\n", 2) != NULL;
}

static enum command_exit
install_note(const struct call *call, struct text note)
{
    struct authority_change change = {.op = AUTHORITY_INSTALL, .delegation = note};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    const struct authority_place place = {.admin = &admin};
    enum command_exit code = COMMAND_DONE;
    struct note_verifier root;
    json_t *node = NULL;

    if (call->option[INSTALL_NEW_ROOT]) {
        code = vkey_read(call, INSTALL_NEW_ROOT, &root);
        change.new_root = &root;
    }
    if (code == COMMAND_DONE)
        code = admin_open(call, call->option[INSTALL_CONFIG], &admin);
    if (code == COMMAND_DONE &&
        authority_admin_do(&place, &change, &node, &err) != MAUTH_OK) {
        code = admin_failed(call, &err);
        if (code == COMMAND_REFUSED && !is_signed(note))
            command_complain(call,
                "%s has no signature: give what `meshauth authority sign` wrote",
                call->arg[0]);
    } else if (code == COMMAND_DONE) {
        code = admin_print(call, node, authority_print_in_force);
    }
    json_decref(node);
    admin_close(&admin);
    return code;
}

static enum command_exit
install(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;
    struct buf note;

    buf_init(&note);
    if (file_read(call->arg[0], NOTE_MAX, &note, &err) == MAUTH_OK)
        code = install_note(call, buf_slice(&note));
    else
        code = command_failed(call, &err);
    buf_clear(&note);
    return code;
}

const struct command authority_show_command = {
    .noun = "authority",
    .verb = "show",
    .synopsis = "-c FILE [--json]",
    .summary = "show who signs trust, and until when",
    .about =
        "Shows the authority that signs the trust file: its epoch, its key, its time,\n"
        "and the root that stands behind it; the key that waits for the root's\n"
        "signature, if one does; and what is to be seen to before keys come to their\n"
        "end.",
    .example = "  meshauth authority show -c /srv/mesh/meshauth.conf",
    .options = show_options,
    .run = show,
};

const struct command authority_renew_command = {
    .noun = "authority",
    .verb = "renew",
    .synopsis = "-c FILE (--root FILE [--new-root] |\n"
                "           --request FILE) [--for SPAN] [--epoch N] [--json]",
    .summary = "make another authority, in the next epoch",
    .about =
        "Makes a new key to sign trust files. With --root it is signed and put in "
        "force\n"
        "at once, by a root.key that is at hand. With --request it waits, and FILE is\n"
        "what the root has to sign, where it is: `meshauth authority sign`. From the\n"
        "moment that it is in force services refuse whatever the old authority signs.",
    .example =
        "  meshauth authority renew -c /srv/mesh/meshauth.conf --root root.key\n"
        "  meshauth authority renew -c /srv/mesh/meshauth.conf --request request",
    .options = renew_options,
    .run = renew,
};

const struct command authority_install_command = {
    .noun = "authority",
    .verb = "install",
    .synopsis = "FILE|- -c FILE [--new-root VKEY] [--json]",
    .summary = "put in force what the root has signed",
    .about =
        "Puts the authority in force that waits since `authority renew --request`, "
        "once\n"
        "the root has signed it. Refused when it was not signed by the root of this\n"
        "service, or does not answer what was requested last.",
    .example = "  meshauth authority install signed -c /srv/mesh/meshauth.conf",
    .options = install_options,
    .args_min = 1,
    .args_max = 1,
    .run = install,
};
