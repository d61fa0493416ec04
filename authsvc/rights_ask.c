/* What a request for rights names: read off the form, then looked up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/rights_parts.h"
#include "base/fail.h"
#include "base/url.h"
#include "store/graph_link.h"

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

static struct rights_node *
add_node(struct rights *r, enum id_kind kind, const struct id *id, size_t only)
{
    struct rights_node *n = &r->node[r->nodes++]; /* no more than resources */

    n->kind = kind;
    n->id = *id;
    n->only = only;
    n->implied = false;
    node_url(r->ground.service->config->issuer.url, kind, id, n->url);
    return n;
}

/* The first of the subject's folders, as far as there is room. */
static enum mauth_rc
add_folders(struct rights *r, struct kv_txn *txn, size_t only, struct mauth_err *err)
{
    struct graph_page page;
    enum mauth_rc rc = graph_link_page(
        txn, GRAPH_MEMBER_BY_USER, &r->ground.subject, NULL, &page, err);

    for (size_t i = 0; rc == MAUTH_OK && i < page.count && i < RIGHTS_FOLDERS &&
                       r->nodes < RIGHTS_NODES;
         i++)
        add_node(r, ID_FOLDER, &page.links[i].to, only)->implied = true;
    return rc;
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
            (void)add_node(r, kinds[i], &id, RIGHTS_ALL);
            return true;
        }
    return false;
}

/* Why it is neither a node nor the place of a service. */
static const char *
name_wrong(const struct rights *r, struct text url)
{
    struct text issuer = text_of(r->ground.service->config->issuer.url);
    bool is_ours = text_starts(url, r->ground.service->config->issuer.url) &&
                   url.len > issuer.len && url.p[issuer.len] == '/';

    return url_is_strict(url) && !is_ours ? "place" : "resource";
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
        refuse(r, name_wrong(r, url));
        return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
    }
    only = add_service(r, &service);
    rest = (struct text){url.p + strlen(service.url), url.len - strlen(service.url)};
    if (rest.len && *rest.p == '/')
        rest.p++, rest.len--;
    if (!text_cut(&rest, '/', &name))
        name = rest;
    if (!name.len && r->ground.subject_kind == ID_USER)
        (void)add_node(r, ID_USER, &r->ground.subject, only);
    else if (id_parse(ID_FOLDER, name.p, name.len, &id))
        (void)add_node(r, ID_FOLDER, &id, only);
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
    for (size_t i = 0, named = r->nodes; i < named && rc == MAUTH_OK; i++)
        if (r->node[i].kind == ID_USER && r->node[i].only != RIGHTS_ALL && !r->syncs)
            rc = add_folders(r, txn, r->node[i].only, err);
    return rc;
}

/* Initial tickets. */

/* All actions of all of them; bits say which are whose. */
static void
take_service(struct rights *r, const struct graph_service *s)
{
    struct graph_service *own = &r->audience[add_service(r, s)].service;

    if (!own->actions)
        snprintf(own->action[own->actions++], sizeof(own->action[0]), "read");
    for (size_t i = 0; i < own->actions; i++)
        if (r->actions < RIGHTS_ACTIONS && !has_action(r, text_of(own->action[i])))
            r->action[r->actions++] = text_of(own->action[i]);
}

static enum mauth_rc
take_services(struct rights *r, struct kv_txn *txn, struct mauth_err *err)
{
    struct graph_service_page *page = malloc(sizeof(*page)); /* it is large */
    enum mauth_rc rc;

    if (!page)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rights: no memory");
    rc = graph_service_page(txn, NULL, RIGHTS_AUDIENCES, page, err);
    for (size_t i = 0; i < page->count && rc == MAUTH_OK; i++)
        take_service(r, &page->item[i]);
    free(page);
    r->names = r->audiences; /* each node is for all of them */
    return rc;
}

enum mauth_rc
rights_resolve_initial(struct rights *r, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc;

    r->audiences = r->nodes = r->actions = 0;
    rc = take_services(r, txn, err);
    if (rc != MAUTH_OK)
        return rc;
    if (r->has_folder) {
        add_node(r, ID_FOLDER, &r->folder, RIGHTS_ALL)->implied = true;
        return MAUTH_OK;
    }
    add_node(r, ID_USER, &r->ground.subject, RIGHTS_ALL)->implied = true;
    return add_folders(r, txn, RIGHTS_ALL, err);
}
