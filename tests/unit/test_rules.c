#include "policy/rules.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

static struct mauth_rules *
compiled(const char *text)
{
    struct mauth_rules *rules;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (mauth_rules_compile(text, strlen(text), &rules, &err))
        fail_msg("%s\n%s", text, err.text);
    return rules;
}

/* Each is malformed, and the message is exactly this. */
static const struct refusal {
    const char *name;
    const char *text;
    const char *message;
} refusals[] = {
    {"a mark nobody knows", "$",
        "line 1, column 1, at \"$\": this character has no meaning outside strings and "
        "comments"},
    {"not ASCII outside comments", "allow read(\xc3\xbc).",
        "line 1, column 12, at \"\\xc3\\xbc).\": this character has no meaning outside "
        "strings and comments"},
    {"comment in C", "// no\n",
        "line 1, column 1, at \"// no\": a comment begins with #"},
    {"comment in Prolog", "% no\n",
        "line 1, column 1, at \"% no\": a comment begins with #"},
    {"a comment that is not UTF-8", "# \xff\n",
        "line 1, column 3, at \"\\xff\": a comment is UTF-8 text"},
    {"a comment with a control character", "# a\x07\n",
        "line 1, column 4, at \"\\x07\": a comment holds no control characters"},
    {"a comment that reads backwards", "# a \xe2\x80\xae b\n",
        "line 1, column 5, at \"\\xe2\\x80\\xae b\": a comment holds no control "
        "characters"},
    {"string not closed", "can(\"reader, read).\nallow x if can(_, _).",
        "line 1, column 5, at \"\"reader, read).\": a string ends with a quote on the "
        "same line"},
    {"string with a backslash", "can(\"a\\\"b\", read).",
        "line 1, column 7, at \"\\\"b\", read).\": a string holds printable ASCII "
        "without \" and \\"},
    {"string with a control character", "can(\"a\tb\").",
        "line 1, column 7, at \"\\x09b\").\": a string holds printable ASCII without "
        "\" and \\"},
    {"empty string", "can(\"\").",
        "line 1, column 5, at \"\"\").\": no value equals an empty string"},
    {"number", "allow read(R) if member(R, 7, _).",
        "line 1, column 28, at \"7, _).\": a value that begins with a digit stands in "
        "quotes"},
    {"underscore and name", "allow read(_R).",
        "line 1, column 12, at \"_R).\": a name begins with a lower-case letter, a "
        "variable with an upper-case one"},
    {"Prolog's arrow", "allow read(R) :- subject(R).",
        "line 1, column 15, at \":- subject(R).\": write \"if\" for :-"},
    {"no stop at the end", "allow read(_)",
        "line 1, column 14, at the end: expected \"if\" or \".\""},
    {"no stop between", "allow read(_)\nallow write(_).",
        "line 2, column 1, at \"allow write(_).\": expected \"if\" or \".\""},
    {"nothing but a keyword", "allow",
        "line 1, column 6, at the end: expected an action, as in allow read(R)"},
    {"an action that is a string", "allow \"read\"(R).",
        "line 1, column 7, at \"\"read\"(R).\": expected an action, as in allow "
        "read(R)"},
    {"an action that is a variable", "allow Read(R).",
        "line 1, column 7, at \"Read(R).\": expected an action, as in allow read(R)"},
    {"keyword as action", "allow grant(R).",
        "line 1, column 7, at \"grant(R).\": this word has a meaning of its own; "
        "choose another name"},
    {"keyword as fact", "if(a).",
        "line 1, column 1, at \"if(a).\": this word has a meaning of its own; choose "
        "another name"},
    {"clause begins with a variable", "R.",
        "line 1, column 1, at \"R.\": expected allow, grant, or a fact like "
        "can(reader, read)"},
    {"stop without a clause", ".",
        "line 1, column 1, at \".\": expected allow, grant, or a fact like can(reader, "
        "read)"},
    {"empty brackets", "allow read().",
        "line 1, column 12, at \").\": leave the brackets away when there is nothing "
        "in them"},
    {"comma without a term", "allow read(R, ).",
        "line 1, column 15, at \").\": expected a name, a \"string\", a Variable or _"},
    {"brackets not closed", "allow read(R if subject(R).",
        "line 1, column 14, at \"if subject(R).\": expected \",\" or \")\""},
    {"no condition behind if", "allow read(_) if .",
        "line 1, column 18, at \".\": expected a condition, as in subject(U) or X != "
        "Y"},
    {"condition is a term", "allow read(R) if subject(R), R.",
        "line 1, column 31, at \".\": expected !="},
    {"comma at the end", "allow read(R) if subject(R), .",
        "line 1, column 30, at \".\": expected a condition, as in subject(U) or X != "
        "Y"},
    {"equals", "allow read(R) if subject(S), R = S.",
        "line 1, column 32, at \"= S.\": there is no =; write the same variable twice"},
    {"negation", "allow read(R) if not subject(R).",
        "line 1, column 18, at \"not subject(R).\": there is no negation, only !="},
    {"negation by a mark", "allow read(R) if !subject(R).",
        "line 1, column 18, at \"!subject(R).\": there is no negation, only !="},
    {"or", "allow read(R) if subject(R); holder(R).",
        "line 1, column 28, at \"; holder(R).\": there is no \"or\"; write another "
        "rule"},
    {"fact with conditions", "can(reader, read) if subject(_).",
        "line 1, column 19, at \"if subject(_).\": only allow and grant have "
        "conditions; a fact has none"},
    {"five arguments", "allow read(A, B, C, D, E).",
        "line 1, column 24, at \"E).\": at most 4 arguments"},
    {"nine variables",
        "allow a(A, B, C, D) if member(A, B, C), member(D, E, F), member(G, H, I).",
        "line 1, column 71, at \"I).\": at most 8 variables in a rule"},
    {"unknown predicate",
        "allow read(R) if\n    subject(U), mebmer(U, F, _), folder(R, F).",
        "line 2, column 17, at \"mebmer(U, F, _), folder(R, F).\": there is no mebmer; "
        "did you mean member?"},
    {"unknown predicate, unlike any", "allow read(R) if friend(R).",
        "line 1, column 18, at \"friend(R).\": there is no friend, neither a relation "
        "nor a fact of this file"},
    {"misspelt fact",
        "can(reader, read).\nallow read(R) if role(R, Role), cann(Role, read).",
        "line 2, column 33, at \"cann(Role, read).\": there is no cann; did you mean "
        "can?"},
    {"arity of a relation", "allow read(R) if member(R, F), folder(R, F).",
        "line 1, column 18, at \"member(R, F), folder(R, F).\": member has 3 "
        "arguments, not 2"},
    {"arity of a fact",
        "can(reader, read).\nallow read(R) if role(R, Role), can(Role).",
        "line 2, column 33, at \"can(Role).\": can has 2 arguments, not 1"},
    {"fact with two arities", "can(reader, read).\ncan(reader).",
        "line 2, column 1, at \"can(reader).\": can has 2 arguments on line 1, and 1 "
        "here"},
    {"fact twice", "can(reader, read).\n\ncan(\"reader\", read).",
        "line 3, column 1, at \"can(\"reader\", read).\": this is stated on line 1 "
        "already"},
    {"fact with a variable", "can(X, read).",
        "line 1, column 5, at \"X, read).\": a fact has no variables; state it for "
        "each value"},
    {"fact with anything", "can(_, read).",
        "line 1, column 5, at \"_, read).\": a fact has no variables; state it for "
        "each value"},
    {"relation as fact", "role(usr_0aaaaaaaaaaaaaaaaaaaaaaaaa, admin).",
        "line 1, column 1, at \"role(usr_0aaaaaaaaaaaaaaaaaaaaaa...\": role comes from "
        "tickets and the graph; a rules file cannot state it"},
    {"builtin as fact", "within(a, b).",
        "line 1, column 1, at \"within(a, b).\": within is computed; a rules file "
        "cannot state it"},
    {"unused table", "can(reader, read).",
        "line 1, column 1, at \"can(reader, read).\": no rule uses can"},
    {"unused fact",
        "can(reader, read).\ncan(reader, raed).\nallow read(R) if role(R, Role), "
        "can(Role, read).",
        "line 2, column 1, at \"can(reader, raed).\": no rule asks for this one of "
        "can"},
    {"condition that no fact meets",
        "can(reader, read).\nallow read(R) if role(R, Role), can(Role, raed).",
        "line 2, column 33, at \"can(Role, raed).\": never true: no fact of can is "
        "like this"},
    {"variable of another kind than before",
        "allow read(R) if holder(D), member(D, F, _), folder(R, F).",
        "line 1, column 36, at \"D, F, _), folder(R, F).\": this is a device before, "
        "expected a user"},
    {"variable of another kind in the table",
        "can(reader, read).\nallow read(R) if folder(R, F), can(F, read).",
        "line 2, column 36, at \"F, read).\": this is a folder before, expected a "
        "name"},
    {"constant of another kind", "allow read(R) if holder(alice), holder(R).",
        "line 1, column 25, at \"alice), holder(R).\": this is a name, expected a "
        "device"},
    {"constant with a wrong prefix",
        "allow read(R) if subject(\"dev_0xxxxxxxxxxxxxxxxxxxxxxxxx\"), holder(R).",
        "line 1, column 26, at \"\"dev_0xxxxxxxxxxxxxxxxxxxxxxxxx\"...\": this is a "
        "device, expected a user or a service"},
    {"variable once in the head", "allow sync(X, Y) if holder(X).",
        "line 1, column 15, at \"Y) if holder(X).\": Y comes only once; write _ if any "
        "value will do"},
    {"variable once in the body", "allow sync(X) if holder(X), claimed(X, U).",
        "line 1, column 40, at \"U).\": U comes only once; write _ if any value will "
        "do"},
    {"two variables that look alike",
        "allow sync(X, Y) if holder(X), claimed(X, U), claimed(Y, V).",
        "line 1, column 43, at \"U), claimed(Y, V).\": U comes only once; write _ if "
        "any value will do"},
    {"comparing before there is a value",
        "allow sync(X) if X != Y, holder(X), claimed(X, Y).",
        "line 1, column 23, at \"Y, holder(X), claimed(X, Y).\": Y has no value yet; "
        "put != behind what gives it one"},
    {"comparing with anything", "allow sync(X) if holder(X), X != _.",
        "line 1, column 34, at \"_.\": _ has no value to compare"},
    {"comparing constants", "allow sync(X) if holder(X), a != b.",
        "line 1, column 29, at \"a != b.\": two constants; this is always or never "
        "true"},
    {"comparing with itself", "allow sync(X) if holder(X), X != X.",
        "line 1, column 29, at \"X != X.\": a value never differs from itself"},
    {"comparing kinds", "allow sync(X) if holder(X), claimed(X, U), X != U.",
        "line 1, column 44, at \"X != U.\": always true: a device is never a user"},
    {"comparing a constant of another kind", "allow sync(X) if holder(X), X != \"pc\".",
        "line 1, column 29, at \"X != \"pc\".\": always true: a device is never a "
        "name"},
    {"no index",
        "allow sync(X) if holder(X), claimed(D, U), claimed(X, U), mapped(D, _).",
        "line 1, column 29, at \"claimed(D, U), claimed(X, U), ma...\": in the graph "
        "claimed is found by +- -+ ++, and here it is --; put it behind what binds "
        "more"},
    {"no index, wrong order",
        "allow read(R) if member(U, F, Role), subject(U), folder(R, F), role(U, Role).",
        "line 1, column 18, at \"member(U, F, Role), subject(U), ...\": in the graph "
        "member is found by ++- +-- -+-, and here it is ---; put it behind what binds "
        "more"},
    {"no index for roles", "allow read(_) if role(P, admin), subject(P).",
        "line 1, column 18, at \"role(P, admin), subject(P).\": in the graph role is "
        "found by ++ +-, and here it is -+; put it behind what binds more"},
    {"place not known", "allow read(R) if within(R, P), permit(read, P).",
        "line 1, column 18, at \"within(R, P), permit(read, P).\": within is found by "
        "++, and here it is +-; put it behind what binds more"},
    {"URL not known", "allow read(D) if device(R, D), permit(read, R).",
        "line 1, column 18, at \"device(R, D), permit(read, R).\": device is found by "
        "+-, and here it is -+; put it behind what binds more"},
    {"sides that exclude each other",
        "allow read(R) if caller(U), user(R, U), permit(read, R).",
        "line 1, column 41, at \"permit(read, R).\": never true: tickets and the graph "
        "do not both know caller and permit"},
    {"grant by a permit", "grant read(R) if permit(read, R).",
        "line 1, column 18, at \"permit(read, R).\": a grant is proven from the graph, "
        "which does not know permit"},
    {"grant by what tickets cannot say", "grant read(R) if caller(U), user(R, U).",
        "line 1, column 18, at \"caller(U), user(R, U).\": what proves a grant goes "
        "into the ticket, and none can say caller"},
    {"condition twice", "allow x(R) if holder(R), claimed(R, _), claimed(R, _).",
        "line 1, column 41, at \"claimed(R, _).\": this condition is there already"},
    {"condition twice, turned around", "allow x(R, Q) if holder(R), R != Q, Q != R.",
        "line 1, column 37, at \"Q != R.\": this condition is there already"},
    {"rule twice", "allow sync(X) if holder(X).\nallow sync(Y) if holder(Y).",
        "line 2, column 7, at \"sync(Y) if holder(Y).\": line 1 says this already, "
        "under no more conditions"},
    {"rule behind an unconditional one",
        "allow read(_).\nallow read(R) if permit(read, P), within(R, P).",
        "line 2, column 7, at \"read(R) if permit(read, P), with...\": line 1 says "
        "this already, under no more conditions"},
    {"rule before an unconditional one",
        "allow read(R) if permit(read, P), within(R, P).\nallow read(_).",
        "line 1, column 7, at \"read(R) if permit(read, P), with...\": line 2 says "
        "this already, under no more conditions"},
    {"rule with one more condition",
        "allow read(R) if permit(read, P), within(R, P).\nallow read(R) if "
        "permit(read, P), within(R, P), holder(D), claimed(D, _).",
        "line 2, column 7, at \"read(R) if permit(read, P), with...\": line 1 says "
        "this already, under no more conditions"},
    {"rule with a constant for a variable",
        "allow read(U) if subject(U).\nallow read(\"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa\") "
        "if subject(\"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa\").",
        "line 2, column 7, at \"read(\"usr_0aaaaaaaaaaaaaaaaaaaaa...\": line 1 says "
        "this already, under no more conditions"},
    {"the same in another order",
        "allow s(X, Y) if holder(X), claimed(Y, _), X != Y.\nallow s(A, B) if B != A, "
        "claimed(B, _), holder(A).",
        "line 2, column 7, at \"s(A, B) if B != A, claimed(B, _)...\": line 1 says "
        "this already, under no more conditions"},

};

