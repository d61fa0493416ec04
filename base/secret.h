/*
 * Things that must not leak: wiped, compared in constant time, kept in locked
 * memory. A secret has no printing function.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

void mauth_wipe(void *data, size_t len); /* never optimised away */
MAUTH_MUST_USE bool mauth_equal_ct(const void *a, const void *b, size_t len);

/* Cryptographically random bytes. MAUTH_INTERNAL when the system has none. */
MAUTH_MUST_USE enum mauth_rc mauth_random(void *out, size_t len, struct mauth_err *err);

/* len bytes in pages of their own: locked where the limits allow, not dumped. */
struct mauth_secret;
MAUTH_MUST_USE enum mauth_rc mauth_secret_new(
    const void *data, size_t len, struct mauth_secret **out, struct mauth_err *err);
void mauth_secret_free(struct mauth_secret *s); /* wipes; NULL is fine */
const uint8_t *mauth_secret_bytes(const struct mauth_secret *s);
size_t mauth_secret_len(const struct mauth_secret *s);

#endif
