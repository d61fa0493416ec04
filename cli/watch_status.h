/* What an updater tells whoever supervises it: one JSON object, in a file. */
#ifndef CLI_WATCH_STATUS_H
#define CLI_WATCH_STATUS_H

#include <stdint.h>

#include <jansson.h>

#include "cli/trust_home.h"
#include "cli/watch_decisions.h"
#include "updater/keep.h"
#include "updater/lowest.h"

struct watch_status {
    const struct trust_home *home;
    const struct keep *keep;
    int64_t confirmed_s; /* when the account service was last heard; 0: never */
    struct mauth_err trouble;
    int64_t trouble_since_s;
    struct lowest loaded;
    struct watch_decisions_counts decisions;
};

/* "good", "failing" (the file is valid, but nothing new comes), "expired", "future", or
 * "none". */
const char *watch_status_name(const struct watch_status *s, int64_t now_s);

/* The object; NULL without memory. */
json_t *watch_status_json(const struct watch_status *s, int64_t now_s);

/* Replace the file with it. */
MAUTH_MUST_USE enum mauth_rc watch_status_write(const struct watch_status *s,
    const char *path, int64_t now_s, struct mauth_err *err);

#endif
