/* What a program does for the secrets that it will hold. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

/*
 * Before any thread and any secret: no core dump, nobody but root reads our memory, and
 * the private numbers that libcrypto keeps lie in memory which is locked, left out of
 * dumps and wiped. False when that memory could not be had or not be locked (ulimit -l):
 * everything works as well without.
 */
bool process_harden(void);

#endif
