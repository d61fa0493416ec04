#include "authsvc/routes.h"

#include "authsvc/admin_api.h"
#include "authsvc/audit_api.h"
#include "authsvc/audit_tree_api.h"
#include "authsvc/authority_api.h"
#include "authsvc/changes_api.h"
#include "authsvc/decisions_api.h"
#include "authsvc/decisions_body.h"
#include "authsvc/documents_api.h"
#include "authsvc/explain_api.h"
#include "authsvc/introspect_api.h"
#include "authsvc/mesh_ops.h"
#include "authsvc/openapi.h"
#include "authsvc/readyz.h"
#include "authsvc/revoke_api.h"
#include "authsvc/server_metadata.h"
#include "authsvc/token.h"
#include "authsvc/trust_api.h"

#define FORM  "application/x-www-form-urlencoded"
#define JSON  "application/json"
#define PATCH "application/merge-patch+json"

/* A path on the graph, without and with a body. */
#define MESH(method, path, op)                               \
    {                                                        \
        method, "/v1/mesh/" path, 0, NULL, mesh_start, &(op) \
    }
#define MESH_BODY(method, path, type, op)                                \
    {                                                                    \
        method, "/v1/mesh/" path, JSON_BODY_MAX, type, mesh_start, &(op) \
    }

/* Tiles of the audit log's tree: the more there are, the longer are their names. */
#define TILE(parts)                                                             \
    {                                                                           \
        "GET", "/v1/audit/tile/{id}/{id}" parts, 0, NULL, audit_tree_api_start, \
            &audit_tree_tile                                                    \
    }

/* What admins have on either listener. */
#define ADMIN(method, path, what)                                    \
    {                                                                \
        method, "/v1/admin/" path, 0, NULL, admin_api_start, &(what) \
    }
#define ADMIN_BODY(method, path, type, what)                                     \
    {                                                                            \
        method, "/v1/admin/" path, JSON_BODY_MAX, type, admin_api_start, &(what) \
    }
#define AUTHORITY(method, path, max, type, what)                           \
    {                                                                      \
        method, "/v1/admin/" path, max, type, authority_api_start, &(what) \
    }
#define ADMIN_ROUTES                                                                  \
    ADMIN("GET", "users", admin_users_list),                                          \
        ADMIN("GET", "users/{id}", admin_users_one),                                  \
        ADMIN("DELETE", "users/{id}", admin_users_delete),                            \
        ADMIN("GET", "users/{id}/sessions", admin_users_sessions),                    \
        ADMIN("DELETE", "sessions/{id}", admin_sessions_close),                       \
        ADMIN("DELETE", "tickets/{id}", admin_tickets_revoke),                        \
        ADMIN("GET", "services", admin_services_list),                                \
        ADMIN_BODY("POST", "services", JSON, admin_services_create),                  \
        ADMIN("GET", "services/{id}", admin_services_one),                            \
        ADMIN_BODY("PATCH", "services/{id}", PATCH, admin_services_update),           \
        ADMIN("DELETE", "services/{id}", admin_services_delete),                      \
        ADMIN("GET", "keys", admin_keys_list),                                        \
        ADMIN_BODY("POST", "keys", JSON, admin_keys_prepare),                         \
        ADMIN("GET", "keys/{id}", admin_keys_one),                                    \
        ADMIN_BODY("POST", "keys/{id}/activate", JSON, admin_keys_activate),          \
        ADMIN("POST", "keys/{id}/revoke", admin_keys_revoke),                         \
        ADMIN("GET", "metadata-key", admin_metadata_key),                             \
        AUTHORITY("GET", "authority", 0, NULL, authority_show),                       \
        AUTHORITY(                                                                    \
            "POST", "authority/request", JSON_BODY_MAX, JSON, authority_request),     \
        AUTHORITY("PUT", "authority", JSON_BODY_MAX, JSON, authority_install),        \
        ADMIN("GET", "revocations", admin_revocations_list),                          \
        ADMIN_BODY("POST", "revocations", JSON, admin_revocations_add),               \
        ADMIN("GET", "erasures", admin_erasures_list),                                \
        ADMIN("PUT", "erasures/{id}", admin_erasures_begin),                          \
        ADMIN("GET", "roles", admin_roles_list),                                      \
        ADMIN("PUT", "roles/{id}/{id}", admin_roles_grant),                           \
        ADMIN("DELETE", "roles/{id}/{id}", admin_roles_revoke),                       \
        {"GET", "/v1/audit", 0, NULL, audit_api_start, &audit_records},               \
        {"GET", "/v1/audit/count", 0, NULL, audit_api_start, &audit_counts},          \
        {"GET", "/v1/audit/who", 0, NULL, audit_api_start, &audit_rights},            \
        {"GET", "/v1/audit/checkpoint", 0, NULL, audit_tree_api_start,                \
            &audit_tree_checkpoint},                                                  \
        {"GET", "/v1/audit/proof", 0, NULL, audit_tree_api_start, &audit_tree_proof}, \
        TILE(""), TILE("/{id}"), TILE("/{id}/{id}"), TILE("/{id}/{id}/{id}"),         \
        TILE("/{id}/{id}/{id}/{id}"),                                                 \
    {                                                                                 \
        "POST", "/v1/admin/explain", JSON_BODY_MAX, JSON, explain_api_start, NULL     \
    }

