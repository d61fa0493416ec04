/* Times as people say them: "in 9 min 58 s", "2 min ago". */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdint.h>

enum {
    WHEN_LEN = 64
};

/* t_s as seen from now_s, in its two largest units; "now" when they are equal. */
void when_format(int64_t t_s, int64_t now_s, char out[WHEN_LEN]);

#endif
