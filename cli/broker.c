#include "cli/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/wallet_line.h"

struct broker {
    const struct call *call;
    struct account *account;
    struct wallet *wallet;
    bool renewed; /* by us, just now */
};

void
broker_close(struct broker *b)
{
    if (!b)
        return;
    wallet_close(b->wallet);
    account_free(b->account);
    free(b);
}

static enum command_exit
load(struct broker *b, const struct service_url *service)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = account_load(service, &b->account, &err);

    if (rc == MAUTH_NOT_FOUND) {
        command_complain(b->call,
            "Nobody is logged in at %s; `meshauth login %s` does that.", service->text,
            service->text);
        return COMMAND_REFUSED;
    }
    if (rc == MAUTH_OK)
        rc = wallet_open(b->account, time_now_s(), &b->wallet, &err);
    return rc == MAUTH_OK ? COMMAND_DONE : command_failed(b->call, &err);
}

enum command_exit
broker_open(
    const struct call *call, const struct service_url *service, struct broker **out)
{
    struct broker *b = calloc(1, sizeof(*b));
    enum command_exit code;

    *out = NULL;
    if (!b) {
        command_complain(call, "no memory");
        return COMMAND_FAILED;
    }
    b->call = call;
    code = load(b, service);
    if (code == COMMAND_DONE)
        *out = b;
    else
        broker_close(b);
    return code;
}

const struct account *
broker_account(const struct broker *b)
{
    return b->account;
}

/* Refusals. */

/* The place that was asked for, which is no node; NULL: none was. */
static const char *
place_of(const struct broker *b, const struct token_rights *want)
{
    for (size_t i = 0; want && i < want->resources; i++)
        if (!wallet_line_is_node(account_url(b->account), want->resource[i]))
            return want->resource[i];
    return NULL;
}

/* What would be right. want is what was asked for, NULL: a renewal. */
static const char *
hint_for(const struct broker *b, const struct token_refusal *no,
    const struct token_rights *want)
{
    if (!want)
        return " Log in again, with `meshauth login`.";
    if (strcmp(no->error, "invalid_scope") == 0)
        return want->resources
                   ? " `meshauth folder list` shows your role in each folder, which "
                     "says what you may do there."
                   : " Say with --resource what it is about: the URL of a node of your "
                     "mesh (`meshauth folder list --json` has those of your folders), "
                     "or the place of a service.";
    if (strcmp(no->error, "invalid_target") != 0)
        return "";
    if (!place_of(b, want))
        return " --audience names a registered service, --resource a node of your "
               "mesh (`meshauth folder list --json` has the URLs of your folders).";
    return " If it should be a service's place, an admin registers it with `meshauth "
           "service add --url`; else --audience names the service, and --resource the "
           "URL of a node of your mesh.";
}

static void
say_refused(const struct broker *b, const struct token_refusal *no,
    const struct token_rights *want, const struct mauth_err *err)
{
    const char *place = place_of(b, want);

    command_complain(b->call, "%s refused%s%s: %s (%s%s%s)%s", account_url(b->account),
        place ? " a ticket for " : "", place ? place : "",
        *no->text ? no->text : "it does not say why", no->error,
        *no->request ? ", request " : "", no->request,
        err->rc == MAUTH_DENIED ? hint_for(b, no, want) : "");
}

static bool
is_refusal(const struct mauth_err *err)
{
    return err->rc == MAUTH_DENIED || err->rc == MAUTH_CONFLICT;
}

static enum command_exit
say_no(const struct broker *b, const struct token_refusal *no,
    const struct token_rights *want, const struct mauth_err *err)
{
    const char *url = account_url(b->account);

    if (!no->status)
        command_complain(b->call,
            "%s; meshauthd must run at %s, and no kept ticket will do", err->text, url);
    else if (err->rc == MAUTH_CONFLICT)
        command_complain(b->call, "%s; try again", err->text);
    else if (no->status == 200)
        command_complain(
            b->call, "the answer of %s is not as it must be: %s", url, err->text);
    else if (*no->error)
        say_refused(b, no, want, err);
    else
        command_complain(b->call,
            "%s answered with status %ld and no reason; is this an account service?",
            url, no->status);
    return is_refusal(err) ? COMMAND_REFUSED : COMMAND_FAILED;
}

/* Identity. */

