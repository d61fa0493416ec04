/*
 * Conditions that are waited for by the clock that never goes back, so that nobody who
 * sets the other one keeps a thread asleep.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* To be ended by pthread_cond_destroy(). */
void wake_init(pthread_cond_t *c);

/*
 * With the lock held: until the condition is signalled, or, false, until
 * time_monotonic_ms() is end_ms. INT64_MAX: no end.
 */
bool wake_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t end_ms);

#endif
