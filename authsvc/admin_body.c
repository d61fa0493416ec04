#include "authsvc/admin_body.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"

const struct json_member admin_body_service_new[] = {
    {"name", JSON_BODY_TEXT, true},
    {"key", JSON_BODY_TEXT, false},
    {"prefix", JSON_BODY_TEXT, false},
    {"actions", JSON_BODY_LIST, false},
    {NULL, 0, false},
};

const struct json_member admin_body_service_patch[] = {
    {"key", JSON_BODY_TEXT, false},
    {"prefix", JSON_BODY_TEXT, false},
    {"actions", JSON_BODY_LIST, false},
    {NULL, 0, false},
};

static const char *
wrong(char *detail, const char *why)
{
    snprintf(detail, ADMIN_BODY_DETAIL, "%s", why);
    return "service";
}

static const char *
take_key(struct admin_change *c, const char *pem, char *detail)
{
    struct graph_service *s = &c->service;
    struct mauth_key *key = NULL;
    const uint8_t *spki;

    c->gives |= ADMIN_GIVES_KEY;
    if (!*pem)
        return NULL; /* no key any more */
    if (mauth_key_from_pem(pem, strlen(pem), &key, NULL) != MAUTH_OK)
        return wrong(detail,
            "A key is P-256, or RSA of 2048 to 4096 bits, as a PUBLIC KEY "
            "or CERTIFICATE in PEM.");
    spki = mauth_key_spki(key, &s->spki_len);
    memcpy(s->spki, spki, s->spki_len);
    mauth_key_free(key);
    return NULL;
}

static const char *
take_actions(struct admin_change *c, const json_t *list, char *detail)
{
    struct graph_service *s = &c->service;

    c->gives |= ADMIN_GIVES_ACTIONS;
    if (json_array_size(list) > GRAPH_ACTIONS)
        return wrong(detail, "A service has 16 actions at most.");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!str_is_name(text_of(name)))
            return wrong(detail, "An action is a name, [a-z][a-z0-9_.-]*.");
        memcpy(s->action[s->actions++], name, strlen(name));
    }
    return NULL;
}

const char *
admin_body_service(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL])
{
    const json_t *actions = json_object_get(root, "actions");
    struct graph_service *s = &c->service;
    const char *name = json_body_text(root, "name");
    const char *key = json_body_text(root, "key");
    const char *prefix = json_body_text(root, "prefix");
    const char *problem = NULL;

    if (name && strlen(name) > GRAPH_NAME_MAX)
        return wrong(detail, "A name has 64 characters at most.");
    if (prefix && strlen(prefix) > GRAPH_URL_MAX)
        return wrong(detail, "A prefix has 255 characters at most.");
    snprintf(s->name, sizeof(s->name), "%s", name ? name : "");
    snprintf(s->url, sizeof(s->url), "%s", prefix ? prefix : "");
    if (prefix)
        c->gives |= ADMIN_GIVES_PREFIX;
    if (key)
        problem = take_key(c, key, detail);
    return problem || !actions ? problem : take_actions(c, actions, detail);
}

const struct json_member admin_body_key_new[] = {
    {"algorithm", JSON_BODY_TEXT, false},
    {"audiences", JSON_BODY_LIST, false},
    {"from", JSON_BODY_TEXT, false},
    {"pkcs11", JSON_BODY_TEXT, false},
    {"until", JSON_BODY_TEXT, false},
    {NULL, 0, false},
};

const struct json_member admin_body_key_activate[] = {
    {"force", JSON_BODY_BOOL, false},
    {NULL, 0, false},
};

static const char *
wrong_key(char *detail, const char *why)
{
    (void)wrong(detail, why);
    return "key";
}

static bool
take_time(const json_t *root, const char *name, int64_t *out_s)
{
    const char *text = json_body_text(root, name);

    return !text || time_parse(text, strlen(text), out_s);
}

static const char *
take_audiences(struct admin_key *k, const json_t *list, char *detail)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct text audience[TRUST_AUDIENCES_MAX + 1]; /* one more than there may be */
    size_t count = 0;

    while (count < json_array_size(list) && count <= TRUST_AUDIENCES_MAX) {
        const json_t *one = json_array_get(list, count);

        audience[count++] =
            (struct text){json_string_value(one), json_string_length(one)};
    }
    if (admin_key_set_audiences(k, audience, count, &err) != MAUTH_OK)
        return wrong_key(detail, err.text);
    return NULL;
}

static const char *
take_token(struct admin_key *k, const char *uri, char *detail)
{
    if (strlen(uri) > PKCS11_URI_MAX)
        return wrong_key(detail, "A PKCS#11 URI has 1024 characters at most.");
    snprintf(k->token, sizeof(k->token), "%s", uri);
    return k->token[0] ? NULL : wrong_key(detail, "A PKCS#11 URI is not empty.");
}

const char *
admin_body_key(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL])
{
    const char *algorithm = json_body_text(root, "algorithm");
    const char *token = json_body_text(root, "pkcs11"), *problem;
    const json_t *audiences = json_object_get(root, "audiences");
    struct admin_key *k = &c->key;

    k->force = json_body_bool(root, "force", false);
    if (algorithm && !signer_kind_parse(text_of(algorithm), &k->kind))
        return wrong_key(detail, "An algorithm is P-256, RSA-2048 or RSA-3072.");
    if (algorithm && token)
        return wrong_key(detail, "A key in a token has the algorithm that it has.");
    problem = token ? take_token(k, token, detail) : NULL;
    if (problem)
        return problem;
    if (!take_time(root, "from", &k->from_s) || !take_time(root, "until", &k->until_s))
        return wrong_key(detail, "A time is written like 2026-11-22T10:00:00Z.");
    if (audiences && !json_array_size(audiences))
        return wrong_key(detail, "A list of audiences has one at least.");
    return audiences ? take_audiences(k, audiences, detail) : NULL;
}

const struct json_member admin_body_revocation[] = {
    {"ids", JSON_BODY_LIST, true},
    {"note", JSON_BODY_TEXT, false},
    {NULL, 0, false},
};

const char *
admin_body_revoke(
    const json_t *root, struct admin_change *c, char detail[ADMIN_BODY_DETAIL])
{
    const json_t *ids = json_object_get(root, "ids");
    struct buf name;

    buf_init_fixed(&name, c->named, sizeof(c->named));
    for (size_t i = 0; i < json_array_size(ids); i++) {
        buf_str(&name, i ? "+" : "");
        buf_str(&name, json_string_value(json_array_get(ids, i)));
    }
    c->whom = buf_cstr(&name);
    c->note = json_body_text(root, "note");
    if (c->whom)
        return NULL;
    snprintf(detail, ADMIN_BODY_DETAIL, "There are one or two ids to be named.");
    return "revocation";
}
