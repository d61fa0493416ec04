/* What fuzz targets share. A target aborts when something is accepted that nobody
 * could have made, or when what was read does not hold together. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* The golden P-256 signing key; nobody who fuzzes has its private half at hand. */
#define GOLDEN_P256                                                      \
    "-----BEGIN PUBLIC KEY-----\n"                                       \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwA7+JC4hnmKs4vss/9qxcnWgb3c6\n" \
    "md+FJgeJw4/JRFvywSDtUyvfM+sUXCwSyh8pPCx6L+LmJE9pwv97MzLBZA==\n"     \
    "-----END PUBLIC KEY-----\n"

#endif
