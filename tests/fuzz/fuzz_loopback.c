#include "base/str.h"
#include "cli/loopback.h"
#include "cli/redirect.h"
#include "tests/fuzz/fuzz.h"

#define OURS  "127.0.0.1:4321"
#define STATE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

/* From what a stranger sends to loopback to a code: nothing without our state. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct redirect_want want = {STATE, "https://login.example", size & 1};
    struct text head = {(const char *)data, size}, query;
    enum loopback_verdict verdict = loopback_judge(head, OURS, &query);
    struct buf code;

    if (verdict != LOOPBACK_CAME) {
        MUST(query.len == 0);
        query = head; /* the reader of queries shall see something, too */
    } else {
        MUST(query.p >= head.p && query.p + query.len < head.p + head.len);
        MUST(memmem(data, size, OURS, strlen(OURS)));
    }
    buf_init_secret(&code);
    if (redirect_read(query, &want, &code, NULL) == MAUTH_OK) {
        MUST(code.len > 0);
        MUST(!memchr(code.data, 0, code.len));
        MUST(memmem(query.p, query.len, "%", 1) ||
             memmem(query.p, query.len, STATE, strlen(STATE)));
    } else {
        MUST(code.len == 0);
    }
    buf_clear(&code);
    return 0;
}