static void
refuses_and_says_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct mauth_err err = MAUTH_ERR_INIT;
        struct mauth_rules *rules = (void *)&err; /* must become NULL */
        enum mauth_rc rc = mauth_rules_compile(r->text, strlen(r->text), &rules, &err);
        bool count = strstr(r->message, ": at most ");

        if (rc != (count ? MAUTH_TOO_LARGE : MAUTH_MALFORMED) || rules)
            fail_msg("%s: %s", r->name, mauth_rc_name(rc));
        if (strcmp(err.text, r->message) != 0)
            fail_msg("%s:\n  %s\nnot\n  %s", r->name, err.text, r->message);
    }
}

/* Sizes, each at its bound and one past it. */

enum {
    TEXT_MAX = MAUTH_RULES_MAX + 1
};

static void
repeat(char *out, const char *what, size_t times)
{
    out += strlen(out);
    for (size_t i = 0; i < times; i++)
        out = stpcpy(out, what);
}

static void
write_name(char *out, size_t n)
{
    strcpy(out, "a");
    repeat(out, "b", n - 1);
    strcat(out, "(x). allow x if ");
    strcat(out, "a");
    repeat(out, "b", n - 1);
    strcat(out, "(_).");
}

static void
write_variable(char *out, size_t n)
{
    strcpy(out, "allow read(");
    repeat(out, "V", n);
    strcat(out, ") if subject(");
    repeat(out, "V", n);
    strcat(out, ").");
}

