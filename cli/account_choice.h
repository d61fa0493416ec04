/* Which of this device's accounts a command is about. */
#ifndef CLI_ACCOUNT_CHOICE_H
#define CLI_ACCOUNT_CHOICE_H

#include "cli/account.h"
#include "cli/command.h"
#include "cli/service_url.h"

/*
 * The one that `typed` names (the value of --account), else that whose service `near`
 * lies at, else the only one there is. Both may be NULL. What is wrong is said.
 */
enum command_exit account_choose(const struct call *call, const char *typed,
    const char *near, struct service_url *out);

/* Would it do? */
typedef bool account_fits(const struct account *a, void *arg);

/*
 * The same; where there are several, the first that the first of these finds fit (ended
 * by NULL), else the next.
 */
enum command_exit account_choose_fit(const struct call *call, const char *typed,
    const char *near, account_fits *const *fits, void *arg, struct service_url *out);

#endif
