/* meshauth login */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/account.h"
#include "cli/assertion_file.h"
#include "cli/command.h"
#include "cli/grant.h"
#include "cli/mesh.h"
#include "cli/output.h"
#include "cli/service_url.h"
#include "cli/session_close.h"
#include "cli/sign_in.h"
#include "net/fetch.h"
#include "store/graph_label.h"

enum {
    TOKEN_MAX = 16384,
    CA_MAX = 1 << 20,
    REFUSAL_TEXT = 512
};

enum {
    OPT_CA,
    OPT_PROVIDER,
    OPT_PROVIDER_CA,
    OPT_DEVICE,
    OPT_TIMEOUT,
    OPT_ID_TOKEN,
    OPT_ASSERTION,
    OPT_CLAIM
};

static const struct command_option options[] = {
    [OPT_CA] = {"ca", 0, "FILE", "the service's certificate authorities; remembered"},
    [OPT_PROVIDER] = {"provider", 0, "NAME", "where to log in, if there are several"},
    [OPT_PROVIDER_CA] = {"provider-ca", 0, "FILE", "that provider's authorities"},
    [OPT_DEVICE] = {"device", 0, NULL, "by a code, with a browser anywhere else"},
    [OPT_TIMEOUT] = {"timeout", 0, "SECONDS", "to wait for the person (300)"},
    [OPT_ID_TOKEN] = {"id-token", 0, "FILE|-", "an ID token that is there already"},
    [OPT_ASSERTION] = {"assertion", 0, "FILE|-", "an assertion of a SAML provider"},
    [OPT_CLAIM] = {"claim", 0, "NAME", "make this device yours, under this name"},
    {NULL, 0, NULL, NULL},
};

/* Nothing of a login is undone by a claim that fails. */
static const struct mesh_hint claim_hints[] = {
    {"claimed",
        "You are logged in; who has claimed it releases it with `meshauth device "
        "release`."},
    {NULL, NULL},
};

/* The ID token. */

static bool
is_compact_jws(struct text t)
{
    size_t dots = 0;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.p[i];

        if (c == '.')
            dots++;
        else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return dots == 2;
}

/* One newline at its end is ignored. */
static enum mauth_rc
read_token(const char *path, struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc = file_read(path, TOKEN_MAX, out, err);
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;

    if (rc)
        return rc;
    if (out->len && out->data[out->len - 1] == '\n')
        out->len--;
    if (!is_compact_jws(buf_slice(out)))
        return mauth_fail(err, MAUTH_MALFORMED,
            "%s: not an ID token, which is three parts of base64url joined by dots",
            name);
    return MAUTH_OK;
}

/* That it is PEM; whom it vouches for the TLS handshake tells. */
static enum mauth_rc
read_ca(const char *path, struct buf *out, struct mauth_err *err)
{
    static const char begin[] = "-----BEGIN ";
    enum mauth_rc rc = file_read(path, CA_MAX, out, err);

    if (rc == MAUTH_OK && !memmem(out->data, out->len, begin, sizeof(begin) - 1))
        rc = mauth_fail(err, MAUTH_MALFORMED, "%s: not a certificate in PEM", path);
    return rc;
}

static void
put_field(struct buf *out, const char *name, struct text value)
{
    buf_printf(out, "%s%s=", out->len ? "&" : "", name);
    fetch_form_escape(out, value.p, value.len);
}

/* RFC 8693 2.1. */
static void
write_request(struct buf *out, const char *type, const struct buf *token)
{
    const struct {
        const char *name, *value;
    } fixed[] = {
        {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"requested_token_type", "urn:ietf:params:oauth:token-type:saml2"},
        {"subject_token_type", type},
    };

    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        put_field(out, fixed[i].name, text_of(fixed[i].value));
    put_field(out, "subject_token", buf_slice(token));
}

/* One exchange. */

struct login {
    struct service_url url;
    int64_t timeout_s;
    struct account *account;
    struct buf pem;    /* secret: the device's key, if it is a new one */
    const char *type;  /* of the token, as RFC 8693 has it */
    struct buf token;  /* secret */
    struct buf ca;     /* the file that --ca names */
    struct buf answer; /* secret */
    long status;
};

