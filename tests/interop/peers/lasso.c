/*
 * Lasso judges assertions:   lasso CERTIFICATE FILE...
 *
 * It knows the certificate from an identity provider's metadata. A line for each:
 * "accept SUBJECT", or "refuse: " and why.
 */
#include <lasso/lasso.h>
#include <lasso/xml/saml-2.0/saml2_assertion.h>
#include <stdio.h>
#include <stdlib.h>

#define METADATA                                                                  \
    "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\""            \
    " entityID=\"https://auth.mesh.example\"><IDPSSODescriptor"                   \
    " protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">"       \
    "<KeyDescriptor use=\"signing\"><KeyInfo"                                     \
    " xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>%s" \
    "</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService" \
    " Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\""             \
    " Location=\"https://auth.mesh.example/sso\"/></IDPSSODescriptor></"          \
    "EntityDescriptor>"

/* The file is PEM; its base64 is what metadata wants. */
static LassoProvider *
provider_of(const char *certificate)
{
    LassoProvider *provider = NULL;
    char *pem = NULL, *metadata = NULL;
    char **parts = NULL;

    if (!g_file_get_contents(certificate, &pem, NULL, NULL))
        return NULL;
    parts = g_strsplit(pem, "-----", -1);
    if (g_strv_length(parts) == 5) {
        metadata = g_strdup_printf(METADATA, parts[2]);
        provider = lasso_provider_new_from_buffer(
            LASSO_PROVIDER_ROLE_IDP, metadata, NULL, NULL);
    }
    g_free(metadata);
    g_strfreev(parts);
    g_free(pem);
    return provider;
}

static void
judge(LassoProvider *provider, const char *xml)
{
    LassoNode *node = lasso_node_new_from_dump(xml);
    const LassoSaml2Assertion *assertion;
    lasso_error_t error;

    if (!LASSO_IS_SAML2_ASSERTION(node)) {
        puts("refuse: no assertion");
    } else {
        error = lasso_provider_verify_single_node_signature(provider, node, "ID");
        assertion = LASSO_SAML2_ASSERTION(node);
        if (error)
            printf("refuse: %s\n", lasso_strerror(error));
        else
            printf("accept %s\n", assertion->Subject->NameID->content);
    }
    if (node)
        lasso_node_destroy(node);
}

/* What it says of its own on standard error is not for the test's output. */
static void
be_quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
    (void)domain;
    (void)level;
    (void)message;
    (void)data;
}

int
main(int argc, char **argv)
{
    LassoProvider *provider;

    if (argc < 3)
        return 2;
    if (lasso_init() != 0)
        return 3;
    g_log_set_default_handler(be_quiet, NULL);
    provider = provider_of(argv[1]);
    if (!provider)
        return 3;
    for (int i = 2; i < argc; i++) {
        char *xml = NULL;

        if (!g_file_get_contents(argv[i], &xml, NULL, NULL))
            return 3;
        judge(provider, xml);
        g_free(xml);
    }
    lasso_node_destroy(LASSO_NODE(provider));
    return 0;
}
