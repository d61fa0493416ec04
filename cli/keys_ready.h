/* Who has loaded which signing keys: shown, and waited for. */
#ifndef CLI_KEYS_READY_H
#define CLI_KEYS_READY_H

#include "cli/admin.h"

/* The services that check tickets, from the nodes of all keys; false: no memory. */
MAUTH_MUST_USE bool keys_ready_print(const json_t *keys);

/*
 * Wait until each of them has loaded this key, for so long at most. On a terminal one
 * sees who has it and who does not; elsewhere a line tells of each change; with --json
 * nothing does. Says itself what is wrong.
 */
enum command_exit keys_ready_wait(
    const struct call *call, const char *config, const char *key, int64_t timeout_s);

#endif