static void
login_init(struct login *l)
{
    memset(l, 0, sizeof(*l));
    buf_init_secret(&l->pem);
    buf_init_secret(&l->token);
    buf_init(&l->ca);
    buf_init_secret(&l->answer);
}

static void
login_clear(struct login *l)
{
    buf_clear(&l->answer);
    buf_clear(&l->ca);
    buf_clear(&l->token);
    buf_clear(&l->pem);
    account_free(l->account);
}

static enum mauth_rc
post(struct login *l, struct fetch *f, struct mauth_err *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    struct fetch_request r = {
        .method = "POST",
        .content_type = "application/x-www-form-urlencoded",
        .headers = headers,
    };
    struct buf url, body;
    enum mauth_rc rc;

    buf_init(&url);
    buf_init_secret(&body);
    buf_printf(&url, "%s/v1/token", l->url.text);
    r.url = buf_cstr(&url);
    write_request(&body, l->type, &l->token);
    r.body = buf_slice(&body);
    if (r.url && buf_ok(&body))
        rc = fetch_do(f, &r, &l->status, &l->answer, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&body);
    buf_clear(&url);
    return rc;
}

static enum mauth_rc
open_fetch(const struct login *l, const char *ca_file, struct fetch **out,
    struct mauth_err *err)
{
    struct fetch_options o = {
        .ca_file = ca_file ? ca_file : account_ca_file(l->account),
        .cert_file = account_certificate_file(l->account),
        .key_file = account_key_file(l->account),
        .max_bytes = GRANT_MAX,
    };
    enum mauth_rc rc = net_init(err);

    return rc ? rc : fetch_open(&o, out, err);
}

static enum mauth_rc
exchange(struct login *l, const char *ca_file, struct mauth_err *err)
{
    struct fetch *f = NULL;
    enum mauth_rc rc = open_fetch(l, ca_file, &f, err);

    if (rc == MAUTH_OK)
        rc = post(l, f, err);
    fetch_close(f);
    return rc;
}

/* Outcomes. */

/* The service's own words (RFC 6749 5.2), escaped when they are printed. */
static enum command_exit
say_refusal(const struct call *call, const struct login *l)
{
    json_t *o = json_loadb(
        (const char *)l->answer.data, l->answer.len, JSON_REJECT_DUPLICATES, NULL);
    const char *error = json_string_value(json_object_get(o, "error"));
    const char *text = json_string_value(json_object_get(o, "error_description"));
    const char *request = json_string_value(json_object_get(o, "request_id"));

    if (error)
        command_complain(call, "%s refused: %.*s (%.64s%s%.64s)", l->url.text,
            REFUSAL_TEXT, text ? text : "it does not say why", error,
            request ? ", request " : "", request ? request : "");
    else
        command_complain(call,
            "%s answered with status %ld and no reason; is this an "
            "account service?",
            l->url.text, l->status);
    json_decref(o);
    return l->status >= 500 || l->status == 429 ? COMMAND_FAILED : COMMAND_REFUSED;
}

static bool
print_json(const struct login *l, json_t *device, int64_t now_s)
{
    json_t *o = grant_json_public(account_grant(l->account), now_s);

    if (json_object_set_new(o, "url", json_string(l->url.text)) == 0 &&
        json_object_set_new(
            o, "device_key", json_string(mauth_key_id(account_key(l->account)))) == 0 &&
        (!device || json_object_set(o, "device", device) == 0))
        return output_json(o);
    json_decref(o);
    return false;
}

static bool
print_success(const struct login *l, int64_t now_s)
{
    const struct grant *g = account_grant(l->account);
    const struct mauth_ticket *who = grant_ticket(g, 0);

    output_line(STYLE_GOOD, "Logged in",
        " at %s as %s, with the key %s of this device.", l->url.text,
        mauth_ticket_subject(who), mauth_key_id(account_key(l->account)));
    if (grant_mesh(g))
        output_line(STYLE_PLAIN, "Your mesh", ": %s", grant_mesh(g));
    return grant_print(g, now_s);
}