static void
write_string(char *out, size_t n)
{
    strcpy(out, "can(\"");
    repeat(out, "/", n);
    strcat(out, "\"). allow read(X) if can(X).");
}

static void
write_conditions(char *out, size_t n)
{
    strcpy(out, "allow read(X) if subject(X)");
    for (size_t i = 1; i < n; i++)
        sprintf(out + strlen(out), ", role(X, r%zu)", i);
    strcat(out, ".");
}

static void
write_rules(char *out, size_t n)
{
    *out = '\0';
    for (size_t i = 0; i < n; i++)
        out += sprintf(out, "allow a%zu.\n", i);
}

static void
write_facts(char *out, size_t n)
{
    out += sprintf(out, "allow read(X) if can(X).\n");
    for (size_t i = 0; i < n; i++)
        out += sprintf(out, "can(a%zu).\n", i);
}

static void
write_file(char *out, size_t n)
{
    strcpy(out, "allow x. #");
    repeat(out, "#", n - strlen(out));
}

static void
write_arguments(char *out, size_t n)
{
    strcpy(out, "allow read(_");
    repeat(out, ", _", n - 1);
    strcat(out, ").");
}

/* member(A, B, C), claimed(D, A), mapped(E, B) ...: n different ones. */
static void
write_variables(char *out, size_t n)
{
    static const char *const bodies[] = {
        "allow x(A, B, C, D) if member(A, B, C), claimed(D, A), mapped(E, B), "
        "claimed(E, F), member(F, G, C), mapped(H, G), claimed(H, _).",
        "allow x(A, B, C, D) if member(A, B, C), claimed(D, A), mapped(E, B), "
        "claimed(E, F), member(F, G, C), mapped(H, G), claimed(H, I), role(I, _).",
    };

    strcpy(out, bodies[n - RULES_VARIABLES_MAX]);
}