static void
healthz(struct http_exchange *x)
{
    static const char body[] = "{\"status\":\"ok\"}\n";
    struct text text = {body, sizeof(body) - 1};

    http_answer(x, 200, "application/json", text, NULL);
}

const struct http_route public_routes[] = {
    {"GET", "/healthz", 0, NULL, healthz, NULL},
    {"GET", "/.well-known/oauth-authorization-server", 0, NULL, server_metadata_start,
        NULL},
    {"GET", "/.well-known/jwks.json", 0, NULL, documents_api_start, &jwks_document},
    {"GET", "/saml/metadata", 0, NULL, documents_api_start, &metadata_document},
    {"GET", "/v1/openapi.json", 0, NULL, openapi_start, NULL},
    {"POST", "/v1/token", TOKEN_BODY_MAX, FORM, token_start, NULL},
    {"POST", "/v1/revoke", TOKEN_BODY_MAX, FORM, revoke_api_start, NULL},
    {"POST", "/v1/introspect", TOKEN_BODY_MAX, FORM, introspect_api_start, NULL},
    {"GET", "/v1/mesh/changes", 0, NULL, changes_api_start, NULL},
    {"GET", "/v1/trust", 0, NULL, trust_api_start, NULL},
    {"POST", "/v1/audit/decisions", DECISIONS_BODY_MAX, JSON, decisions_api_start,
        NULL},

    MESH("GET", "users/{id}", user_read_op),
    MESH("GET", "users/{id}/devices", device_list_op),
    MESH("GET", "users/{id}/folders", folder_list_op),

    MESH_BODY("POST", "devices", JSON, device_claim_op),
    MESH_BODY("PUT", "devices/{id}", JSON, device_claim_op),
    MESH("GET", "devices/{id}", device_read_op),
    MESH_BODY("PATCH", "devices/{id}", PATCH, device_update_op),
    MESH("DELETE", "devices/{id}", device_release_op),
    MESH("GET", "devices/{id}/folders", mapping_list_of_device_op),

    MESH_BODY("POST", "folders", JSON, folder_create_op),
    MESH_BODY("PUT", "folders/{id}", JSON, folder_create_op),
    MESH("GET", "folders/{id}", folder_read_op),
    MESH_BODY("PATCH", "folders/{id}", PATCH, folder_update_op),
    MESH("DELETE", "folders/{id}", folder_delete_op),

    MESH("GET", "folders/{id}/members", member_list_op),
    MESH("GET", "folders/{id}/members/{id}", member_read_op),
    MESH_BODY("PATCH", "folders/{id}/members/{id}", PATCH, member_change_op),
    MESH("DELETE", "folders/{id}/members/{id}", member_remove_op),

    MESH("GET", "folders/{id}/mappings", mapping_list_op),
    MESH("GET", "folders/{id}/mappings/{id}", mapping_read_op),
    MESH("PUT", "folders/{id}/mappings/{id}", mapping_add_op),
    MESH("DELETE", "folders/{id}/mappings/{id}", mapping_remove_op),

    MESH("GET", "folders/{id}/invitations", invitation_list_op),
    MESH_BODY("POST", "folders/{id}/invitations", JSON, invitation_create_op),
    MESH("GET", "invitations/{id}", invitation_read_op),
    MESH_BODY("POST", "invitations/{id}/view", JSON, invitation_view_op),
    MESH_BODY("POST", "invitations/{id}/accept", JSON, invitation_accept_op),
    MESH_BODY("POST", "invitations/{id}/decline", JSON, invitation_decline_op),
    MESH("DELETE", "invitations/{id}", invitation_revoke_op),

    ADMIN_ROUTES,
};
const size_t public_route_count = sizeof(public_routes) / sizeof(*public_routes);

const struct http_route admin_routes[] = {
    {"GET", "/healthz", 0, NULL, healthz, NULL},
    {"GET", "/readyz", 0, NULL, readyz_start, NULL},
    ADMIN_ROUTES,
};
const size_t admin_route_count = sizeof(admin_routes) / sizeof(*admin_routes);
