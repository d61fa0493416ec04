/*
 * libxml2 and xmlsec1 keep state of the process: they are made ready once, by the
 * program, before it has threads. No external entity is ever loaded afterwards.
 */
#ifndef SAML_LIBRARY_H
#define SAML_LIBRARY_H

#include <meshauth/err.h>

MAUTH_MUST_USE enum mauth_rc saml_library_open(struct mauth_err *err);
/* When no thread uses them any more. */
void saml_library_close(void);

/*
 * What libxml2 notes of errors in this thread goes nowhere: it quotes strangers. The
 * rest of the folder calls this before it works.
 */
void saml_library_hush(void);

#endif
