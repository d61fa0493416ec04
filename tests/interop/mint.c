/*
 * mint SIGNING-KEY HOLDER-KEY NOW FOLDER: fresh tickets of each kind, from the least to
 * the most that a ticket can hold, into FOLDER/NAME.xml. The keys are files in DER, of
 * PKCS#8 and SubjectPublicKeyInfo. Other people's software is the judge of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/id.h"
#include "base/str.h"
#include "tickets/encode.h"

#define ISSUER  "https://auth.mesh.example"
#define FOLDER  ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff"
#define USER    "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define SESSION "ses_0sssssssssssssssssssssssss"
#define CLASSES "urn:oasis:names:tc:SAML:2.0:ac:classes:"

enum {
    FILE_MAX = 4096
};

struct mint {
    struct signer *signer;
    struct buf pkcs8, spki;
    int64_t now_s;
    const char *folder;
    char id[TICKET_ID_LEN + 1];
    /* what a full ticket's slices point to */
    char resource[TICKET_PERMITS][160];
    char action[TICKET_ACTIONS][32];
    char device[TICKET_FACTS][ID_LEN + 1];
};

static void
put_fact(struct ticket *t, enum ticket_relation relation, const char *a, const char *b)
{
    struct ticket_fact f = {relation, {text_of(a), text_of(b ? b : ""), {"", 0}}};

    t->fact[t->facts++] = f;
}

static struct ticket
draft(const struct mint *m)
{
    struct ticket t = {.issuer = text_of(ISSUER),
        .subject = text_of(USER),
        .issued_s = m->now_s,
        .not_before_s = m->now_s,
        .not_on_or_after_s = m->now_s + 600,
        .holder_spki = m->spki.data,
        .holder_spki_len = m->spki.len,
        .audience = {text_of("urn:meshauth:service:storage")},
        .audiences = 1};

    put_fact(&t, FACT_ASOF, "0", NULL);
    put_fact(&t, FACT_SESSION, SESSION, NULL);
    return t;
}

static struct ticket
identity(const struct mint *m)
{
    struct ticket t = draft(m);

    t.audience[0] = text_of(ISSUER);
    t.has_authn = true;
    t.authn_instant_s = m->now_s - 2;
    t.authn_class = text_of(CLASSES "unspecified");
    return t;
}

static void
permit(struct ticket *t, const char *resource, const char *action)
{
    t->permit[t->permits].resource = text_of(resource);
    t->permit[t->permits].first = t->actions;
    t->permit[t->permits++].count = 1;
    t->action[t->actions++] = text_of(action);
}

/* Every character that a URI may hold, the one that is escaped among them. */
static struct ticket
odd(const struct mint *m)
{
    struct ticket t = draft(m);

    t.holder_spki = NULL;
    t.holder_spki_len = 0;
    permit(&t, FOLDER "/&&amp;'()*+,-.:;=?@[]_~!$#%22%3C%3E%26", "write");
    return t;
}

static struct ticket
full(struct mint *m)
{
    struct ticket t = draft(m);

    t.audiences = 4;
    t.audience[1] = text_of("urn:meshauth:service:relay");
    t.audience[2] = text_of("urn:meshauth:device:dev_0yyyyyyyyyyyyyyyyyyyyyyyyy");
    t.audience[3] = text_of("urn:meshauth:service:pub-sub");
    for (size_t i = 0; i < TICKET_PERMITS; i++) {
        snprintf(m->resource[i], sizeof(m->resource[i]), FOLDER "/%zu?a=1&b=2", i);
        snprintf(m->action[i], sizeof(m->action[i]), "action-%zu", i);
        permit(&t, m->resource[i], m->action[i]);
    }
    while (t.facts < 30) {
        char *device = m->device[t.facts];

        snprintf(device, ID_LEN + 1, "dev_%026zu", t.facts);
        put_fact(&t, FACT_CLAIMED, device, USER);
    }
    return t;
}

static struct ticket
service(const struct mint *m)
{
    struct ticket t = identity(m);

    t.subject = text_of("svc_0vvvvvvvvvvvvvvvvvvvvvvvvv");
    t.authn_class = text_of(CLASSES "X509");
    put_fact(&t, FACT_SERVICE, "svc_0vvvvvvvvvvvvvvvvvvvvvvvvv", NULL);
    return t;
}

static enum mauth_rc
save(struct mint *m, const char *name, struct ticket t, struct mauth_err *err)
{
    char path[512];
    struct buf xml;
    enum mauth_rc rc;

    buf_init(&xml);
    snprintf(path, sizeof(path), "%s/%s.xml", m->folder, name);
    rc = ticket_new_id(m->id, err);
    if (rc)
        goto out;
    t.id = text_of(m->id);
    rc = ticket_sign(&t, m->signer, &xml, err);
    if (rc == MAUTH_OK)
        rc = file_create(path, xml.data, xml.len, FILE_PUBLIC, err);
out:
    buf_clear(&xml);
    return rc;
}

static enum mauth_rc
mint(struct mint *m, const char *signing, const char *holder, struct mauth_err *err)
{
    enum mauth_rc rc = file_read(signing, FILE_MAX, &m->pkcs8, err);

    if (rc == MAUTH_OK)
        rc = file_read(holder, FILE_MAX, &m->spki, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(m->pkcs8.data, m->pkcs8.len, &m->signer, err);
    if (rc == MAUTH_OK)
        rc = save(m, "least", draft(m), err);
    if (rc == MAUTH_OK)
        rc = save(m, "identity", identity(m), err);
    if (rc == MAUTH_OK)
        rc = save(m, "service", service(m), err);
    if (rc == MAUTH_OK)
        rc = save(m, "odd", odd(m), err);
    if (rc == MAUTH_OK)
        rc = save(m, "full", full(m), err);
    return rc;
}

int
main(int argc, char **argv)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mint *m;
    enum mauth_rc rc;

    if (argc != 5)
        return 2;
    m = calloc(1, sizeof(*m));
    if (!m)
        return 3;
    buf_init_secret(&m->pkcs8);
    buf_init(&m->spki);
    m->now_s = strtoll(argv[3], NULL, 10);
    m->folder = argv[4];
    rc = mint(m, argv[1], argv[2], &err);
    if (rc)
        fprintf(stderr, "mint: %s\n", err.text);
    signer_free(m->signer);
    buf_clear(&m->pkcs8);
    buf_clear(&m->spki);
    free(m);
    return rc != MAUTH_OK;
}
