#include "saml/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "saml/names.h"
#include "saml/signature.h"
#include "saml/xml.h"

enum {
    CERTIFICATE_MAX = 16384 /* characters of base64, with line breaks */
};

struct metadata {
    int64_t valid_until_s;
    size_t count;
    struct mauth_key *key[METADATA_KEYS];
};

static bool
has_entity_id(const xmlNode *n, const char *entity_id)
{
    const char *found = xml_attribute(n, "entityID");

    return xml_is(n, NS_METADATA, "EntityDescriptor") && found &&
           strcmp(found, entity_id) == 0;
}

/* The descriptor of that name; NULL when there is none, or another one. */
static const xmlNode *
find_entity(xmlNode *root, const char *entity_id)
{
    const xmlNode *found = NULL;

    for (xmlNode *n = root; n; n = xml_walk(n)) {
        if (!has_entity_id(n, entity_id))
            continue;
        if (found)
            return NULL;
        found = n;
    }
    return found;
}

/* Of the provider and of all that it lies in, the earliest. */
static enum mauth_rc
take_end(const xmlNode *n, int64_t now_s, struct metadata *m, struct mauth_err *err)
{
    m->valid_until_s = INT64_MAX;
    for (; n && n->type == XML_ELEMENT_NODE; n = n->parent) {
        const char *text = xml_attribute(n, "validUntil");
        int64_t end_s;

        if (!text)
            continue;
        if (!xml_time(text, &end_s))
            return mauth_fail(
                err, MAUTH_MALFORMED, "metadata: validUntil is no time in UTC");
        if (end_s < m->valid_until_s)
            m->valid_until_s = end_s;
    }
    if (now_s >= m->valid_until_s)
        return mauth_fail(err, MAUTH_EXPIRED, "metadata: validUntil has passed");
    return MAUTH_OK;
}

/* A list of URIs with white space between. */
static bool
speaks_saml2(const xmlNode *role)
{
    const char *list = xml_attribute(role, "protocolSupportEnumeration");
    size_t len = sizeof(NS_PROTOCOL) - 1;

    while (list && *list) {
        size_t word = strcspn(list, " \t\r\n");

        if (word == len && memcmp(list, NS_PROTOCOL, len) == 0)
            return true;
        list += word;
        list += strspn(list, " \t\r\n");
    }
    return false;
}

/* Keys of kinds that we do not take are passed over. */
static void
take_certificate(const xmlNode *n, struct metadata *m)
{
    uint8_t der[CERTIFICATE_MAX];
    char bare[CERTIFICATE_MAX];
    struct mauth_key *key = NULL;
    size_t used = 0, len;
    const char *text;

    if (m->count == METADATA_KEYS || !xml_text(n, &text))
        return;
    for (; *text && used < sizeof(bare); text++)
        if (!strchr(" \t\r\n", *text))
            bare[used++] = *text;
    if (!*text && b64_decode(B64_STD, bare, used, der, sizeof(der), &len) &&
        mauth_key_from_certificate(der, len, &key, NULL) == MAUTH_OK)
        m->key[m->count++] = key;
}

/* The first certificate of each KeyDescriptor that may sign (metadata 2.4.1.1). */
static void
take_keys(const xmlNode *role, struct metadata *m)
{
    for (const xmlNode *n = xml_first(role); n; n = xml_next(n)) {
        const char *use = xml_attribute(n, "use");
        const xmlNode *x509;

        if (!xml_is(n, NS_METADATA, "KeyDescriptor") ||
            (use && strcmp(use, "signing") != 0))
            continue;
        x509 = xml_only(xml_only(n, NS_DS, "KeyInfo"), NS_DS, "X509Data");
        for (x509 = xml_first(x509); x509; x509 = xml_next(x509))
            if (xml_is(x509, NS_DS, "X509Certificate"))
                break;
        if (x509)
            take_certificate(x509, m);
    }
}

static enum mauth_rc
read_entity(xmlNode *root, const char *entity_id, int64_t now_s, struct metadata *m,
    struct mauth_err *err)
{
    const xmlNode *entity = find_entity(root, entity_id);
    enum mauth_rc rc;

    if (!xml_is(root, NS_METADATA, "EntityDescriptor") &&
        !xml_is(root, NS_METADATA, "EntitiesDescriptor"))
        return mauth_fail(err, MAUTH_MALFORMED, "metadata: not SAML 2.0 metadata");
    if (!entity)
        return mauth_fail(
            err, MAUTH_NOT_FOUND, "metadata: the entityID is not in it, or twice");
    rc = take_end(entity, now_s, m, err);
    if (rc)
        return rc;
    for (const xmlNode *n = xml_first(entity); n; n = xml_next(n))
        if (xml_is(n, NS_METADATA, "IDPSSODescriptor") && speaks_saml2(n))
            take_keys(n, m);
    if (m->count == 0)
        return mauth_fail(err, MAUTH_NOT_FOUND,
            "metadata: no signing key for RSA (2048 to 4096 bits) or P-256");
    return MAUTH_OK;
}

/* The document anew, from what the pinned key has signed of it: all of it. */
static enum mauth_rc
believe(xmlDoc **doc, const struct mauth_key *pinned, struct mauth_err *err)
{
    xmlNode *signature = xml_first(xmlDocGetRootElement(*doc));
    enum saml_refusal why;
    xmlDoc *again = NULL;
    struct buf bytes;
    enum mauth_rc rc;

    if (!xml_is(signature, NS_DS, "Signature"))
        return mauth_fail(err, MAUTH_UNTRUSTED, "metadata: not signed");
    buf_init(&bytes);
    rc = signature_verify(signature, &pinned, 1, &bytes, &why, err);
    if (rc == MAUTH_OK)
        rc = xml_parse(
            XML_METADATA, (struct text){(char *)bytes.data, bytes.len}, &again, err);
    buf_clear(&bytes);
    if (rc)
        return rc;
    xmlFreeDoc(*doc);
    *doc = again;
    return MAUTH_OK;
}

enum mauth_rc
metadata_parse(struct text xml, const char *entity_id, const struct mauth_key *pinned,
    int64_t now_s, struct metadata **out, struct mauth_err *err)
{
    struct metadata *m = calloc(1, sizeof(*m));
    xmlDoc *doc = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (!m)
        return mauth_fail(err, MAUTH_NO_MEMORY, "metadata: no memory");
    rc = xml_parse(XML_METADATA, xml, &doc, err);
    if (rc == MAUTH_OK && pinned)
        rc = believe(&doc, pinned, err);
    if (rc == MAUTH_OK)
        rc = read_entity(xmlDocGetRootElement(doc), entity_id, now_s, m, err);
    xmlFreeDoc(doc);
    if (rc) {
        metadata_free(m);
        return rc;
    }
    *out = m;
    return MAUTH_OK;
}

void
metadata_free(struct metadata *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        mauth_key_free(m->key[i]);
    free(m);
}

const struct mauth_key *const *
metadata_keys(const struct metadata *m, size_t *count)
{
    *count = m->count;
    return (const struct mauth_key *const *)m->key;
}

int64_t
metadata_valid_until_s(const struct metadata *m)
{
    return m->valid_until_s;
}
