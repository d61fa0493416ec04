/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): 64 bits that
 * nobody can steer who does not know the key. For tables and indexes, not for signatures.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIPHASH_KEY = 16
};

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len);

#endif
