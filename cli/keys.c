/* meshauth keys prepare, activate, revoke: the life of a signing key. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/keys_ready.h"
#include "cli/output.h"
#include "cli/when.h"

enum {
    OPT_CONFIG, /* of each of these */
    OPT_FORCE,
    OPT_WAIT,
    OPT_TIMEOUT,
    OPT_ALGORITHM = OPT_FORCE,
    OPT_AUDIENCE,
    OPT_FROM,
    OPT_UNTIL,
    OPT_PKCS11,
    TIMEOUT_S = 600,
    NAMED_MAX = 128 /* bytes of an audience that is a service's name */
};

#define SERVICE "urn:meshauth:service:" /* what an audience is, before its name */

#define CONFIG                                                           \
    {                                                                    \
        "config", 'c', "FILE", "meshauth.conf of the service (required)" \
    }

static const struct command_option prepare_options[] = {
    [OPT_CONFIG] = CONFIG,
    [OPT_ALGORITHM] = {"algorithm", 0, "ALG", "P-256 (default), RSA-2048 or RSA-3072"},
    [OPT_AUDIENCE] = {"audience", 0, "A[,A...]",
        "only for tickets to these services (default all)"},
    [OPT_FROM] = {"from", 0, "T", "when its time begins: a time, or 7d (default now)"},
    [OPT_UNTIL] = {"until", 0, "T", "when it ends: a time, or 90d (default a year)"},
    [OPT_PKCS11] = {"pkcs11", 0, "URI", "take the key that lies in this token already"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option activate_options[] = {
    [OPT_CONFIG] = CONFIG,
    [OPT_FORCE] = {"force", 0, NULL, "even when a service has not loaded it yet"},
    [OPT_WAIT] = {"wait", 0, NULL, "until every service has loaded it"},
    [OPT_TIMEOUT] = {"timeout", 0, "SPAN", "wait no longer than this (default 10m)"},
    {NULL, 0, NULL, NULL},
};

static const struct command_option revoke_options[] = {
    [OPT_CONFIG] = CONFIG,
    {NULL, 0, NULL, NULL},
};

/* Services by their names, anything else as it is. */
static enum mauth_rc
take_audiences(struct admin_key *k, const char *list, struct mauth_err *err)
{
    struct text audience[TRUST_AUDIENCES_MAX + 1]; /* one more than there may be */
    char urn[TRUST_AUDIENCES_MAX + 1][NAMED_MAX];
    struct text rest = text_of(list), one;
    size_t count = 0;
    bool more;

    do {
        more = text_cut(&rest, ',', &one);
        if (!more)
            one = rest;
        if (str_is_name(one)) {
            snprintf(
                urn[count], sizeof(urn[count]), SERVICE "%.*s", (int)one.len, one.p);
            one = text_of(urn[count]);
        }
        audience[count++] = one;
    } while (more && count < sizeof(audience) / sizeof(*audience));
    return admin_key_set_audiences(k, audience, count, err);
}

/* 0 would say: none given. */
static bool
take_time(const char *text, int64_t *out_s)
{
    return !text || (when_read(text, time_now_s(), WHEN_AHEAD, out_s) && *out_s != 0);
}

/* Is it a URI that could be taken? */
static bool
take_token(struct admin_key *k, const char *uri, struct mauth_err *err)
{
    struct pkcs11_uri where;

    if (pkcs11_uri_parse(text_of(uri), &where, err) != MAUTH_OK)
        return false;
    snprintf(k->token, sizeof(k->token), "%s", uri);
    return true;
}

static enum command_exit
read_wish(const struct call *call, struct admin_key *k)
{
    const char *algorithm = call->option[OPT_ALGORITHM];
    const char *audience = call->option[OPT_AUDIENCE];
    const char *token = call->option[OPT_PKCS11];
    struct mauth_err err = MAUTH_ERR_INIT;

    if (algorithm && !signer_kind_parse(text_of(algorithm), &k->kind))
        return command_misused(call, "--algorithm is P-256, RSA-2048 or RSA-3072");
    if (token && (algorithm || !take_token(k, token, &err)))
        return command_misused(call, "--pkcs11: %s",
            algorithm ? "the key has the algorithm that it has" : err.text);
    if (!take_time(call->option[OPT_FROM], &k->from_s) ||
        !take_time(call->option[OPT_UNTIL], &k->until_s))
        return command_misused(call,
            "--from and --until take a time like 2026-11-22T10:00:00Z, or a span from "
            "now like 90d");
    if (audience && take_audiences(k, audience, &err) != MAUTH_OK)
        return command_misused(call, "--audience: %s", err.text);
    return COMMAND_DONE;
}

static bool
print_key(const json_t *node)
{
    static const char *const rows[] = {"state", "algorithm", "from", "until", "pkcs11"};
    const json_t *audiences = json_object_get(node, "audiences");
    struct table *t;

    output_line(STYLE_BOLD, admin_text(node, "id"), ", a signing key");
    t = table_new(2, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!json_object_get(node, rows[i]))
            continue;
        table_cell(t, STYLE_DIM, "%s", rows[i]);
        table_cell(t, STYLE_PLAIN, "%s", admin_text(node, rows[i]));
    }
    for (size_t i = 0; i < json_array_size(audiences); i++) {
        table_cell(t, STYLE_DIM, i ? "" : "audiences");
        table_cell(
            t, STYLE_PLAIN, "%s", json_string_value(json_array_get(audiences, i)));
    }
    return table_end(t);
}

static bool
is_among(const json_t *services, const char *audience)
{
    for (size_t i = 0; i < json_array_size(services); i++)
        if (strcmp(admin_text(json_array_get(services, i), "audience"), audience) == 0)
            return true;
    return false;
}

/* A service may be registered later: so the key is made, and this remarked on. */
static void
remark(const struct call *call, const struct admin *admin, const json_t *node)
{
    const json_t *audiences = json_object_get(node, "audiences");
    json_t *services = NULL;

    if (!audiences ||
        admin_list(admin, ADMIN_SERVICES, NULL, &services, NULL) != MAUTH_OK)
        return;
    for (size_t i = 0; i < json_array_size(audiences); i++) {
        const char *urn = json_string_value(json_array_get(audiences, i));

        if (strncmp(urn, SERVICE, sizeof(SERVICE) - 1) == 0 && !is_among(services, urn))
            command_complain(call,
                "made, but no service '%s' is registered: no ticket is for it yet",
                urn + sizeof(SERVICE) - 1);
    }
    json_decref(services);
}

static enum command_exit
prepare(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_KEY_PREPARE};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = read_wish(call, &change.key);

    if (code == COMMAND_DONE)
        code = admin_open(call, call->option[OPT_CONFIG], &admin);
    if (code == COMMAND_DONE && admin_do(&admin, &change, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE)
        code = admin_print(call, node, print_key);
    if (code == COMMAND_DONE)
        remark(call, &admin, node);
    json_decref(node);
    admin_close(&admin);
    return code;
}

static enum command_exit
activate(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_KEY_ACTIVATE, .whom = call->arg[0]};
    enum command_exit code = COMMAND_DONE;
    int64_t timeout_s = TIMEOUT_S;

    change.key.force = call->option[OPT_FORCE];
    if (call->option[OPT_WAIT] && change.key.force)
        return command_misused(call, "either --wait or --force");
    if (call->option[OPT_TIMEOUT] &&
        (!call->option[OPT_WAIT] || !when_span(call->option[OPT_TIMEOUT], &timeout_s)))
        return command_misused(call, "--timeout takes a span like 90s, with --wait");
    if (call->option[OPT_WAIT])
        code = keys_ready_wait(call, call->option[OPT_CONFIG], call->arg[0], timeout_s);
    if (code != COMMAND_DONE)
        return code;
    return admin_run(call, &change, "signs from now on", call->arg[0]);
}

