#include "keys/trust_delta.h"
#include "tests/fuzz/fuzz.h"

/* Two files, unsigned as far as it goes: signatures are not looked at here. */
#define NOTES(sequence) "a\n\n- b c\n\nsequence " sequence "\n\n- d e\n\n"

static const char older_text[] =
    NOTES("1") "revoke 1 *\nrevoke 2 dev_0zzzzzzzzzzzzzzzzzzzzzzzzz\nrevoke 3 *\n";
static const char newer_text[] = NOTES("2") "revoke 1 *\nrevoke 2 *\nrevoke 3 *\n";

static const struct text older = {older_text, sizeof(older_text) - 1};
static const struct text newer = {newer_text, sizeof(newer_text) - 1};

static void
check_same(const struct buf *a, struct text b)
{
    MUST(a->len == b.len && (!b.len || memcmp(a->data, b.p, b.len) == 0));
}

/* What is taken is the one delta of the two files. */
static void
apply(struct text delta)
{
    struct buf made, again;

    buf_init(&made);
    buf_init(&again);
    if (trust_delta_apply(older, delta, &made, NULL) == MAUTH_OK) {
        MUST(!trust_delta_make(older, buf_slice(&made), &again, NULL));
        check_same(&again, delta);
    } else {
        MUST(made.len == 0);
    }
    buf_clear(&again);
    buf_clear(&made);
}

/* What joins does in one step what the two do in two. */
static void
join(struct text delta)
{
    struct buf first, joined, made, step;
    enum mauth_rc rc;

    buf_init(&first);
    buf_init(&joined);
    buf_init(&made);
    buf_init(&step);
    MUST(!trust_delta_make(older, newer, &first, NULL));
    if (trust_delta_join(buf_slice(&first), delta, &joined, NULL) == MAUTH_OK) {
        rc = trust_delta_apply(newer, delta, &step, NULL);
        if (rc == MAUTH_OK)
            MUST(!trust_delta_apply(older, buf_slice(&joined), &made, NULL));
        check_same(&made, buf_slice(&step));
    } else {
        MUST(joined.len == 0);
    }
    buf_clear(&step);
    buf_clear(&made);
    buf_clear(&joined);
    buf_clear(&first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text delta = {(const char *)data, size};

    apply(delta);
    join(delta);
    return 0;
}
