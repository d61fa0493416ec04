/* Requests for rights, in a world with two folders, three services and some devices. */
#ifndef TESTS_RIGHTS_WORLD_H
#define TESTS_RIGHTS_WORLD_H

#include "authsvc/rights.h"
#include "store/graph_folder.h"
#include "store/graph_member.h"
#include "store/graph_service.h"
#include "store/rules_mark.h"
#include "tests/unit/caller_world.h"

#define STORAGE "audience=urn:meshauth:service:storage"
#define PUBSUB  "audience=urn:meshauth:service:pubsub"
#define RELAY   "audience=urn:meshauth:service:relay"
#define NODES   GOLDEN_ISSUER "/v1/mesh/"
#define TRIP    "fld_04000000000000000000000000"
#define WORK    "fld_08000000000000000000000000"
#define PC      "dev_02000000000000000000000000"
#define LAPTOP  "dev_08000000000000000000000000"
#define PHONE   "dev_0m000000000000000000000000"

/* Further rules: one that no ticket can prove, one that takes for ever, and a plain one. */
static const char more_rules[] =
    "allow boast(R) if subject(U), folder(R, F), member(U, F, _), account(U).\n"
    "allow dig(R) if subject(U), member(U, A, _), member(U, B, _), A != B,\n"
    "    member(U, C, _), B != C, member(U, D, _), C != D, member(U, E, _), D != E,\n"
    "    folder(R, F), member(U, F, nobody).\n"
    "allow print(R) if subject(U), folder(R, F), member(U, F, _).\n";

static inline struct id
nth(uint8_t n)
{
    struct id id = {.b = {n}};

    return id;
}

static inline void
add_service(struct kv_txn *txn, uint8_t n, const char *name, const char *url,
    const char *action)
{
    struct graph_service s = {.id = nth(n)};

    snprintf(s.name, sizeof(s.name), "%s", name);
    snprintf(s.url, sizeof(s.url), "%s", url);
    snprintf(s.action[0], sizeof(s.action[0]), "%s", action);
    s.actions = *action ? 1 : 0;
    assert_int_equal(graph_service_create(txn, &s, NULL), MAUTH_OK);
}

/* Alice owns Trip and reads Work, which is Bob's; he has a phone with Work, she a laptop. */
static inline void
furnish(struct kv_txn *txn, struct caller_world *w)
{
    const struct graph_identity bob = {text_of("https://i.example"), text_of("bob")};
    struct graph_folder trip = {.id = nth(4), .name = "Trip"},
                        work = {.id = nth(8), .name = "Work"};
    struct graph_device laptop = {.id = nth(8), .name = "laptop", .spki_len = 4},
                        phone = {.id = nth(20), .name = "phone", .spki_len = 5}, out;
    struct id b = nth(2);

    add_service(txn, 1, "storage", "https://storage.example/files", "");
    add_service(txn, 2, "pubsub", "", "read");
    add_service(txn, 3, "relay", "", "sync");
    assert_int_equal(graph_user_create(txn, &b, &bob, 1, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_create(txn, &trip, &w->alice, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_create(txn, &work, &b, NULL), MAUTH_OK);
    assert_int_equal(
        graph_member_add(txn, &work.id, &w->alice, "reader", 1, NULL), MAUTH_OK);
    assert_int_equal(graph_device_register(txn, &laptop, &out, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &laptop.id, &w->alice, 1, NULL), MAUTH_OK);
    assert_int_equal(graph_device_register(txn, &phone, &out, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &phone.id, &b, 1, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &phone.id, &work.id, 1, NULL), MAUTH_OK);
}

static inline int
set_up(void **state)
{
    static struct caller_world w;

    *state = &w;
    caller_world_make(&w, more_rules);
    caller_do(&w, furnish);
    return 0;
}

static inline int
tear_down(void **state)
{
    return caller_world_remove(*state);
}

/* A request, up to its tickets. */
struct request {
    struct form *form;
    struct rights *rights;
    struct token_answer answer;
};

static inline struct request
ask(const struct caller_world *w, const char *form)
{
    struct request q = {.form = NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    assert_int_equal(form_parse(text_of(form), &q.form, NULL), MAUTH_OK);
    rc = rights_new(&w->ground, &w->caller, q.form, &q.rights, &err);
    if (rc == MAUTH_OK && !rights_refusal(q.rights))
        rc = rights_prove(q.rights, &err);
    if (rc == MAUTH_OK && !rights_refusal(q.rights))
        rc = rights_issue(q.rights, &err);
    if (rc != MAUTH_OK || err.rc != MAUTH_OK)
        fail_msg("%s: %s", form, err.text);
    if (!rights_refusal(q.rights))
        rights_answer(q.rights, &q.answer);
    return q;
}

static inline void
end(struct request *q)
{
    rights_free(q->rights);
    form_free(q->form);
}

/* "AUDIENCE RESOURCE action,action; ..." as the answer lists it; then "scope ...". */
static inline void
describe(const struct token_answer *a, struct buf *out)
{
    for (size_t i = 0; i < a->lines; i++) {
        const struct token_line *l = &a->line[i];
        const char *node = l->resource ? strrchr(l->resource, '/') + 1 : "-";

        buf_printf(out, "%s%s %s", i ? "; " : "", strrchr(l->audience, ':') + 1, node);
        for (size_t k = 0; k < 64; k++)
            if (l->actions >> k & 1)
                buf_printf(out, " %.*s", (int)l->action[k].len, l->action[k].p);
    }
    for (size_t k = 0; k < 64; k++)
        if (a->scope >> k & 1)
            buf_printf(out, " | %.*s", (int)a->action[k].len, a->action[k].p);
}

static inline struct mauth_ticket *
ticket_of(const struct token_line *l)
{
    struct mauth_ticket *t = NULL;

    assert_int_equal(
        mauth_ticket_read_untrusted(l->ticket->xml, l->ticket->xml_len, &t, NULL),
        MAUTH_OK);
    return t;
}

/* The facts but asof and session, as "relation(arg, ...) ...", ids by their kind. */
static inline void
facts_of(const struct token_line *l, struct buf *out)
{
    struct mauth_ticket *t = ticket_of(l);

    for (size_t i = 0; i < mauth_ticket_fact_count(t); i++) {
        const char *name = mauth_ticket_fact_relation(t, i);

        if (strcmp(name, "asof") == 0 || strcmp(name, "session") == 0)
            continue;
        buf_printf(out, "%s%s", out->len ? " " : "", name);
        for (size_t k = 0; k < mauth_ticket_fact_arity(t, i); k++) {
            const char *arg = mauth_ticket_fact_arg(t, i, k);

            buf_printf(out, "%c%.6s", k ? ',' : '(', arg);
        }
        buf_u8(out, ')');
    }
    mauth_ticket_free(t);
}

#endif
