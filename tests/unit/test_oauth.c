#include <jansson.h>

#include "authsvc/oauth.h"
#include "tests/unit/plain_http.h"

/* Every name that providers, the token endpoint and logins give. */
static const struct {
    const char *reason;
    int status;
    const char *error;
} known[] = {
    {"form", 400, "invalid_request"},
    {"repeated", 400, "invalid_request"},
    {"grant-type", 400, "unsupported_grant_type"},
    {"grant-type-missing", 400, "invalid_request"},
    {"subject-token-missing", 400, "invalid_request"},
    {"subject-token-type", 400, "invalid_request"},
    {"requested-token-type", 400, "invalid_request"},
    {"actor-token", 400, "invalid_request"},
    {"target", 400, "invalid_target"},
    {"scope", 400, "invalid_scope"},
    {"no-proof", 400, "invalid_request"},
    {"key-kind", 400, "invalid_request"},
    {"token-form", 400, "invalid_request"},
    {"token-issuer", 400, "invalid_request"},
    {"token-alg", 400, "invalid_request"},
    {"token-header", 400, "invalid_request"},
    {"token-key", 400, "invalid_request"},
    {"token-signature", 400, "invalid_request"},
    {"token-audience", 400, "invalid_request"},
    {"token-party", 400, "invalid_request"},
    {"token-expired", 400, "invalid_request"},
    {"token-not-yet", 400, "invalid_request"},
    {"token-nonce", 400, "invalid_request"},
    {"token-age", 400, "invalid_request"},
    {"token-claims", 400, "invalid_request"},
    {"token-other-key", 400, "invalid_request"},
    {"user-unknown", 400, "invalid_request"},
    {"user-closed", 400, "invalid_request"},
    {"client-id", 400, "invalid_request"},
    {"assertion-type", 400, "invalid_request"},
    {"client-unknown", 401, "invalid_client"},
    {"client-proof", 401, "invalid_client"},
    {"assertion-form", 401, "invalid_client"},
    {"assertion-signature", 401, "invalid_client"},
    {"assertion-claims", 401, "invalid_client"},
    {"assertion-subject", 401, "invalid_client"},
    {"assertion-audience", 401, "invalid_client"},
    {"assertion-expired", 401, "invalid_client"},
    {"assertion-lifetime", 401, "invalid_client"},
    {"assertion-not-yet", 401, "invalid_client"},
    {"assertion-used", 401, "invalid_client"},
    {"provider-down", 503, "temporarily_unavailable"},
    {"unavailable", 503, "temporarily_unavailable"},
    {"internal", 500, "server_error"},
};

static void
knows_each_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct oauth_refusal *r = oauth_refusal_named(known[i].reason);

        assert_string_equal(r->reason, known[i].reason);
        assert_int_equal(r->status, known[i].status);
        assert_string_equal(r->error, known[i].error);
        /* RFC 6749 5.2: %x20-21 / %x23-5B / %x5D-7E */
        for (const char *p = r->description; *p; p++)
            if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
                fail_msg("%s: the description holds \\x%02x", r->reason, *p);
    }
}

static void
takes_unknown_names_for_an_error_of_its_own(void **state)
{
    static const char *const names[] = {"", "FORM", "token", "formx"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(oauth_refusal_named(names[i])->reason, "internal");
}

struct world {
    struct plain_http http;
    char reason[64]; /* that the log was told */
};

static void
refuse(struct http_exchange *x)
{
    oauth_answer_refusal(x, oauth_refusal_named(http_query(x)));
}

static void
grant(struct http_exchange *x)
{
    struct buf json;

    buf_init(&json);
    buf_str(&json, "{\"access_token\":\"abc\"}");
    oauth_answer(x, &json);
    buf_clear(&json);
}

/* As when the memory ran out while it was written: half of it is there. */
static void
fail_to_grant(struct http_exchange *x)
{
    char room[8];
    struct buf json;

    buf_init_fixed(&json, room, sizeof(room));
    buf_str(&json, "{");
    buf_str(&json, "\"access_token\":\"abc\"}");
    oauth_answer(x, &json);
}

static void
take_reason(const struct http_exchange *x, int status, const char *reason)
{
    struct world *w = http_context(x);

    (void)status;
    snprintf(w->reason, sizeof(w->reason), "%s", reason ? reason : "");
}

static int
set_up(void **state)
{
    static const struct http_route routes[] = {
        {"GET", "/refuse", 0, NULL, refuse, NULL},
        {"GET", "/grant", 0, NULL, grant, NULL},
        {"GET", "/fail", 0, NULL, fail_to_grant, NULL},
    };
    static struct world w;
    const struct http_options o = {.routes = routes,
        .route_count = COUNT(routes),
        .context = &w,
        .log = take_reason};

    plain_start(&w.http, o);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    plain_stop(&((struct world *)*state)->http);
    return 0;
}

/* The answer's JSON, after its status and what every answer must have. */
static json_t *
ask(const struct world *w, const char *target, int status, const char *type,
    char *reply, size_t cap)
{
    char want[128];
    const char *body;
    json_t *json;

    plain_ask(&w->http, "GET", target, "", reply, cap);
    snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
    assert_memory_equal(reply, want, strlen(want));
    snprintf(want, sizeof(want), "\r\nContent-Type: %s\r\n", type);
    assert_non_null(strstr(reply, want));
    assert_non_null(strstr(reply, "\r\nCache-Control: no-store\r\n"));
    body = strstr(reply, "\r\n\r\n");
    assert_non_null(body);
    json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static const char *
member(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text ? text : "";
}

static void
answers_refusals(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(known); i++) {
        const struct oauth_refusal *r = oauth_refusal_named(known[i].reason);
        char target[64], reply[4096], id[128];
        json_t *json;

        snprintf(target, sizeof(target), "/refuse?%s", r->reason);
        json = ask(w, target, r->status, "application/json", reply, sizeof(reply));
        assert_int_equal(json_object_size(json), 3);
        assert_string_equal(member(json, "error"), r->error);
        assert_string_equal(member(json, "error_description"), r->description);
        snprintf(
            id, sizeof(id), "\r\nX-Request-Id: %s\r\n", member(json, "request_id"));
        assert_non_null(strstr(reply, id));
        assert_int_equal(
            strstr(reply, "\r\nRetry-After: 5\r\n") != NULL, r->status == 503);
        assert_string_equal(w->reason, r->reason);
        json_decref(json);
    }
}

static void
answers_grants(void **state)
{
    struct world *w = *state;
    char reply[4096];
    json_t *json = ask(w, "/grant", 200, "application/json", reply, sizeof(reply));

    assert_int_equal(json_object_size(json), 1);
    assert_string_equal(member(json, "access_token"), "abc");
    json_decref(json);
}

static void
answers_when_it_has_no_memory(void **state)
{
    struct world *w = *state;
    char reply[4096];
    json_t *json =
        ask(w, "/fail", 500, "application/problem+json", reply, sizeof(reply));

    assert_string_equal(member(json, "type"), "urn:meshauth:problem:internal");
    json_decref(json);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_refusal),
        cmocka_unit_test(takes_unknown_names_for_an_error_of_its_own),
        cmocka_unit_test(answers_refusals),
        cmocka_unit_test(answers_grants),
        cmocka_unit_test(answers_when_it_has_no_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