/* The proven key becomes a device of the user; *out is its node. */
static enum command_exit
claim(const struct call *call, const struct login *l, json_t **out)
{
    json_t *body = json_pack("{s:s}", "name", call->option[OPT_CLAIM]);
    const struct mesh_request r = {.method = "POST", .url = "devices", .body = body};
    struct mesh *m = NULL;
    enum command_exit code = mesh_open(call, &l->url, claim_hints, &m);

    if (code == COMMAND_DONE)
        code = mesh_ask(m, &r, out);
    mesh_close(m);
    json_decref(body);
    return code;
}

/* What is done is told first, then what failed. */
static enum command_exit
tell(const struct call *call, const struct login *l)
{
    enum command_exit code = COMMAND_DONE;
    int64_t now_s = time_now_s();
    json_t *device = NULL;
    bool told = call->json || print_success(l, now_s);

    if (call->option[OPT_CLAIM])
        code = claim(call, l, &device);
    if (call->json)
        told = print_json(l, device, now_s);
    else if (device)
        output_line(STYLE_GOOD, "Claimed", ": this device is %s, %s.",
            mesh_text(device, "name"), mesh_text(device, "id"));
    json_decref(device);
    if (told)
        return code;
    command_complain(call, "logged in, but there is no memory to tell of it");
    return COMMAND_FAILED;
}

/*
 * The login that this one takes the place of: nobody here could end it any more. What
 * fails is told, and undoes nothing.
 */
static void
close_replaced(const struct call *call, const struct login *l, const struct account *a)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct fetch *f = NULL;
    struct buf answer;
    long status = 0;

    buf_init(&answer);
    if (open_fetch(l, NULL, &f, &err) != MAUTH_OK ||
        session_close(f, a, &status, &answer, &err) != MAUTH_OK || status != 200)
        command_complain(call,
            "the session of the login before this one, %s, stays open until its end: "
            "%s",
            mauth_ticket_session(grant_ticket(account_grant(a), 0)),
            err.rc ? err.text : "the service does not close it");
    fetch_close(f);
    buf_clear(&answer);
}

static enum command_exit
finish(const struct call *call, struct login *l)
{
    const struct grant_owner owner = {l->url.text, account_key(l->account)};
    struct text answer = buf_slice(&l->answer);
    struct text ca = buf_slice(&l->ca);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct account *before = NULL;
    struct grant *grant = NULL;

    if (l->status != 200)
        return say_refusal(call, l);
    if (grant_from_answer(answer, &owner, &grant, &err) != MAUTH_OK) {
        command_complain(
            call, "the answer of %s is not as it must be: %s", l->url.text, err.text);
        return COMMAND_FAILED;
    }
    if (account_load(&l->url, &before, NULL) != MAUTH_OK)
        before = NULL; /* nobody has logged in */
    if (account_save(l->account, grant, ca, time_now_s(), &err) != MAUTH_OK) {
        account_free(before);
        grant_free(grant);
        return command_failed(call, &err);
    }
    if (before)
        close_replaced(call, l, before);
    account_free(before);
    return tell(call, l);
}

/* Whole seconds, for a person to log in. */
static bool
read_timeout(const char *text, int64_t *out_s)
{
    uint64_t n = SIGN_IN_TIMEOUT_S;
    bool good = !text || str_number(text_of(text), &n);

    *out_s = (int64_t)n;
    return good && n > 0 && n <= SIGN_IN_TIMEOUT_MAX_S;
}

/* What only a login at the provider's own page takes. */
static const char *
option_of_pages(const struct call *call)
{
    static const size_t own[] = {
        OPT_PROVIDER, OPT_PROVIDER_CA, OPT_DEVICE, OPT_TIMEOUT};

    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (call->option[own[i]])
            return options[own[i]].name;
    return NULL;
}

static enum command_exit
check_options(const struct call *call, struct login *l)
{
    const char *name = call->option[OPT_CLAIM], *other = option_of_pages(call);
    bool is_there = call->option[OPT_ID_TOKEN] || call->option[OPT_ASSERTION];
    struct mauth_err err = MAUTH_ERR_INIT;

    if (service_url_parse(call->arg[0], &l->url, &err) != MAUTH_OK)
        return command_misused(call, "URL: %s", err.text);
    if (name && !graph_label_ok(text_of(name))) /* before the token is used up */
        return command_misused(call,
            "--claim: a name is 1 to %d bytes of text without control characters",
            GRAPH_LABEL_MAX);
    if (call->option[OPT_ID_TOKEN] && call->option[OPT_ASSERTION])
        return command_misused(
            call, "--id-token and --assertion: only one of them can be traded");
    if (is_there && other)
        return command_misused(call, "--%s goes without --%s", other,
            call->option[OPT_ID_TOKEN] ? "id-token" : "assertion");
    if (!read_timeout(call->option[OPT_TIMEOUT], &l->timeout_s))
        return command_misused(
            call, "--timeout: 1 to %d seconds", SIGN_IN_TIMEOUT_MAX_S);
    return COMMAND_DONE;
}

