/* meshauth authority sign: where the root is. It needs no store and no network. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/root_key.h"
#include "cli/when.h"

enum {
    REQUEST_MAX = 4096
};

enum {
    OPT_ROOT,
    OPT_OUT,
    OPT_YES
};

static const struct command_option options[] = {
    [OPT_ROOT] = {"root", 0, "FILE", "root.key (required)"},
    [OPT_OUT] = {"out", 0, "FILE", "where to write it; else to standard output"},
    [OPT_YES] = {"yes", 0, NULL, "do not ask"},
    {NULL, 0, NULL, NULL},
};

static void
tell_line(const char *name, const char *value)
{
    fprintf(stderr, "  %-10s ", name);
    output_text(stderr, value);
    fputc('\n', stderr);
}

/* On standard error: standard output is for what is signed. */
static void
tell(const struct delegation *d, const struct note_verifier *root)
{
    char vkey[NOTE_VKEY_MAX + 1], when[TIME_LEN + 1], span[WHEN_LEN];
    char text[TIME_LEN + WHEN_LEN + 8];

    fprintf(stderr, "To be signed by the root:\n");
    snprintf(text, sizeof(text), "%" PRIu64, d->epoch);
    fprintf(stderr, "  %-10s %.*s\n", "issuer", (int)d->issuer.len, d->issuer.p);
    tell_line("epoch", text);
    note_verifier_format(&d->authority, vkey);
    tell_line("authority", vkey);
    time_format(d->from_s, when);
    tell_line("from", when);
    time_format(d->until_s, when);
    when_format(d->until_s, time_now_s(), span);
    snprintf(text, sizeof(text), "%s, %s", when, span);
    tell_line("until", text);
    note_verifier_format(root, vkey);
    tell_line("root", vkey);
}

/* One line, of which only "y" and "yes" are consent. */
static bool
consents(void)
{
    char line[16] = "";

    fputs("Sign it? [y/N] ", stderr);
    fflush(stderr);
    if (!fgets(line, sizeof(line), stdin))
        return false;
    return strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0;
}

static enum command_exit
deliver(const struct call *call, const struct delegation *d, struct text note)
{
    const char *file = call->option[OPT_OUT];
    struct mauth_err err = MAUTH_ERR_INIT;

    if (file && file_create(file, note.p, note.len, FILE_PUBLIC, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (call->json)
        output_json(json_pack("{s:s%, s:I, s:s%}", "issuer", d->issuer.p, d->issuer.len,
            "epoch", (json_int_t)d->epoch, "delegation", note.p, note.len));
    else if (file)
        output_line(STYLE_BOLD, file, " is signed.");
    else
        fwrite(note.p, 1, note.len, stdout);
    return COMMAND_DONE;
}

static enum command_exit
sign(const struct call *call, const struct mauth_secret *seed, struct text request)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;
    struct note_verifier root;
    struct delegation d;
    struct buf note;

    if (delegation_read(request, &d, &err) != MAUTH_OK ||
        root_key_verifier(seed, d.issuer, &root, &err) != MAUTH_OK)
        return command_failed(call, &err);
    tell(&d, &root);
    if (!call->option[OPT_YES] && !consents()) {
        command_complain(call, "not signed");
        return COMMAND_REFUSED;
    }
    buf_init(&note);
    if (root_key_sign(seed, request, &note, &err) == MAUTH_OK)
        code = deliver(call, &d, buf_slice(&note));
    else
        code = command_failed(call, &err);
    buf_clear(&note);
    return code;
}

static enum command_exit
run(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_secret *seed = NULL;
    enum command_exit code;
    struct buf request;

    if (!call->option[OPT_ROOT])
        return command_misused(call, "--root FILE is missing: root.key");
    if (!call->option[OPT_YES] && !isatty(STDIN_FILENO))
        return command_misused(call, "there is no terminal to ask on; give --yes");
    buf_init(&request);
    if (file_read(call->arg[0], REQUEST_MAX, &request, &err) == MAUTH_OK &&
        root_key_read(call->option[OPT_ROOT], &seed, &err) == MAUTH_OK)
        code = sign(call, seed, buf_slice(&request));
    else
        code = command_failed(call, &err);
    mauth_secret_free(seed);
    buf_clear(&request);
    return code;
}

const struct command authority_sign_command = {
    .noun = "authority",
    .verb = "sign",
    .synopsis = "REQUEST --root FILE [--out FILE] [--yes] [--json]",
    .summary = "sign a new authority, where the root is",
    .about =
        "Signs what `meshauth authority renew --request` wrote, with the root's key.\n"
        "Shows it and asks first: compare the key with what was printed there. Needs "
        "no\n"
        "store and no network, so that the root never has to leave its place. A "
        "root.key\n"
        "under a pass phrase (`openssl pkey -aes256`) is asked for it.",
    .example = "  meshauth authority sign request --root root.key --out signed",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
