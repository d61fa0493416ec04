#include "cli/device_flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/oauth_error.h"
#include "cli/output.h"
#include "cli/token_answer.h"

enum {
    CODE_MAX = 4096,
    USER_CODE_MAX = 64
};

/* The start. */

void
device_start_clear(struct device_start *s)
{
    if (s->device_code)
        mauth_wipe(s->device_code, strlen(s->device_code));
    free(s->device_code);
    free(s->user_code);
    free(s->verification_uri);
    free(s->complete_uri);
    memset(s, 0, sizeof(*s));
}

static bool
is_code(const char *s, size_t max)
{
    size_t len = strlen(s);

    for (size_t i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] > 0x7e)
            return false;
    return len > 0 && len <= max;
}

static bool
is_device_code(const char *s)
{
    return is_code(s, CODE_MAX);
}

static bool
is_user_code(const char *s)
{
    return is_code(s, USER_CODE_MAX);
}

/* A person is asked to go there, and to trust it with a password. */
static bool
is_page(const char *s)
{
    struct text t = text_of(s);

    return t.len <= OIDC_URL_MAX && text_starts(t, "https://") && str_is_uri(t) &&
           t.p[8] && t.p[8] != '/';
}

static enum mauth_rc
take(const json_t *o, const char *name, bool (*good)(const char *), char **out,
    struct mauth_err *err)
{
    const char *s = json_string_value(json_object_get(o, name));

    if (!s || !good(s))
        return mauth_fail(err, MAUTH_MALFORMED,
            "the provider's answer has no \"%s\" of its form", name);
    *out = strdup(s);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

/* A number of seconds; absent: otherwise. More than max is max. */
static enum mauth_rc
take_seconds(const json_t *o, const char *name, int64_t otherwise, int64_t max,
    int64_t *out, struct mauth_err *err)
{
    const json_t *v = json_object_get(o, name);

    *out = v ? json_integer_value(v) : otherwise;
    if (*out < 1 || (v && !json_is_integer(v)))
        return mauth_fail(err, MAUTH_MALFORMED,
            "the provider's answer has no \"%s\" that is a number of seconds", name);
    if (*out > max)
        *out = max;
    return MAUTH_OK;
}

static enum mauth_rc
read_start(
    long status, const json_t *o, struct device_start *out, struct mauth_err *err)
{
    enum mauth_rc rc =
        oauth_error_check(status, o, "the provider's device endpoint", err);

    if (rc == MAUTH_OK)
        rc = take(o, "device_code", is_device_code, &out->device_code, err);
    if (rc == MAUTH_OK)
        rc = take(o, "user_code", is_user_code, &out->user_code, err);
    if (rc == MAUTH_OK)
        rc = take(o, "verification_uri", is_page, &out->verification_uri, err);
    if (rc == MAUTH_OK && json_object_get(o, "verification_uri_complete"))
        rc = take(o, "verification_uri_complete", is_page, &out->complete_uri, err);
    if (rc == MAUTH_OK)
        rc = take_seconds(
            o, "expires_in", 0, DEVICE_EXPIRES_MAX_S, &out->expires_s, err);
    if (rc == MAUTH_OK)
        rc = take_seconds(o, "interval", DEVICE_INTERVAL_S, DEVICE_INTERVAL_MAX_S,
            &out->interval_s, err);
    return rc;
}

enum mauth_rc
device_start_read(
    long status, struct text json, struct device_start *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    json_t *o;

    memset(out, 0, sizeof(*out));
    if (json.len > TOKEN_ANSWER_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "the provider answered with %zu bytes", json.len);
    o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    rc = read_start(status, o, out, err);
    json_decref(o);
    if (rc)
        device_start_clear(out);
    return rc;
}

static enum mauth_rc
begin(const struct oidc_client *client, struct device_start *out, struct mauth_err *err)
{
    const struct oidc_field fields[] = {
        {"client_id", client->client_id}, {"scope", client->scope}, {NULL, NULL}};
    struct buf answer;
    long status = 0;
    enum mauth_rc rc;

    buf_init_secret(&answer);
    rc = oidc_client_post(
        client, client->at.device_endpoint, fields, &status, &answer, err);
    if (rc == MAUTH_OK)
        rc = device_start_read(status, buf_slice(&answer), out, err);
    buf_clear(&answer);
    return rc;
}

/* The person. */

static void
tell(const struct oidc_client *client, const struct device_start *s)
{
    oidc_client_say(client);
    fputs(" with any browser, on any device:\n  ", stderr);
    output_text(stderr, s->verification_uri);
    fputs("\nand enter the code\n  ", stderr);
    output_text(stderr, s->user_code);
    if (s->complete_uri) {
        fputs("\nor go to where it is entered already:\n  ", stderr);
        output_text(stderr, s->complete_uri);
    }
    fputc('\n', stderr);
}

/* Asking. */

enum device_step
device_step_of(struct text json)
{
    json_t *o = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    struct oauth_error e = oauth_error_of(o);
    enum device_step step = DEVICE_DONE;

    if (e.code && strcmp(e.code, "authorization_pending") == 0)
        step = DEVICE_AGAIN;
    else if (e.code && strcmp(e.code, "slow_down") == 0)
        step = DEVICE_SLOWER;
    json_decref(o);
    return step;
}

static void
sleep_s(int64_t seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};

