/* Requests at the token endpoint, each of a connection's own user with a device. */
#ifndef TESTS_BENCH_EXCHANGE_H
#define TESTS_BENCH_EXCHANGE_H

#include "store/kv.h"
#include "tests/bench/load.h"
#include "tests/bench/mesh.h"
#include "tests/bench/tokens.h"

struct exchange {
    int port;
    const struct bench_mesh *mesh;
    const struct bench_tokens *tokens; /* for as many users as connections */
    size_t next;                       /* token */
    size_t turn;                       /* that the requests below go round by */
    char **ticket;                     /* an identity ticket for each connection */
};

/* Registers the service that syncs go through; `storage` is there from the start. */
MAUTH_MUST_USE enum mauth_rc exchange_put_relay(struct kv *kv, struct mauth_err *err);

/* Logs all connections in and claims their devices. exchange_clear() it in any case. */
MAUTH_MUST_USE enum mauth_rc exchange_begin(
    struct exchange *e, struct bench_load *l, struct mauth_err *err);
void exchange_clear(struct exchange *e);

/* For struct bench_asker; arg is a struct exchange. */

/* The next ID token, for the tickets of a login. */
size_t exchange_login(void *e, size_t connection, char *out, size_t max);
/* The identity ticket, for one to read one of his folders at a service. */
size_t exchange_rights(void *e, size_t connection, char *out, size_t max);
/* The identity ticket, for a sync with another device of his, through a relay. */
size_t exchange_sync(void *e, size_t connection, char *out, size_t max);

#endif
