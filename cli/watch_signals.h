/*
 * The signals of a command that runs on: SIGTERM and SIGINT end it at once, SIGHUP has
 * it look again at once. One thread; they come through only where it waits.
 */
#ifndef CLI_WATCH_SIGNALS_H
#define CLI_WATCH_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

struct fetch;

/* From now on they wait. */
void watch_signals_begin(void);

/* Between these two a signal cancels f. */
void watch_signals_allow(struct fetch *f);
void watch_signals_deny(void);

/* Wait so long, or until one comes. */
void watch_signals_sleep(int64_t ms);

bool watch_signals_end(void);   /* has one come that ends us? */
bool watch_signals_asked(void); /* ... that has us look again? */
bool watch_signals_again(void); /* the same, and forgets it */

#endif
