/* Sentences of denials: what they say, and that worlds which the asker may not tell apart
 * give the same ones. */
#include "base/fail.h"
#include "facts/explain.h"
#include "facts/missing.h"
#include "policy/mesh_rules.h"
#include "store/graph_device.h"
#include "store/graph_folder.h"
#include "store/graph_member.h"
#include "store/graph_user.h"
#include "tests/unit/store_dir.h"

#define ISSUER "https://auth.example"

static struct id
nth(uint8_t n)
{
    struct id id = {.b = {n}};

    return id;
}

static const char *
name_of(enum id_kind kind, uint8_t n, char out[ID_LEN + 1])
{
    struct id id = nth(n);

    id_format(kind, &id, out);
    return out;
}

/* How many conditions of each rule are the asker's own, found by a part of its text. */
static void
knows_what_is_the_askers_own(void **state)
{
    static const struct {
        const char *rule;
        size_t own, all;
    } cases[] = {
        /* folder, his membership, the rules' table */
        {"grant write(R)", 4, 4},
        {"allow changes", 2, 2},
        {"allow map(R, Q)", 6, 6},
        {"allow remove(R, Q)", 5, 7}, /* not whether the other one is a member */
        {"allow accept(I)", 6, 9},    /* not whether its inviter may */
        {"allow sync(X, Y) if holder(X), claimed(X, U)", 2, 4},
        {"allow sync(X, Y) if holder(X), mapped(X, F)", 3, 8}, /* nothing of Y's */
        {"allow know(R) if caller(U), device(R, D), mapped", 2, 4},
    };
    struct mauth_rules *rules;

    (void)state;
    assert_int_equal(
        mauth_rules_compile((const char *)mesh_rules, mesh_rules_len, &rules, NULL),
        MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t k = 0;

        while (k < mauth_rules_count(rules) &&
               !strstr(mauth_rules_text(rules, k), cases[i].rule))
            k++;
        assert_true(k < mauth_rules_count(rules));
        if (missing_own(rules, &rules->rule[k]) != cases[i].own ||
            rules->rule[k].count != cases[i].all)
            fail_msg("%s: %zu of %zu", cases[i].rule,
                missing_own(rules, &rules->rule[k]), rules->rule[k].count);
    }
    mauth_rules_free(rules);
}

/* One rule alone; none of its kind or action, or of the other side, has a miss. */
static void
decides_by_one_rule(void **state)
{
    static const char text[] = "allow a(X) if holder(X).\n"
                               "allow b(X) if holder(X).\n"
                               "allow a(X) if permit(read, X).\n"
                               "grant a(X) if holder(X).\n";
    const struct text other = text_of("dev_0ccccccccccccccccccccccccc");
    const struct fact holder = {
        PREDICATE_HOLDER, {text_of("dev_0ddddddddddddddddddddddddd")}};
    struct fact_list list = {&holder, 1};
    struct fact_source source = fact_list_source(&list, SIDE_GRAPH);
    struct eval_question q = {
        .kind = RULE_ALLOW, .action = text_of("a"), .arg = &holder.arg[0], .args = 1};
    struct mauth_rules *rules;
    struct eval e;

    (void)state;
    assert_int_equal(
        mauth_rules_compile(text, sizeof(text) - 1, &rules, NULL), MAUTH_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(eval_decide_by(rules, i, &q, &source, &e, NULL),
            i == 0 ? MAUTH_OK : MAUTH_DENIED);
        assert_null(e.miss.rule);
        assert_true((e.rule != NULL) == (i == 0));
    }
    q.arg = &other;
    assert_int_equal(eval_decide_by(rules, 0, &q, &source, &e, NULL), MAUTH_DENIED);
    assert_ptr_equal(e.miss.rule, &rules->rule[0]);
    q.args = RULES_ARGS_MAX + 1;
    assert_int_equal(eval_decide_by(rules, 0, &q, &source, &e, NULL), MAUTH_INVALID);
    mauth_rules_free(rules);
}

/*
 * User 1 asks from device 1; user 2 has device 2. Of the links between all of them and
 * folders 1 and 2 some are the asker's side and some are not.
 */
enum {
    CLAIM_1 = 1, /* device 1 is user 1's, ... */
    MAP_1 = 2,   /* ... and holds folder 1 */
    MEMBER_1 = 4,
    OWN = 8, /* here the others' begin */
    CLAIM_2 = 8,
    MEMBER_2 = 16,
    MAP_2 = 32,     /* device 2 holds folder 1 */
    MEMBER_22 = 64, /* user 2 is in folder 2 ... */
    MAP_22 = 128,   /* ... and device 2 holds it */
    WORLDS = 256
};

struct world {
    const struct mauth_rules *rules;
    unsigned links;
    char said[2][EXPLAIN_DENIAL];
    bool allowed;
};

static void
make_nodes(struct kv_txn *txn)
{
    for (uint8_t n = 1; n <= 3; n++) {
        const struct graph_identity who = {
            text_of("https://i.example"), {(const char[]){(char)('0' + n)}, 1}};
        struct graph_device d = {.id = nth(n), .name = "d", .spki = {n}, .spki_len = 1},
                            out;
        struct graph_folder f = {.id = nth(n), .name = "f"};
        struct id u = nth(n), owner = nth(3);

        assert_int_equal(graph_user_create(txn, &u, &who, 1, NULL), MAUTH_OK);
        assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_OK);
        if (n < 3)
            continue;
        for (uint8_t k = 1; k <= 2; k++) {
            f.id = nth(k);
            assert_int_equal(graph_folder_create(txn, &f, &owner, NULL), MAUTH_OK);
        }
    }
}

