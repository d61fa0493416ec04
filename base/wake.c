#include "base/wake.h"

#include <time.h>

void
wake_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool
wake_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t end_ms)
{
    const struct timespec end = {end_ms / 1000, end_ms % 1000 * 1000000};

    if (end_ms == INT64_MAX)
        return pthread_cond_wait(c, lock) == 0;
    return pthread_cond_timedwait(c, lock, &end) == 0;
}
