#include "cli/login_provider.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/str.h"

enum {
    TEXT_MAX = 255
};

void
login_providers_free(struct login_providers *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->at[i].name);
        free(p->at[i].kind);
        free(p->at[i].issuer);
        free(p->at[i].client_id);
        free(p->at[i].scope);
    }
    free(p);
}

bool
login_provider_is_oidc(const struct login_provider *p)
{
    return strcmp(p->kind, "oidc") == 0;
}

static bool
is_printable(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.p[i] < 0x21 || t.p[i] > 0x7e)
            return false;
    return t.len > 0 && t.len <= TEXT_MAX;
}

static bool
is_issuer(struct text t)
{
    return t.len <= TEXT_MAX && text_starts(t, "https://") && str_is_uri(t) &&
           !memchr(t.p, '?', t.len) && !memchr(t.p, '#', t.len);
}

/* A member of this form, copied. */
static enum mauth_rc
take(const json_t *o, const char *name, bool (*good)(struct text), char **out,
    struct mauth_err *err)
{
    const char *s = json_string_value(json_object_get(o, name));

    if (!s || !good(text_of(s)))
        return mauth_fail(
            err, MAUTH_MALFORMED, "a login provider's \"%s\" is not of its form", name);
    *out = strdup(s);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

/* A scope is printable (RFC 6749 3.3); "openid" must be there, or no login comes of it. */
static enum mauth_rc
take_scopes(const json_t *list, char **out, struct mauth_err *err)
{
    size_t count = json_array_size(list);
    bool openid = false, good = count <= LOGIN_SCOPES;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < count && good; i++) {
        const char *s = json_string_value(json_array_get(list, i));

        good = s && is_printable(text_of(s)) && !strpbrk(s, "\"\\");
        if (good)
            buf_printf(&b, "%s%s", i ? " " : "", s);
        openid = openid || (good && strcmp(s, "openid") == 0);
    }
    if (good && openid)
        *out = buf_detach(&b, NULL);
    buf_clear(&b);
    if (!good || !openid)
        return mauth_fail(err, MAUTH_MALFORMED,
            "a login provider's \"scopes\" are not of their form");
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

static enum mauth_rc
read_provider(const json_t *o, struct login_provider *p, struct mauth_err *err)
{
    enum mauth_rc rc = take(o, "name", str_is_name, &p->name, err);

    if (rc == MAUTH_OK)
        rc = take(o, "kind", str_is_name, &p->kind, err);
    if (rc)
        return rc;
    if (!login_provider_is_oidc(p)) /* whose name need not be a place */
        return take(o, "issuer", is_printable, &p->issuer, err);
    rc = take(o, "issuer", is_issuer, &p->issuer, err);
    if (rc)
        return rc;
    rc = take(o, "client_id", is_printable, &p->client_id, err);
    return rc ? rc : take_scopes(json_object_get(o, "scopes"), &p->scope, err);
}

static enum mauth_rc
read_document(const json_t *o, const char *service, struct login_providers *p,
    struct mauth_err *err)
{
    const json_t *list = json_object_get(o, "meshauth_login_providers");
    const char *issuer = json_string_value(json_object_get(o, "issuer"));
    enum mauth_rc rc = MAUTH_OK;

    if (!json_is_object(o) || !issuer || !json_is_array(list))
        return mauth_fail(
            err, MAUTH_MALFORMED, "its metadata name no providers to log in with");
    if (strcmp(issuer, service) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED, "its metadata are another service's");
    if (json_array_size(list) > LOGIN_PROVIDERS)
        return mauth_fail(err, MAUTH_TOO_LARGE, "%zu login providers are too many",
            json_array_size(list));
    for (; p->count < json_array_size(list) && rc == MAUTH_OK; p->count++)
        rc = read_provider(json_array_get(list, p->count), &p->at[p->count], err);
    for (size_t i = 0; i < p->count && rc == MAUTH_OK; i++)
        for (size_t j = 0; j < i && rc == MAUTH_OK; j++)
            if (strcmp(p->at[i].name, p->at[j].name) == 0)
                rc = mauth_fail(err, MAUTH_MALFORMED,
                    "two login providers have the name %s", p->at[i].name);
    return rc;
}

enum mauth_rc
login_providers_read(struct text json, const char *service,
    struct login_providers **out, struct mauth_err *err)
{
    struct login_providers *p = NULL;
    json_t *o = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (json.len > LOGIN_METADATA_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "metadata of %zu bytes", json.len);
    p = calloc(1, sizeof(*p));
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    rc = read_document(o, service, p, err);
    json_decref(o);
    if (rc == MAUTH_OK)
        *out = p;
    else
        login_providers_free(p);
    return rc;
}

enum mauth_rc
login_providers_choose(const struct login_providers *p, const char *name,
    const struct login_provider **out, struct mauth_err *err)
{
    size_t found = 0;
    char quoted[72];

    *out = NULL;
    for (size_t i = 0; i < p->count; i++) {
        const struct login_provider *one = &p->at[i];

        if (name ? strcmp(one->name, name) != 0 : !login_provider_is_oidc(one))
            continue;
        *out = one;
        found++;
    }
    if (!found && !name && p->count == 1) {
        *out = &p->at[0]; /* who asks learns what it is */
        return MAUTH_OK;
    }
    if (found == 1)
        return MAUTH_OK;
    *out = NULL;
    if (found)
        return mauth_fail(err, MAUTH_INVALID,
            "there are several providers; choose one of them with --provider NAME");
    if (!name)
        return mauth_fail(
            err, MAUTH_NOT_FOUND, "it names no provider that could be opened");
    return mauth_fail(err, MAUTH_NOT_FOUND, "there is no provider '%s'",
        mauth_quote(name, strlen(name), quoted, sizeof(quoted)));
}
