/* The meshauth.conf that `meshauth init` writes. */
#ifndef CLI_SETUP_CONFIG_H
#define CLI_SETUP_CONFIG_H

#include "cli/setup.h"

void setup_config_write(const struct setup *s, struct buf *out);

#endif
