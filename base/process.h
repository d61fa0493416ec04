/* What a program does for the secrets that it will hold. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

/*
 * First of all that a program does, before any thread and any use of libcrypto: no core
 * dump, nobody but root reads our memory, the private numbers that libcrypto keeps lie in
 * memory which is locked and left out of dumps, and whatever it lets go is wiped. False
 * when that memory could not be had or not be locked (ulimit -l): everything works as
 * well without.
 */
bool process_harden(void);

#endif
