/*
 * vectors FOLDER FILE...: asks a verifier all the questions of tests/data/vectors, each
 * twice, as the second answer comes from the cache. What the members mean stands in
 * the README.md there. Only the public headers of libmeshauth take part.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/evp.h>

#include <meshauth/key.h>
#include <meshauth/rules.h>
#include <meshauth/trust.h>
#include <meshauth/verifier.h>

struct run {
    const char *folder;
    const char *group;
    unsigned asked, failed;
};

static const char *
string(const json_t *of, const char *name)
{
    return json_string_value(json_object_get(of, name));
}

static void
complain(struct run *r, const json_t *v, const char *format, const char *wanted,
    const char *got)
{
    r->failed++;
    printf("%s, \"%s\": ", r->group, string(v, "name"));
    printf("%s: %s wanted, got %s\n", format, wanted, got);
}

static int64_t
seconds(const char *text)
{
    struct tm tm = {0};

    return strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) ? timegm(&tm) : -1;
}

/* DER out of base64; its length, 0 when there is no key. */
static size_t
key_of(const json_t *v, uint8_t *der)
{
    const char *text = string(v, "key");
    size_t len = text ? strlen(text) : 0;
    int n;

    if (len == 0 || len > MAUTH_SPKI_MAX / 3 * 4)
        return 0;
    n = EVP_DecodeBlock(der, (const unsigned char *)text, (int)len);
    for (size_t i = len; n > 0 && text[i - 1] == '='; i--)
        n--;
    return n > 0 ? (size_t)n : 0;
}

static void
compare(struct run *r, const json_t *v, const struct mauth_decision *d, bool allowed)
{
    const struct {
        const char *name, *got;
    } members[] = {
        {"verdict", d->verdict == MAUTH_ALLOW && allowed ? "allow" : "deny"},
        {"reason", mauth_reason_name(d->reason)},
        {"subject", d->subject},
        {"session", d->session},
        {"holder", d->holder},
        {"ticket", d->ticket},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const char *wanted = string(v, members[i].name);

        if (i < 2 && !wanted)
            complain(r, v, "malformed vector", members[i].name, "nothing");
        else if (wanted && strcmp(wanted, members[i].got) != 0)
            complain(r, v, members[i].name, wanted, members[i].got);
    }
    if (d->verdict == MAUTH_DENY && allowed)
        complain(r, v, "return value", "one that refuses", "MAUTH_OK");
}

static void
ask(struct run *r, const json_t *v, struct mauth_verifier *verifier)
{
    const json_t *list = json_object_get(v, "args");
    const char *args[MAUTH_RULES_ARGS_MAX];
    uint8_t der[MAUTH_SPKI_MAX + 3];
    struct mauth_request q = {.size = sizeof(q),
        .authorization = string(v, "authorization"),
        .authorization_len = json_string_length(json_object_get(v, "authorization")),
        .action = string(v, "action"),
        .args = args,
        .arg_count = json_array_size(list),
        .now_s = seconds(string(v, "now"))};
    struct mauth_decision d = {.size = sizeof(d)};

    for (size_t i = 0; i < q.arg_count && i < MAUTH_RULES_ARGS_MAX; i++)
        args[i] = json_string_value(json_array_get(list, i));
    q.key_spki_len = key_of(v, der);
    q.key_spki = q.key_spki_len ? der : NULL;
    for (int again = 0; again < 2; again++) {
        enum mauth_rc rc = mauth_verifier_check(verifier, &q, &d);

        compare(r, v, &d, rc == MAUTH_OK);
    }
    r->asked++;
}

static void
run_vector(struct run *r, const json_t *v)
{
    char trust[512], rules[512];
    struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = trust,
        .rules_file = rules,
        .root_vkey = string(v, "root"),
        .audience = string(v, "audience"),
        .skew_s = (int32_t)json_integer_value(json_object_get(v, "skew")),
        .allow_bearer = json_is_true(json_object_get(v, "allow_bearer")),
        .cache_entries = 64,
        .cache_bytes = 1 << 20};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_verifier *verifier = NULL;

    snprintf(trust, sizeof(trust), "%s/%s", r->folder, string(v, "trust"));
    snprintf(rules, sizeof(rules), "%s/%s", r->folder, string(v, "rules"));
    if (mauth_verifier_open(&o, &verifier, &err) != MAUTH_OK)
        complain(r, v, "opening", "a verifier", err.text);
    else
        ask(r, v, verifier);
    mauth_verifier_close(verifier);
}

/* A trust file: "ok", or a code that mauth_trust_parse() gives. */
static void
run_trust_file(struct run *r, const json_t *v)
{
    const json_t *text = json_object_get(v, "trust");
    const char *wanted = string(v, "outcome");
    struct mauth_trust *trust = NULL;
    enum mauth_rc rc = mauth_trust_parse(json_string_value(text),
        json_string_length(text), string(v, "root"), &trust, NULL);
    const char *got = rc == MAUTH_OK ? "ok" : mauth_rc_name(rc);

    if (!wanted || strcmp(wanted, got) != 0 || (rc == MAUTH_OK) != (trust != NULL))
        complain(r, v, "outcome", wanted ? wanted : "nothing", got);
    mauth_trust_free(trust);
    r->asked++;
}

static int
run_file(struct run *r, const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *v;
    size_t i;

    if (!file) {
        printf("%s: %s\n", path, error.text);
        return 1;
    }
    r->group = string(file, "group");
    json_array_foreach(json_object_get(file, "vectors"), i, v) run_vector(r, v);
    json_array_foreach(json_object_get(file, "files"), i, v) run_trust_file(r, v);
    json_decref(file);
    return 0;
}

int
main(int argc, char **argv)
{
    struct run r = {.folder = argc > 1 ? argv[1] : ""};

    if (argc < 3)
        return 2;
    for (int i = 2; i < argc; i++)
        if (run_file(&r, argv[i]) != 0)
            return 1;
    printf("%u vectors, %u failures\n", r.asked, r.failed);
    return r.asked == 0 || r.failed != 0;
}