static const struct bound {
    const char *name;
    void (*write)(char *out, size_t n);
    size_t most;
    const char *message;
} bounds[] = {
    {"name", write_name, STR_NAME_MAX, "a name has at most 64 characters"},
    {"variable", write_variable, 64, "a variable has at most 64 characters"},
    {"string", write_string, 1024, "a string has at most 1024 characters"},
    {"arguments", write_arguments, RULES_ARGS_MAX, "at most 4 arguments"},
    {"variables", write_variables, RULES_VARIABLES_MAX,
        "at most 8 variables in a rule"},
    {"conditions", write_conditions, RULES_LITERALS_MAX,
        "at most 16 conditions in a rule"},
    {"rules", write_rules, RULES_MAX, "at most 256 rules"},
    {"facts", write_facts, RULES_FACTS_MAX, "at most 256 facts"},
    {"file", write_file, MAUTH_RULES_MAX, "rules: 65537 bytes, at most 65536"},
};

static void
keeps_its_bounds(void **state)
{
    char *text = calloc(1, TEXT_MAX + 64);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(bounds); i++) {
        const struct bound *b = &bounds[i];
        struct mauth_err err = MAUTH_ERR_INIT;
        struct mauth_rules *rules;

        b->write(text, b->most);
        mauth_rules_free(compiled(text));
        b->write(text, b->most + 1);
        if (mauth_rules_compile(text, strlen(text), &rules, &err) != MAUTH_TOO_LARGE ||
            rules || !strstr(err.text, b->message))
            fail_msg("%s: %s", b->name, err.text);
    }
    free(text);
}

