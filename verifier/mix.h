/*
 * A fast hash of bytes under a secret seed, for tables in memory only: nothing
 * rests on it but how evenly they fill. Four lanes of multiply and fold, sixteen
 * bytes each.
 */
#ifndef VERIFIER_MIX_H
#define VERIFIER_MIX_H

#include <stddef.h>
#include <stdint.h>

uint64_t mix_bytes(uint64_t seed, const void *data, size_t len);

/*
 * Of a credential; only a part of it is read, since whoever looks something up by
 * this compares all bytes. A plain one begins with fixed bytes and then the
 * ticket's random ID, which its holder cannot choose. Of a deflated one the first
 * bytes are read: with common encoders the ID is among them, but a holder can make
 * his own ones begin alike. Tables must stand that.
 */
uint64_t mix_credential(uint64_t seed, const char *text, size_t len);

#endif
