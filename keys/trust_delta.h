/*
 * What changed from one trust file to a later one (docs/trust-file.md): the later
 * one's two notes, and the lines of the list that went and that came.
 *
 * Nothing here checks a signature: what trust_delta_apply() makes is a trust file
 * like one that came whole, for mauth_trust_parse() to judge. There is exactly one
 * delta for two files.
 */
#ifndef KEYS_TRUST_DELTA_H
#define KEYS_TRUST_DELTA_H

#include "base/buf.h"
#include <meshauth/err.h>
#include <meshauth/trust.h>

/* Its media type. */
#define TRUST_DELTA_TYPE "application/vnd.meshauth.trust-delta"

/*
 * In all of them out is appended to, and is as it was when they fail. What they read
 * is borrowed for the call. Neither a delta nor a file is longer than MAUTH_TRUST_MAX.
 *
 * MAUTH_MALFORMED  not of the form, or a list not in its order
 * MAUTH_CONFLICT   the delta does not belong to this file or delta: another is needed,
 *                  or the whole file
 * MAUTH_TOO_LARGE  what would come out
 */

/* The delta from older to newer; both are whole trust files. */
MAUTH_MUST_USE enum mauth_rc trust_delta_make(
    struct text older, struct text newer, struct buf *out, struct mauth_err *err);

/* One delta for two, of which the second begins where the first ends. */
MAUTH_MUST_USE enum mauth_rc trust_delta_join(
    struct text first, struct text second, struct buf *out, struct mauth_err *err);

/* The newer file, byte for byte. */
MAUTH_MUST_USE enum mauth_rc trust_delta_apply(
    struct text older, struct text delta, struct buf *out, struct mauth_err *err);

#endif
