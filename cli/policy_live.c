#include "cli/policy_live.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/time.h"
#include "cli/admin.h"
#include "cli/output.h"
#include "facts/explain.h"
#include "policy/rules_file.h"
#include "store/rules_mark.h"

/* Through meshauthd. */

static json_t *
body_of(const struct explain *x)
{
    json_t *args = json_array();

    for (size_t i = 0; i < x->args; i++)
        json_array_append_new(args, json_string(x->arg[i]));
    return json_pack("{s:s, s:o, s:s, s:s*, s:s*}", "action", x->action, "args", args,
        "subject", x->subject, "holder", x->holder, "shown", x->shown);
}

static enum mauth_rc
ask_service(
    const struct admin *a, const struct explain *x, json_t **out, struct mauth_err *err)
{
    json_t *body = body_of(x);
    const struct admin_request request = {
        .method = "POST", .path = "/v1/admin/explain", .body = body};
    enum mauth_rc rc = MAUTH_NO_MEMORY;

    if (body)
        rc = admin_ask(a, &request, out, err);
    else
        rc = mauth_fail(err, rc, "no memory");
    json_decref(body);
    return rc;
}

/* In the store, while no service has it. */

struct looking {
    struct explain what;
    struct audit_entry *entry;
    const char *rules_file;
    struct buf json;
};

/* Its record is one transaction with it. */
static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct looking *l = arg;
    bool allowed;
    enum mauth_rc rc = rules_mark_check(txn, mauth_rules_hash(l->what.rules), err);

    buf_rewind(&l->json);
    if (rc == MAUTH_CONFLICT)
        return mauth_fail(err, MAUTH_CONFLICT,
            "%s: other rules were in force last; start meshauthd", l->rules_file);
    if (rc == MAUTH_OK)
        rc = explain_write(txn, &l->what, &l->json, &allowed, err);
    return rc ? rc : audit_append(txn, l->entry, err);
}

static enum mauth_rc
make_entry(struct looking *l, struct mauth_err *err)
{
    struct audit_record who = {.client = "local"};
    char actor[32];

    snprintf(actor, sizeof(actor), "uid:%u", (unsigned)getuid());
    who.actor = actor;
    return explain_entry(&l->what, &who, &l->entry, err);
}

static enum mauth_rc
take_json(struct buf *b, json_t **out, struct mauth_err *err)
{
    *out = buf_ok(b) ? json_loadb((const char *)b->data, b->len, 0, NULL) : NULL;
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
}

static enum mauth_rc
ask_store(
    const struct admin *a, const struct explain *x, json_t **out, struct mauth_err *err)
{
    struct looking l = {.what = *x, .rules_file = a->config->rules_file};
    struct mauth_rules *rules = NULL;
    struct kv *kv = NULL;
    enum mauth_rc rc = rules_file_read(l.rules_file, &rules, err);

    buf_init(&l.json);
    l.what.rules = rules;
    if (rc == MAUTH_OK)
        rc = make_entry(&l, err);
    if (rc == MAUTH_OK)
        rc = kv_open(a->config->store, KV_OPEN, &kv, err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, look, &l, err);
    if (rc == MAUTH_OK)
        rc = take_json(&l.json, out, err);
    kv_close(kv);
    audit_entry_free(l.entry);
    buf_clear(&l.json);
    mauth_rules_free(rules);
    return rc;
}

/* For people. */

static void
print_facts(struct table *t, const json_t *rule)
{
    const json_t *facts = json_object_get(rule, "facts");

    for (size_t i = 0; i < json_array_size(facts); i++) {
        const json_t *fact = json_array_get(facts, i);

        table_cell(t, STYLE_PLAIN, "%s", "");
        table_cell(t, STYLE_PLAIN, "%s", admin_text(fact, "fact"));
        table_cell(t, STYLE_DIM, "%s", admin_text(fact, "source"));
    }
}

static void
print_missing(struct table *t, const json_t *rule)
{
    const json_t *missing = json_object_get(rule, "missing");

    table_cell(t, STYLE_PLAIN, "%s", "");
    table_cell(t, STYLE_BAD, "%s", admin_text(rule, "why"));
    table_cell(t, STYLE_DIM, "%s", missing ? admin_text(missing, "source") : "");
    if (!json_object_get(rule, "remedy"))
        return;
    table_cell(t, STYLE_PLAIN, "%s", "");
    table_cell(t, STYLE_PLAIN, "(%s)", admin_text(rule, "remedy"));
    table_cell(t, STYLE_DIM, "%s", "");
}

static bool
print(const json_t *node)
{
    static const char *const heads[] = {"line", "rule, and what it says here", "from"};
    const json_t *rules = json_object_get(node, "rules");
    bool allowed = strcmp(admin_text(node, "outcome"), "allow") == 0;
    struct table *t;

    output_line(allowed ? STYLE_GOOD : STYLE_BAD, allowed ? "allowed" : "denied",
        json_array_size(rules) ? "" : ": no rule here speaks of this");
    if (!json_array_size(rules))
        return true;
    t = table_new(sizeof(heads) / sizeof(*heads), heads);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);

        table_cell(t, STYLE_DIM, "%lld",
            (long long)json_integer_value(json_object_get(rule, "line")));
        table_cell(t, STYLE_BOLD, "%s", admin_text(rule, "rule"));
        table_cell(t, STYLE_PLAIN, "%s", "");
        if (json_is_true(json_object_get(rule, "holds")))
            print_facts(t, rule);
        else
            print_missing(t, rule);
    }
    return table_end(t);
}

static enum command_exit
tell(const struct call *call, const json_t *answer)
{
    enum command_exit code = admin_print(call, answer, print);

    if (code == COMMAND_DONE && strcmp(admin_text(answer, "outcome"), "allow") != 0)
        code = COMMAND_REFUSED;
    return code;
}

enum command_exit
policy_explain_live(const struct call *call, const struct policy_live *live)
{
    struct explain what = {.action = call->arg[0],
        .subject = live->subject,
        .holder = live->holder,
        .shown = live->shown,
        .now_s = time_now_s()};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin admin = {.config = NULL};
    json_t *answer = NULL;
    enum command_exit code;
    enum mauth_rc rc;

    for (; what.args < RULES_ARGS_MAX && call->arg[1 + what.args]; what.args++)
        what.arg[what.args] = call->arg[1 + what.args];
    if (explain_check(&what, &err) != MAUTH_OK)
        return command_misused(call, "%s", err.text);
    code = admin_open(call, live->config, &admin);
    if (code == COMMAND_DONE) {
        what.issuer = admin.config->issuer.url;
        rc = admin.served ? ask_service(&admin, &what, &answer, &err)
                          : ask_store(&admin, &what, &answer, &err);
        if (err.rc == MAUTH_MALFORMED)
            err.rc = MAUTH_DENIED; /* as the service says it */
        code = rc == MAUTH_OK ? tell(call, answer) : admin_failed(call, &err);
    }
    json_decref(answer);
    admin_close(&admin);
    return code;
}
