/*
 * Arguments for curl, as far as they can be passed on to it: a closed list, since a
 * request carries a ticket and the device's key proves it. What would send these
 * elsewhere (another URL, a redirect, an unchecked certificate), show them, or stand in
 * their place is refused, and so is what we do not know.
 */
#ifndef CLI_CURL_ARGUMENTS_H
#define CLI_CURL_ARGUMENTS_H

#include <stdbool.h>

#include <meshauth/err.h>

struct curl_arguments {
    const char *method; /* of the request that they make; borrowed */
    const char *cacert; /* NULL: not named */
    bool once;          /* they read standard input, which is gone then */
    bool progress;      /* they want to see how it goes on */
};

/*
 * argv is ended by NULL.
 *
 * MAUTH_INVALID  err->text names the argument, and why it is not passed on
 */
MAUTH_MUST_USE enum mauth_rc curl_arguments_read(
    char *const *argv, struct curl_arguments *out, struct mauth_err *err);

#endif
