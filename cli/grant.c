#include "cli/grant.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/ticket_view.h"
#include "cli/when.h"
#include <meshauth/credential.h>

#define TYPE_SAML2 "urn:ietf:params:oauth:token-type:saml2"

struct item {
    char *audience;
    char *credential;
    struct mauth_ticket *says;
};

struct grant {
    char *mesh;
    size_t count;
    struct item item[GRANT_TICKETS];
};

void
grant_free(struct grant *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->count; i++) {
        free(g->item[i].audience);
        free(g->item[i].credential);
        mauth_ticket_free(g->item[i].says);
    }
    free(g->mesh);
    free(g);
}

/* A string member without NUL in it, or NULL. */
static const char *
string_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    const char *s = json_string_value(v);

    return s && strlen(s) == json_string_length(v) ? s : NULL;
}

bool
grant_has_audience(const struct mauth_ticket *t, const char *audience)
{
    for (size_t i = 0; i < mauth_ticket_audience_count(t); i++)
        if (strcmp(mauth_ticket_audience(t, i), audience) == 0)
            return true;
    return false;
}

bool
grant_is_bound_to(const struct mauth_ticket *t, const struct mauth_key *device)
{
    size_t len, want_len;
    const uint8_t *spki = mauth_ticket_holder_spki(t, &len);
    const uint8_t *want = mauth_key_spki(device, &want_len);

    return spki && len == want_len && memcmp(spki, want, len) == 0;
}

/* Does it go with its owner and with the first? */
static enum mauth_rc
check_item(const struct grant *g, size_t i, const struct grant_owner *owner,
    struct mauth_err *err)
{
    const struct mauth_ticket *t = g->item[i].says, *first = g->item[0].says;

    if (strcmp(mauth_ticket_issuer(t), owner->issuer) != 0)
        return mauth_fail(
            err, MAUTH_MALFORMED, "ticket %zu is of another issuer", i + 1);
    if (!grant_is_bound_to(t, owner->device))
        return mauth_fail(err, MAUTH_MALFORMED,
            "ticket %zu is not bound to this device's key", i + 1);
    if (!grant_has_audience(t, g->item[i].audience))
        return mauth_fail(
            err, MAUTH_MALFORMED, "ticket %zu is for another audience", i + 1);
    if (mauth_ticket_is_identity(t) != (i == 0))
        return mauth_fail(err, MAUTH_MALFORMED,
            "the first ticket, and only that, must be of identity");
    if (strcmp(mauth_ticket_subject(t), mauth_ticket_subject(first)) != 0 ||
        strcmp(mauth_ticket_session(t), mauth_ticket_session(first)) != 0)
        return mauth_fail(err, MAUTH_MALFORMED,
            "ticket %zu is of another subject or session than the first", i + 1);
    return MAUTH_OK;
}

/* Takes the credential apart; xml is MAUTH_TICKET_MAX bytes of the caller's. */
static enum mauth_rc
read_item(const json_t *o, struct grant *g, char *xml, struct mauth_err *err)
{
    const char *audience = string_of(o, "audience");
    const char *credential = string_of(o, "credential");
    struct item *item = &g->item[g->count];
    enum mauth_rc rc;
    size_t len;

    if (!audience || !credential)
        return mauth_fail(err, MAUTH_MALFORMED,
            "ticket %zu lacks its audience or its credential", g->count + 1);
    rc = mauth_credential_decode(credential, strlen(credential), xml, &len, err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, len, &item->says, err);
    if (rc)
        return rc;
    g->count++;
    item->audience = strdup(audience);
    item->credential = strdup(credential);
    if (!item->audience || !item->credential)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return MAUTH_OK;
}

static enum mauth_rc
read_mesh(const json_t *o, struct grant *g, const struct grant_owner *owner,
    struct mauth_err *err)
{
    const char *mesh = string_of(o, "mesh");
    size_t issuer = strlen(owner->issuer);

    if (!json_object_get(o, "mesh"))
        return MAUTH_OK;
    if (!mesh || !str_is_uri(text_of(mesh)) ||
        strncmp(mesh, owner->issuer, issuer) != 0 || mesh[issuer] != '/')
        return mauth_fail(
            err, MAUTH_MALFORMED, "\"mesh\" is not a URL under the service's own");
    g->mesh = strdup(mesh);
    if (!g->mesh)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    return MAUTH_OK;
}

