/* The names of SAML 2.0 and XML Signature that are compared with here. */
#ifndef SAML_NAMES_H
#define SAML_NAMES_H

#define NS_SAML     "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"
#define NS_DS       "http://www.w3.org/2000/09/xmldsig#"
#define NS_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

#endif
