/* Answers of a token endpoint, made of golden tickets signed anew for a device. */
#ifndef TESTS_LOGIN_ANSWER_H
#define TESTS_LOGIN_ANSWER_H

#include <jansson.h>

#include "base/str.h"
#include "tests/unit/golden.h"
#include "tickets/decode.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

/* What a test wants otherwise than the golden ticket has it. */
typedef void answer_change(struct ticket *t, void *arg);

/* A golden ticket as a credential; device, change NULL: as it is. The caller frees. */
static inline char *
answer_changed(const char *kind, const char *issuer, const struct mauth_key *device,
    bool deflated, answer_change *change, void *arg)
{
    struct signer *signer = golden_signer("rsa2048"); /* the same bytes each time */
    struct mauth_ticket *read = NULL;
    char *credential = NULL, *xml;
    struct ticket t;
    struct buf made;
    size_t len;

    xml = golden_xml(kind, "rsa2048", &len);
    assert_int_equal(ticket_decode(xml, len, &read, NULL), MAUTH_OK);
    t = read->says;
    t.issuer = text_of(issuer);
    if (t.has_authn)
        t.audience[0] = t.issuer;
    if (device)
        t.holder_spki = mauth_key_spki(device, &t.holder_spki_len);
    if (change)
        change(&t, arg);
    buf_init(&made);
    assert_int_equal(ticket_sign(&t, signer, &made, NULL), MAUTH_OK);
    assert_int_equal(mauth_credential_encode((const char *)made.data, made.len,
                         deflated, &credential, NULL),
        MAUTH_OK);
    buf_clear(&made);
    mauth_ticket_free(read);
    free(xml);
    signer_free(signer);
    return credential;
}

static inline char *
answer_credential(
    const char *kind, const char *issuer, const struct mauth_key *device, bool deflated)
{
    return answer_changed(kind, issuer, device, deflated, NULL, NULL);
}

/* Of another session. */
static inline void
answer_of_session(struct ticket *t, void *arg)
{
    for (size_t i = 0; i < t->facts; i++)
        if (t->fact[i].relation == FACT_SESSION)
            t->fact[i].arg[0] = text_of(arg);
}

static inline json_t *
answer_item(const char *audience, const char *kind, const char *issuer,
    const struct mauth_key *device)
{
    char *credential = answer_credential(kind, issuer, device, true);
    json_t *o;

    o = json_pack("{s:s, s:[], s:i, s:s}", "audience", audience, "actions",
        "expires_in", 600, "credential", credential);
    assert_non_null(o);
    free(credential);
    return o;
}

static inline json_t *
answer_make(const char *issuer, const struct mauth_key *device)
{
    char *plain = answer_credential("identity", issuer, device, false), mesh[128];
    json_t *o;

    snprintf(
        mesh, sizeof(mesh), "%s/v1/mesh/users/usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", issuer);
    o = json_pack("{s:s, s:s, s:s, s:i, s:s, s:[o, o]}", "access_token", plain,
        "issued_token_type", "urn:ietf:params:oauth:token-type:saml2", "token_type",
        "Bearer", "expires_in", 3600, "mesh", mesh, "tickets",
        answer_item(issuer, "identity", issuer, device),
        answer_item("urn:meshauth:service:storage", "rights", issuer, device));
    assert_non_null(o);
    free(plain);
    return o;
}

#endif
