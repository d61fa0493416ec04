/* meshauth policy check, test and explain */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/policy_live.h"
#include "cli/ticket_view.h"
#include "policy/cases.h"
#include "policy/eval.h"
#include "verifier/facts.h"
#include <meshauth/rules.h>
#include <meshauth/ticket.h>

enum {
    CASES_MAX = 1 << 20 /* bytes of a case table */
};

static enum command_exit
no_memory(const struct call *call)
{
    command_complain(call, "no memory");
    return COMMAND_FAILED;
}

/* A file that was read and is not what it should be is refused: exit 1. */
static enum command_exit
refuse(const struct call *call, const char *file, const struct mauth_err *err)
{
    if (err->rc != MAUTH_MALFORMED && err->rc != MAUTH_TOO_LARGE)
        return command_failed(call, err);
    if (call->json) {
        if (!output_json(json_pack(
                "{s:b, s:s, s:s}", "good", 0, "file", file, "error", err->text)))
            return no_memory(call);
    } else {
        output_line(STYLE_BAD, file, ": %s", err->text);
    }
    return COMMAND_REFUSED;
}

static enum mauth_rc
read_rules(const char *file, struct mauth_rules **out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf text;

    *out = NULL;
    buf_init(&text);
    rc = file_read(file, MAUTH_RULES_MAX, &text, err);
    if (rc == MAUTH_OK)
        rc = mauth_rules_compile((const char *)text.data, text.len, out, err);
    buf_clear(&text);
    return rc;
}

/* check */

static json_t *
describe_rules(const struct mauth_rules *rules)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_rules_count(rules) && list; i++)
        if (json_array_append_new(
                list, json_pack("{s:i, s:s}", "line", (int)mauth_rules_line(rules, i),
                          "rule", mauth_rules_text(rules, i))) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static enum command_exit
check(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_rules *rules;
    char hash[2 * MAUTH_RULES_HASH_LEN + 1];
    enum command_exit rc = COMMAND_DONE;

    if (read_rules(call->arg[0], &rules, &err) != MAUTH_OK)
        return refuse(call, call->arg[0], &err);
    str_hex(mauth_rules_hash(rules), MAUTH_RULES_HASH_LEN, hash);
    if (!call->json)
        output_line(STYLE_GOOD, call->arg[0], ": good, %zu rules and %zu facts, %s",
            mauth_rules_count(rules), rules->fact_count, hash);
    else if (!output_json(json_pack("{s:b, s:s, s:s, s:i, s:o}", "good", 1, "file",
                 call->arg[0], "hash", hash, "facts", (int)rules->fact_count, "rules",
                 describe_rules(rules))))
        rc = no_memory(call);
    mauth_rules_free(rules);
    return rc;
}

const struct command policy_check_command = {
    .noun = "policy",
    .verb = "check",
    .synopsis = "FILE [--json]",
    .summary = "compile a rules file",
    .about = "Compiles the rules in FILE, as a service or the account service would. "
             "An error\n"
             "names line and column and says what would be right; the exit code is "
             "then 1.",
    .example = "  meshauth policy check mesh.rules",
    .args_min = 1,
    .args_max = 1,
    .run = check,
};

/* test */

enum {
    TEST_CASES
};

static const struct command_option test_options[] = {
    [TEST_CASES] = {"cases", 0, "FILE", "the case table (mesh.cases for mesh.rules)"},
    {NULL, 0, NULL, NULL},
};

/* "mesh.cases" for "mesh.rules"; malloc, NULL without memory. */
static char *
cases_beside(const char *rules)
{
    size_t len = strlen(rules);
    char *name;

    if (len > 6 && strcmp(rules + len - 6, ".rules") == 0)
        len -= 6;
    return asprintf(&name, "%.*s.cases", (int)len, rules) < 0 ? NULL : name;
}

struct hearing {
    const char *file;
    json_t *failures; /* with --json */
    bool failed;      /* for want of memory */
};

static void
hear(void *arg, const struct cases_answer *a)
{
    struct hearing *h = arg;
    const char *why = a->eval->rule ? "a rule says yes" : a->why;

    if (a->as_expected)
        return;
    if (!h->failures)
        output_line(STYLE_BAD, h->file, ":%u: %.*s: %.*s: %s", a->line,
            (int)a->title.len, a->title.p, (int)a->question.len, a->question.p, why);
    else if (json_array_append_new(
                 h->failures, json_pack("{s:i, s:s%, s:s%, s:s}", "line", (int)a->line,
                                  "case", a->title.p, a->title.len, "question",
                                  a->question.p, a->question.len, "why", why)) != 0)
        h->failed = true;
}

static enum command_exit
report_test(
    const struct call *call, const struct hearing *h, const struct cases_totals *t)
{
    enum command_exit rc = t->failed ? COMMAND_REFUSED : COMMAND_DONE;

    if (h->failed)
        return no_memory(call);
    if (!call->json) {
        output_line(t->failed ? STYLE_BAD : STYLE_GOOD, h->file,
            ": %zu cases, %zu questions, %zu answered otherwise", t->cases,
            t->questions, t->failed);
        return rc;
    }
    if (!output_json(json_pack("{s:b, s:s, s:i, s:i, s:O}", "good", !t->failed, "file",
            h->file, "cases", (int)t->cases, "questions", (int)t->questions, "failures",
            h->failures)))
        return no_memory(call);
    return rc;
}

static enum command_exit
try_cases(const struct call *call, const struct mauth_rules *rules, const char *file)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct hearing h = {.file = file, .failures = call->json ? json_array() : NULL};
    const struct cases_listener listener = {hear, &h};
    struct cases_totals totals;
    enum command_exit rc;
    struct buf text;

    buf_init(&text);
    if (file_read(file, CASES_MAX, &text, &err) != MAUTH_OK ||
        cases_run(rules, buf_slice(&text), &listener, &totals, &err) != MAUTH_OK)
        rc = refuse(call, file, &err);
    else
        rc = report_test(call, &h, &totals);
    if (err.rc == MAUTH_NOT_FOUND)
        command_complain(
            call, "a case table lies beside the rules, or --cases names it");
    json_decref(h.failures);
    buf_clear(&text);
    return rc;
}

