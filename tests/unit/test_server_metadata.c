#include "authsvc/server_metadata.h"
#include "tests/unit/plain_http.h"
#include "tests/unit/service_dir.h"

static const struct config config = {
    .issuer.url = "https://auth.example",
    .provider =
        {
            {.name = "demo",
                .issuer = "https://auth.example/demo-idp",
                .client_id = {"meshauth"},
                .client_ids = 1,
                .demo = true},
            {.name = "staff",
                .issuer = "https://login.example/",
                .client_ids = 2,
                .client_id = {"web", "native"},
                .login_client_id = "native",
                .email_domain = {"example.org"},
                .email_domains = 1},
            {.name = "guests",
                .issuer = "https://guests.example",
                .client_ids = 2,
                .client_id = {"first", "second"},
                .scope = {"profile", "a:b"},
                .scopes = 2,
                .email_domain = {"example.com"},
                .email_domains = 1},
            {.name = "campus", .type = "saml", .issuer = "https://campus.example"},
        },
    .providers = 4,
};

#define ROOT "auth.example/root+00000000+AQ=="

static const char expected[] =
    "{\"dpop_signing_alg_values_supported\":[\"ES256\",\"RS256\"],"
    "\"grant_types_supported\":[\"urn:ietf:params:oauth:grant-type:token-exchange\","
    "\"client_credentials\"],"
    "\"introspection_endpoint\":\"https://auth.example/v1/introspect\","
    "\"introspection_endpoint_auth_methods_supported\":"
    "[\"private_key_jwt\",\"self_signed_tls_client_auth\"],"
    "\"introspection_endpoint_auth_signing_alg_values_supported\":[\"ES256\",\"RS256\"]"
    ","
    "\"issuer\":\"https://auth.example\","
    "\"jwks_uri\":\"https://auth.example/.well-known/jwks.json\","
    "\"meshauth_login_providers\":["
    "{\"client_id\":\"meshauth\",\"issuer\":\"https://auth.example/demo-idp\","
    "\"kind\":\"demo\",\"name\":\"demo\",\"scopes\":[\"openid\"]},"
    "{\"client_id\":\"native\",\"issuer\":\"https://login.example/\","
    "\"kind\":\"oidc\",\"name\":\"staff\",\"scopes\":[\"openid\",\"email\"]},"
    "{\"client_id\":\"first\",\"issuer\":\"https://guests.example\","
    "\"kind\":\"oidc\",\"name\":\"guests\","
    "\"scopes\":[\"openid\",\"profile\",\"a:b\"]},"
    "{\"issuer\":\"https://campus.example\",\"kind\":\"saml\",\"name\":\"campus\"}],"
    "\"meshauth_root\":\"" ROOT "\","
    "\"response_types_supported\":[],"
    "\"revocation_endpoint\":\"https://auth.example/v1/revoke\","
    "\"revocation_endpoint_auth_methods_supported\":[\"none\"],"
    "\"service_documentation\":\"https://auth.example/v1/openapi.json\","
    "\"token_endpoint\":\"https://auth.example/v1/token\","
    "\"token_endpoint_auth_methods_supported\":"
    "[\"none\",\"private_key_jwt\",\"self_signed_tls_client_auth\"],"
    "\"token_endpoint_auth_signing_alg_values_supported\":[\"ES256\",\"RS256\"]}";

/* What is configured, and nothing that is not for everyone. */
static void
test_says_what_is_configured(void **state)
{
    json_t *o = server_metadata_document(&config, ROOT);
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

    (void)state;
    assert_string_equal(text, expected);
    free(text);
    json_decref(o);
}

static void
test_nobody_can_log_in(void **state)
{
    static const struct config none = {.issuer.url = "https://auth.example"};
    json_t *o = server_metadata_document(&none, ROOT);

    (void)state;
    assert_int_equal(
        json_array_size(json_object_get(o, "meshauth_login_providers")), 0);
    assert_true(json_is_array(json_object_get(o, "meshauth_login_providers")));
    json_decref(o);
}

/* It may be kept, which is said once; with the root that the store knows. */
static void
test_is_served(void **state)
{
    static const struct http_route routes[] = {
        {"GET", "/metadata", 0, NULL, server_metadata_start, NULL}};
    struct service_dir d;
    struct plain_http p;
    char reply[8192];

    (void)state;
    service_make(&d, "");
    plain_start(&p, (struct http_options){
                        .routes = routes, .route_count = 1, .context = &d.service});
    plain_ask(&p, "GET", "/metadata?any=thing", "", reply, sizeof(reply));
    assert_non_null(strstr(reply, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(reply, "\r\nCache-Control: public, max-age=300\r\n"));
    assert_null(strstr(reply, "no-store"));
    assert_non_null(strstr(reply, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(reply, "\"issuer\":\"" GOLDEN_ISSUER "\""));
    assert_non_null(strstr(reply, "\"meshauth_root\":\"auth.mesh.example/root+"));
    plain_stop(&p);
    service_remove(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_is_configured),
        cmocka_unit_test(test_nobody_can_log_in),
        cmocka_unit_test(test_is_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
