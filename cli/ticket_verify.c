/* meshauth ticket verify */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/ticket_view.h"
#include "cli/vkey.h"
#include "keys/note.h"
#include <meshauth/key.h>
#include <meshauth/ticket.h>

/* Printing a whole thing either way, or the one failure that remains. */
static enum command_exit
done(const struct call *call, bool printed, enum command_exit rc)
{
    if (printed)
        return rc;
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

enum {
    OPT_TRUST,
    OPT_ROOT,
    OPT_PUBLIC_KEY,
    OPT_ISSUER,
    OPT_AUDIENCE,
    OPT_HOLDER,
    OPT_NOW,
    OPT_BEARER
};

static const struct command_option verify_options[] = {
    [OPT_TRUST] = {"trust", 0, "FILE", "the trust file of the account service"},
    [OPT_ROOT] = {"root", 0, "VKEY",
        "its root's verifier key, or a file that holds it"},
    [OPT_PUBLIC_KEY] = {"public-key", 0, "PEM", "trust this one key instead ..."},
    [OPT_ISSUER] = {"issuer", 0, "URL", "... for this issuer"},
    [OPT_AUDIENCE] = {"audience", 0, "URI", "who is asked to accept it (required)"},
    [OPT_HOLDER] = {"holder", 0, "PEM",
        "the key or certificate that its holder proved"},
    [OPT_NOW] = {"now", 0, "TIME", "judge as of 2026-11-22T10:05:00Z, say"},
    [OPT_BEARER] = {"bearer", 0, NULL, "accept tickets that are bound to no key"},
    {NULL, 0, NULL, NULL},
};

enum {
    PEM_MAX = 65536
};

/* What a refusal means, in other words than the log's. */
static const struct {
    enum mauth_reason reason;
    const char *meaning;
} meanings[] = {
    {MAUTH_REASON_SIZE, "It is longer than any ticket may be."},
    {MAUTH_REASON_FORM, "It is not exactly one ticket in the form that tickets have."},
    {MAUTH_REASON_TRUST_EXPIRED, "The trust file is out of date: fetch a fresh one."},
    {MAUTH_REASON_CLOCK, "The time is before the trust file was made: set the clock."},
    {MAUTH_REASON_ISSUER, "It comes from another issuer than the trusted one."},
    {MAUTH_REASON_KEY_UNKNOWN, "The key that signed it is not a trusted one."},
    {MAUTH_REASON_KEY_REVOKED, "The key that signed it has been revoked."},
    {MAUTH_REASON_KEY_WINDOW, "The key was not meant to sign tickets of that time."},
    {MAUTH_REASON_SIGNATURE, "It was altered, or signed by somebody else."},
    {MAUTH_REASON_NOT_YET, "It is from the future."},
    {MAUTH_REASON_EXPIRED, "Its time is over."},
    {MAUTH_REASON_LIFETIME, "It would live longer than a ticket may."},
    {MAUTH_REASON_AUDIENCE, "It is meant for somebody else than --audience."},
    {MAUTH_REASON_REVOKED, "It, or something that it says, has been revoked."},
    {MAUTH_REASON_HOLDER, "It is bound to another key than --holder."},
    {MAUTH_REASON_NO_PROOF,
        "Its holder's key was not proved: give --holder, or --bearer "
        "for a ticket without one."},
};

static const char *
meaning_of(enum mauth_reason reason)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].reason == reason)
            return meanings[i].meaning;
    return "";
}

/* A refusal; reason is frozen, or "trust" when the trust file itself is refused. */
static enum command_exit
refuse(const struct call *call, const char *reason, const char *meaning,
    const struct mauth_err *err)
{
    bool printed = true;

    if (call->json) {
        printed =
            output_json(json_pack("{s:s, s:s}", "verdict", "refuse", "reason", reason));
        command_complain(call, "%s", err->text);
    } else {
        output_line(STYLE_BAD, "refused", ": %s", reason);
        output_line(STYLE_PLAIN, "  ", "%s", meaning);
        output_line(STYLE_PLAIN, "  ", "(%s)", err->text);
    }
    return done(call, printed, COMMAND_REFUSED);
}

static enum command_exit
accept_ticket(const struct call *call, const struct mauth_ticket *ticket, int64_t now_s)
{
    json_t *o;

    if (!call->json) {
        output_line(STYLE_GOOD, "accepted", "%s", "");
        return done(call, ticket_view_print(ticket, now_s), COMMAND_DONE);
    }
    o = ticket_view_json_core(ticket);
    if (json_object_set_new(o, "verdict", json_string("accept")) != 0 ||
        json_object_set_new(o, "reason", json_null()) != 0) {
        json_decref(o);
        o = NULL;
    }
    return done(call, output_json(o), COMMAND_DONE);
}

/* Everything that a verification needs, from the options. */
struct ground {
    struct mauth_trust *trust;
    struct mauth_key *holder;
    struct mauth_expect want;
};

static void
ground_clear(struct ground *g)
{
    mauth_trust_free(g->trust);
    mauth_key_free(g->holder);
}

/* Which options must and must not stand together. */
static enum command_exit
check_options(const struct call *call)
{
    const char *const *o = call->option;
    bool file = o[OPT_TRUST] || o[OPT_ROOT], key = o[OPT_PUBLIC_KEY] || o[OPT_ISSUER];

    if (!file && !key)
        return command_misused(call,
            "whom to trust? Give --trust and --root, or --public-key and --issuer");
    if (file && key)
        return command_misused(call,
            "--trust and --root do not go together with --public-key and --issuer");
    if (file && !o[OPT_TRUST])
        return command_misused(call, "--root needs --trust FILE");
    if (file && !o[OPT_ROOT])
        return command_misused(
            call, "--trust needs --root VKEY: a trust file is worth what its root is");
    if (key && !o[OPT_PUBLIC_KEY])
        return command_misused(call, "--issuer needs --public-key PEM");
    if (key && !o[OPT_ISSUER])
        return command_misused(call, "--public-key needs --issuer URL");
    if (!o[OPT_AUDIENCE])
        return command_misused(
            call, "--audience is missing: who is asked to accept the ticket?");
    return COMMAND_DONE;
}

