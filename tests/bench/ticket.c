#include "tests/bench/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/der.h"
#include "tests/bench/vary.h"
#include "tickets/template.h"
#include <meshauth/credential.h>

static const char storage[] = "urn:meshauth:service:storage";
static const char now[] = "2026-11-22T10:05:00Z"; /* of the golden files */

static enum mauth_rc
read_golden(const char *name, struct buf *out, struct mauth_err *err)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/golden/%s", MAUTH_TEST_DATA, name);
    return file_read(path, MAUTH_CREDENTIAL_MAX, out, err);
}

static enum mauth_rc
read_key(const char *name, struct mauth_key **out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf pem;

    *out = NULL;
    buf_init(&pem);
    rc = read_golden(name, &pem, err);
    if (rc == MAUTH_OK)
        rc = mauth_key_from_pem((const char *)pem.data, pem.len, out, err);
    buf_clear(&pem);
    return rc;
}

static enum mauth_rc
read_trust(struct mauth_trust **out, struct mauth_err *err)
{
    struct buf file, vkey;
    enum mauth_rc rc;

    buf_init(&file);
    buf_init(&vkey);
    rc = read_golden("trust", &file, err);
    if (rc == MAUTH_OK)
        rc = read_golden("root.vkey", &vkey, err);
    if (rc == MAUTH_OK && !buf_cstr(&vkey))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    if (rc == MAUTH_OK) {
        char *line = (char *)vkey.data;

        line[strcspn(line, "\n")] = '\0';
        rc = mauth_trust_parse(file.data, file.len, line, out, err);
    }
    buf_clear(&vkey);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
bench_host_open(struct bench_host *host, struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(host, 0, sizeof(*host));
    rc = read_trust(&host->trust, err);
    if (rc == MAUTH_OK)
        rc = read_key("device.pub.pem", &host->device, err);
    if (rc)
        return rc;
    host->want.size = sizeof(host->want);
    host->want.audience = storage;
    host->want.skew_s = MAUTH_SKEW_DEFAULT_S;
    host->want.holder_spki = mauth_key_spki(host->device, &host->want.holder_spki_len);
    if (!time_parse(now, sizeof(now) - 1, &host->want.now_s))
        return mauth_fail(err, MAUTH_INTERNAL, "bench: the time is wrong");
    return MAUTH_OK;
}

void
bench_host_close(struct bench_host *host)
{
    mauth_trust_free(host->trust);
    mauth_key_free(host->device);
}

/* Splits whole before and behind what stands from first to last, both included. */
static bool
split(struct text whole, const char *first, const char *last, struct text *before,
    struct text *middle, struct text *behind)
{
    const char *from = memmem(whole.p, whole.len, first, strlen(first));
    const char *to = memmem(whole.p, whole.len, last, strlen(last));

    if (!from || !to || to < from)
        return false;
    to += strlen(last);
    *before = (struct text){whole.p, (size_t)(from - whole.p)};
    *middle = (struct text){from, (size_t)(to - from)};
    *behind = (struct text){to, (size_t)(whole.p + whole.len - to)};
    return true;
}

/* The bytes in base64 that stand between two tags, as long as out. */
static bool
decode(struct text in, const char *open, const char *close, uint8_t *out, size_t cap,
    size_t *len)
{
    struct text before, value, behind;

    *len = 0;
    if (!split(in, open, close, &before, &value, &behind))
        return false;
    value.p += strlen(open);
    value.len -= strlen(open) + strlen(close);
    return b64_decode(B64_STD, value.p, value.len, out, cap, len);
}

/* ECDSA: what stands in a ticket is r || s, what OpenSSL takes is DER. */
static bool
to_der(struct bench_ticket *t)
{
    uint8_t raw[DER_ECDSA_RAW];

    if (EVP_PKEY_get_base_id(t->key) != EVP_PKEY_EC)
        return true;
    if (t->signature_len != sizeof(raw))
        return false;
    memcpy(raw, t->signature, sizeof(raw));
    return der_from_raw(raw, t->signature, &t->signature_len);
}

static bool
take_apart(struct bench_ticket *t)
{
    struct text xml = {t->xml, t->xml_len}, head, signature, tail, ignored, info;
    size_t digest_len;

    if (!split(xml, "<ds:Signature ", "</ds:Signature>", &head, &signature, &tail) ||
        !split(signature, "<ds:SignedInfo>", "</ds:SignedInfo>", &ignored, &info,
            &ignored))
        return false;
    buf_text(&t->digested, head);
    buf_text(&t->digested, tail);
    buf_str(&t->info, TEMPLATE_SIGNED_INFO);
    info.p += strlen("<ds:SignedInfo>");
    info.len -= strlen("<ds:SignedInfo>");
    buf_text(&t->info, info);
    return buf_ok(&t->digested) && buf_ok(&t->info) &&
           decode(info, "<ds:DigestValue>", "</ds:DigestValue>", t->digest, HASH_LEN,
               &digest_len) &&
           digest_len == HASH_LEN &&
           decode(signature, "<ds:SignatureValue>", "</ds:SignatureValue>",
               t->signature, sizeof(t->signature), &t->signature_len) &&
           to_der(t);
}

static enum mauth_rc
load_key(struct bench_ticket *t, const char *alg, struct mauth_err *err)
{
    struct mauth_key *key;
    const uint8_t *spki;
    enum mauth_rc rc;
    char name[64];
    size_t len;

    snprintf(name, sizeof(name), "signing-%s.pub.pem", alg);
    rc = read_key(name, &key, err);
    if (rc)
        return rc;
    spki = mauth_key_spki(key, &len);
    t->key = d2i_PUBKEY(NULL, &spki, (long)len);
    mauth_key_free(key);
    if (t->key)
        t->xmlsec_key = xmlsec_key_new(t->key);
    if (!t->xmlsec_key)
        return mauth_fail(err, MAUTH_INTERNAL, "bench: cannot load %s", name);
    return MAUTH_OK;
}

static enum mauth_rc
vary(struct bench_ticket *t, const char *alg, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf pem;
    char name[64];

    buf_init_secret(&pem);
    snprintf(name, sizeof(name), "signing-%s.pem", alg);
    rc = read_golden(name, &pem, err);
    if (rc == MAUTH_OK)
        rc = bench_vary(&t->file, &pem, err);
    buf_clear(&pem);
    return rc;
}

static char *
make_header(struct text credential, struct text *out)
{
    static const char scheme[] = "Bearer ";
    size_t len = sizeof(scheme) - 1 + credential.len;
    char *header = malloc(len + 1);

    if (!header)
        return NULL;
    memcpy(header, scheme, sizeof(scheme) - 1);
    memcpy(header + sizeof(scheme) - 1, credential.p, credential.len);
    header[len] = '\0';
    *out = (struct text){header, len};
    return header;
}

/* A request as a service sees it: the header, and what it is about. */
static enum mauth_rc
make_request(struct bench_ticket *t, struct mauth_err *err)
{
    struct mauth_ticket *read = NULL;
    enum mauth_rc rc = mauth_ticket_read_untrusted(t->xml, t->xml_len, &read, err);

    if (rc == MAUTH_OK) {
        t->resource = strdup(mauth_ticket_permit_resource(read, 0));
        if (!t->resource || !(t->header[0] = make_header(t->plain, &t->plain_header)) ||
            !(t->header[1] = make_header(t->deflated, &t->deflated_header)))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    }
    mauth_ticket_free(read);
    return rc;
}

enum mauth_rc
bench_ticket_open(
    struct bench_ticket *t, const char *alg, bool varied, struct mauth_err *err)
{
    struct text rest;
    enum mauth_rc rc;
    char name[64];

    memset(t, 0, sizeof(*t));
    snprintf(name, sizeof(name), "rights.%s.credential", alg);
    rc = read_golden(name, &t->file, err);
    if (rc == MAUTH_OK && varied)
        rc = vary(t, alg, err);
    if (rc == MAUTH_OK)
        rc = load_key(t, alg, err);
    if (rc)
        return rc;
    rest = (struct text){(const char *)t->file.data, t->file.len};
    if (!text_cut(&rest, '\n', &t->plain) || !text_cut(&rest, '\n', &t->deflated))
        return mauth_fail(err, MAUTH_INTERNAL, "bench: %s has not two lines", name);
    rc = mauth_credential_decode(t->plain.p, t->plain.len, t->xml, &t->xml_len, err);
    if (rc)
        return rc;
    if (!take_apart(t))
        return mauth_fail(err, MAUTH_INTERNAL, "bench: %s has an odd form", name);
    return make_request(t, err);
}

void
bench_ticket_close(struct bench_ticket *t)
{
    free(t->header[0]);
    free(t->header[1]);
    free(t->resource);
    xmlsec_key_free(t->xmlsec_key);
    EVP_PKEY_free(t->key);
    buf_clear(&t->digested);
    buf_clear(&t->info);
    buf_clear(&t->file);
}
