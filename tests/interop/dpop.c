/*
 * dpop check       a service's side of DPoP: mauth_dpop_check()
 * dpop prove PEM   a client's side, with this key
 *
 * Questions on standard input, one JSON object a line: method, url, now, and, where
 * there are any, credential, nonce, and to check a proof. Answers on standard output,
 * a line each: "ok KEY-ID" or the code of the refusal; the proof.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/str.h"
#include "jose/prove.h"
#include <meshauth/dpop.h>

enum {
    PEM_MAX = 8192,
    NAMES = 1000
};

static _Alignas(64) char memory[1 << 16];

static const char *
string(const json_t *of, const char *name)
{
    return json_string_value(json_object_get(of, name));
}

static void
check(const json_t *q, struct mauth_replay *replay)
{
    const char *credential = string(q, "credential"), *proof = string(q, "proof");
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = string(q, "method"),
        .url = string(q, "url"),
        .credential = credential,
        .credential_len = credential ? strlen(credential) : 0,
        .nonce = string(q, "nonce"),
        .now_s = json_integer_value(json_object_get(q, "now")),
        .replay = replay};
    struct mauth_key *key = NULL;
    enum mauth_rc rc = mauth_dpop_check(proof, strlen(proof), &want, &key, NULL);

    if (rc == MAUTH_OK)
        printf("ok %s\n", mauth_key_id(key));
    else
        puts(mauth_rc_name(rc));
    mauth_key_free(key);
}

static void
prove(const json_t *q, const char *pem)
{
    const char *credential = string(q, "credential");
    struct dpop_request request = {.method = string(q, "method"),
        .url = string(q, "url"),
        .credential = text_of(credential ? credential : ""),
        .nonce = string(q, "nonce"),
        .now_s = json_integer_value(json_object_get(q, "now"))};
    char *proof = NULL;
    enum mauth_rc rc = dpop_prove(&request, pem, &proof, NULL);

    puts(rc == MAUTH_OK ? proof : mauth_rc_name(rc));
    free(proof);
}

static int
answer_all(const char *pem)
{
    struct mauth_replay *replay = NULL;
    char *line = NULL;
    size_t cap = 0;

    if (mauth_replay_init(memory, mauth_replay_bytes(NAMES), &replay, NULL))
        return 3;
    while (getline(&line, &cap, stdin) > 0) {
        json_t *q = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        if (!q || !string(q, "method") || !string(q, "url") ||
            (!pem && !string(q, "proof"))) {
            json_decref(q);
            free(line);
            return 2;
        }
        if (pem)
            prove(q, pem);
        else
            check(q, replay);
        json_decref(q);
    }
    free(line);
    return 0;
}

int
main(int argc, char **argv)
{
    struct buf pem;
    int code = 2;

    buf_init_secret(&pem);
    if (argc == 2 && strcmp(argv[1], "check") == 0)
        code = answer_all(NULL);
    else if (argc == 3 && strcmp(argv[1], "prove") == 0 &&
             file_read(argv[2], PEM_MAX, &pem, NULL) == MAUTH_OK)
        code = answer_all(buf_cstr(&pem));
    buf_clear(&pem);
    return code;
}
