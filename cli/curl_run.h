/*
 * curl, run once for one request. What it must know and nobody else goes to it in a file
 * of its own without a name: nothing of it stands on its command line. What it answers
 * is held back until its headers have been looked at.
 */
#ifndef CLI_CURL_RUN_H
#define CLI_CURL_RUN_H

#include <stdbool.h>

#include "base/buf.h"
#include <meshauth/err.h>

struct curl_run;

/* Appends `name = "value"`, as curl reads it in a file. */
void curl_run_put(struct buf *config, const char *name, const char *value);

/*
 * Start it with this configuration, then these arguments (ended by NULL); ~/.curlrc is
 * not read. MAUTH_UNAVAILABLE: it cannot be started.
 */
MAUTH_MUST_USE enum mauth_rc curl_run_start(const struct buf *config,
    char *const *arguments, struct curl_run **out, struct mauth_err *err);

/* Wait for the headers of the answer, as far as there are any. */
MAUTH_MUST_USE enum mauth_rc curl_run_headers(
    struct curl_run *r, struct buf *headers, struct mauth_err *err);

/*
 * Wait for its end, and free r; what it printed goes to standard output, or nowhere.
 * Its exit code: 127 where there is no curl, 128 and more where a signal ended it.
 */
int curl_run_finish(struct curl_run *r, bool print);

#endif
