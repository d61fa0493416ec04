/* Whose key it is: ds:KeyInfo, and what else ds:Signature may hold. */
#include "tests/attack/attack.h"

#define NAME          "<ds:KeyName>$K</ds:KeyName>"
#define SIG_END       "</ds:Signature>"
#define INFO          "<ds:KeyInfo><ds:KeyName>"
#define INFO_END      "</ds:KeyName></ds:KeyInfo></ds:Signature>"
#define IN_INFO(what) "</ds:KeyName>" what "</ds:KeyInfo></ds:Signature>"
#define RSA_KEY                                                  \
    "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>" \
    "<ds:Exponent>AQ==</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
#define DER_KEY                                                                      \
    "<dsig11:DEREncodedKeyValue xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">" \
    "$P</dsig11:DEREncodedKeyValue>"
#define X509 "<ds:X509Data><ds:X509Certificate>MIIB</ds:X509Certificate></ds:X509Data>"

static const struct attack list[] = {
    /* Which key. */
    FORGED("KeyName of a stranger", "CVE-2018-0114", NAME,
        "<ds:KeyName>$X</ds:KeyName>", KEY_UNKNOWN),
    MISMADE("a stranger's key, under its own name", "CVE-2018-0114", NAME,
        "<ds:KeyName>$X</ds:KeyName>", KEY_UNKNOWN, .key = KEY_STRANGER),
    MISMADE("a stranger's key, under the genuine name", "CVE-2024-32962", NULL, "$F",
        SIGNATURE, .edit[1] = {ISSUER_TAG, "$0$S"}, .key = KEY_STRANGER,
        .on = RIGHTS | BEARER | P2P),
    MADE(SIGNED, "a stranger's key over the very ticket", "CVE-2024-32962", NULL, 0,
        SIGNATURE, .key = KEY_STRANGER),
    FORGED("KeyName of another trusted key", "only the named key is tried", NAME,
        "<ds:KeyName>$L</ds:KeyName>", SIGNATURE, .on = P256),
    MADE(SIGNED, "another trusted key under this name", "only the named key is tried",
        NULL, 0, SIGNATURE, .key = KEY_SECOND, .on = P256),
    MISMADE("another trusted key under its name", "control", NAME,
        "<ds:KeyName>$L</ds:KeyName>", NONE, .key = KEY_SECOND, .on = P256),
    FORGED("KeyName of the other algorithm's key", "the algorithm is the key's", NAME,
        "<ds:KeyName>$R</ds:KeyName>", SIGNATURE),
    MADE(SIGNED, "the other algorithm's key under this name, P-256",
        "the algorithm is the key's", NULL, 0, SIGNATURE, .key = KEY_OTHER,
        .on = RSA2048),
    MADE(SIGNED, "the other algorithm's key under this name, RSA",
        "docs/tickets.md: ECDSA values are 64 bytes", NULL, 0, FORM, .key = KEY_OTHER,
        .on = P256),
    FORGED("KeyName of zeros", "CVE-2016-9814", NAME,
        "<ds:KeyName>0000000000000000</ds:KeyName>", KEY_UNKNOWN),
    MISMADE("KeyName in upper case", "docs/tickets.md: Signature", NAME,
        "<ds:KeyName>9FEB3F281BCCA060</ds:KeyName>", FORM),
    MISMADE("KeyName of 15 digits", "docs/tickets.md: Signature", NAME,
        "<ds:KeyName>9feb3f281bcca06</ds:KeyName>", FORM),
    MISMADE("KeyName of 17 digits", "docs/tickets.md: Signature", "</ds:KeyName>",
        "0$0", FORM),
    MISMADE("KeyName with a blank in front", "xmlsec 1.3 trims it", INFO, "$0 ", FORM),
    MISMADE("KeyName with a line end behind", "xmlsec 1.3 trims it", "</ds:KeyName>",
        "\n$0", FORM),
    MISMADE(
        "an empty KeyName", "XML-DSig 4.5.1", NAME, "<ds:KeyName></ds:KeyName>", FORM),
    MISMADE("a path as KeyName", "CWE-22", NAME,
        "<ds:KeyName>../../../etc/key</ds:KeyName>", FORM),
    MISMADE("no KeyName", "XML-DSig 4.5", NAME, "", FORM),
    MISMADE("no KeyInfo", "XML-DSig 4.1", "<ds:KeyInfo>" NAME "</ds:KeyInfo>" SIG_END,
        SIG_END, FORM),
    MISMADE("two KeyNames, the genuine one first", "XML-DSig 4.5.1", IN_INFO(""),
        IN_INFO("<ds:KeyName>$X</ds:KeyName>"), FORM),
    MISMADE("two KeyNames, the genuine one last", "XML-DSig 4.5.1", INFO,
        "<ds:KeyInfo><ds:KeyName>$X</ds:KeyName><ds:KeyName>", FORM),

    /* Keys brought along. */
    MISMADE("RSAKeyValue beside KeyName", "CVE-2024-32962", IN_INFO(""),
        IN_INFO(RSA_KEY), FORM),
    MISMADE("RSAKeyValue instead of KeyName", "CVE-2024-32962", NAME, RSA_KEY, FORM,
        .key = KEY_STRANGER),
    MISMADE("ECKeyValue", "XML-DSig 4.5.2.3", IN_INFO(""),
        IN_INFO("<ds:KeyValue><dsig11:ECKeyValue"
                " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">"
                "</dsig11:ECKeyValue></ds:KeyValue>"),
        FORM),
    MISMADE("ECKeyValue with explicit parameters", "CVE-2020-0601", IN_INFO(""),
        IN_INFO("<ds:KeyValue><dsig11:ECKeyValue"
                " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">"
                "<dsig11:ECParameters></dsig11:ECParameters>"
                "</dsig11:ECKeyValue></ds:KeyValue>"),
        FORM),
    MISMADE("DSAKeyValue", "XML-DSig 4.5.2.1", IN_INFO(""),
        IN_INFO("<ds:KeyValue><ds:DSAKeyValue></ds:DSAKeyValue></ds:KeyValue>"), FORM),
    MISMADE("DEREncodedKeyValue beside KeyName", "XML-DSig 4.5.8", IN_INFO(""),
        IN_INFO(DER_KEY), FORM),
    MISMADE(
        "DEREncodedKeyValue instead of KeyName", "XML-DSig 4.5.8", NAME, DER_KEY, FORM),
    MISMADE("KeyInfoReference", "XML-DSig 4.5.10", IN_INFO(""),
        IN_INFO("<dsig11:KeyInfoReference"
                " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\" URI=\"#k\">"
                "</dsig11:KeyInfoReference>"),
        FORM),
    MISMADE(
        "X509Data beside KeyName", "CVE-2020-15216", IN_INFO(""), IN_INFO(X509), FORM),
    MISMADE("X509Data instead of KeyName", "CVE-2020-15216", NAME, X509, FORM,
        .key = KEY_STRANGER),
    MISMADE("X509SubjectName", "XML-DSig 4.5.4", IN_INFO(""),
        IN_INFO("<ds:X509Data><ds:X509SubjectName>CN=a</ds:X509SubjectName>"
                "</ds:X509Data>"),
        FORM),
    MISMADE("RetrievalMethod", "CVE-2023-36661", IN_INFO(""),
        IN_INFO("<ds:RetrievalMethod URI=\"https://evil.example/key\">"
                "</ds:RetrievalMethod>"),
        FORM),
    MISMADE("RetrievalMethod with a transform", "CVE-2021-40690", NAME,
        "<ds:RetrievalMethod URI=\"file:///etc/passwd\"><ds:Transforms>"
        "</ds:Transforms></ds:RetrievalMethod>",
        FORM),
    MISMADE("PGPData", "XML-DSig 4.5.5", IN_INFO(""),
        IN_INFO("<ds:PGPData></ds:PGPData>"), FORM),
    MISMADE("SPKIData", "XML-DSig 4.5.6", IN_INFO(""),
        IN_INFO("<ds:SPKIData></ds:SPKIData>"), FORM),
    MISMADE("MgmtData", "XML-DSig 4.5.7", IN_INFO(""),
        IN_INFO("<ds:MgmtData>x</ds:MgmtData>"), FORM),
    MISMADE("EncryptedKey", "XML-Enc 3.5.1", IN_INFO(""),
        IN_INFO("<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">"
                "</xenc:EncryptedKey>"),
        FORM),
    MISMADE("SecurityTokenReference", "WS-Security 7", IN_INFO(""),
        IN_INFO("<wsse:SecurityTokenReference xmlns:wsse=\"urn:x\">"
                "</wsse:SecurityTokenReference>"),
        FORM),
    MISMADE("text in KeyInfo", "XML-DSig 4.5", "<ds:KeyInfo><ds:KeyName>",
        "<ds:KeyInfo>$K<ds:KeyName>", FORM),
    MISMADE("an Id of KeyInfo", "XML-DSig 4.5", INFO,
        "<ds:KeyInfo Id=\"k\"><ds:KeyName>", FORM),

    /* What else a Signature may hold. None of it is signed. */
    FORGED("an empty Object", "CVE-2024-45409", SIG_END, "<ds:Object></ds:Object>$0",
        FORM),
    FORGED("the signed assertion in an Object", "On Breaking SAML 2012, XSW1", SIG_END,
        "<ds:Object>$U</ds:Object>$0", FORM),
    FORGED("a Manifest", "XML-DSig 5.1", SIG_END,
        "<ds:Object><ds:Manifest></ds:Manifest></ds:Object>$0", FORM),
    FORGED("SignatureProperties", "XML-DSig 5.2", SIG_END,
        "<ds:Object><ds:SignatureProperties></ds:SignatureProperties></ds:Object>$0",
        FORM),
    FORGED("an Object before SignedInfo", "CVE-2024-45409", "<ds:SignedInfo>",
        "<ds:Object></ds:Object>$0", FORM),
    FORGED("text in the Signature", "XML-DSig 4.1", SIG_END, "x$0", FORM),
    FORGED("a comment in the Signature", "CVE-2025-29775", SIG_END, "<!-- -->$0", FORM),
    FORGED("an element of another name space", "XML-DSig 4.1", SIG_END,
        "<x xmlns=\"urn:x\"></x>$0", FORM),
    FORGED("an Id of SignatureValue", "XML-DSig 4.3", "<ds:SignatureValue>",
        "<ds:SignatureValue Id=\"v\">", FORM),
    FORGED("an Id of the Signature", "XML-DSig 4.1", "<ds:Signature ",
        "<ds:Signature Id=\"s\" ", FORM),
    FORGED("a name space more in the Signature", "exc-c14n 2", "<ds:Signature ",
        "<ds:Signature xmlns:x=\"urn:x\" ", FORM),
    FORGED("SignedInfo hidden in a comment", "CVE-2025-29775", "<ds:SignedInfo>",
        "<!--<ds:SignedInfo></ds:SignedInfo>-->$0", FORM),
};

const struct attack_group attacks_on_key_info = {
    "Keys named and brought along, content of ds:Signature", list, COUNT(list)};
