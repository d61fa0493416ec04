#include "tests/bench/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/file.h"
#include "policy/eval.h"
#include "policy/mesh_rules.h"
#include "tests/bench/bench.h"
#include "tickets/decode.h"
#include "verifier/facts.h"

#define ISSUER "https://auth.mesh.example"
#define FOLDER ISSUER "/v1/mesh/folders/fld_0fffffffffffffffffffffffff"

/* Of the golden tickets, and true. */
static const struct question {
    const char *line;
    const char *ticket;
    const char *action;
    const char *arg[2];
} questions[] = {
    {"us", "rights", "read", {FOLDER "/2026/cliffs.jpg"}},
    {"sync.us", "p2p-shared-folder", "sync",
        {"dev_0xxxxxxxxxxxxxxxxxxxxxxxxx", "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"}},
};

enum {
    QUESTIONS = sizeof(questions) / sizeof(*questions)
};

struct asked {
    const struct mauth_rules *rules;
    struct mauth_ticket *ticket;
    struct fact_source facts;
    struct text arg[2];
    struct eval_question question;
    struct eval eval;
};

static bool
answer(void *state)
{
    struct asked *a = state;

    return eval_decide(a->rules, &a->question, &a->facts, &a->eval, NULL) == MAUTH_OK;
}

static enum mauth_rc
prepare(struct asked *a, const struct question *q, const struct mauth_rules *rules,
    struct mauth_err *err)
{
    char path[1024];
    enum mauth_rc rc;
    struct buf xml;

    snprintf(path, sizeof(path), "%s/golden/%s.p256.xml", MAUTH_TEST_DATA, q->ticket);
    buf_init(&xml);
    rc = file_read(path, MAUTH_TICKET_MAX, &xml, err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(
            (const char *)xml.data, xml.len, &a->ticket, err);
    buf_clear(&xml);
    if (rc)
        return rc;
    a->rules = rules;
    a->facts = ticket_facts(a->ticket);
    for (size_t i = 0; i < 2; i++)
        a->arg[i] = text_of(q->arg[i]);
    a->question = (struct eval_question){.kind = RULE_ALLOW,
        .action = text_of(q->action),
        .arg = a->arg,
        .args = q->arg[1] ? 2 : 1,
        .issuer = text_of(ISSUER)};
    return MAUTH_OK;
}

static enum mauth_rc
race(struct asked *asked, double seconds, struct mauth_err *err)
{
    struct bench_racer racers[QUESTIONS] = {{0}};
    enum mauth_rc rc;
    size_t rounds;

    for (size_t i = 0; i < QUESTIONS; i++) {
        racers[i].once = answer;
        racers[i].state = &asked[i];
    }
    rc = bench_race(racers, QUESTIONS, seconds, &rounds, err);
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (rc == MAUTH_OK)
            bench_line("rule", questions[i].line, 3,
                bench_quantile(racers[i].each_us, rounds, 0.5), "us");
        free(racers[i].each_us);
    }
    return rc;
}

enum mauth_rc
bench_rule(double seconds, struct mauth_err *err)
{
    struct asked *asked = calloc(QUESTIONS, sizeof(*asked));
    struct mauth_rules *rules = NULL;
    enum mauth_rc rc;

    if (!asked)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    rc = mauth_rules_compile((const char *)mesh_rules, mesh_rules_len, &rules, err);
    for (size_t i = 0; i < QUESTIONS && rc == MAUTH_OK; i++)
        rc = prepare(&asked[i], &questions[i], rules, err);
    if (rc == MAUTH_OK)
        rc = race(asked, seconds, err);
    for (size_t i = 0; i < QUESTIONS; i++)
        mauth_ticket_free(asked[i].ticket);
    mauth_rules_free(rules);
    free(asked);
    return rc;
}
