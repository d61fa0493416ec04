/* What a ticket says, for people and for machines. */
#ifndef CLI_TICKET_VIEW_H
#define CLI_TICKET_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <meshauth/ticket.h>

/*
 * The XML of a ticket from a file ("-": standard input) that holds an assertion
 * or a credential of one ticket, plain or deflated. One newline at its end is
 * ignored.
 *
 * err->reason is set (size, form) when the file was read and holds no ticket.
 */
MAUTH_MUST_USE enum mauth_rc ticket_view_read(
    const char *path, char xml[MAUTH_TICKET_MAX], size_t *len, struct mauth_err *err);

/* A table on standard output; times as seen from now_s. False without memory. */
bool ticket_view_print(const struct mauth_ticket *t, int64_t now_s);

/* All of it, for `ticket show`; NULL without memory. */
json_t *ticket_view_json(const struct mauth_ticket *t);

/* What services act on, for `ticket verify`: subject, audiences, permits, facts. */
json_t *ticket_view_json_core(const struct mauth_ticket *t);

/* "rights" or "identity"; static. */
const char *ticket_view_kind(const struct mauth_ticket *t);

/* "read, write" of the i-th permit; malloc'd, NULL without memory. */
char *ticket_view_actions(const struct mauth_ticket *t, size_t i);

#endif
