#include "base/str.h"
#include "saml/library.h"
#include "saml/message.h"
#include "saml/xml.h"
#include "tests/fuzz/fuzz.h"

/* The golden RSA key: the provider's. The corpus holds what it has signed, too. */
static const char GOLDEN_RSA[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuE6XXoOm0KQKm8wfBtD6\n"
    "Xy3qA5MMOdOWwse9hbOMPQB0yVnV5dmshrw9xOH0lr1lQjQ8yWBcOaXUtK37z+g3\n"
    "zFFwGRc3Mabbqh5i2Op9E2sxy+WfKZrEdU49lTkxbXNyk9dUhe7h/mzHfNhqrqiR\n"
    "N2hSOnsQ3BmTv6h5TT1hv/w2HNx3CW0HhiXsbcws216xopGmCXrw9TCMUPBRV1Gu\n"
    "ooAs6whnTQswNpAK5xctRrK++3F8Se4+5krMTThYhRBxVm+ilTU0iQEnCkCaVj40\n"
    "cVLZuC1XejWsUUXm2VHG+Hd0dsuBLy7iPujgMV8JOmUOXbYWodew8Kp9FY1PImme\n"
    "PwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const struct assertion_expect want = {
    .provider = "https://idp.example/metadata",
    .audience = "https://auth.mesh.example",
    .recipient = "https://auth.mesh.example/v1/token",
    .now_s = 1795341630,
    .max_age_s = 600,
};

/* What the provider has ever said: whatever is taken says that. */
static void
must_be_genuine(const struct assertion *said)
{
    MUST(strcmp(said->id, "_a1") == 0);
    MUST(strcmp(said->subject, "alice") == 0);
    MUST(strcmp(said->email, "alice@example.org") == 0);
}

static void
try_signed(struct text xml, const struct mauth_key *const *keys, size_t count)
{
    static const struct assertion zero;
    struct assertion said;
    enum saml_refusal why;
    struct message *m;

    if (message_parse(xml, &m, &why, NULL) != MAUTH_OK) {
        MUST(!m && why != SAML_FINE);
        return;
    }
    MUST(m && why == SAML_FINE && message_untrusted_issuer(m));
    if (message_verify(m, keys, count, &want, &said, &why, NULL) == MAUTH_OK)
        must_be_genuine(&said);
    else
        MUST(why != SAML_FINE && memcmp(&said, &zero, sizeof(zero)) == 0);
    message_free(m);
}

/* As if anybody had signed it. */
static void
try_read(struct text xml)
{
    static const struct assertion zero;
    struct assertion said;
    enum saml_refusal why;
    xmlDoc *doc;

    if (xml_parse(XML_MESSAGE, xml, &doc, NULL) != MAUTH_OK)
        return;
    if (assertion_check(xmlDocGetRootElement(doc), &want, &said, &why, NULL) ==
        MAUTH_OK)
        MUST(said.id[0] && said.subject[0] && said.too_old_s > want.now_s);
    else
        MUST(why != SAML_FINE && memcmp(&said, &zero, sizeof(zero)) == 0);
    xmlFreeDoc(doc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mauth_key *keys[2];
    struct text xml = {(const char *)data, size};

    if (!keys[0]) {
        MUST(saml_library_open(NULL) == MAUTH_OK);
        MUST(mauth_key_from_pem(GOLDEN_RSA, sizeof(GOLDEN_RSA) - 1, &keys[0], NULL) ==
             MAUTH_OK);
        MUST(mauth_key_from_pem(GOLDEN_P256, sizeof(GOLDEN_P256) - 1, &keys[1], NULL) ==
             MAUTH_OK);
    }
    try_signed(xml, (const struct mauth_key *const *)keys, 2);
    try_read(xml);
    return 0;
}
