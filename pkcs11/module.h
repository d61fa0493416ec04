/*
 * PKCS#11 modules, loaded into the process: each once, and never unloaded. Whoever is
 * inside may call its functions; when the last one has left, the module is finalized,
 * and it starts afresh for the next: some modules see a token that came back only then.
 * Safe from any thread.
 */
#ifndef PKCS11_MODULE_H
#define PKCS11_MODULE_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct pkcs11_module;

/* MAUTH_UNAVAILABLE: it is not there, is no module, or does not start. */
MAUTH_MUST_USE enum mauth_rc pkcs11_module_enter(
    const char *path, struct pkcs11_module **out, struct mauth_err *err);
void pkcs11_module_leave(struct pkcs11_module *m); /* NULL is fine */

/* Its functions; those for which others ask by name, PKCS#11 2.40. */
const CK_FUNCTION_LIST *pkcs11_module_functions(const struct pkcs11_module *m);

/*
 * PINs that a token has refused are not shown to it a second time: it would lock itself
 * after a few. Remembered until the process ends, as a hash.
 */
MAUTH_MUST_USE enum mauth_rc pkcs11_module_check_pin(struct pkcs11_module *m,
    const CK_TOKEN_INFO *token, struct text pin, struct mauth_err *err);
void pkcs11_module_refused_pin(
    struct pkcs11_module *m, const CK_TOKEN_INFO *token, struct text pin);

/* MAUTH_UNAVAILABLE, with the call and the name of the code. */
MAUTH_MUST_USE enum mauth_rc pkcs11_failed(
    const char *call, CK_RV rv, struct mauth_err *err);

#endif