static enum command_exit
test(const struct call *call)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    const char *given = call->option[TEST_CASES];
    struct mauth_rules *rules;
    char *beside = NULL;
    enum command_exit rc;

    if (read_rules(call->arg[0], &rules, &err) != MAUTH_OK)
        return refuse(call, call->arg[0], &err);
    if (!given)
        beside = cases_beside(call->arg[0]);
    rc = given || beside ? try_cases(call, rules, given ? given : beside)
                         : no_memory(call);
    free(beside);
    mauth_rules_free(rules);
    return rc;
}

const struct command policy_test_command = {
    .noun = "policy",
    .verb = "test",
    .synopsis = "FILE [--cases FILE] [--json]",
    .summary = "do rules answer as their case table says?",
    .about = "Asks the rules in FILE every question of the case table beside it and\n"
             "shows those that are answered otherwise than the table says.",
    .example = "  meshauth policy test mesh.rules\n"
               "  meshauth policy test mesh.rules --cases more.cases",
    .options = test_options,
    .args_min = 1,
    .args_max = 1,
    .run = test,
};

/* explain */

enum {
    EXPLAIN_RULES,
    EXPLAIN_TICKET,
    EXPLAIN_CONFIG,
    EXPLAIN_SUBJECT,
    EXPLAIN_HOLDER,
    EXPLAIN_SHOWN
};

static const struct command_option explain_options[] = {
    [EXPLAIN_RULES] = {"rules", 0, "FILE", "the rules, for a ticket"},
    [EXPLAIN_TICKET] = {"ticket", 0, "FILE", "the ticket that shall prove it"},
    [EXPLAIN_CONFIG] = {"config", 'c', "FILE",
        "meshauth.conf of the service: ask its graph"},
    [EXPLAIN_SUBJECT] = {"subject", 0, "ID", "the user or service that asks"},
    [EXPLAIN_HOLDER] = {"holder", 0, "DEVICE", "the device whose key it proves"},
    [EXPLAIN_SHOWN] = {"shown", 0, "INVITATION",
        "the invitation whose secret it shows"},
    {NULL, 0, NULL, NULL},
};

static enum mauth_rc
read_ticket(const char *file, struct mauth_ticket **out, struct mauth_err *err)
{
    char xml[MAUTH_TICKET_MAX];
    size_t len;
    enum mauth_rc rc = ticket_view_read(file, xml, &len, err);

    *out = NULL;
    return rc ? rc : mauth_ticket_read_untrusted(xml, len, out, err);
}

