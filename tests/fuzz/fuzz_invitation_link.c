#include <stdio.h>

#include "cli/invitation_link.h"
#include "tests/fuzz/fuzz.h"

/* What is taken, put together again, is what was given. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size};
    char again[INVITATION_LINK_MAX];
    struct invitation_link link;
    int len;

    if (invitation_link_parse(text, &link, NULL) == MAUTH_OK) {
        len = snprintf(again, sizeof(again), "%s/v1/mesh/invitations/%s#%s",
            link.service.text, link.id, link.secret);
        MUST(len > 0 && (size_t)len == size && memcmp(again, data, size) == 0);
    }
    invitation_link_clear(&link);
    return 0;
}
