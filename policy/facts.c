#include "policy/facts.h"

static bool
matches(const struct fact *f, const struct fact_cursor *c)
{
    if (f->predicate != c->predicate)
        return false;
    for (unsigned i = 0; c->bound >> i; i++)
        if (c->bound >> i & 1U && !text_equal(f->arg[i], c->want[i]))
            return false;
    return true;
}

static enum mauth_rc
list_next(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    const struct fact_list *list = self;

    (void)err;
    while (c->at[0] < list->count) {
        const struct fact *f = &list->fact[c->at[0]++];

        if (!matches(f, c))
            continue;
        for (size_t i = 0; i < PREDICATE_ARGS_MAX; i++)
            c->arg[i] = f->arg[i];
        return MAUTH_OK;
    }
    return MAUTH_NOT_FOUND;
}

struct fact_source
fact_list_source(struct fact_list *list, enum side side)
{
    struct fact_source source = {side, list, list_next, NULL};

    return source;
}