/* A ticket that speaks of several nodes is listed for each. */
static bool
is_repeated(const struct grant *g)
{
    const struct item *last = &g->item[g->count - 1];

    for (size_t i = 0; i + 1 < g->count; i++)
        if (strcmp(g->item[i].credential, last->credential) == 0 &&
            strcmp(g->item[i].audience, last->audience) == 0)
            return true;
    return false;
}

static void
drop_last(struct grant *g)
{
    struct item *last = &g->item[--g->count];

    free(last->audience);
    free(last->credential);
    mauth_ticket_free(last->says);
    memset(last, 0, sizeof(*last));
}

static enum mauth_rc
read_tickets(const json_t *o, struct grant *g, const struct grant_owner *owner,
    struct mauth_err *err)
{
    const json_t *list = json_object_get(o, "tickets");
    size_t count = json_array_size(list); /* 0 also when it is no array */
    enum mauth_rc rc = MAUTH_OK;
    char xml[MAUTH_TICKET_MAX];

    if (!count || count > GRANT_TICKETS)
        return mauth_fail(err, MAUTH_MALFORMED,
            "\"tickets\" is not a list of 1 to %d tickets", GRANT_TICKETS);
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        rc = read_item(json_array_get(list, i), g, xml, err);
        if (rc == MAUTH_OK)
            rc = check_item(g, g->count - 1, owner, err);
        if (rc == MAUTH_OK && is_repeated(g))
            drop_last(g);
    }
    return rc;
}

enum mauth_rc
grant_from_json(const json_t *o, const struct grant_owner *owner, struct grant **out,
    struct mauth_err *err)
{
    struct grant *g = calloc(1, sizeof(*g));
    enum mauth_rc rc;

    *out = NULL;
    if (!g)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    rc = read_mesh(o, g, owner, err);
    if (rc == MAUTH_OK)
        rc = read_tickets(o, g, owner, err);
    if (rc) {
        grant_free(g);
        return rc;
    }
    *out = g;
    return MAUTH_OK;
}

/* The access_token is the first ticket, spelled in its own way. */
static enum mauth_rc
check_access_token(
    const struct grant *g, const char *access_token, struct mauth_err *err)
{
    char xml[MAUTH_TICKET_MAX], first[MAUTH_TICKET_MAX];
    const char *credential = g->item[0].credential;
    size_t len, first_len;
    enum mauth_rc rc;

    rc = mauth_credential_decode(access_token, strlen(access_token), xml, &len, err);
    if (rc == MAUTH_OK)
        rc = mauth_credential_decode(
            credential, strlen(credential), first, &first_len, err);
    if (rc == MAUTH_OK && (len != first_len || memcmp(xml, first, len) != 0))
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "\"access_token\" is not the first of the tickets");
    return rc;
}

enum mauth_rc
grant_from_answer(struct text json, const struct grant_owner *owner, struct grant **out,
    struct mauth_err *err)
{
    json_t *o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    const char *access_token = string_of(o, "access_token");
    const char *issued = string_of(o, "issued_token_type");
    const char *type = string_of(o, "token_type");
    enum mauth_rc rc;

    *out = NULL;
    if (!json_is_object(o))
        rc = mauth_fail(err, MAUTH_MALFORMED, "the answer is not a JSON object");
    else if (!access_token || !issued || strcmp(issued, TYPE_SAML2) != 0)
        rc = mauth_fail(err, MAUTH_MALFORMED, "the answer holds no " TYPE_SAML2);
    else if (!type || strcasecmp(type, "Bearer") != 0)
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "\"token_type\" is not Bearer, which a proof by TLS certificate gets");
    else if (json_integer_value(json_object_get(o, "expires_in")) <= 0)
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "\"expires_in\" is not a number of seconds");
    else
        rc = grant_from_json(o, owner, out, err);
    if (rc == MAUTH_OK)
        rc = check_access_token(*out, access_token, err);
    if (rc) {
        grant_free(*out);
        *out = NULL;
    }
    json_decref(o);
    return rc;
}

const char *
grant_mesh(const struct grant *g)
{
    return g->mesh;
}

size_t
grant_count(const struct grant *g)
{
    return g->count;
}

const struct mauth_ticket *
grant_ticket(const struct grant *g, size_t i)
{
    return i < g->count ? g->item[i].says : NULL;
}

const char *
grant_credential(const struct grant *g, size_t i)
{
    return i < g->count ? g->item[i].credential : NULL;
}

static bool
is_open(const struct mauth_ticket *t, int64_t now_s)
{
    return now_s < mauth_ticket_not_on_or_after_s(t);
}