static enum command_exit
keep_fresh(struct broker *b)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_refusal no;
    bool due = token_is_due(b->account, time_now_s());

    if (token_keep_fresh(b->account, time_now_s(), &no, &err) != MAUTH_OK)
        return say_no(b, &no, NULL, &err);
    b->renewed = b->renewed || due;
    return COMMAND_DONE;
}

enum command_exit
broker_identity(struct broker *b, const char **out)
{
    enum command_exit code = keep_fresh(b);

    *out = code == COMMAND_DONE ? grant_credential(account_grant(b->account), 0) : NULL;
    return code;
}

/* Rights. */

/* The identity ticket may be dead before its time: then a new one is tried, once. */
static enum command_exit
fetch(struct broker *b, const struct token_rights *want)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_refusal no;
    struct buf answer;
    enum mauth_rc rc;

    buf_init_secret(&answer);
    rc = token_exchange(b->account, want, &answer, &no, &err);
    if (rc == MAUTH_DENIED && strcmp(no.error, "invalid_request") == 0 && !b->renewed) {
        struct token_refusal last = {.status = 0};

        b->renewed = true;
        buf_rewind(&answer);
        if (token_renew(b->account, &last, &(struct mauth_err){0}) == MAUTH_OK) {
            mauth_err_reset(&err);
            rc = token_exchange(b->account, want, &answer, &no, &err);
        }
    }
    if (rc == MAUTH_OK)
        rc = wallet_add(b->wallet, buf_slice(&answer), want, time_now_s(), &err);
    buf_clear(&answer);
    if (rc != MAUTH_OK && !is_refusal(&err) && broker_has(b, want))
        return COMMAND_DONE; /* a kept one is still valid */
    return rc == MAUTH_OK ? COMMAND_DONE : say_no(b, &no, want, &err);
}

/* There is no ticket with all of it: what is missing? */
static enum command_exit
say_less(const struct broker *b, const struct token_rights *want)
{
    struct token_rights one = *want;
    struct wallet_ticket found;

    one.actions = 1;
    for (size_t r = 0; r < (want->resources ? want->resources : 1); r++)
        for (size_t k = 0; k < want->actions; k++) {
            one.action = &want->action[k];
            one.resource = want->resources ? &want->resource[r] : NULL;
            one.resources = want->resources ? 1 : 0;
            if (!wallet_find(b->wallet, &one, time_now_s(), &found))
                command_complain(b->call,
                    "%s granted no '%s'%s%s; ask for the rest alone",
                    account_url(b->account), want->action[k],
                    want->resources ? " on " : "",
                    want->resources ? want->resource[r] : "");
        }
    return COMMAND_REFUSED;
}

static bool
is_fresh(const struct wallet_ticket *t, int64_t now_s)
{
    return now_s + token_margin_s(t->says) < mauth_ticket_not_on_or_after_s(t->says);
}

bool
broker_has(const struct broker *b, const struct token_rights *want)
{
    struct wallet_ticket found;

    return wallet_find(b->wallet, want, time_now_s(), &found);
}

enum command_exit
broker_rights(
    struct broker *b, const struct token_rights *want, struct wallet_ticket *out)
{
    int64_t now_s = time_now_s();
    bool kept = wallet_find(b->wallet, want, now_s, out);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_refusal no;
    enum command_exit code;
    enum mauth_rc rc;

    if (kept && is_fresh(out, now_s))
        return COMMAND_DONE;
    rc = token_keep_fresh(b->account, now_s, &no, &err);
    if (rc == MAUTH_UNAVAILABLE && kept)
        return COMMAND_DONE; /* still valid, and nobody there to ask */
    if (rc != MAUTH_OK)
        return say_no(b, &no, NULL, &err);
    code = fetch(b, want);
    if (code == COMMAND_DONE && !wallet_find(b->wallet, want, now_s, out))
        code = say_less(b, want);
    return code;
}

enum command_exit
broker_drop(struct broker *b, const char *credential)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_refusal no;

    if (credential != grant_credential(account_grant(b->account), 0))
        return wallet_drop(b->wallet, credential, time_now_s(), &err) == MAUTH_OK
                   ? COMMAND_DONE
                   : command_failed(b->call, &err);
    b->renewed = true;
    return token_renew(b->account, &no, &err) == MAUTH_OK ? COMMAND_DONE
                                                          : say_no(b, &no, NULL, &err);
}