static enum command_exit
tell(const struct call *call, const struct eval *e, const struct mauth_err *denial)
{
    const char *words;
    bool printed;
    struct buf b;

    buf_init(&b);
    if (e->rule)
        eval_write_derivation(&b, e);
    else
        buf_str(&b, denial->text);
    words = buf_cstr(&b);
    printed = words != NULL;
    if (printed && call->json) {
        printed = output_json(
            json_pack("{s:s, s:s*, s:s*, s:s}", "outcome", e->rule ? "allow" : "deny",
                "reason", e->rule ? NULL : mauth_reason_name(denial->reason), "rule",
                e->rule ? mauth_rules_text(e->rules, eval_rule_number(e)) : NULL, "why",
                words));
    } else if (printed) {
        output_line(
            e->rule ? STYLE_GOOD : STYLE_BAD, e->rule ? "allowed" : "denied", "%s", "");
        for (struct text rest = text_of(words), line; rest.len;) {
            if (!text_cut(&rest, '\n', &line)) {
                line = rest;
                rest.len = 0;
            }
            output_line(STYLE_PLAIN, "", "  %.*s", (int)line.len, line.p);
        }
    }
    buf_clear(&b);
    if (!printed)
        return no_memory(call);
    return e->rule ? COMMAND_DONE : COMMAND_REFUSED;
}

static enum command_exit
ask(const struct call *call, const struct mauth_rules *rules, struct mauth_ticket *t)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct fact_source facts = ticket_facts(t);
    struct text arg[RULES_ARGS_MAX];
    struct eval_question q = {.kind = RULE_ALLOW,
        .action = text_of(call->arg[0]),
        .arg = arg,
        .issuer = text_of(mauth_ticket_issuer(t))};
    struct eval e;
    enum mauth_rc rc;

    for (; q.args < RULES_ARGS_MAX && call->arg[1 + q.args]; q.args++)
        arg[q.args] = text_of(call->arg[1 + q.args]);
    rc = eval_decide(rules, &q, &facts, &e, &err);
    if (rc != MAUTH_OK && rc != MAUTH_DENIED)
        return command_failed(call, &err);
    return tell(call, &e, &err);
}

static enum command_exit
explain_live(const struct call *call)
{
    const struct policy_live live = {call->option[EXPLAIN_CONFIG],
        call->option[EXPLAIN_SUBJECT], call->option[EXPLAIN_HOLDER],
        call->option[EXPLAIN_SHOWN]};

    if (!live.subject || call->option[EXPLAIN_RULES] || call->option[EXPLAIN_TICKET])
        return command_misused(call, "with -c goes --subject, and neither --rules nor "
                                     "--ticket");
    return policy_explain_live(call, &live);
}

static enum command_exit
explain(const struct call *call)
{
    const char *rules_file = call->option[EXPLAIN_RULES];
    const char *ticket_file = call->option[EXPLAIN_TICKET];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *ticket = NULL;
    struct mauth_rules *rules;
    enum command_exit rc;

    if (call->option[EXPLAIN_CONFIG])
        return explain_live(call);
    if (!rules_file || !ticket_file || call->option[EXPLAIN_SUBJECT] ||
        call->option[EXPLAIN_HOLDER] || call->option[EXPLAIN_SHOWN])
        return command_misused(call, "--rules and --ticket are needed, or -c and "
                                     "--subject");
    if (read_rules(rules_file, &rules, &err) != MAUTH_OK)
        return refuse(call, rules_file, &err);
    if (read_ticket(ticket_file, &ticket, &err) != MAUTH_OK)
        rc = refuse(call, ticket_file, &err);
    else
        rc = ask(call, rules, ticket);
    mauth_ticket_free(ticket);
    mauth_rules_free(rules);
    return rc;
}

const struct command policy_explain_command = {
    .noun = "policy",
    .verb = "explain",
    .synopsis = "ACTION [ARG ...] (--rules FILE --ticket FILE |\n"
                "           -c FILE --subject ID [--holder DEVICE] "
                "[--shown INVITATION]) [--json]",
    .summary = "why would a ticket or the graph allow this, or why not?",
    .about = "Derives the answer to ACTION(ARG, ...) from what one ticket says: the "
             "rule that\n"
             "allows it and the facts that make it true, or else the nearest miss. "
             "The ticket\n"
             "is only read: whether it is genuine and valid, `meshauth ticket verify` "
             "tells.\n\n"
             "With -c, for admins, from the service's graph as it is now: each rule "
             "of the\n"
             "action, with what makes it true or what is missing. An id will do where "
             "rules\n"
             "take a node's URL. The question goes on record.",
    .example =
        "  meshauth policy explain read https://auth.example.org/v1/mesh/... \\\n"
        "      --rules mesh.rules --ticket ticket\n"
        "  meshauth policy explain sync dev_... dev_... \\\n"
        "      --rules mesh.rules --ticket ticket\n"
        "  meshauth policy explain write fld_... --subject usr_... \\\n"
        "      -c /srv/mesh/meshauth.conf",
    .options = explain_options,
    .args_min = 1,
    .args_max = 1 + RULES_ARGS_MAX,
    .run = explain,
};