bool
grant_is_valid(const struct grant *g, int64_t now_s)
{
    return is_open(g->item[0].says, now_s);
}

/* What machines read. */

/* "kind", "audience", "permits", "not_on_or_after". */
static json_t *
item_json(const struct item *item)
{
    json_t *core = ticket_view_json_core(item->says), *o;

    o = json_pack("{s:s, s:s, s:O?, s:O?}", "kind", ticket_view_kind(item->says),
        "audience", item->audience, "permits", json_object_get(core, "permits"),
        "not_on_or_after", json_object_get(core, "not_on_or_after"));
    json_decref(core);
    return o;
}

static json_t *
list_json(const struct grant *g, bool with_credentials, int64_t now_s)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < g->count; i++) {
        const struct item *item = &g->item[i];
        json_t *o = item_json(item), *more;

        more = with_credentials ? json_string(item->credential)
                                : json_boolean(is_open(item->says, now_s));
        if (json_object_set_new(o, with_credentials ? "credential" : "valid", more) !=
                0 ||
            json_array_append(list, o) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(o);
    }
    return list;
}

static json_t *
whole_json(const struct grant *g, json_t *tickets)
{
    const struct mauth_ticket *first = g->item[0].says;

    return json_pack("{s:s*, s:s, s:s, s:o}", "mesh", g->mesh, "subject",
        mauth_ticket_subject(first), "session", mauth_ticket_session(first), "tickets",
        tickets);
}

json_t *
grant_json(const struct grant *g)
{
    return whole_json(g, list_json(g, true, 0));
}

json_t *
grant_json_public(const struct grant *g, int64_t now_s)
{
    return whole_json(g, list_json(g, false, now_s));
}

static bool
is_identity(const json_t *ticket, const struct grant_owner *owner)
{
    const char *audience = string_of(ticket, "audience");

    return audience && strcmp(audience, owner->issuer) == 0;
}

/* The identity ticket, the new ones, then the old ones that are still good. */
static json_t *
join(const struct grant *g, const json_t *old, json_t *more, int64_t now_s)
{
    json_t *all = json_array();

    json_array_append(all, json_array_get(old, 0));
    json_array_extend(all, more);
    for (size_t i = 1; i < g->count && json_array_size(all) < GRANT_TICKETS; i++)
        if (is_open(g->item[i].says, now_s))
            json_array_append(all, json_array_get(old, i));
    return all;
}

enum mauth_rc
grant_extend(const struct grant *g, json_t *more, const struct grant_owner *owner,
    int64_t now_s, struct grant **out, struct mauth_err *err)
{
    json_t *o = grant_json(g), *tickets;
    enum mauth_rc rc;

    if (is_identity(json_array_get(more, 0), owner))
        tickets = json_incref(more);
    else
        tickets = join(g, json_object_get(o, "tickets"), more, now_s);
    *out = NULL;
    if (json_object_set_new(o, "tickets", tickets) == 0)
        rc = grant_from_json(o, owner, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    json_decref(o);
    return rc;
}

/* What people read. */

static void
print_item(struct table *t, const struct item *item, int64_t now_s)
{
    const struct mauth_ticket *says = item->says;
    int64_t closes_s = mauth_ticket_not_on_or_after_s(says);
    char when[WHEN_LEN];
    size_t permits = mauth_ticket_permit_count(says);

    when_format(closes_s, now_s, when);
    for (size_t i = 0; i < (permits ? permits : 1); i++) {
        char *actions = i < permits ? ticket_view_actions(says, i) : NULL;

        table_cell(t, STYLE_PLAIN, "%s", i ? "" : item->audience);
        table_cell(
            t, is_open(says, now_s) ? STYLE_GOOD : STYLE_BAD, "%s", i ? "" : when);
        if (mauth_ticket_is_identity(says))
            table_cell(t, STYLE_PLAIN, "who you are");
        else if (actions)
            table_cell(t, STYLE_PLAIN, "%s on %s", actions,
                mauth_ticket_permit_resource(says, i));
        else
            table_cell(t, STYLE_PLAIN, "facts only");
        free(actions);
    }
}

bool
grant_print(const struct grant *g, int64_t now_s)
{
    static const char *const heads[] = {"ticket for", "closes", "says"};
    struct table *t = table_new(3, heads);

    for (size_t i = 0; i < g->count; i++)
        print_item(t, &g->item[i], now_s);
    return table_end(t);
}
