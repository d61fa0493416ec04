/*
 * How long to wait after a failure: twice as long each time, up to a minute, and never
 * as long as the others who failed at the same moment, so that a service that comes back
 * is not met by all of them at once.
 */
#ifndef UPDATER_BACKOFF_H
#define UPDATER_BACKOFF_H

#include <stdint.h>

enum {
    BACKOFF_FIRST_MS = 2000,
    BACKOFF_MAX_MS = 60000,
    BACKOFF_ASKED_MAX_S =
        600 /* of Retry-After: a longer one would end the file's life */
};

struct backoff {
    unsigned failures; /* in a row; 0 as soon as something has succeeded */
};

/*
 * Counts a failure, and says how long to wait. asked_s is what Retry-After said (0:
 * nothing); it is waited for in any case. random: 64 bits of it.
 */
int64_t backoff_wait_ms(struct backoff *b, int64_t asked_s, uint64_t random);

#endif
