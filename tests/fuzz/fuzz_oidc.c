#include "base/str.h"
#include "cli/device_flow.h"
#include "cli/login_provider.h"
#include "cli/oidc_discovery.h"
#include "cli/token_answer.h"
#include "tests/fuzz/fuzz.h"

#define ISSUER "https://login.example"

/* What is opened, asked or printed is https, and steers nothing. */
static void
check_url(const char *url)
{
    if (!url)
        return;
    MUST(text_starts(text_of(url), "https://") && strlen(url) <= OIDC_URL_MAX);
    for (; *url; url++)
        MUST(*url > 0x20 && *url < 0x7f && *url != '"');
}

static void
check_discovery(struct text json)
{
    struct oidc_discovery d;

    if (oidc_discovery_read(json, ISSUER, &d, NULL) == MAUTH_OK)
        MUST(d.token_endpoint);
    check_url(d.token_endpoint);
    check_url(d.authorization_endpoint);
    check_url(d.device_endpoint);
    oidc_discovery_clear(&d);
}

static void
check_start(struct text json)
{
    struct device_start s;

    if (device_start_read(200, json, &s, NULL) == MAUTH_OK) {
        MUST(s.device_code && s.user_code && s.verification_uri);
        MUST(s.interval_s >= 1 && s.interval_s <= DEVICE_INTERVAL_MAX_S);
        MUST(s.expires_s >= 1 && s.expires_s <= DEVICE_EXPIRES_MAX_S);
    }
    check_url(s.verification_uri);
    check_url(s.complete_uri);
    for (const char *p = s.user_code; p && *p; p++)
        MUST(*p >= 0x20 && *p < 0x7f);
    device_start_clear(&s);
}

static void
check_providers(struct text json)
{
    struct login_providers *p = NULL;

    if (login_providers_read(json, ISSUER, &p, NULL) != MAUTH_OK) {
        MUST(!p);
        return;
    }
    for (size_t i = 0; i < p->count; i++) {
        MUST(str_is_name(text_of(p->at[i].name)));
        if (!login_provider_is_oidc(&p->at[i]))
            continue;
        check_url(p->at[i].issuer);
        MUST(p->at[i].client_id && strstr(p->at[i].scope, "openid"));
    }
    login_providers_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct token_want want = {ISSUER, "app", "N"};
    struct text json = {(const char *)data, size};
    struct buf token;

    check_discovery(json);
    check_start(json);
    check_providers(json);
    (void)device_step_of(json);
    buf_init_secret(&token);
    if (token_answer_read(200, json, &want, &token, NULL) == MAUTH_OK)
        MUST(token.len > 4);
    else
        MUST(token.len == 0);
    buf_clear(&token);
    return 0;
}
