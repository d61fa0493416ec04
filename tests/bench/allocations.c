/*
 * The linker sends our own objects' calls here (--wrap, see CMakeLists.txt);
 * shared libraries go on calling the C library's functions.
 */
#include <stddef.h>

#include "tests/bench/bench.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

static _Thread_local unsigned long calls;

unsigned long
bench_allocations(void)
{
    return calls;
}

void *
__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    calls++;
    return __real_realloc(old, size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    calls++;
    return __real_aligned_alloc(alignment, size);
}

char *
__wrap_strdup(const char *s)
{
    calls++;
    return __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
    calls++;
    return __real_strndup(s, len);
}
