/*
 * Memory that runs out on demand, for the thread that asks for it. Link the test
 * with ${alloc_options}: then our own calls come here (those inside shared
 * libraries do not).
 */
#ifndef TESTS_ALLOC_H
#define TESTS_ALLOC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static _Thread_local size_t alloc_left = SIZE_MAX; /* so many succeed, the next fails */
static _Thread_local size_t alloc_calls;

static bool
alloc_fails(void)
{
    alloc_calls++;
    if (alloc_left == SIZE_MAX)
        return false;
    if (alloc_left == 0) {
        alloc_left = SIZE_MAX; /* the one; whatever follows succeeds */
        return true;
    }
    alloc_left--;
    return false;
}

void *
__wrap_malloc(size_t size)
{
    return alloc_fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return alloc_fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return alloc_fails() ? NULL : __real_realloc(old, size);
}

#endif
