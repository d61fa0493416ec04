/*
 * decide TRUST VKEY AUDIENCE RULES [STATUS-DIRECTORY]: a service that answers nothing but its verifier's
 * decisions, with the public headers only. A request on each line of standard input,
 * {"authorization"?, "key"?: DER in hex, "action", "args", "now"?}; its decision on a line
 * of standard output, {"verdict", "reason", "status", "rule", "ticket"}.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <meshauth/key.h>
#include <meshauth/rules.h>
#include <meshauth/verifier.h>

static size_t
key_of(const char *hex, uint8_t out[MAUTH_SPKI_MAX])
{
    size_t len = 0;
    unsigned byte;

    while (hex && len < MAUTH_SPKI_MAX && sscanf(hex + 2 * len, "%2x", &byte) == 1)
        out[len++] = (uint8_t)byte;
    return len;
}

static void
decide(struct mauth_verifier *v, const json_t *o)
{
    const char *args[MAUTH_RULES_ARGS_MAX];
    const json_t *list = json_object_get(o, "args"), *now = json_object_get(o, "now");
    struct mauth_decision d = {.size = sizeof(d)};
    uint8_t key[MAUTH_SPKI_MAX];
    json_t *answer;
    struct mauth_request r = {.size = sizeof(r),
        .authorization = json_string_value(json_object_get(o, "authorization")),
        .action = json_string_value(json_object_get(o, "action")),
        .args = args,
        .now_s = now ? json_integer_value(now) : time(NULL)};

    if (r.authorization)
        r.authorization_len = strlen(r.authorization);
    r.key_spki_len = key_of(json_string_value(json_object_get(o, "key")), key);
    r.key_spki = r.key_spki_len ? key : NULL;
    for (; r.arg_count < json_array_size(list); r.arg_count++)
        args[r.arg_count] = json_string_value(json_array_get(list, r.arg_count));
    if (mauth_verifier_check(v, &r, &d) == MAUTH_INVALID)
        d.http_status = 0;
    answer = json_pack("{s:s, s:s, s:i, s:s, s:s}", "verdict",
        d.verdict == MAUTH_ALLOW ? "allow" : "deny", "reason",
        mauth_reason_name(d.reason), "status", d.http_status, "rule", d.rule, "ticket",
        d.ticket);
    json_dumpf(answer, stdout, JSON_COMPACT);
    puts("");
    fflush(stdout);
    json_decref(answer);
}

int
main(int argc, char **argv)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_verifier *v = NULL;
    struct mauth_verifier_options o = {.size = sizeof(o)};
    char line[131072];

    if (argc != 5 && argc != 6)
        return 2;
    o.trust_file = argv[1];
    o.root_vkey = argv[2];
    o.audience = argv[3];
    o.rules_file = argv[4];
    o.status_dir = argv[5]; /* NULL behind the last */
    if (mauth_verifier_open(&o, &v, &err) != MAUTH_OK) {
        fprintf(stderr, "decide: %s\n", err.text);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin)) {
        json_t *request = json_loads(line, 0, NULL);

        if (mauth_verifier_refresh(v, &err) != MAUTH_OK)
            fprintf(stderr, "decide: %s\n", err.text);
        if (request)
            decide(v, request);
        json_decref(request);
    }
    mauth_verifier_close(v);
    return 0;
}
