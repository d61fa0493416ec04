#include "authsvc/readyz.h"

#include "authsvc/auditing.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "authsvc/trouble.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/key_warnings.h"
#include "store/reported.h"

enum {
    ALARM_S = 86400
};

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
signs(const struct keystore *keys, const char *issuer, int64_t now_s)
{
    const struct text audience = text_of(issuer);
    const struct keystore_signer *s = keystore_signer(keys, &audience, 1);

    return s && s->from_s <= now_s && now_s < s->until_s &&
           signer_ready(s->signer, NULL) == MAUTH_OK;
}

/* Why it is not ready, a sentence each; nothing when it is. */
static void
look_for_problems(const struct service *s, const struct keystore *keys, int64_t now_s,
    struct buf *out)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!is_trusted(s, now_s))
        buf_str(out, "There is no trust file that is good now.\n");
    if (!signs(keys, s->config->issuer.url, now_s))
        buf_str(out, "No key signs identity tickets: see 'meshauth keys list'.\n");
    if (kv_check(s->kv, &err) != MAUTH_OK)
        buf_printf(out, "Nothing can be put on record: %s.\n", err.text);
}

/* What services have accepted that was not issued here, in the last day. */

static bool
add_alarm(const struct reported *r, void *arg)
{
    char who[ID_LEN + 1], when[TIME_LEN + 1];
    struct buf *out = arg;

    id_format(ID_SERVICE, &r->service, who);
    time_format(r->last_s, when);
    buf_printf(out,
        "The service %s accepts tickets that were not issued here, at %s the last "
        "time: "
        "somebody else has a signing key, or the service is not to be trusted "
        "(`meshauth audit query --action alarm.ticket`).\n",
        who, when);
    return buf_ok(out);
}

struct alarms {
    int64_t since_s;
    struct buf *out;
};

static enum mauth_rc
read_alarms(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct alarms *a = arg;

    return reported_alarms(txn, a->since_s, add_alarm, a->out, err);
}

/* A JSON array of texts: these, and those about keys. */
static enum mauth_rc
put_warnings(const struct service *s, const struct keystore *keys, int64_t now_s,
    struct buf *out, struct mauth_err *err)
{
    struct buf lines;
    struct alarms a = {now_s - ALARM_S, &lines};
    enum mauth_rc rc;

    buf_init(&lines);
    rc = kv_read(s->kv, read_alarms, &a, err);
    if (rc == MAUTH_OK)
        rc = key_warnings_all(keys, now_s, config_handover_s(s->config), &lines, err);
    if (rc == MAUTH_OK)
        auditing_complain(s->auditing, &lines);
    if (rc == MAUTH_OK)
        troubles_complain(s->troubles, &lines);
    if (rc == MAUTH_OK)
        buf_json_lines(out, buf_slice(&lines));
    buf_clear(&lines);
    return rc;
}

void
readyz_start(struct http_exchange *x)
{
    const struct service *s = http_context(x);
    int64_t now_s = time_now_s();
    struct shared_ref *keys = own_keys_take(s->keys);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf json, problems;
    bool ready;

    buf_init(&json);
    buf_init(&problems);
    look_for_problems(s, own_keys_of(keys), now_s, &problems);
    ready = buf_ok(&problems) && !problems.len;
    buf_printf(&json, "{\"status\":\"%s\",", ready ? "ready" : "not-ready");
    if (problems.len) {
        buf_str(&json, "\"problems\":");
        buf_json_lines(&json, buf_slice(&problems));
        buf_u8(&json, ',');
    }
    buf_str(&json, "\"warnings\":");
    if (put_warnings(s, own_keys_of(keys), now_s, &json, &err) == MAUTH_OK)
        buf_str(&json, "}\n");
    if (!err.rc && buf_ok(&json))
        http_answer(x, ready ? 200 : 503, "application/json", buf_slice(&json), NULL);
    else
        problem_answer(x, "unavailable", NULL, NULL);
    buf_clear(&problems);
    buf_clear(&json);
    shared_drop(keys);
}
