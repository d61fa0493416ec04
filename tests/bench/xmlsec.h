/* xmlsec1's library as a peer: parse a ticket and check its signature. */
#ifndef TESTS_BENCH_XMLSEC_H
#define TESTS_BENCH_XMLSEC_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

/* Once, before and after everything else of this header. */
bool xmlsec_start(void);
void xmlsec_stop(void);

struct xmlsec_key;
struct xmlsec_key *xmlsec_key_new(EVP_PKEY *key); /* NULL on failure */
void xmlsec_key_free(struct xmlsec_key *key);

/* True when the assertion's signature was made by this key. */
bool xmlsec_verify(const char *xml, size_t len, struct xmlsec_key *key);

#endif
