// OpenSAML-C judges assertions:   opensaml CERTIFICATE FILE...
//
// Each is parsed against the schemas that OpenSAML brings, held against its signature
// profile, and verified by the certificate's key; then it resolves the key of the holder. A line for each:
// "accept SUBJECT [HOLDER]", or "refuse: " and why. HOLDER is the SPKI in base64.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <saml/SAMLConfig.h>
#include <saml/saml2/core/Assertions.h>
#include <saml/signature/SignatureProfileValidator.h>
#include <xmltooling/XMLObjectBuilder.h>
#include <xmltooling/XMLToolingConfig.h>
#include <xmltooling/exceptions.h>
#include <xmltooling/logging.h>
#include <xmltooling/security/Credential.h>
#include <xmltooling/security/KeyInfoResolver.h>
#include <xmltooling/security/SecurityHelper.h>
#include <xmltooling/signature/Signature.h>
#include <xmltooling/signature/SignatureValidator.h>
#include <xmltooling/unicode.h>
#include <xmltooling/util/ParserPool.h>
#include <xsec/enc/XSECCryptoException.hpp>
#include <xsec/enc/XSECCryptoX509.hpp>
#include <xsec/framework/XSECException.hpp>

using namespace opensaml;
using namespace xmltooling;

static const char catalogs[] = "/usr/share/xml/xmltooling/catalog.xml:"
                               "/usr/share/xml/opensaml/saml20-catalog.xml";

static std::unique_ptr<XSECCryptoKey> key_of(const char *path)
{
    std::vector<XSECCryptoX509 *> certificates;

    SecurityHelper::loadCertificatesFromFile(certificates, path, "PEM");
    std::unique_ptr<XSECCryptoX509> owned(certificates.at(0));
    return std::unique_ptr<XSECCryptoKey>(owned->clonePublicKey());
}

// The key that the ticket is bound to, or "" for a bearer ticket.
static std::string holder_of(const saml2::Subject &subject)
{
    auto data = dynamic_cast<saml2::KeyInfoConfirmationDataType *>(
        subject.getSubjectConfirmations().at(0)->getSubjectConfirmationData());

    if (!data)
        return "";
    std::unique_ptr<KeyInfoResolver> resolver(
        XMLToolingConfig::getConfig().KeyInfoResolverManager.newPlugin(
            INLINE_KEYINFO_RESOLVER, nullptr, false));
    std::unique_ptr<Credential> holder(resolver->resolve(data->getKeyInfos().at(0)));
    return " " + SecurityHelper::getDEREncoding(*holder);
}

static std::string judge(const char *path, XSECCryptoKey &key)
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
    xmlsignature::SignatureValidator(key.clone()).validate(assertion->getSignature());
    auto_ptr_char subject(assertion->getSubject()->getNameID()->getName());
    return subject.get() + holder_of(*assertion->getSubject());
}

static std::string one_line(std::string s)
{
    std::replace(s.begin(), s.end(), '\n', ' ');
    return s;
}

static void answer(const char *path, XSECCryptoKey &key)
{
    try {
        std::string subject = judge(path, key);
        std::cout << "accept " << subject << '\n';
    } catch (const std::exception &e) {
        std::cout << "refuse: " << one_line(e.what()) << '\n';
    } catch (const XSECException &e) {
        auto_ptr_char why(e.getMsg());
        std::cout << "refuse: " << one_line(why.get()) << '\n';
    } catch (const XSECCryptoException &e) {
        std::cout << "refuse: " << one_line(e.getMsg()) << '\n';
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    XMLToolingConfig::getConfig().log_config("FATAL");
    if (!SAMLConfig::getConfig().init() ||
        !XMLToolingConfig::getConfig().getValidatingParser().loadCatalogs(catalogs))
        return 3;
    {
        auto key = key_of(argv[1]);
        for (int i = 2; i < argc; i++)
            answer(argv[i], *key);
    }
    SAMLConfig::getConfig().term();
    return 0;
}