/* What cannot be is left out: a mapping stands on a claim and a membership. */
static void
make_links(struct kv_txn *txn, unsigned links)
{
    static const struct {
        unsigned bit, needs;
        uint8_t what; /* c(laim), m(ember), p (mapping) */
        uint8_t a, b;
    } all[] = {
        {CLAIM_1, 0, 'c', 1, 1},
        {CLAIM_2, 0, 'c', 2, 2},
        {MEMBER_1, 0, 'm', 1, 1},
        {MEMBER_2, 0, 'm', 1, 2},
        {MEMBER_22, 0, 'm', 2, 2},
        {MAP_1, CLAIM_1 | MEMBER_1, 'p', 1, 1},
        {MAP_2, CLAIM_2 | MEMBER_2, 'p', 2, 1},
        {MAP_22, CLAIM_2 | MEMBER_22, 'p', 2, 2},
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        struct id a = nth(all[i].a), b = nth(all[i].b);
        enum mauth_rc rc = MAUTH_OK;

        if (!(links & all[i].bit) || (links & all[i].needs) != all[i].needs)
            continue;
        if (all[i].what == 'c')
            rc = graph_device_claim(txn, &a, &b, 1, NULL);
        else if (all[i].what == 'm')
            rc = graph_member_add(txn, &a, &b, GRAPH_READER, 1, NULL);
        else
            rc = graph_mapping_add(txn, &a, &b, 1, NULL);
        assert_int_equal(rc, MAUTH_OK);
    }
}

static void
ask(struct kv_txn *txn, struct world *w, size_t which, const char *action,
    const struct text *arg, size_t args)
{
    const struct id u = nth(1), d = nth(1);
    struct graph_facts facts = {.txn = txn,
        .now_s = 1,
        .caller_kind = ID_USER,
        .caller = &u,
        .subject_kind = ID_USER,
        .subject = &u,
        .holder = &d};
    struct fact_source source = graph_facts_source(&facts);
    const struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(action),
        .arg = arg,
        .args = args,
        .issuer = text_of(ISSUER)};
    struct eval e;
    enum mauth_rc rc = eval_decide(w->rules, &q, &source, &e, NULL);

    w->said[which][0] = '\0';
    if (rc == MAUTH_OK) {
        w->allowed = true;
        return;
    }
    assert_int_equal(rc, MAUTH_DENIED);
    assert_int_equal(
        explain_denial(w->rules, &q, &facts, "", w->said[which], NULL), MAUTH_OK);
    assert_null(strpbrk(w->said[which], "\"\\"));
    assert_true(w->said[which][strlen(w->said[which]) - 1] == '.');
}

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct world *w = arg;
    char x[ID_LEN + 1], y[ID_LEN + 1], other[ID_LEN + 1], remove[2][128];
    struct text pair[2] = {
        text_of(name_of(ID_DEVICE, 1, x)), text_of(name_of(ID_DEVICE, 2, y))};
    struct text args[2];

    (void)err;
    make_nodes(txn);
    make_links(txn, w->links);
    ask(txn, w, 0, "sync", pair, 2);
    snprintf(remove[0], sizeof(remove[0]), "%s/v1/mesh/folders/%s", ISSUER,
        name_of(ID_FOLDER, 1, other));
    snprintf(remove[1], sizeof(remove[1]), "%s/v1/mesh/users/%s", ISSUER,
        name_of(ID_USER, 2, other));
    args[0] = text_of(remove[0]);
    args[1] = text_of(remove[1]);
    ask(txn, w, 1, "remove", args, 2);
    return mauth_fail(err, MAUTH_DENIED, "undone"); /* for the next world */
}

/* All worlds: whoever has the same on his own side hears the same. */
static void
tells_nothing_of_others(void **state)
{
    static char first[OWN][2][EXPLAIN_DENIAL];
    struct mauth_rules *rules;
    struct store_dir s;
    unsigned allowed = 0, different = 0;

    (void)state;
    assert_int_equal(
        mauth_rules_compile((const char *)mesh_rules, mesh_rules_len, &rules, NULL),
        MAUTH_OK);
    store_make(&s, "");
    for (unsigned links = 0; links < WORLDS; links++) {
        struct world w = {.rules = rules, .links = links};

        assert_int_equal(kv_write(s.kv, look, &w, NULL), MAUTH_DENIED);
        allowed += w.allowed;
        for (size_t i = 0; i < 2; i++) {
            char *was = first[links % OWN][i];

            if (!w.said[i][0])
                continue;
            if (!was[0])
                memcpy(was, w.said[i], EXPLAIN_DENIAL);
            assert_string_equal(was, w.said[i]);
        }
    }
    /* It could have told: worlds in which it is allowed, and sides that hear otherwise. */
    assert_true(allowed > 0);
    for (unsigned own = 1; own < OWN; own++)
        different += strcmp(first[own][0], first[0][0]) != 0;
    assert_true(different > 0);
    assert_non_null(
        strstr(first[CLAIM_1][0], "it takes more than your own side shows"));
    assert_non_null(strstr(first[0][0], "has no folder mapped"));
    store_remove(&s);
    mauth_rules_free(rules);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_one_rule),
        cmocka_unit_test(knows_what_is_the_askers_own),
        cmocka_unit_test(tells_nothing_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
