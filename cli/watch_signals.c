#include "cli/watch_signals.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "net/fetch.h"

static volatile sig_atomic_t ended, again;
static struct fetch *_Atomic under_way;
static sigset_t ours, before;

static void
take(int number)
{
    struct fetch *f = atomic_load(&under_way);

    if (number == SIGHUP)
        again = 1;
    else
        ended = 1;
    if (f)
        fetch_cancel(f);
}

void
watch_signals_begin(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = take};

    sigemptyset(&ours);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaddset(&ours, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    action.sa_mask = ours;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        sigaction(numbers[i], &action, NULL);
        sigdelset(&before, numbers[i]); /* whoever started us may have blocked them */
    }
}

void
watch_signals_allow(struct fetch *f)
{
    atomic_store(&under_way, f);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void
watch_signals_deny(void)
{
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    atomic_store(&under_way, NULL);
}

void
watch_signals_sleep(int64_t ms)
{
    const struct timespec for_ms = {ms / 1000, ms % 1000 * 1000000};

    if (!ended && !again)
        (void)ppoll(NULL, 0, &for_ms, &before);
}

bool
watch_signals_end(void)
{
    return ended;
}

bool
watch_signals_asked(void)
{
    return again;
}

bool
watch_signals_again(void)
{
    bool asked = again;

    again = 0;
    return asked;
}
