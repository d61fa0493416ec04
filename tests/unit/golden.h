/* The golden keys, trust file and tickets, made ready. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "base/b64.h"
#include "base/time.h"
#include "keys/signer.h"
#include "tests/unit/unit.h"
#include <meshauth/ticket.h>

#define GOLDEN_ISSUER "https://auth.mesh.example"

static const char *const golden_kinds[] = {"identity", "identity-new-device", "rights",
    "p2p-same-user", "p2p-shared-folder", "bearer", "service"};
static const char *const golden_algs[] = {"p256", "rsa2048"};

/* Which audience each kind is for. */
static const char *const golden_audiences[] = {GOLDEN_ISSUER, GOLDEN_ISSUER,
    "urn:meshauth:service:storage", "urn:meshauth:service:relay",
    "urn:meshauth:service:relay", "urn:meshauth:service:storage", GOLDEN_ISSUER};

static inline int64_t
golden_time(const char *text)
{
    int64_t t_s;

    assert_true(time_parse(text, strlen(text), &t_s));
    return t_s;
}

static inline char *
golden_file(const char *name, const char *suffix, size_t *len)
{
    char path[128];

    snprintf(path, sizeof(path), "golden/%s%s", name, suffix);
    return test_data(path, len);
}

static inline char *
golden_xml(const char *kind, const char *alg, size_t *len)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.%s", kind, alg);
    return golden_file(name, ".xml", len);
}

/* The bytes of the first block of a PEM file. */
static inline size_t
golden_der(const char *file, uint8_t *out, size_t cap)
{
    char body[8192];
    size_t used = 0, len = 0;
    char *pem = golden_file(file, "", NULL);

    for (const char *line = strtok(pem, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '-')
            continue;
        memcpy(body + used, line, strlen(line));
        used += strlen(line);
    }
    assert_true(b64_decode(B64_STD, body, used, out, cap, &len));
    free(pem);
    return len;
}

static inline struct signer *
golden_signer(const char *alg)
{
    struct signer *s = NULL;
    uint8_t der[4096];
    char file[64];

    snprintf(file, sizeof(file), "signing-%s.pem", alg);
    assert_int_equal(
        signer_from_pkcs8(der, golden_der(file, der, sizeof(der)), &s, NULL), MAUTH_OK);
    return s;
}

static inline struct mauth_key *
golden_key(const char *file)
{
    struct mauth_key *key = NULL;
    size_t len;
    char *pem = golden_file(file, "", &len);

    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_OK);
    free(pem);
    return key;
}

static inline char *
golden_vkey(void)
{
    char *vkey = golden_file("root.vkey", "", NULL);

    vkey[strcspn(vkey, "\n")] = '\0';
    return vkey;
}

static inline struct mauth_trust *
golden_trust(void)
{
    struct mauth_trust *trust = NULL;
    char *vkey = golden_vkey();
    size_t len;
    char *data = golden_file("trust", "", &len);

    assert_int_equal(mauth_trust_parse(data, len, vkey, &trust, NULL), MAUTH_OK);
    free(data);
    free(vkey);
    return trust;
}

#endif
