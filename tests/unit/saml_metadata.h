/* Metadata of the provider of tests/unit/saml_idp.h. */
#ifndef TESTS_SAML_METADATA_H
#define TESTS_SAML_METADATA_H

#include "tests/unit/providers.h"
#include "tests/unit/saml_idp.h"

/* With the certificate of one golden key; malloc'd. */
static inline char *
saml_metadata_of(const char *key_file)
{
    char *certificate = idp_certificate(key_file), *out;

    out = idp_edit(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\""
        " entityID=\"" IDP "\"><md:IDPSSODescriptor protocolSupportEnumeration=\""
        "urn:oasis:names:tc:SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\">"
        "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>"
        "<ds:X509Certificate>@</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>",
        "@", certificate);
    free(certificate);
    return out;
}

#endif
