#include "tests/bench/xmlsec.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

/* xmlsec's key under a name of our own: its type is a typedef of theirs. */
static xmlSecKeyPtr
theirs(struct xmlsec_key *key)
{
    return (xmlSecKeyPtr)(void *)key;
}

bool
xmlsec_start(void)
{
    xmlInitParser();
    return xmlSecInit() == 0 && xmlSecCryptoAppInit(NULL) == 0 &&
           xmlSecCryptoInit() == 0;
}

void
xmlsec_stop(void)
{
    xmlSecCryptoShutdown();
    xmlSecCryptoAppShutdown();
    xmlSecShutdown();
    xmlCleanupParser();
}

struct xmlsec_key *
xmlsec_key_new(EVP_PKEY *key)
{
    xmlSecKeyPtr made = xmlSecKeyCreate();
    xmlSecKeyDataPtr data = NULL;

    if (EVP_PKEY_up_ref(key) == 1) {
        data = xmlSecOpenSSLEvpKeyAdopt(key);
        if (!data)
            EVP_PKEY_free(key);
    }
    if (!made || !data || xmlSecKeySetValue(made, data) != 0) {
        if (data)
            xmlSecKeyDataDestroy(data);
        if (made)
            xmlSecKeyDestroy(made);
        return NULL;
    }
    return (struct xmlsec_key *)(void *)made;
}

void
xmlsec_key_free(struct xmlsec_key *key)
{
    if (key)
        xmlSecKeyDestroy(theirs(key));
}

/* The assertion's own ID, so that "#..." finds it. */
static bool
name_root(xmlDocPtr doc, xmlNodePtr root)
{
    static const xmlChar name[] = "ID";
    xmlAttrPtr id = root ? xmlHasProp(root, name) : NULL;

    return id && id->children && xmlAddID(NULL, doc, id->children->content, id);
}

static bool
check(xmlNodePtr signature, struct xmlsec_key *key)
{
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    bool good;

    if (!ctx)
        return false;
    ctx->signKey = theirs(key); /* lent: KeyInfo is not looked at */
    good = xmlSecDSigCtxVerify(ctx, signature) == 0 &&
           ctx->status == xmlSecDSigStatusSucceeded;
    ctx->signKey = NULL;
    xmlSecDSigCtxDestroy(ctx);
    return good;
}

bool
xmlsec_verify(const char *xml, size_t len, struct xmlsec_key *key)
{
    xmlDocPtr doc = xmlReadMemory(xml, (int)len, NULL, NULL, XML_PARSE_NONET);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL, signature = NULL;
    bool good = false;

    if (name_root(doc, root))
        signature = xmlSecFindNode(root, xmlSecNodeSignature, xmlSecDSigNs);
    if (signature)
        good = check(signature, key);
    xmlFreeDoc(doc);
    return good;
}
