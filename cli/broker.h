/*
 * Gets tickets for one account: kept ones while they serve, else new ones; the identity
 * ticket is renewed on the way when that is needed. While the service is not there,
 * what is still valid serves.
 *
 * What goes wrong is said here, as cli/mesh.h does, and the exit code returned.
 */
#ifndef CLI_BROKER_H
#define CLI_BROKER_H

#include "cli/command.h"
#include "cli/wallet.h"

struct broker;

/* As the account at this service. */
enum command_exit broker_open(
    const struct call *call, const struct service_url *service, struct broker **out);
void broker_close(struct broker *b);

const struct account *broker_account(const struct broker *b);

/* Is there such a ticket, good now, that nobody need be asked for? */
bool broker_has(const struct broker *b, const struct token_rights *want);

/* One ticket that covers all that is wanted; out is good until the next call. */
enum command_exit broker_rights(
    struct broker *b, const struct token_rights *want, struct wallet_ticket *out);

/* The identity ticket's credential, which opens the account service itself. */
enum command_exit broker_identity(struct broker *b, const char **out);

/* A service did not take this ticket: the next one is a new one. */
enum command_exit broker_drop(struct broker *b, const char *credential);

#endif
