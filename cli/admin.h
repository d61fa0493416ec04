/*
 * How admin commands reach the service's store: through meshauthd's admin socket while
 * it runs, else directly, with the same functions and the same records.
 */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include <jansson.h>

#include "cli/command.h"
#include "config/config.h"
#include "store/admin_view.h"

struct admin {
    struct config *config;
    bool served; /* meshauthd runs */
};

/*
 * Read the configuration, and see whether meshauthd runs; says itself what is wrong.
 * admin_close() it in either case.
 */
enum command_exit admin_open(
    const struct call *call, const char *file, struct admin *out);
void admin_close(struct admin *a);

struct admin_request {
    const char *method;
    const char *path;   /* with its query */
    const json_t *body; /* or NULL */
    long timeout_ms;    /* 0: a minute */
};

/*
 * Ask meshauthd. *out is the answer's object, NULL for an empty one.
 *
 * MAUTH_DENIED, MAUTH_NOT_FOUND, MAUTH_CONFLICT, MAUTH_UNAVAILABLE: what it said
 */
MAUTH_MUST_USE enum mauth_rc admin_ask(const struct admin *a,
    const struct admin_request *r, json_t **out, struct mauth_err *err);

/* All there are, as an array; of a user (else NULL) the open sessions. */
MAUTH_MUST_USE enum mauth_rc admin_list(const struct admin *a, enum admin_kind kind,
    const char *user, json_t **out, struct mauth_err *err);

MAUTH_MUST_USE enum mauth_rc admin_show(const struct admin *a, enum admin_kind kind,
    const char *whom, json_t **out, struct mauth_err *err);

/* *out is what has become of it, NULL when it is gone. */
MAUTH_MUST_USE enum mauth_rc admin_do(
    const struct admin *a, struct admin_change *c, json_t **out, struct mauth_err *err);

/* Complains, unless err tells of nothing; the exit code. */
enum command_exit admin_failed(const struct call *call, const struct mauth_err *err);

/*
 * Whole commands. -c must be the first of the command's options; print writes for
 * people, false: no memory. --json prints {"KIND":[...]}, and one node as it is.
 */
enum command_exit admin_print_list(
    const struct call *call, enum admin_kind kind, bool (*print)(const json_t *items));
enum command_exit admin_print_one(
    const struct call *call, enum admin_kind kind, bool (*print)(const json_t *node));
/* Do it, and say so: "WHAT: done". With --json, what has become of it, or {}. */
enum command_exit admin_run(const struct call *call, struct admin_change *c,
    const char *done, const char *what);

/* For people or for machines. */
enum command_exit admin_print(
    const struct call *call, const json_t *node, bool (*print)(const json_t *node));

/* A member of a node; "" when there is none. */
const char *admin_text(const json_t *node, const char *name);

#endif
