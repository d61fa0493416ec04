/*
 * What a start would read, read once and put away: each thing that the configuration
 * names has a line, on standard output if it is good, else on standard error with what
 * is wrong. Nothing is changed, no port is taken, no provider is asked.
 */
#ifndef AUTHSVC_START_CHECK_H
#define AUTHSVC_START_CHECK_H

#include <stdbool.h>

#include "config/config.h"

/* False: a start would fail. */
bool start_check(const struct config *c);

#endif
