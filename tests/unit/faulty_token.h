/*
 * A PKCS#11 module that is SoftHSM's, and does what the test tells it besides: libfaulty_
 * token.so, whose symbol faulty_token is this.
 */
#ifndef TESTS_FAULTY_TOKEN_H
#define TESTS_FAULTY_TOKEN_H

#include <stdatomic.h>

struct faulty_token {
    /* The code with which the next so many calls fail. */
    atomic_ulong code;
    atomic_int sign_init, sign, login, open_session, initialize;
    atomic_int hang_ms;       /* of the next C_Sign */
    atomic_ulong token_flags; /* that the token has besides its own */
    atomic_int swaps;         /* C_Sign does not sign what it is given */

    /* Calls that were made. */
    atomic_int logins, signs, initializes, finalizes;
};

#endif