static void
refuses_nul(void **state)
{
    static const char text[] = "allow read(_)\0.";
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_rules *rules;

    (void)state;
    assert_int_equal(
        mauth_rules_compile(text, sizeof(text) - 1, &rules, &err), MAUTH_MALFORMED);
    assert_null(rules);
    assert_string_equal(err.text,
        "line 1, column 14, at \"\\x00.\": this character has "
        "no meaning outside strings and comments");
}

/* What comes in, and the one line that is shown of it. */
static const struct shown {
    const char *text;
    const char *rule;
} shown[] = {
    {"allow ping.", "allow ping."},
    {"allow\tx-y_z.0 .", "allow x-y_z.0."},
    {"allow a(_)if holder(_).", "allow a(_) if holder(_)."},
    {"# \xc3\xa9\r\nallow read(R)#\n if\r\n permit(read,P),within ( R , P ) .",
        "allow read(R) if permit(read, P), within(R, P)."},
    {"allow x(\"read\", \"Read\", \"a.\", \"it's\") if holder(_).",
        "allow x(read, \"Read\", \"a.\", \"it's\") if holder(_)."},
    {"grant x if subject(U), usr_0aaaaaaaaaaaaaaaaaaaaaaaaa != U.",
        "grant x if subject(U), usr_0aaaaaaaaaaaaaaaaaaaaaaaaa != U."},
    {"allow x if holder(D),\"dev_0aaaaaaaaaaaaaaaaaaaaaaaaa\"!=D.",
        "allow x if holder(D), dev_0aaaaaaaaaaaaaaaaaaaaaaaaa != D."},
    {"allow x if local.", "allow x if local."},
    {"allow same(X, X) if holder(X).", "allow same(X, X) if holder(X)."},
    {"allow x if caller(_), inviter(\"inv_0aaaaaaaaaaaaaaaaaaaaaaaaa\", _).",
        "allow x if caller(_), inviter(inv_0aaaaaaaaaaaaaaaaaaaaaaaaa, _)."},
};

static void
shows_each_rule_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shown); i++) {
        struct mauth_rules *rules = compiled(shown[i].text), *again;

        assert_int_equal(mauth_rules_count(rules), 1);
        assert_string_equal(mauth_rules_text(rules, 0), shown[i].rule);
        again = compiled(mauth_rules_text(rules, 0));
        assert_string_equal(mauth_rules_text(again, 0), shown[i].rule);
        mauth_rules_free(again);
        mauth_rules_free(rules);
    }
}

