#include "cli/showing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "base/url.h"
#include "cli/account_choice.h"
#include "jose/prove.h"

enum {
    PEM_MAX = 65536
};

static const char *
action_of(const char *method)
{
    static const struct {
        const char *method, *action;
    } actions[] = {
        {"GET", "read"},
        {"HEAD", "read"},
        {"OPTIONS", "read"},
        {"PUT", "write"},
        {"POST", "write"},
        {"PATCH", "write"},
        {"DELETE", "delete"},
    };

    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (strcmp(actions[i].method, method) == 0)
            return actions[i].action;
    return NULL;
}

enum mauth_rc
showing_complete(struct showing *s, struct mauth_err *err)
{
    size_t len = strcspn(s->url, "?#");
    struct rights_options *o = &s->rights;
    const char *action = action_of(s->method);

    if (len >= sizeof(s->place) || strchr(s->url, '#') ||
        !url_is_strict((struct text){s->url, len}) || !str_is_uri(text_of(s->url)))
        return mauth_fail(err, MAUTH_INVALID,
            "URL must be https://HOST/..., with a host in lower case, no user, no "
            "\"..\" "
            "or \"//\" in its path and no '#'");
    snprintf(s->place, sizeof(s->place), "%.*s", (int)len, s->url);
    s->lookup.place = s->place;
    if (!o->want.resources) {
        o->resource[0] = s->place;
        o->want.resources = 1;
    }
    if (o->want.actions)
        return MAUTH_OK;
    if (!action)
        return mauth_fail(err, MAUTH_INVALID,
            "name the action with --action: the method does not tell it");
    o->action[0] = action;
    o->want.actions = 1;
    return MAUTH_OK;
}

bool
showing_is_own(const struct broker *b, const struct showing *s)
{
    const char *url = account_url(broker_account(b));
    size_t len = strlen(url);

    return strncmp(s->place, url, len) == 0 && (s->place[len] == '/' || !s->place[len]);
}

void
showing_clear(struct showing *s)
{
    resource_lookup_clear(&s->lookup);
}

/* By the URL alone: nobody has said for whom it is. */
static bool
is_by_place(const struct showing *s)
{
    return !s->rights.want.audiences && s->rights.resource[0] == s->place;
}

static bool
has_ticket(const struct account *a, void *arg)
{
    const struct showing *s = arg;
    struct wallet *w = NULL;
    struct wallet_ticket t;
    bool found = wallet_open(a, time_now_s(), &w, NULL) == MAUTH_OK &&
                 wallet_find(w, &s->rights.want, time_now_s(), &t);

    wallet_close(w);
    return found;
}

static bool
is_trusted(const struct account *a, void *arg)
{
    struct showing *s = arg;

    if (!is_by_place(s))
        return false;
    resource_lookup(&s->lookup);
    return s->lookup.known &&
           resource_metadata_check(&s->lookup.says, account_url(a), NULL) == MAUTH_OK;
}

enum command_exit
showing_choose(const struct call *call, const char *typed, struct showing *s,
    struct service_url *out)
{
    static account_fits *const fits[] = {has_ticket, is_trusted, NULL};

    return account_choose_fit(call, typed, s->url, fits, s, out);
}

/* Does the service say that it takes others' tickets, and not ours? */
static bool
is_of_others(const struct broker *b, const struct showing *s, struct mauth_err *err)
{
    const char *issuer = account_url(broker_account(b));

    return s->lookup.known &&
           resource_metadata_check(&s->lookup.says, issuer, err) != MAUTH_OK;
}

/* That it is registered at the account service counts more than what it says. */
static enum command_exit
find_by_place(const struct call *call, struct broker *b, struct showing *s,
    struct wallet_ticket *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;

    if (!broker_has(b, &s->rights.want)) {
        resource_lookup(&s->lookup);
        s->rights.want.by_dpop = s->lookup.says.dpop && !is_of_others(b, s, NULL);
    }
    code = broker_rights(b, &s->rights.want, out);
    if (code == COMMAND_REFUSED && is_of_others(b, s, &err))
        command_complain(call, "%s", err.text);
    return code;
}

enum command_exit
showing_find(
    const struct call *call, struct broker *b, struct showing *s, const char **out)
{
    struct wallet_ticket t = {.credential = NULL};
    enum command_exit code;

    *out = NULL;
    if (showing_is_own(b, s))
        return broker_identity(b, out);
    code = is_by_place(s) ? find_by_place(call, b, s, &t)
                          : broker_rights(b, &s->rights.want, &t);
    if (code == COMMAND_DONE) {
        *out = t.credential;
        s->dpop = s->dpop || t.by_dpop;
    }
    return code;
}

static enum mauth_rc
write_proof(const struct showing *s, const struct account *a, const char *credential,
    struct buf *out, struct mauth_err *err)
{
    const struct dpop_request request = {.method = s->method,
        .url = s->url,
        .credential = text_of(credential),
        .nonce = s->nonce,
        .now_s = time_now_s()};
    char *proof = NULL;
    enum mauth_rc rc;
    struct buf pem;

    buf_init_secret(&pem);
    rc = file_read_secret(account_key_file(a), PEM_MAX, &pem, err);
    if (rc == MAUTH_OK && !buf_cstr(&pem))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc == MAUTH_OK)
        rc = dpop_prove(&request, (const char *)pem.data, &proof, err);
    if (rc == MAUTH_OK)
        buf_printf(out, "DPoP: %s\n", proof);
    free(proof);
    buf_clear(&pem);
    return rc;
}

enum mauth_rc
showing_write(const struct showing *s, const struct account *a, const char *credential,
    struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    buf_printf(out, "Authorization: %s %s\n", s->dpop ? "DPoP" : "Bearer", credential);
    if (s->dpop)
        rc = write_proof(s, a, credential, out, err);
    if (rc == MAUTH_OK && !buf_ok(out))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return rc;
}
