/* meshauth status */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/wallet_use.h"
#include "cli/when.h"

/* What is gathered while walking over the accounts. */
struct walk {
    const struct call *call;
    int64_t now_s;
    json_t *list; /* with --json */
    size_t seen;
    size_t valid;
    struct mauth_err err; /* the first failure */
};

/* What an account has at hand. */
struct hand {
    struct wallet *wallet;
    struct wallet_use *use;
    size_t count;
};

static enum mauth_rc
hand_open(
    const struct account *a, int64_t now_s, struct hand *out, struct mauth_err *err)
{
    enum mauth_rc rc = wallet_open(a, now_s, &out->wallet, err);

    return rc ? rc : wallet_uses(out->wallet, now_s, &out->use, &out->count, err);
}

static void
hand_close(struct hand *h)
{
    free(h->use);
    wallet_close(h->wallet);
}

static json_t *
describe_hand(const struct hand *h)
{
    json_t *list = json_array();

    for (size_t i = 0; i < h->count; i++)
        if (json_array_append_new(list, wallet_use_json(&h->use[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *
describe(const struct account *a, const struct hand *h, int64_t now_s)
{
    json_t *o = grant_json_public(account_grant(a), now_s);
    char when[TIME_LEN + 1];

    time_format(account_logged_in_s(a), when);
    if (json_object_set_new(o, "url", json_string(account_url(a))) == 0 &&
        json_object_set_new(o, "logged_in", json_string(when)) == 0 &&
        json_object_set_new(
            o, "device_key", json_string(mauth_key_id(account_key(a)))) == 0 &&
        json_object_set_new(
            o, "valid", json_boolean(grant_is_valid(account_grant(a), now_s))) == 0 &&
        json_object_set_new(o, "at_hand", describe_hand(h)) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static bool
print_hand(const struct account *a, const struct hand *h, int64_t now_s)
{
    static const char *const heads[] = {"service", "says", "until"};
    const struct mauth_ticket *who = grant_ticket(account_grant(a), 0);
    struct table *t = table_new(3, heads);
    char when[WHEN_LEN];

    when_format(mauth_ticket_not_on_or_after_s(who), now_s, when);
    table_cell(t, STYLE_PLAIN, "%s", account_url(a));
    table_cell(t, STYLE_PLAIN, "who you are");
    table_cell(t, grant_is_valid(account_grant(a), now_s) ? STYLE_GOOD : STYLE_BAD,
        "%s", when);
    for (size_t i = 0; i < h->count; i++)
        wallet_use_row(t, &h->use[i], now_s);
    return table_end(t);
}

static bool
print(const struct account *a, const struct hand *h, int64_t now_s, bool first)
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
    return print_hand(a, h, now_s);
}

static void
visit(const struct account *a, void *arg)
{
    struct walk *w = arg;
    struct hand h = {.wallet = NULL};
    bool ok;

    if (hand_open(a, w->now_s, &h, &w->err) == MAUTH_OK) {
        if (grant_is_valid(account_grant(a), w->now_s))
            w->valid++;
        ok = w->call->json
                 ? json_array_append_new(w->list, describe(a, &h, w->now_s)) == 0
                 : print(a, &h, w->now_s, w->seen == 0);
        if (!ok)
            (void)mauth_fail(&w->err, MAUTH_NO_MEMORY, "no memory");
    }
    w->seen++;
    hand_close(&h);
}

static enum command_exit
run(const struct call *call)
{
    struct walk w = {
        .call = call, .now_s = time_now_s(), .list = call->json ? json_array() : NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = account_walk(visit, &w, &err);

    if (rc == MAUTH_OK && w.err.rc) {
        rc = w.err.rc;
        err = w.err;
    }
    if (rc != MAUTH_OK) {
        json_decref(w.list);
        return command_failed(call, &err);
    }
    if (call->json && !output_json(json_pack("{s:o}", "accounts", w.list))) {
        command_complain(call, "no memory");
        return COMMAND_FAILED;
    }
    if (!call->json && !w.seen)
        output_line(STYLE_PLAIN, "Not logged in.", " `meshauth login URL` does that.");
    return w.valid ? COMMAND_DONE : COMMAND_REFUSED;
}

const struct command status_command = {
    .noun = "status",
    .synopsis = "[--json]",
    .summary = "where this device is logged in, and until when",
    .about = "Shows the accounts of this device, and what the tickets that are at hand "
             "say:\n"
             "each thing once, by the newest. The service is not asked.\n"
             "Ends with 1 when no login is valid.",
    .example = "  meshauth status",
    .run = run,
};
