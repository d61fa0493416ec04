/*
 * What a service says about a request that it refused: the challenges of its
 * WWW-Authenticate headers (RFC 9110 11.6.1) with the members of RFC 6750, RFC 9449 and
 * RFC 9728, and its DPoP-Nonce. Foreign bytes: bounded, and what is not of its form is not
 * there.
 */
#ifndef CLI_CHALLENGE_H
#define CLI_CHALLENGE_H

#include <stdbool.h>

#include "base/str.h"

enum {
    CHALLENGE_TEXT = 256
};

struct challenge {
    int status;  /* of the last answer that is whole; 0: there is none */
    bool bearer; /* there is a challenge of this scheme */
    bool dpop;
    char error[64]; /* of the first challenge that has one; "" where there is none */
    char text[CHALLENGE_TEXT]; /* error_description, printable ASCII */
    char scope[CHALLENGE_TEXT];
    char metadata[CHALLENGE_TEXT]; /* resource_metadata, RFC 9728 5.1 */
    char nonce[CHALLENGE_TEXT];    /* printable ASCII without blanks */
};

/* From the headers of an answer as they came, perhaps after those of interim ones. */
void challenge_read(struct text headers, struct challenge *out);

#endif
