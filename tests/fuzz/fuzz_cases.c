#include "policy/cases.h"
#include "tests/fuzz/fuzz.h"

static const char text[] =
    "can(reader, read). can(owner, read). can(owner, write).\n"
    "allow sync(X, Y) if holder(X), claimed(X, U), claimed(Y, U), X != Y.\n"
    "allow read(R) if permit(read, P), within(R, P).\n"
    "allow look(R) if caller(U), user(R, U).\n"
    "grant read(R) if subject(U), folder(R, F), member(U, F, Role), can(Role, read).\n"
    "grant write(R) if subject(U), folder(R, F), member(U, F, Role), can(Role, "
    "write).\n";

struct sums {
    size_t answers, failed;
};

static void
hear(void *arg, const struct cases_answer *a)
{
    struct sums *s = arg;

    MUST(a->line > 0 && a->title.p && a->question.len > 0);
    MUST(a->eval->rule || a->why[0]);
    s->answers++;
    s->failed += !a->as_expected;
}

/* A table is refused, or its sums are those of its answers. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mauth_rules *rules;
    struct sums sums = {0, 0};
    struct cases_listener listener = {hear, &sums};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct cases_totals totals;
    struct text table = {(const char *)data, size};

    if (!rules)
        MUST(mauth_rules_compile(text, sizeof(text) - 1, &rules, NULL) == MAUTH_OK);
    if (cases_run(rules, table, &listener, &totals, &err)) {
        MUST(err.text[0] && totals.questions == 0);
        return 0;
    }
    MUST(totals.questions == sums.answers && totals.failed == sums.failed);
    return 0;
}
