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

enum command_exit
showing_find(struct broker *b, const struct showing *s, const char **out)
{
    struct wallet_ticket t = {.credential = NULL};
    enum command_exit code;

    *out = NULL;
    if (showing_is_own(b, s))
        return broker_identity(b, out);
    code = broker_rights(b, &s->rights.want, &t);
    if (code == COMMAND_DONE)
        *out = t.credential;
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
