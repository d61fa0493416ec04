#include "authsvc/routes.h"

#include "authsvc/audit_api.h"
#include "authsvc/token.h"

#define FORM "application/x-www-form-urlencoded"

static void
healthz(struct http_exchange *x)
{
    static const char body[] = "{\"status\":\"ok\"}\n";
    struct text text = {body, sizeof(body) - 1};

    http_answer(x, 200, "application/json", text, NULL);
}

const struct http_route public_routes[] = {
    {"GET", "/healthz", 0, NULL, healthz, NULL},
    {"POST", "/v1/token", TOKEN_BODY_MAX, FORM, token_start, NULL},

};
const size_t public_route_count = sizeof(public_routes) / sizeof(*public_routes);

const struct http_route admin_routes[] = {
    {"GET", "/healthz", 0, NULL, healthz, NULL},
    {"GET", "/v1/audit", 0, NULL, audit_api_start, NULL},
};
const size_t admin_route_count = sizeof(admin_routes) / sizeof(*admin_routes);
