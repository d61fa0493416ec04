/* Where in our own memory do these bytes lie? So that the question is no answer to itself,
 * they are asked for in disguise. */
#ifndef TESTS_MEMORY_MAP_H
#define TESTS_MEMORY_MAP_H

#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/secret.h"
#include "tests/unit/unit.h"

enum {
    MEMORY_DISGUISE = 0x5a,
    MEMORY_PIECE = 1 << 16,
    MEMORY_LARGEST = 256 << 20 /* of a mapping: sanitizers have some without an end */
};

struct memory_found {
    size_t hidden; /* in pages that no dump has */
    size_t open;
};

/* Disguise, or take that off again. */
static inline void
memory_hide(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] ^= MEMORY_DISGUISE;
}

static inline size_t
memory_count_in(const uint8_t *at, size_t size, const uint8_t *disguised, size_t len)
{
    size_t count = 0, i, k;

    for (i = 0; i + len <= size; i++) {
        for (k = 0; k < len && (at[i + k] ^ MEMORY_DISGUISE) == disguised[k]; k++)
            ;
        count += k == len;
    }
    return count;
}

/* By the kernel's hand: some of it is not there, or guarded by sanitizers. */
static inline size_t
memory_count(
    unsigned long start, unsigned long end, const uint8_t *disguised, size_t len)
{
    static uint8_t piece[MEMORY_PIECE];
    union {
        unsigned long number;
        void *pointer;
    } at;
    size_t count = 0;

    for (at.number = start; at.number < end; at.number += sizeof(piece) - len + 1) {
        size_t size = end - at.number < sizeof(piece) ? end - at.number : sizeof(piece);
        const struct iovec to = {piece, size}, from = {at.pointer, size};
        ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

        if (n > 0)
            count += memory_count_in(piece, (size_t)n, disguised, len);
        mauth_wipe(piece, sizeof(piece)); /* lest it be found here */
    }
    return count;
}

static inline struct memory_found
memory_find(const uint8_t *disguised, size_t len)
{
    struct memory_found found = {0, 0};
    unsigned long start = 0, end = 0, first, last;
    char line[512], mode[8] = "", perms[8];
    FILE *f = fopen("/proc/self/smaps", "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx %7s", &first, &last, perms) == 3) {
            start = first;
            end = last;
            snprintf(mode, sizeof(mode), "%s", perms);
        }
        if (strncmp(line, "VmFlags:", 8) == 0 && strncmp(mode, "rw", 2) == 0 &&
            end - start <= MEMORY_LARGEST) {
            size_t n = memory_count(start, end, disguised, len);

            *(strstr(line, " dd") ? &found.hidden : &found.open) += n;
        }
    }
    fclose(f);
    return found;
}

#endif
