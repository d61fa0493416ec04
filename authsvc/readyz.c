#include "authsvc/readyz.h"

#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/key_warnings.h"

/* Without a trust file that is good now nobody believes what we sign. */
static bool
is_trusted(const struct service *s, int64_t now_s)
{
    struct shared_ref *ref = NULL;
    bool good = own_trust_take(s->trust, &ref, NULL) == MAUTH_OK &&
                now_s < mauth_trust_expires_s(own_trust_of(ref));

    shared_drop(ref);
    return good;
}

/* Without a key for identity tickets nobody logs in. */
static bool
signs(const struct keystore *keys, const char *issuer)
{
    const struct text audience = text_of(issuer);
    const struct keystore_signer *s = keystore_signer(keys, &audience, 1);

    return s && signer_ready(s->signer, NULL) == MAUTH_OK;
}

void
readyz_start(struct http_exchange *x)
{
    const struct service *s = http_context(x);
    int64_t now_s = time_now_s();
    struct shared_ref *keys = own_keys_take(s->keys);
    bool ready =
        is_trusted(s, now_s) && signs(own_keys_of(keys), s->config->issuer.url);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf json;

    buf_init(&json);
    buf_printf(
        &json, "{\"status\":\"%s\",\"warnings\":", ready ? "ready" : "not-ready");
    if (key_warnings_json(own_keys_of(keys), now_s, &json, &err) == MAUTH_OK)
        buf_str(&json, "}\n");
    if (!err.rc && buf_ok(&json))
        http_answer(x, ready ? 200 : 503, "application/json",
            (struct text){(const char *)json.data, json.len}, NULL);
    else
        problem_answer(x, "unavailable", NULL, NULL);
    buf_clear(&json);
    shared_drop(keys);
}
