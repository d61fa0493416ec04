/* TLS 1.3 to a meshauthd on 127.0.0.1, with the key of a device. */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "base/buf.h"

/* What trusts this server's certificate; the caller frees it. NULL on failure. */
SSL_CTX *wire_tls(const char *ca_file);

/* A blocking connection that shows the key of device number i; NULL on failure. */
SSL *wire_dial(SSL_CTX *tls, int port, size_t i);
/* NULL is fine. */
void wire_hang_up(SSL *ssl);

/* How long the answer is; 0 until its header is complete. */
size_t wire_answer_length(const char *answer, size_t have);

/* The request that exchanges an ID token for tickets; its length. */
size_t wire_exchange(int port, struct text id_token, char *out, size_t max);

/*
 * Sends a request and waits for its answer, which a NUL ends. Its status; 0 when there
 * is no answer, or none that fits into max bytes.
 */
int wire_ask(SSL *ssl, const char *request, size_t len, char *answer, size_t max);

#endif
