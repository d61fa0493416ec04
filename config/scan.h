/*
 * What libconfig would let pass or take for something else, looked for before it
 * parses: numbers that it cuts to 32 bits without a word, a comment or a string
 * that swallows the rest of the file, included files, bytes that are no text.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <stdint.h>

#include "base/buf.h"
#include <meshauth/err.h>

#define CONFIG_NUMBER_MAX INT32_MAX

/* file is how messages name it. MAUTH_MALFORMED "FILE:LINE: sentence". */
MAUTH_MUST_USE enum mauth_rc config_scan(
    const char *file, struct text text, struct mauth_err *err);

#endif