static void
numbers_rules_as_in_the_file(void **state)
{
    struct mauth_rules *rules = compiled("can(b, c).\n\ngrant z(X) if subject(X).\n"
                                         "allow a if holder(D), claimed(D, R),\n"
                                         " role(R, c), can(b, c).\nallow z. grant a.");
    struct text action;
    size_t arity;

    (void)state;
    assert_int_equal(mauth_rules_count(rules), 4);
    assert_int_equal(mauth_rules_line(rules, 0), 3);
    assert_string_equal(mauth_rules_text(rules, 2), "allow z.");
    assert_int_equal(mauth_rules_line(rules, 2), 6);
    assert_int_equal(mauth_rules_line(rules, 3), 6);
    assert_int_equal(mauth_rules_line(rules, 4), 0);
    assert_null(mauth_rules_text(rules, 4));
    assert_true(rules_action(rules, RULE_GRANT, 0, &action, &arity));
    assert_true(text_is(action, "a") && arity == 0);
    assert_true(rules_action(rules, RULE_GRANT, 1, &action, &arity));
    assert_true(text_is(action, "z") && arity == 1);
    assert_false(rules_action(rules, RULE_GRANT, 2, &action, &arity));
    mauth_rules_free(rules);
}

static void
hashes_the_bytes_of_the_file(void **state)
{
    struct mauth_rules *a = compiled("allow ping."), *b = compiled("allow ping.\n");
    uint8_t want[HASH_LEN];

    (void)state;
    assert_int_equal(hash_bytes("allow ping.\n", 12, want, NULL), MAUTH_OK);
    assert_memory_equal(mauth_rules_hash(b), want, MAUTH_RULES_HASH_LEN);
    assert_memory_not_equal(mauth_rules_hash(a), want, MAUTH_RULES_HASH_LEN);
    mauth_rules_free(a);
    mauth_rules_free(b);
}

static void
takes_an_empty_file(void **state)
{
    struct mauth_rules *rules;

    (void)state;
    assert_int_equal(mauth_rules_compile(NULL, 0, &rules, NULL), MAUTH_OK);
    assert_int_equal(mauth_rules_count(rules), 0);
    mauth_rules_free(rules);
    mauth_rules_free(NULL);
}

/* Rules that are nearly the same in very many ways: comparing them gives up. */
static void
compares_hard_rules_in_time(void **state)
{
    char *text = calloc(1, TEXT_MAX), *at = text;

    (void)state;
    assert_non_null(text);
    for (unsigned r = 0; r < 200; r++) {
        at = stpcpy(at, "allow x(A) if claimed(A, U)");
        for (char f = 'F'; f < 'F' + 6; f++)
            at += sprintf(at, ", member(U, %c, _), mapped(A, %c)", f, f);
        at += sprintf(at, ", role(U, r%u).\n", r);
    }
    mauth_rules_free(compiled(text));
    free(text);
}

/* Whichever allocation fails: the compiler says so, and leaves nothing behind. */
static void
survives_the_failure_of_any_allocation(void **state)
{
    char *text = calloc(1, TEXT_MAX);
    enum mauth_rc rc = MAUTH_NO_MEMORY;
    struct mauth_rules *rules;
    size_t n;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < 100; i++)
        sprintf(text + strlen(text), "allow a%zu(X) if subject(X), role(X, r).\n", i);
    for (n = 0; rc != MAUTH_OK; n++) {
        struct mauth_err err = MAUTH_ERR_INIT;

        alloc_left = n;
        rc = mauth_rules_compile(text, strlen(text), &rules, &err);
        if (rc) {
            assert_int_equal(rc, MAUTH_NO_MEMORY);
            assert_int_equal(err.rc, MAUTH_NO_MEMORY);
            assert_null(rules);
        }
    }
    alloc_left = SIZE_MAX;
    assert_true(n > 12); /* each array, and those that grow */
    mauth_rules_free(rules);
    free(text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_and_says_where_and_why),
        cmocka_unit_test(keeps_its_bounds),
        cmocka_unit_test(refuses_nul),
        cmocka_unit_test(shows_each_rule_in_one_line),
        cmocka_unit_test(numbers_rules_as_in_the_file),
        cmocka_unit_test(hashes_the_bytes_of_the_file),
        cmocka_unit_test(takes_an_empty_file),
        cmocka_unit_test(compares_hard_rules_in_time),
        cmocka_unit_test(survives_the_failure_of_any_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
