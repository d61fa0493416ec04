/*
 * Runs the tables of attacks: each case, derived from each valid ticket that it
 * applies to, plain and deflated, through mauth_ticket_verify() and through
 * mauth_verifier_check(), there twice, behind the valid ticket itself.
 *
 *   attack_table                    all must be refused for their very reason
 *   attack_table --all              from more valid tickets
 *   attack_table --fails R[,R...]   a library without the checks of these reasons:
 *                                   cases of each of them must be accepted, and all
 *                                   others go as they should
 *   attack_table --list             what there is
 *   attack_table --summary          the same in short, as in docs/attacks.md
 */
#include <limits.h>

#include "tests/attack/making.h"

enum {
    FEW_STEPS = 4, /* of cases in steps, where only the table itself is tried */
    REASONS = MAUTH_REASON_BOUND + 1
};

struct run {
    struct house house;
    size_t bases;
    unsigned steps;
    bool expecting[REASONS];  /* cases that may be accepted: see --fails */
    size_t accepted[REASONS]; /* of those */
    size_t cases, controls, trials, wrong;
};

/* A case that changes nothing, in a world that is as usual, shows nothing. */
static bool
is_vacuous(const struct forgery *f, const struct attack *a)
{
    static const struct situation usual;

    return a->reason != MAUTH_REASON_NONE && !f->credential.len && !f->is_set &&
           f->xml.len == f->base->len &&
           memcmp(f->xml.data, f->base->xml, f->xml.len) == 0 &&
           memcmp(&a->at, &usual, sizeof(usual)) == 0;
}

static void
spell_xml(struct forgery *f, bool deflated)
{
    if (deflated)
        spell_deflated(&f->credential, f->xml.data, f->xml.len);
    else
        spell(&f->credential, f->xml.data, f->xml.len);
}

/* Trying it. */

static void
judge(struct run *r, const struct attack *a, const struct forgery *f, const char *how,
    enum mauth_reason want, const struct outcome *o)
{
    r->trials++;
    if (o->reason == want && !o->trouble[0])
        return;
    if (r->expecting[a->reason]) {
        r->accepted[a->reason] += o->accepted;
        return;
    }
    r->wrong++;
    printf("WRONG  %s (%s.%s, step %u, %s): %s instead of %s%s%s\n", a->name,
        f->base->kind, f->base->alg, f->step, how,
        o->accepted ? "accepted" : mauth_reason_name(o->reason),
        want ? mauth_reason_name(want) : "accepted", o->trouble[0] ? "; " : "",
        o->trouble);
}

/* The valid ticket in this spelling, into the cache: before, and again behind. */
static void
try_valid(struct run *r, const struct service *s, const struct forgery *f,
    const struct attack *a, bool deflated)
{
    static const struct situation usual;
    struct situation at = {.audience = s->audience};
    struct forgery valid = {.step = f->step};
    struct outcome o;

    forgery_start(&valid, f->base, f->house);
    spell_xml(&valid, deflated);
    house_check(&r->house, s, &valid, &at, &o);
    if (!o.accepted && memcmp(&a->at, &usual, sizeof(usual)) == 0)
        judge(r, a, f, "the valid ticket beside it", MAUTH_REASON_NONE, &o);
    forgery_clear(&valid);
}

/* The rules are asked by a verifier only, and sets are known to no one else. */
static bool
is_for_verifiers(const struct attack *a, const struct forgery *f)
{
    return f->is_set || a->at.scheme;
}

static void
attempt(struct run *r, const struct attack *a, const struct forgery *f, bool deflated)
{
    const struct service *s = house_service(&r->house, f->base, &a->at);
    enum mauth_reason alone =
        a->reason >= MAUTH_REASON_MIXED_SET ? MAUTH_REASON_NONE : a->reason;
    struct outcome o;

    if (!is_for_verifiers(a, f)) {
        house_verify(&r->house, s, f, &a->at, &o);
        judge(r, a, f, deflated ? "deflated" : "plain", alone, &o);
    }
    try_valid(r, s, f, a, deflated);
    house_check(&r->house, s, f, &a->at, &o);
    judge(r, a, f, deflated ? "asked, deflated" : "asked, plain", a->reason, &o);
    house_check(&r->house, s, f, &a->at, &o);
    judge(r, a, f, deflated ? "asked again, deflated" : "asked again, plain", a->reason,
        &o);
    try_valid(r, s, f, a, deflated);
}

