/* How far long work has come, for a person who looks on: a line that is written over. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

#include "cli/command.h"

/* Is there somebody to look on? */
bool progress_wanted(const struct call *call);

/* "1234 of 5678 records", until all are done: then nothing is left of it. */
void progress_records(uint64_t done, uint64_t of, void *arg);

#endif
