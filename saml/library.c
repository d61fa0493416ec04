#include "saml/library.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/xmlsec.h>

#include "base/fail.h"

#if LIBXML_VERSION >= 21200
typedef const xmlError *said;
#else
typedef xmlErrorPtr said;
#endif

static void
say_nothing(void *context, said error)
{
    (void)context;
    (void)error;
}

static void
print_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr context)
{
    (void)url;
    (void)id;
    (void)context;
    return NULL;
}

void
saml_library_hush(void)
{
    xmlSetStructuredErrorFunc(NULL, say_nothing); /* of this thread */
    xmlSetGenericErrorFunc(NULL, print_nothing);
}

enum mauth_rc
saml_library_open(struct mauth_err *err)
{
    xmlInitParser();
    saml_library_hush();
    xmlSetExternalEntityLoader(load_nothing);
    if (xmlSecInit() != 0 || xmlSecCheckVersion() != 1 ||
        xmlSecCryptoAppInit(NULL) != 0 || xmlSecCryptoInit() != 0)
        return mauth_fail(err, MAUTH_INTERNAL, "saml: xmlsec1 cannot be used");
    xmlSecErrorsDefaultCallbackEnableOutput(0);
    xmlSecIOCleanupCallbacks(); /* it fetches nothing, whatever it is asked */
    return MAUTH_OK;
}

void
saml_library_close(void)
{
    xmlSecCryptoShutdown();
    xmlSecCryptoAppShutdown();
    xmlSecShutdown();
    xmlCleanupParser();
}
