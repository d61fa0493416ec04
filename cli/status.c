/* meshauth status */
#include "base/time.h"
#include "cli/account.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/when.h"

/* What is gathered while walking over the accounts. */
struct walk {
    const struct call *call;
    int64_t now_s;
    json_t *list; /* with --json */
    size_t seen;
    size_t valid;
    bool failed;
};

static json_t *
describe(const struct account *a, int64_t now_s)
{
    json_t *o = grant_json_public(account_grant(a), now_s);
    char when[TIME_LEN + 1];

    time_format(account_logged_in_s(a), when);
    if (json_object_set_new(o, "url", json_string(account_url(a))) == 0 &&
        json_object_set_new(o, "logged_in", json_string(when)) == 0 &&
        json_object_set_new(
            o, "device_key", json_string(mauth_key_id(account_key(a)))) == 0 &&
        json_object_set_new(
            o, "valid", json_boolean(grant_is_valid(account_grant(a), now_s))) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static bool
print(const struct account *a, int64_t now_s, bool first)
{
    const struct grant *g = account_grant(a);
    const struct mauth_ticket *who = grant_ticket(g, 0);
    char when[WHEN_LEN];

    when_format(account_logged_in_s(a), now_s, when);
    if (!first)
        putchar('\n');
    output_line(STYLE_BOLD, account_url(a), "%s",
        grant_is_valid(g, now_s) ? "" : ": the login has run out, log in again");
    output_line(STYLE_PLAIN, "", "%s, logged in %s, session %s",
        mauth_ticket_subject(who), when, mauth_ticket_session(who));
    output_line(STYLE_PLAIN, "", "device key %s, %s", mauth_key_id(account_key(a)),
        account_certificate_file(a));
    if (grant_mesh(g))
        output_line(STYLE_PLAIN, "", "mesh %s", grant_mesh(g));
    return grant_print(g, now_s);
}

static void
visit(const struct account *a, void *arg)
{
    struct walk *w = arg;

    if (grant_is_valid(account_grant(a), w->now_s))
        w->valid++;
    if (w->call->json)
        w->failed |= json_array_append_new(w->list, describe(a, w->now_s)) != 0;
    else
        w->failed |= !print(a, w->now_s, w->seen == 0);
    w->seen++;
}

static enum command_exit
run(const struct call *call)
{
    struct walk w = {
        .call = call, .now_s = time_now_s(), .list = call->json ? json_array() : NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = account_walk(visit, &w, &err);

    if (rc != MAUTH_OK) {
        json_decref(w.list);
        return command_failed(call, &err);
    }
    if (call->json)
        w.failed |= !output_json(json_pack("{s:o}", "accounts", w.list));
    else if (!w.seen)
        output_line(STYLE_PLAIN, "Not logged in.", " `meshauth login URL` does that.");
    if (w.failed) {
        command_complain(call, "no memory");
        return COMMAND_FAILED;
    }
    return w.valid ? COMMAND_DONE : COMMAND_REFUSED;
}

const struct command status_command = {
    .noun = "status",
    .synopsis = "[--json]",
    .summary = "where this device is logged in, and until when",
    .about = "Shows the accounts of this device and which of their tickets are still "
             "valid.\n"
             "Ends with 1 when no login is.",
    .example = "  meshauth status",
    .run = run,
};
