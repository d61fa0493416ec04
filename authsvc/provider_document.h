/*
 * What a provider publishes, as it comes: from a file that the configuration names, or
 * over HTTPS. What is wrong with a file is said with its name.
 */
#ifndef AUTHSVC_PROVIDER_DOCUMENT_H
#define AUTHSVC_PROVIDER_DOCUMENT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "net/fetch.h"
#include <meshauth/err.h>

/* Adds the body of a 200 to out. MAUTH_UNAVAILABLE: there is none to be had. */
MAUTH_MUST_USE enum mauth_rc provider_document_fetch(
    struct fetch *fetch, const char *url, struct buf *out, struct mauth_err *err);

/* What the bytes of a file are made into; arg holds the result. */
typedef enum mauth_rc provider_document_fn(
    struct text bytes, void *arg, struct mauth_err *err);

/* Read a file of at most max bytes, and let fn make something of it. */
MAUTH_MUST_USE enum mauth_rc provider_document_read(const char *path, size_t max,
    provider_document_fn *fn, void *arg, struct mauth_err *err);

#endif