/* By way of a person. Nothing is kept on this device until that is done. */
static enum command_exit
sign_in(const struct call *call, struct login *l)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_key *key = NULL;
    char *kept = NULL;
    enum command_exit code;

    if (account_find_ca(&l->url, &kept, &err) != MAUTH_OK ||
        account_prepare_key(&l->url, &l->pem, &key, &err) != MAUTH_OK) {
        code = command_failed(call, &err);
    } else {
        const struct sign_in s = {
            .service = &l->url,
            .ca_file = call->option[OPT_CA] ? call->option[OPT_CA] : kept,
            .provider = call->option[OPT_PROVIDER],
            .provider_ca_file = call->option[OPT_PROVIDER_CA],
            .key = key,
            .device = call->option[OPT_DEVICE] != NULL,
            .timeout_s = l->timeout_s,
        };

        code = sign_in_run(call, &s, &l->token);
    }
    mauth_key_free(key);
    free(kept);
    return code;
}

/* What a provider signed into l->token, and the authorities' file into l->ca. */
static enum command_exit
gather(const struct call *call, struct login *l)
{
    const char *token = call->option[OPT_ID_TOKEN], *ca = call->option[OPT_CA];
    const char *assertion = call->option[OPT_ASSERTION];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = ca ? read_ca(ca, &l->ca, &err) : MAUTH_OK;

    l->type = assertion ? "urn:ietf:params:oauth:token-type:saml2"
                        : "urn:ietf:params:oauth:token-type:id_token";
    if (rc == MAUTH_OK && token)
        rc = read_token(token, &l->token, &err);
    if (rc == MAUTH_OK && assertion)
        rc = assertion_file_read(assertion, &l->token, &err);
    if (rc != MAUTH_OK)
        return command_failed(call, &err);
    return token || assertion ? COMMAND_DONE : sign_in(call, l);
}

static enum command_exit
trade(const struct call *call, struct login *l)
{
    const char *ca = call->option[OPT_CA];
    struct mauth_err err = MAUTH_ERR_INIT;

    if (account_open_with(&l->url, buf_slice(&l->pem), &l->account, &err) != MAUTH_OK)
        return command_failed(call, &err);
    if (exchange(l, ca, &err) == MAUTH_OK)
        return finish(call, l);
    return sign_in_say_silence(call, ca ? ca : account_ca_file(l->account), &err);
}

static enum command_exit
run(const struct call *call)
{
    enum command_exit code;
    struct login l;

    login_init(&l);
    code = check_options(call, &l);
    if (code == COMMAND_DONE)
        code = gather(call, &l);
    if (code == COMMAND_DONE)
        code = trade(call, &l);
    login_clear(&l);
    return code;
}

const struct command login_command = {
    .noun = "login",
    .synopsis = "URL [--provider NAME] [--device] [--claim NAME] [...]",
    .summary = "log in with an identity provider; get tickets",
    .about =
        "Logs this device in at the account service URL. Opens the identity provider "
        "in\n"
        "a browser; with --device, and where there is no browser, shows a code for a\n"
        "browser elsewhere. With --id-token, and with --assertion of a SAML provider,\n"
        "nobody is asked.\n"
        "\n"
        "The device's key (made at the first login) is proved by TLS, and the tickets\n"
        "that come back are bound to it. They are kept in $MESHAUTH_HOME, else in\n"
        "$XDG_DATA_HOME/meshauth, else in ~/.local/share/meshauth. With --claim the\n"
        "device becomes one of yours, so that folders can be mapped on it.",
    .example =
        "  meshauth login https://auth.example.org --claim laptop\n"
        "  meshauth login https://127.0.0.1:8443 --ca tls.crt --id-token id-token",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
