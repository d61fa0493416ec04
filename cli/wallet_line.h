/*
 * What a kept ticket is for, in JSON as it stands in tickets.json: {"audience",
 * "actions", "resource"?, "place"?, "whole"?, "dpop"?}, a line for each audience and resource.
 */
#ifndef CLI_WALLET_LINE_H
#define CLI_WALLET_LINE_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/token_exchange.h"

/* Is this the URL of a user, device or folder of the issuer? Else it is a place. */
bool wallet_line_is_node(const char *issuer, const char *url);

bool wallet_line_has(const json_t *line, const char *action);

/* Does what lies at this URL belong to the line's place? */
bool wallet_line_is_at(const json_t *line, const char *url);

/* Of one place that was asked for, note what the service made of it. False: no memory. */
bool wallet_line_note_place(
    json_t *line, const char *issuer_url, const struct token_rights *asked);

/* The lines that a ticket's own permits make; NULL without memory. */
json_t *wallet_line_all(const struct mauth_ticket *t);

#endif
