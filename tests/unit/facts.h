/*
 * Facts for tests, written as "holder(a) claimed(a, b)"; and a source that is as
 * unhelpful as the contract of policy/facts.h allows.
 */
#ifndef TESTS_FACTS_H
#define TESTS_FACTS_H

#include <stdlib.h>
#include <string.h>

#include "policy/facts.h"

#define INSIST(condition) \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum {
    TEST_FACTS_MAX = 256
};

struct test_facts {
    struct fact fact[TEST_FACTS_MAX];
    size_t count;
    /* of the unhelpful source */
    enum side side;
    size_t open;    /* walks that were begun and not ended */
    size_t fail_at; /* the call of next that fails; 0: none */
    size_t next_calls;
};

static inline struct text
test_until(const char **at, const char *ends)
{
    struct text t = {*at, strcspn(*at, ends)};

    *at += t.len;
    while (**at && strchr("(), ", **at))
        ++*at;
    return t;
}

static inline struct test_facts
test_facts_of(const char *text)
{
    struct test_facts f = {.count = 0};

    while (*text) {
        struct fact *fact = &f.fact[f.count++];

        INSIST(f.count <= TEST_FACTS_MAX);
        fact->predicate = predicate_by_name(test_until(&text, "( "));
        INSIST(fact->predicate != PREDICATES);
        for (unsigned i = 0; i < predicate_info(fact->predicate)->arity; i++)
            fact->arg[i] = test_until(&text, ",)");
    }
    return f;
}

/* A helpful source over the same facts; list is the caller's. */
static inline struct fact_source
test_source(struct test_facts *f, struct fact_list *list, enum side side)
{
    list->fact = f->fact;
    list->count = f->count;
    return fact_list_source(list, side);
}

/*
 * Yields all that has the values of the key, and now and then what has not; puts
 * values into the cursor's room and wipes them with the next; insists on being
 * asked by declared patterns only.
 */
static inline enum mauth_rc
test_odd_next(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    struct test_facts *f = self;
    const struct predicate_info *info = predicate_info(c->predicate);
    unsigned key;

    (void)err;
    INSIST(predicate_key(c->predicate, f->side, c->bound, &key) && key == c->key);
    if (++f->next_calls == f->fail_at)
        return MAUTH_UNAVAILABLE;
    if (!c->state) {
        INSIST(c->at[0] == 0 && c->at[1] == 0);
        c->state = f;
        f->open++;
    }
    memset(c->room, 'x', sizeof(c->room));
    while (c->at[0] < f->count) {
        const struct fact *fact = &f->fact[c->at[0]++];
        bool is = fact->predicate == c->predicate;

        for (unsigned i = 0; i < info->arity && is; i++)
            if (c->key >> i & 1U && !text_equal(c->want[i], fact->arg[i]))
                is = fact->arg[i].len % 2; /* a stray */
        if (!is)
            continue;
        for (unsigned i = 0; i < info->arity; i++) {
            c->arg[i] = fact->arg[i];
            if (fact->arg[i].len > FACTS_ROOM)
                continue;
            memcpy(c->room[i], fact->arg[i].p, fact->arg[i].len);
            c->arg[i].p = c->room[i];
        }
        return MAUTH_OK;
    }
    return MAUTH_NOT_FOUND;
}

static inline void
test_odd_close(void *self, struct fact_cursor *c)
{
    struct test_facts *f = self;

    if (c->state)
        f->open--;
    c->state = NULL;
}

static inline struct fact_source
test_odd_source(struct test_facts *f, enum side side)
{
    struct fact_source s = {side, f, test_odd_next, test_odd_close};

    f->side = side;
    return s;
}

#endif
