// OpenSAML-C reads SAML metadata as a Shibboleth service provider does, and judges
// assertions by the keys that it finds there:
//
//     opensaml_metadata METADATA PINNED-CERTIFICATE ENTITY FILE...
//
// The metadata is validated against the schema, its signature against the pinned
// certificate; the issuer's role is looked up, and each assertion verified by the
// explicit keys of that role. First a line "keys NAME...", or "refuse: " and why; then a line for each file:
// "accept SUBJECT", or "refuse: " and why.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <saml/SAMLConfig.h>
#include <saml/saml2/core/Assertions.h>
#include <saml/saml2/metadata/Metadata.h>
#include <saml/saml2/metadata/MetadataCredentialCriteria.h>
#include <saml/saml2/metadata/MetadataProvider.h>
#include <saml/signature/SignatureProfileValidator.h>
#include <saml/util/SAMLConstants.h>
#include <xmltooling/XMLObjectBuilder.h>
#include <xmltooling/XMLToolingConfig.h>
#include <xmltooling/exceptions.h>
#include <xmltooling/security/Credential.h>
#include <xmltooling/security/SignatureTrustEngine.h>
#include <xmltooling/signature/Signature.h>
#include <xmltooling/unicode.h>
#include <xmltooling/util/ParserPool.h>
#include <xsec/framework/XSECException.hpp>

using namespace opensaml;
using namespace xmltooling;

static const char catalogs[] = "/usr/share/xml/xmltooling/catalog.xml:"
                               "/usr/share/xml/opensaml/saml20-catalog.xml";

static std::string one_line(std::string s)
{
    std::replace(s.begin(), s.end(), '\n', ' ');
    return s;
}

// What runs, or why it does not.
template <typename F> static bool attempt(F run)
{
    try {
        run();
        return true;
    } catch (const std::exception &e) {
        std::cout << "refuse: " << one_line(e.what()) << '\n';
    } catch (const XSECException &e) {
        auto_ptr_char why(e.getMsg());
        std::cout << "refuse: " << one_line(why.get()) << '\n';
    }
    return false;
}

static std::unique_ptr<saml2md::MetadataProvider> load(
    const std::string &metadata, const std::string &pinned)
{
    std::istringstream config("<MetadataProvider type='XML' validate='true' path='" +
        metadata + "'><MetadataFilter type='Signature' certificate='" + pinned +
        "'/><MetadataFilter type='RequireValidUntil' maxValidityInterval='604800'/>"
        "</MetadataProvider>");
    xercesc::DOMDocument *document =
        XMLToolingConfig::getConfig().getParser().parse(config);
    XercesJanitor<xercesc::DOMDocument> janitor(document);
    std::unique_ptr<saml2md::MetadataProvider> provider(
        SAMLConfig::getConfig().MetadataProviderManager.newPlugin(
            XML_METADATA_PROVIDER, document->getDocumentElement(), false));

    provider->init();
    return provider;
}

static std::string keys_of(
    saml2md::MetadataProvider &provider, const saml2md::MetadataCredentialCriteria &role)
{
    std::vector<const Credential *> found;
    std::string names;

    provider.resolve(found, &role);
    for (auto credential : found)
        for (auto &name : credential->getKeyNames())
            if (name.find('=') == std::string::npos) // the certificate's subject
                names += " " + name;
    return names;
}

static std::string judge(const char *path, saml2md::MetadataProvider &provider,
    saml2md::MetadataCredentialCriteria &role, SignatureTrustEngine &engine)
{
    std::ifstream in(path, std::ios::binary);
    xercesc::DOMDocument *document =
        XMLToolingConfig::getConfig().getValidatingParser().parse(in);
    XercesJanitor<xercesc::DOMDocument> janitor(document);
    std::unique_ptr<XMLObject> object(
        XMLObjectBuilder::buildOneFromElement(document->getDocumentElement(), true));
    janitor.release(); // the object's now
    auto assertion = dynamic_cast<saml2::Assertion *>(object.get());

    if (!assertion || !assertion->getSignature())
        throw std::runtime_error("no signed assertion");
    SignatureProfileValidator().validate(assertion->getSignature());
    if (!engine.validate(*assertion->getSignature(), provider, &role))
        throw std::runtime_error("no key of the metadata verifies it");
    auto_ptr_char subject(assertion->getSubject()->getNameID()->getName());
    return subject.get();
}

static int run(char **argv)
{
    std::unique_ptr<saml2md::MetadataProvider> provider;
    auto_ptr_XMLCh entity(argv[3]);

    if (!attempt([&] { provider = load(argv[1], argv[2]); }))
        return 0;
    Locker lock(provider.get());
    auto found = provider->getEntityDescriptor(saml2md::MetadataProvider::Criteria(
        entity.get(), &saml2md::IDPSSODescriptor::ELEMENT_QNAME, samlconstants::SAML20P_NS));
    if (!found.second) {
        std::cout << "refuse: no such role\n";
        return 0;
    }
    saml2md::MetadataCredentialCriteria role(*found.second);
    std::unique_ptr<TrustEngine> engine(
        XMLToolingConfig::getConfig().TrustEngineManager.newPlugin(
            EXPLICIT_KEY_TRUSTENGINE, nullptr, false));
    auto &signatures = dynamic_cast<SignatureTrustEngine &>(*engine);

    std::cout << "keys" << keys_of(*provider, role) << '\n';
    for (char **file = argv + 4; *file; file++)
        attempt([&] {
            std::cout << "accept " + judge(*file, *provider, role, signatures) + "\n";
        });
    return 0;
}

int main(int argc, char **argv)
{
    int code;

    if (argc < 4)
        return 2;
    XMLToolingConfig::getConfig().log_config("FATAL");
    if (!SAMLConfig::getConfig().init() ||
        !XMLToolingConfig::getConfig().getValidatingParser().loadCatalogs(catalogs))
        return 3;
    code = run(argv);
    SAMLConfig::getConfig().term();
    return code;
}
