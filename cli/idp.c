/* meshauth idp mint */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "config/config.h"
#include "jose/jws.h"

enum {
    PEM_MAX = 65536,
    LIFE_S = 600,
    SUBJECT_MAX = 255, /* OpenID Connect Core 2 */
    JTI_BYTES = 16
};

enum {
    OPT_CONFIG
};

static const struct command_option options[] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", "meshauth.conf of a demo (required)"},
    {NULL, 0, NULL, NULL},
};

static const struct config_provider *
find_demo(const struct config *c)
{
    for (size_t i = 0; i < c->providers; i++)
        if (c->provider[i].demo)
            return &c->provider[i];
    return NULL;
}

static json_t *
make_claims(const struct config_provider *p, const char *name, int64_t now_s)
{
    json_int_t iat = now_s, exp = now_s + LIFE_S;
    uint8_t raw[JTI_BYTES];
    char jti[2 * JTI_BYTES + 1];

    if (mauth_random(raw, sizeof(raw), NULL) != MAUTH_OK)
        return NULL;
    str_hex(raw, sizeof(raw), jti);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "iss", p->issuer, "sub", name,
        "aud", p->client_id[0], "iat", iat, "exp", exp, "jti", jti);
}

/* idp.key lies beside the configuration. */
static enum mauth_rc
read_idp_key(const struct config *c, struct buf *out, struct mauth_err *err)
{
    char *path = file_join(c->dir, "idp.key");
    enum mauth_rc rc;

    if (path)
        rc = file_read_secret(path, PEM_MAX, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    free(path);
    return rc;
}

static enum mauth_rc
mint(const struct config *c, const char *name, char **out, struct mauth_err *err)
{
    const struct config_provider *p = find_demo(c);
    json_t *claims = NULL;
    enum mauth_rc rc;
    const char *pem;
    struct buf key;

    if (!p)
        return mauth_fail(err, MAUTH_NOT_FOUND,
            "%s names no provider with demo = true; only such a one is minted for",
            c->path);
    buf_init_secret(&key);
    rc = read_idp_key(c, &key, err);
    if (rc)
        goto out;
    pem = buf_cstr(&key);
    claims = make_claims(p, name, time_now_s());
    if (pem && claims)
        rc = jws_sign(claims, pem, "demo", out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
out:
    json_decref(claims);
    buf_clear(&key);
    return rc;
}

/* 1 to 255 printable ASCII characters: what a service takes as "sub". */
static bool
is_subject(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (name[i] < 0x21 || name[i] > 0x7e)
            return false;
    return len >= 1 && len <= SUBJECT_MAX;
}

static enum command_exit
run(const struct call *call)
{
    const char *file = call->option[OPT_CONFIG], *name = call->arg[0];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *config = NULL;
    char *token = NULL;
    enum command_exit code = COMMAND_DONE;

    if (!file)
        return command_misused(call, "-c FILE is missing: the meshauth.conf of a demo");
    if (!is_subject(name))
        return command_misused(
            call, "NAME must be 1 to %d printable ASCII characters", SUBJECT_MAX);
    if (config_load(file, &config, &err) != MAUTH_OK)
        return command_misconfigured(call, &err);
    if (mint(config, name, &token, &err) != MAUTH_OK)
        code = command_failed(call, &err);
    else if (!call->json)
        printf("%s%s", token, isatty(STDOUT_FILENO) ? "\n" : "");
    else if (!output_json(
                 json_pack("{s:s, s:i}", "id_token", token, "expires_in", LIFE_S)))
        code = COMMAND_FAILED;
    free(token);
    config_free(config);
    return code;
}

const struct command idp_mint_command = {
    .noun = "idp",
    .verb = "mint",
    .synopsis = "NAME -c FILE [--json]",
    .summary = "sign an ID token for any name (demo only)",
    .about =
        "Acts as the identity provider of `meshauth init --demo`: prints an ID\n"
        "token for NAME, good for ten minutes, signed with idp.key beside the\n"
        "configuration. A file or a pipe gets no newline behind it, just as curl's\n"
        "name@FILE wants it.",
    .example = "  meshauth idp mint alice -c /tmp/mesh/meshauth.conf > id-token",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