static enum command_exit
read_key(const struct call *call, size_t option, struct mauth_key **out)
{
    const char *path = call->option[option];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit rc = COMMAND_DONE;
    struct buf pem;

    buf_init(&pem);
    if (file_read(path, PEM_MAX, &pem, &err) != MAUTH_OK)
        rc = command_failed(call, &err);
    else if (mauth_key_from_pem((const char *)pem.data, pem.len, out, &err) != MAUTH_OK)
        rc = command_misused(call,
            "--%s: %s must hold a P-256 or RSA public key or a certificate in PEM (%s)",
            call->command->options[option].name, path, err.text);
    buf_clear(&pem);
    return rc;
}

static enum command_exit
read_trust(const struct call *call, struct mauth_trust **out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit rc;
    char vkey[NOTE_VKEY_MAX + 1];
    struct note_verifier root;
    struct buf file;

    rc = vkey_read(call, OPT_ROOT, &root);
    if (rc != COMMAND_DONE)
        return rc;
    note_verifier_format(&root, vkey);
    buf_init(&file);
    if (file_read(call->option[OPT_TRUST], MAUTH_TRUST_MAX, &file, &err) != MAUTH_OK)
        rc = command_failed(call, &err);
    else if (mauth_trust_parse(file.data, file.len, vkey, out, &err) != MAUTH_OK)
        rc = refuse(call, "trust",
            "The trust file was altered, or not made under this root.", &err);
    buf_clear(&file);
    return rc;
}

static enum command_exit
read_one_key_trust(const struct call *call, struct mauth_trust **out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_key *key = NULL;
    enum command_exit rc = read_key(call, OPT_PUBLIC_KEY, &key);

    if (rc == COMMAND_DONE &&
        mauth_trust_from_key(call->option[OPT_ISSUER], key, out, &err) != MAUTH_OK)
        rc = command_misused(call, "--issuer: %s", err.text);
    mauth_key_free(key);
    return rc;
}

static enum command_exit
read_expectation(const struct call *call, struct ground *g)
{
    const char *now = call->option[OPT_NOW];
    struct mauth_expect *want = &g->want;
    enum command_exit rc;

    want->size = sizeof(*want);
    want->audience = call->option[OPT_AUDIENCE];
    want->skew_s = MAUTH_SKEW_DEFAULT_S;
    want->allow_bearer = call->option[OPT_BEARER] != NULL;
    want->now_s = time_now_s();
    if (now && !time_parse(now, strlen(now), &want->now_s))
        return command_misused(
            call, "--now: '%s' is no time like 2026-11-22T10:05:00Z", now);
    if (!call->option[OPT_HOLDER])
        return COMMAND_DONE;
    rc = read_key(call, OPT_HOLDER, &g->holder);
    if (rc == COMMAND_DONE)
        want->holder_spki = mauth_key_spki(g->holder, &want->holder_spki_len);
    return rc;
}

static enum command_exit
judge(const struct call *call, const struct ground *g)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *ticket = NULL;
    char xml[MAUTH_TICKET_MAX];
    enum command_exit rc;
    enum mauth_rc verdict;
    size_t len;

    verdict = ticket_view_read(call->arg[0], xml, &len, &err);
    if (verdict == MAUTH_OK)
        verdict = mauth_ticket_verify(xml, len, g->trust, &g->want, &ticket, &err);
    if (verdict == MAUTH_OK)
        rc = accept_ticket(call, ticket, g->want.now_s);
    else if (err.reason != MAUTH_REASON_NONE)
        rc = refuse(call, mauth_reason_name(err.reason), meaning_of(err.reason), &err);
    else
        rc = command_failed(call, &err);
    mauth_ticket_free(ticket);
    return rc;
}

static enum command_exit
run_verify(const struct call *call)
{
    struct ground g = {0};
    enum command_exit rc = check_options(call);

    if (rc == COMMAND_DONE)
        rc = read_expectation(call, &g);
    if (rc == COMMAND_DONE)
        rc = call->option[OPT_TRUST] ? read_trust(call, &g.trust)
                                     : read_one_key_trust(call, &g.trust);
    if (rc == COMMAND_DONE)
        rc = judge(call, &g);
    ground_clear(&g);
    return rc;
}

const struct command ticket_verify_command = {
    .noun = "ticket",
    .verb = "verify",
    .synopsis =
        "FILE|-\n"
        "           (--trust FILE --root VKEY | --public-key PEM --issuer URL)\n"
        "           --audience URI [--holder PEM] [--now TIME] [--bearer] [--json]",
    .summary = "would a service accept this ticket?",
    .about =
        "Judges a ticket as libmeshauth does inside a service, and says why when it "
        "is\n"
        "refused. FILE holds an assertion (XML) or a credential of one ticket; - is\n"
        "standard input.",
    .example =
        "  meshauth ticket verify storage.ticket --trust trust --root root.vkey \\\n"
        "      --audience urn:meshauth:service:storage --holder device.crt",
    .options = verify_options,
    .args_min = 1,
    .args_max = 1,
    .run = run_verify,
};
