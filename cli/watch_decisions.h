/*
 * What the processes of a service note of tickets and decisions (updater/journals.h),
 * handed back to the account service: a thread of the updater's, since the other one waits
 * for trust files. Each batch is kept until it was acknowledged. It logs in by the
 * client's ticket; the account service gets ten requests a second at most, two as a rule.
 */
#ifndef CLI_WATCH_DECISIONS_H
#define CLI_WATCH_DECISIONS_H

#include <stdint.h>

#include "cli/trust_client.h"
#include "cli/trust_home.h"

struct watch_decisions;

struct watch_decisions_options {
    const struct trust_home *home; /* all borrowed */
    struct trust_client *client;
    const char *dir; /* of the journals */
    /* Told once of each trouble, in the thread. */
    void (*complain)(const struct mauth_err *err, void *arg);
    void *arg;
};

MAUTH_MUST_USE enum mauth_rc watch_decisions_start(
    const struct watch_decisions_options *o, struct watch_decisions **out,
    struct mauth_err *err);
/* Ends it, within a second. NULL is fine. */
void watch_decisions_stop(struct watch_decisions *w);

struct watch_decisions_counts {
    uint64_t handed_back; /* entries, since the start */
    uint64_t lost; /* overwritten before they were read, or not to be understood */
};

/* From any thread; zeros for NULL. */
struct watch_decisions_counts watch_decisions_count(struct watch_decisions *w);

#endif