    while (nanosleep(&left, &left) != 0)
        ;
}

/* One question; *again when it has to be asked once more, *interval_s later. */
static enum mauth_rc
poll_once(const struct oidc_client *client, const struct device_start *s,
    int64_t *interval_s, bool *again, struct buf *id_token, struct mauth_err *err)
{
    const struct token_want want = {client->issuer, client->client_id, NULL};
    const struct oidc_field fields[] = {
        {"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
        {"device_code", s->device_code},
        {"client_id", client->client_id},
        {NULL, NULL},
    };
    enum device_step step = DEVICE_DONE;
    struct text text;
    struct buf answer;
    long status = 0;
    enum mauth_rc rc;

    buf_init_secret(&answer);
    rc = oidc_client_post(
        client, client->at.token_endpoint, fields, &status, &answer, err);
    text = buf_slice(&answer);
    if (rc == MAUTH_OK)
        step = device_step_of(text);
    if (rc == MAUTH_OK && step == DEVICE_DONE)
        rc = token_answer_read(status, text, &want, id_token, err);
    buf_clear(&answer);
    /* No answer at all: later, and then later still (3.5). */
    *again = step != DEVICE_DONE || rc == MAUTH_UNAVAILABLE;
    if (rc == MAUTH_UNAVAILABLE)
        *interval_s *= 2;
    else if (step == DEVICE_SLOWER)
        *interval_s += DEVICE_INTERVAL_S;
    if (*interval_s > DEVICE_INTERVAL_MAX_S)
        *interval_s = DEVICE_INTERVAL_MAX_S;
    return rc;
}

static enum mauth_rc
ask(const struct oidc_client *client, const struct device_start *s,
    struct buf *id_token, struct mauth_err *err)
{
    int64_t limit_s =
        s->expires_s < client->timeout_s ? s->expires_s : client->timeout_s;
    int64_t until_ms = time_monotonic_ms() + limit_s * 1000;
    int64_t interval_s = s->interval_s;
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc = MAUTH_OK;
    bool again = true;

    while (again && time_monotonic_ms() + interval_s * 1000 < until_ms) {
        sleep_s(interval_s);
        mauth_err_reset(&why);
        rc = poll_once(client, s, &interval_s, &again, id_token, &why);
    }
    if (rc)
        return mauth_fail(err, rc, "%s", why.text);
    if (again)
        return mauth_fail(err, MAUTH_EXPIRED,
            "nobody has logged in at the provider with that code in time");
    return MAUTH_OK;
}

enum mauth_rc
device_flow_run(
    const struct oidc_client *client, struct buf *id_token, struct mauth_err *err)
{
    struct device_start s = {.device_code = NULL};
    enum mauth_rc rc;

    if (!client->at.device_endpoint)
        return mauth_fail(err, MAUTH_DENIED,
            "the provider %s has no device flow; log in where there is a browser",
            client->name);
    rc = begin(client, &s, err);
    if (rc == MAUTH_OK) {
        tell(client, &s);
        rc = ask(client, &s, id_token, err);
    }
    device_start_clear(&s);
    return rc;
}
