/* Why a message of a SAML provider was not taken. */
#ifndef SAML_REFUSAL_H
#define SAML_REFUSAL_H

enum saml_refusal {
    SAML_FINE,         /* nothing is wrong with the message */
    SAML_FORM,         /* not one assertion, bare or in a Response, as SAML has it */
    SAML_ENCRYPTED,    /* it, or its subject, is encrypted */
    SAML_UNSIGNED,     /* neither the Assertion nor the Response is signed */
    SAML_ALG,          /* signed otherwise than we take, or more, or less */
    SAML_SIGNATURE,    /* a signature that no key of the provider made over this */
    SAML_STATUS,       /* a Response that says that the login failed */
    SAML_ISSUER,       /* not the provider's */
    SAML_SUBJECT,      /* names nobody, or by a name that does not last */
    SAML_CONFIRMATION, /* no bearer confirmation, or one with bounds that we cannot see */
    SAML_RECIPIENT,    /* meant for another endpoint */
    SAML_SOLICITED,    /* the answer to a request; we made none */
    SAML_AUDIENCE,     /* meant for another audience */
    SAML_CONDITION,    /* under a condition that we do not know */
    SAML_EXPIRED,
    SAML_NOT_YET,
    SAML_AGE, /* issued longer ago than the provider is configured for */
};

#endif
