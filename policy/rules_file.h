/* Rules from a file; what is wrong with it is said with its name. */
#ifndef POLICY_RULES_FILE_H
#define POLICY_RULES_FILE_H

#include <meshauth/rules.h>

/*
 * MAUTH_MALFORMED, MAUTH_TOO_LARGE: err->text is "FILE: line 3, column 7, ..."; else as
 * file_read() fails.
 */
MAUTH_MUST_USE enum mauth_rc rules_file_read(
    const char *path, struct mauth_rules **out, struct mauth_err *err);

#endif
