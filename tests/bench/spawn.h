/* Programs that the bench runs: their output in a log, and made to die with us. */
#ifndef TESTS_BENCH_SPAWN_H
#define TESTS_BENCH_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* argv[0] is its path; the log is DIR/log. Its pid, or -1. */
pid_t spawn(const char *dir, const char *const *argv);
/* True when it ended well. */
bool spawn_wait(pid_t pid);
bool spawn_and_wait(const char *dir, const char *const *argv);
/*
 * The same, and what it prints, as far as it fits: its standard output does not go to the
 * log. size is 1 at least.
 */
bool spawn_and_read(const char *dir, const char *const *argv, char *out, size_t size);
/* Ends it, by force when it takes long. *pid becomes 0; 0 is fine. */
void spawn_end(pid_t *pid);

void spawn_nap(void); /* 10 ms */

#endif