static bool
try_step(struct run *r, const struct attack *a, struct forgery *f)
{
    bool more;

    making_make(f, a);
    if (is_vacuous(f, a)) {
        r->wrong++;
        printf("WRONG  %s (%s.%s): changes nothing\n", a->name, f->base->kind,
            f->base->alg);
    }
    more = f->more;
    if (f->credential.len || f->is_set) {
        attempt(r, a, f, false);
        return more;
    }
    for (int deflated = 0; deflated < 2; deflated++) {
        buf_rewind(&f->credential);
        spell_xml(f, deflated);
        attempt(r, a, f, deflated);
    }
    return more;
}

static void
try_attack(struct run *r, const struct attack *a)
{
    size_t used = 0;

    for (size_t i = 0; i < r->bases || (!used && i < MAKING_BASES); i++) {
        bool more = making_applies(a, &making_bases[i]);

        used += more;
        for (unsigned step = 0; more && step < r->steps; step++) {
            struct forgery f = {.step = step};

            forgery_start(&f, &making_bases[i], &r->house);
            more = try_step(r, a, &f);
            forgery_clear(&f);
        }
    }
    assert_true(used > 0);
    if (a->reason == MAUTH_REASON_NONE)
        r->controls++;
    else
        r->cases++;
}

/* Telling. */

static void
print_row(const struct attack *a)
{
    printf("  %-62s %-44s %s\n", a->name, a->target,
        a->reason ? mauth_reason_name(a->reason) : "(accepted)");
}

static void
list(void)
{
    for (size_t i = 0; i < MAKING_GROUPS; i++) {
        printf("%s\n", making_groups[i]->title);
        for (size_t j = 0; j < making_groups[i]->count; j++)
            print_row(&making_groups[i]->list[j]);
    }
}

static void
summarise_group(const struct attack_group *g, size_t total[2])
{
    size_t of[REASONS] = {0};

    for (size_t i = 0; i < g->count; i++)
        of[g->list[i].reason]++;
    printf("| %s | %zu | ", g->title, g->count - of[0]);
    for (size_t r = 1, n = 0; r < REASONS; r++)
        if (of[r])
            printf("%s`%s` %zu", n++ ? ", " : "",
                mauth_reason_name((enum mauth_reason)r), of[r]);
    printf(" | %zu |\n", of[0]);
    total[0] += g->count - of[0];
    total[1] += of[0];
}

static void
summarise(void)
{
    size_t total[2] = {0};

    printf("| | cases | refused for | controls |\n|---|---|---|---|\n");
    for (size_t i = 0; i < MAKING_GROUPS; i++)
        summarise_group(making_groups[i], total);
    printf("| all | %zu | | %zu |\n", total[0], total[1]);
}

static void
run_all(struct run *r)
{
    house_open(&r->house);
    for (size_t i = 0; i < MAKING_BASES; i++)
        base_load(&making_bases[i]);
    for (size_t i = 0; i < MAKING_GROUPS; i++)
        for (size_t j = 0; j < making_groups[i]->count; j++)
            try_attack(r, &making_groups[i]->list[j]);
    for (size_t i = 0; i < MAKING_BASES; i++)
        base_clear(&making_bases[i]);
    house_close(&r->house);
}

/* Every reason that is to fail did: the table would have seen it. */
static bool
failed_as_expected(const struct run *r)
{
    bool good = true;

    for (size_t i = 1; i < REASONS; i++) {
        if (!r->expecting[i])
            continue;
        printf("%zu trials of \"%s\" accepted\n", r->accepted[i],
            mauth_reason_name((enum mauth_reason)i));
        good &= r->accepted[i] > 0;
    }
    return good;
}

static void
expect_failures(struct run *r, char *reasons)
{
    r->steps = FEW_STEPS;
    for (char *name = strtok(reasons, ","); name; name = strtok(NULL, ",")) {
        size_t i = 1;

        while (
            i < REASONS && strcmp(name, mauth_reason_name((enum mauth_reason)i)) != 0)
            i++;
        if (i == REASONS)
            fail_msg("no reason \"%s\"", name);
        r->expecting[i] = true;
    }
}

static struct run run = {.bases = MAKING_USUAL_BASES, .steps = UINT_MAX};

static void
refuses_all_attacks(void **state)
{
    bool good;

    (void)state;
    run_all(&run);
    good = failed_as_expected(&run);
    printf("%zu cases, %zu controls, %zu trials, %zu wrong\n", run.cases, run.controls,
        run.trials, run.wrong);
    assert_true(good);
    assert_int_equal(run.wrong, 0);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_all_attacks)};

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--summary") == 0) {
        summarise();
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--fails") == 0)
        expect_failures(&run, argv[2]);
    else if (argc == 2 && strcmp(argv[1], "--all") == 0)
        run.bases = MAKING_BASES;
    else if (argc != 1)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
