/* A TLS client with a device's key: new, in a certificate that it signs itself. */
#ifndef TESTS_BENCH_DEVICE_H
#define TESTS_BENCH_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* Gives the connection the key and certificate of device number i. */
bool device_present(SSL *ssl, size_t i);

#endif
