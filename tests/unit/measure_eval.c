/*
 * How long a question takes; prints, and judges nothing. Run it by hand:
 *
 *     build/release/tests/unit/measure_eval
 */
#include <stdio.h>
#include <time.h>

#include "policy/eval.h"
#include "tests/unit/facts.h"

#define ISSUER "https://auth.mesh.example"
#define ALICE  "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB    "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define PC     "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx"
#define BOBS   "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"
#define TRIP   "fld_0ttttttttttttttttttttttttt"
#define URL    ISSUER "/v1/mesh/folders/" TRIP

enum {
    TIMES = 200000,
    ROUNDS = 7
};

#define READ "allow read(R) if permit(read, P), within(R, P)."
#define TYPED \
    "claimed(" PC ", " ALICE ") holder(" PC ") member(" ALICE ", " TRIP ", owner) "
#define PERMITS                                                                      \
    "subject(" ALICE ") session(ses_0sssssssssssssssssssssssss) permit(delete, " URL \
    ") permit(read, " URL ") permit(write, " URL ") "
#define MANY                                                                \
    "permit(read, " ISSUER                                                  \
    "/v1/mesh/folders/fld_00000000000000000000000000) permit(read, " ISSUER \
    "/v1/mesh/folders/fld_01111111111111111111111111) permit(read, " ISSUER \
    "/v1/mesh/folders/fld_02222222222222222222222222) permit(read, " ISSUER \
    "/v1/mesh/folders/fld_03333333333333333333333333) "
#define SYNC                                                                          \
    "claimed(" PC ", " ALICE ") claimed(" BOBS ", " BOB ") holder(" PC ") mapped(" PC \
    ", " TRIP ") mapped(" BOBS ", " TRIP ") member(" ALICE ", " TRIP                  \
    ", contributor) member(" BOB ", " TRIP ", owner) "

static const struct sample {
    const char *name;
    const char *rules; /* NULL: the mesh's */
    const char *facts;
    const char *action;
    const char *arg[2];
} samples[] = {
    {"one rule, read", READ, TYPED PERMITS, "read", {URL "/a/b.jpg"}},
    {"one rule, read, five permits", READ, TYPED MANY PERMITS, "read",
        {URL "/a/b.jpg"}},
    {"one rule, denied", READ, TYPED PERMITS, "read", {ISSUER "/v1/mesh/folders/x"}},
    {"mesh.rules, read", NULL, TYPED PERMITS, "read", {URL "/a/b.jpg"}},
    {"mesh.rules, sync by a shared folder", NULL, SYNC, "sync", {PC, BOBS}},
    {"mesh.rules, sync denied", NULL, SYNC, "sync", {PC, PC}},
};

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct mauth_rules *
rules_for(const struct sample *s)
{
    static char text[MAUTH_RULES_MAX];
    size_t len = s->rules ? strlen(s->rules) : 0;
    struct mauth_rules *rules;
    FILE *f;

    if (s->rules) {
        memcpy(text, s->rules, len);
    } else {
        f = fopen(MAUTH_TEST_DATA "/../../policy/mesh.rules", "rb");
        INSIST(f);
        len = fread(text, 1, sizeof(text), f);
        fclose(f);
    }
    INSIST(mauth_rules_compile(text, len, &rules, NULL) == MAUTH_OK);
    return rules;
}

static double
measure(const struct sample *s)
{
    struct mauth_rules *rules = rules_for(s);
    static struct test_facts facts;
    struct text arg[2] = {text_of(s->arg[0]), text_of(s->arg[1])};
    struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(s->action),
        .arg = arg,
        .args = s->arg[1] ? 2 : 1,
        .issuer = text_of(ISSUER)};
    struct fact_list list;
    struct fact_source source;
    static struct eval e;
    double best = 1e12;
    size_t yes = 0;

    facts = test_facts_of(s->facts);
    source = test_source(&facts, &list, SIDE_TICKET);
    for (int round = 0; round < ROUNDS; round++) {
        double from = now_ns(), took;

        for (int i = 0; i < TIMES; i++)
            yes += eval_decide(rules, &q, &source, &e, NULL) == MAUTH_OK;
        took = (now_ns() - from) / TIMES;
        best = took < best ? took : best;
    }
    INSIST(yes == 0 || yes == (size_t)TIMES * ROUNDS);
    mauth_rules_free(rules);
    return best;
}

int
main(void)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
        printf("%-40s %6.0f ns\n", samples[i].name, measure(&samples[i]));
    printf("%-40s %6zu bytes\n", "struct eval", sizeof(struct eval));
    return 0;
}
