#include "policy/facts.h"
#include "policy/predicate.h"
#include "tests/unit/facts.h"
#include "tests/unit/unit.h"

static size_t
count_patterns(const char *patterns, unsigned arity)
{
    size_t n = 0;

    for (const char *p = patterns;; p += arity + 1) {
        assert_int_equal(strspn(p, "+-"), arity);
        n++;
        if (p[arity] == '\0')
            return n;
        assert_int_equal(p[arity], ' ');
    }
}

static void
the_table_is_well_formed(void **state)
{
    (void)state;
    for (int p = 0; p < PREDICATES; p++) {
        const struct predicate_info *info = predicate_info((enum predicate)p);
        bool known = false;

        assert_int_equal(predicate_by_name(text_of(info->name)), p);
        assert_true(str_is_name(text_of(info->name)));
        assert_true(info->arity <= PREDICATE_ARGS_MAX);
        for (unsigned i = 0; i < PREDICATE_ARGS_MAX; i++)
            assert_int_equal(info->value[i] != 0, i < info->arity);
        for (int side = 0; side < SIDES; side++) {
            if (!info->patterns[side])
                continue;
            known = true;
            assert_true(count_patterns(info->patterns[side], info->arity) > 0);
        }
        assert_true(known);
        if (predicate_is_computed((enum predicate)p))
            assert_string_equal(
                info->patterns[SIDE_TICKET], info->patterns[SIDE_GRAPH]);
    }
    assert_int_equal(predicate_by_name(text_of("allow")), PREDICATES);
    assert_int_equal(predicate_by_name(text_of("")), PREDICATES);
}

static const struct lookup {
    enum predicate predicate;
    enum side side;
    unsigned bound; /* bit 0 is the first argument */
    int key;        /* -1: no pattern does */
} lookups[] = {
    {PREDICATE_CLAIMED, SIDE_GRAPH, 0, -1},
    {PREDICATE_CLAIMED, SIDE_GRAPH, 1, 1},
    {PREDICATE_CLAIMED, SIDE_GRAPH, 2, 2},
    {PREDICATE_CLAIMED, SIDE_GRAPH, 3, 3},
    {PREDICATE_CLAIMED, SIDE_TICKET, 0, 0},
    {PREDICATE_CLAIMED, SIDE_TICKET, 3, 0},
    {PREDICATE_MEMBER, SIDE_GRAPH, 0, -1},
    {PREDICATE_MEMBER, SIDE_GRAPH, 1, 1},
    {PREDICATE_MEMBER, SIDE_GRAPH, 2, 2},
    {PREDICATE_MEMBER, SIDE_GRAPH, 4, -1},
    {PREDICATE_MEMBER, SIDE_GRAPH, 5, 1},
    {PREDICATE_MEMBER, SIDE_GRAPH, 6, 2},
    {PREDICATE_MEMBER, SIDE_GRAPH, 7, 3},
    {PREDICATE_ROLE, SIDE_GRAPH, 2, -1},
    {PREDICATE_ROLE, SIDE_GRAPH, 3, 3},
    {PREDICATE_LOCAL, SIDE_GRAPH, 0, 0},
    {PREDICATE_LOCAL, SIDE_TICKET, 0, -1},
    {PREDICATE_PERMIT, SIDE_GRAPH, 3, -1},
    {PREDICATE_PERMIT, SIDE_TICKET, 1, 0},
    {PREDICATE_WITHIN, SIDE_TICKET, 1, -1},
    {PREDICATE_WITHIN, SIDE_TICKET, 3, 3},
    {PREDICATE_FOLDER, SIDE_GRAPH, 2, -1},
};

static void
chooses_the_narrowest_pattern(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lookups); i++) {
        const struct lookup *l = &lookups[i];
        unsigned key = 99;
        bool found = predicate_key(l->predicate, l->side, l->bound, &key);

        if (found != (l->key >= 0) || (found && key != (unsigned)l->key))
            fail_msg("row %zu: %u", i, key);
    }
}

static const struct {
    const char *text;
    unsigned kind;
} kinds[] = {
    {"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_USER},
    {"dev_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_DEVICE},
    {"fld_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_FOLDER},
    {"inv_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_INVITATION},
    {"ses_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_SESSION},
    {"svc_0aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_SERVICE},
    {"usr_8aaaaaaaaaaaaaaaaaaaaaaaaa", VALUE_NAME},
    {"reader", VALUE_NAME},
    {"https://a/b", VALUE_URL},
    {"urn:x", VALUE_URL},
    {"4711", VALUE_OTHER},
    {"Reader", VALUE_OTHER},
    {"", VALUE_OTHER},
};

static void
tells_values_apart(void **state)
{
    unsigned all = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (value_kind(text_of(kinds[i].text)) != kinds[i].kind)
            fail_msg("%s", kinds[i].text);
        all |= kinds[i].kind;
    }
    assert_int_equal(all, VALUE_ANY);
    assert_string_equal(value_kind_name(VALUE_USER), "a user");
    assert_string_equal(
        value_kind_name(VALUE_SERVICE | VALUE_USER), "a user or a service");
    assert_string_equal(value_kind_name(VALUE_OTHER), "another value");
    assert_string_equal(value_kind_name(VALUE_URL | VALUE_OTHER), "a URL");
}

static void
a_list_yields_what_is_wanted(void **state)
{
    struct test_facts f = test_facts_of("holder(a) claimed(a, u) local claimed(b, u) "
                                        "claimed(a, v) member(u, f, r)");
    struct fact_list list;
    struct fact_source s = test_source(&f, &list, SIDE_TICKET);
    struct fact_cursor c = {.predicate = PREDICATE_CLAIMED, .bound = 2, .key = 2};

    (void)state;
    c.want[1] = text_of("u");
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_OK);
    assert_true(text_is(c.arg[0], "a") && text_is(c.arg[1], "u"));
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_OK);
    assert_true(text_is(c.arg[0], "b") && text_is(c.arg[1], "u"));
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_NOT_FOUND);
    memset(&c, 0, sizeof(c));
    c.predicate = PREDICATE_LOCAL;
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_OK);
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_NOT_FOUND);
    memset(&c, 0, sizeof(c));
    c.predicate = PREDICATE_MAPPED;
    assert_int_equal(s.next(s.self, &c, NULL), MAUTH_NOT_FOUND);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_well_formed),
        cmocka_unit_test(chooses_the_narrowest_pattern),
        cmocka_unit_test(tells_values_apart),
        cmocka_unit_test(a_list_yields_what_is_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