/* Is there one that signs for the same audiences, or for all? If in doubt, yes. */
static bool
is_followed(const struct admin *admin, const json_t *node)
{
    const json_t *audiences = json_object_get(node, "audiences"), *other, *bound;
    json_t *items = NULL;
    bool found = false;

    if (admin_list(admin, ADMIN_KEYS, NULL, &items, NULL) != MAUTH_OK)
        return true;
    for (size_t i = 0; i < json_array_size(items) && !found; i++) {
        other = json_array_get(items, i);
        bound = json_object_get(other, "audiences");
        found = strcmp(admin_text(other, "state"), "active") == 0 &&
                (!bound || (audiences && json_equal(bound, audiences)));
    }
    json_decref(items);
    return found;
}

static enum command_exit
revoke_it(const struct call *call)
{
    struct admin_change change = {.op = ADMIN_KEY_REVOKE, .whom = call->arg[0]};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *node = NULL;
    enum command_exit code = admin_open(call, call->option[OPT_CONFIG], &admin);

    if (code == COMMAND_DONE && admin_do(&admin, &change, &node, &err) != MAUTH_OK)
        code = admin_failed(call, &err);
    else if (code == COMMAND_DONE && call->json)
        (void)output_json(json_incref(node));
    else if (code == COMMAND_DONE)
        output_line(STYLE_PLAIN, call->arg[0], ": revoked");
    if (code == COMMAND_DONE && !is_followed(&admin, node))
        command_complain(call, "no key signs for these audiences now: make one active "
                               "(`meshauth keys list`)");
    json_decref(node);
    admin_close(&admin);
    return code;
}

