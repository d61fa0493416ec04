/* What a request for rights names: read off the form, then looked up. */
#include <stdio.h>
#include <string.h>

#include "authsvc/rights_parts.h"
#include "base/url.h"

static const char service_urn[] = "urn:meshauth:service:";
static const char device_urn[] = "urn:meshauth:device:";

static bool
has_action(const struct rights *r, struct text name)
{
    for (size_t i = 0; i < r->actions; i++)
        if (text_equal(r->action[i], name))
            return true;
    return false;
}

static const char *
gather_actions(struct rights *r, const char *scope)
{
    struct text rest = text_of(scope ? scope : "read"), name;
    bool more;

    do {
        more = text_cut(&rest, ' ', &name);
        if (!more)
            name = rest;
        if (!str_is_name(name))
            return "actions";
        if (has_action(r, name))
            continue;
        if (r->actions == RIGHTS_ACTIONS)
            return "too-much";
        r->action[r->actions++] = name;
    } while (more);
    r->syncs = r->actions == 1 && text_is(r->action[0], "sync");
    return !r->syncs && has_action(r, text_of("sync")) ? "sync-scope" : NULL;
}

/* Each value once. */
static bool
gather_values(
    const struct form *f, const char *name, const char **out, size_t max, size_t *count)
{
    const char *value;

    for (size_t i = 0; (value = form_value(f, name, i)) != NULL; i++) {
        size_t k = 0;

        while (k < *count && strcmp(out[k], value) != 0)
            k++;
        if (k < *count)
            continue;
        if (*count == max)
            return false;
        out[(*count)++] = value;
    }
    return true;
}

const char *
rights_gather(struct rights *r, const struct form *f)
{
    if (!gather_values(f, "resource", r->resource, RIGHTS_NODES, &r->resources) ||
        !gather_values(f, "audience", r->named, RIGHTS_AUDIENCES, &r->names))
        return "too-much";
    return gather_actions(r, form_value(f, "scope", 0));
}

static void
refuse(struct rights *r, const char *refusal)
{
    if (!r->refusal)
        r->refusal = refusal;
}

/* Audiences. */

/* Its place, or RIGHTS_AUDIENCES when there is none left. */
static size_t
add_service(struct rights *r, const struct graph_service *s)
{
    struct rights_audience *a = &r->audience[r->audiences];

    for (size_t i = 0; i < r->audiences; i++)
        if (!r->audience[i].is_device &&
            strcmp(r->audience[i].service.name, s->name) == 0)
            return i;
    if (r->audiences == RIGHTS_AUDIENCES) {
        refuse(r, "too-much");
        return RIGHTS_AUDIENCES;
    }
    memset(a, 0, sizeof(*a));
    snprintf(a->urn, sizeof(a->urn), "%s%s", service_urn, s->name);
    a->service = *s;
    return r->audiences++;
}

static enum mauth_rc
resolve_audience(
    struct rights *r, struct kv_txn *txn, const char *urn, struct mauth_err *err)
{
    struct rights_audience *a = &r->audience[r->audiences];
    struct graph_service service;
    struct text name = text_of(urn);
    enum mauth_rc rc;

    if (text_starts(name, service_urn)) {
        rc = graph_service_by_name(txn, urn + strlen(service_urn), &service, err);
        if (rc == MAUTH_OK)
            (void)add_service(r, &service);
        else if (rc == MAUTH_NOT_FOUND)
            refuse(r, "audience");
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    }
    memset(a, 0, sizeof(*a));
    a->is_device = true;
    if (!r->syncs || !text_starts(name, device_urn) ||
        !id_parse(ID_DEVICE, urn + strlen(device_urn), name.len - strlen(device_urn),
            &a->device)) {
        refuse(r, "audience");
        return MAUTH_OK;
    }
    snprintf(a->urn, sizeof(a->urn), "%s", urn);
    r->audiences++;
    return MAUTH_OK;
}

/* Resources. */

static void
add_node(struct rights *r, enum id_kind kind, const struct id *id, size_t only)
{
    struct rights_node *n = &r->node[r->nodes++]; /* no more than resources */

    n->kind = kind;
    n->id = *id;
    n->only = only;
    node_url(r->ground.service->config->issuer.url, kind, id, n->url);
}

static bool
resolve_node(struct rights *r, struct text url)
{
    static const enum id_kind kinds[] = {ID_FOLDER, ID_DEVICE, ID_USER};
    struct text issuer = text_of(r->ground.service->config->issuer.url), name;
    struct id id;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (url_is_node(url, issuer, kinds[i], &name) &&
            id_parse(kinds[i], name.p, name.len, &id)) {
            if (!r->names)
                refuse(r, "audience-missing");
            add_node(r, kinds[i], &id, RIGHTS_ALL);
            return true;
        }
    return false;
}

/* PREFIX, or PREFIX/fld_... and what lies below. */
static enum mauth_rc
resolve_place(
    struct rights *r, struct kv_txn *txn, struct text url, struct mauth_err *err)
{
    struct graph_service service;
    enum mauth_rc rc = graph_service_by_url(txn, url, &service, err);
    struct text rest, name;
    struct id id;
    size_t only;

    if (rc != MAUTH_OK) {
        refuse(r, "resource");
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    }
    only = add_service(r, &service);
    rest = (struct text){url.p + strlen(service.url), url.len - strlen(service.url)};
    if (rest.len && *rest.p == '/')
        rest.p++, rest.len--;
    if (!text_cut(&rest, '/', &name))
        name = rest;
    if (!name.len && r->caller->kind == ID_USER)
        add_node(r, ID_USER, &r->caller->principal, only);
    else if (id_parse(ID_FOLDER, name.p, name.len, &id))
        add_node(r, ID_FOLDER, &id, only);
    else
        refuse(r, name.len ? "resource" : "resource-unknown");
    return MAUTH_OK;
}

/* X's peer is one device; and of devices only that may hear of it. */
static void
check_sync(struct rights *r)
{
    if (r->nodes != 1 || r->node[0].kind != ID_DEVICE || r->names > TICKET_AUDIENCES) {
        refuse(r, "sync-target");
        return;
    }
    for (size_t i = 0; i < r->audiences; i++)
        if (r->audience[i].is_device &&
            memcmp(&r->audience[i].device, &r->node[0].id, sizeof(struct id)) != 0)
            refuse(r, "audience");
}

enum mauth_rc
rights_resolve(struct rights *r, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    r->audiences = r->nodes = 0;
    for (size_t i = 0; i < r->names && rc == MAUTH_OK && !r->refusal; i++)
        rc = resolve_audience(r, txn, r->named[i], err);
    for (size_t i = 0; i < r->resources && rc == MAUTH_OK && !r->refusal; i++)
        if (!resolve_node(r, text_of(r->resource[i])))
            rc = resolve_place(r, txn, text_of(r->resource[i]), err);
    if (rc == MAUTH_OK && !r->refusal && r->syncs)
        check_sync(r);
    return rc;
}