const struct command keys_prepare_command = {
    .noun = "keys",
    .verb = "prepare",
    .synopsis = "-c FILE [--algorithm ALG] [--audience A[,A...]]\n"
                "           [--from T] [--until T] [--pkcs11 URI] [--json]",
    .summary = "make a signing key, which does not sign yet",
    .about =
        "Makes a key and puts it into the trust file, so that services know it before "
        "it\n"
        "signs. With --audience it will sign the tickets for these services only, and "
        "no\n"
        "service takes another one from it. Its time is fixed: tickets lie within it.\n"
        "With --pkcs11 the key is not made but taken from a token, and stays there.",
    .example = "  meshauth keys prepare -c /srv/mesh/meshauth.conf\n"
               "  meshauth keys prepare -c /srv/mesh/meshauth.conf \\\n"
               "      --algorithm RSA-3072 --audience relay --until 90d",
    .options = prepare_options,
    .run = prepare,
};

const struct command keys_activate_command = {
    .noun = "keys",
    .verb = "activate",
    .synopsis = "KEY -c FILE [--force | --wait [--timeout SPAN]]\n"
                "           [--json]",
    .summary = "let a key sign from now on",
    .about =
        "Lets a key sign. The one that signed for the same audiences so far retires: "
        "it\n"
        "verifies until its last ticket has expired, and can be made active again\n"
        "meanwhile, by the same command. Refused while a service that was seen in the\n"
        "last day has not loaded the key: its next tickets would be refused there.",
    .example =
        "  meshauth keys activate 0123456789abcdef -c /srv/mesh/meshauth.conf \\\n"
        "      --wait",
    .options = activate_options,
    .args_min = 1,
    .args_max = 1,
    .run = activate,
};

const struct command keys_revoke_command = {
    .noun = "keys",
    .verb = "revoke",
    .synopsis = "KEY -c FILE [--json]",
    .summary = "let nothing count that a key has signed",
    .about =
        "Revokes a key: its private half is destroyed, and services refuse all that "
        "it\n"
        "has signed, within a few seconds. If it was active, the next key for its\n"
        "audiences signs from now on, or else a retiring one. It cannot be undone.",
    .example = "  meshauth keys revoke 0123456789abcdef -c /srv/mesh/meshauth.conf",
    .options = revoke_options,
    .args_min = 1,
    .args_max = 1,
    .run = revoke_it,
};
