/*
 * Rights beside a model that is nothing but arrays. After random changes of the graph
 * random people ask for random rights; what their tickets prove at a service's verifier
 * is what the model says, and nothing else. All tickets are kept: after each change that
 * narrows, and its trust file,
 *
 *   - none is good that permits what the model does not: no survivor without a right;
 *   - a ticket is dead if, and only if, a change since it was proven has revoked a set of
 *     ids all of which it mentions, as lose() in rights_model.h notes them down; whether
 *     a raised role revokes is left open.
 *
 * MAUTH_SEED in the environment repeats a run, MAUTH_MODEL_OPS makes it longer.
 */
#include <time.h>

#include "tests/unit/rights_model.h"

enum {
    OPS = 600, /* changes */
    ASKED = 4  /* after each */
};

static enum mauth_rc
put_session(struct kv_txn *txn, const struct run *r)
{
    return graph_session_create(txn, &r->m.device[r->b].session, NULL);
}

/* Tickets. */

static bool
mentions(const struct mauth_ticket *t, const char *id)
{
    if (strcmp(mauth_ticket_subject(t), id) == 0)
        return true;
    for (size_t i = 0; i < mauth_ticket_fact_count(t); i++)
        for (size_t k = 0; k < mauth_ticket_fact_arity(t, i); k++)
            if (strcmp(mauth_ticket_fact_arg(t, i, k), id) == 0)
                return true;
    for (size_t i = 0; i < mauth_ticket_permit_count(t); i++)
        if (strstr(mauth_ticket_permit_resource(t, i), id))
            return true;
    return false;
}

static bool
is_of(const struct set *s, const struct mauth_ticket *t)
{
    return mentions(t, s->id[0]) && (!s->id[1][0] || mentions(t, s->id[1]));
}

static void
url_of(const struct id *folder, const char *below, char out[160])
{
    char id[ID_LEN + 1];

    id_format(ID_FOLDER, folder, id);
    snprintf(out, 160, NODES "folders/%s%s", id, below);
}

/* Does the service let it, and is that what the ticket permits? */
static enum mauth_reason
expect(struct run *r, const struct kept *k, const char *action, const char *const *args,
    size_t count, bool permitted)
{
    bool may;
    enum mauth_reason reason = proof_check(k->sync ? r->p.relay : r->p.storage,
        r->m.device[k->device].key, k->authorization, action, args, count, &may);

    if (may && !permitted)
        fail_msg("a ticket allows %s of %s", action, args[0]);
    if (!may && permitted && reason != MAUTH_REASON_REVOKED)
        fail_msg("%s of %s: %s", action, args[0], mauth_reason_name(reason));
    return reason;
}

/* Every action on every folder, the own node and all pairs of devices. */
static enum mauth_reason
look_at(struct run *r, const struct kept *k)
{
    const struct model *m = &r->m;
    char url[160], id[2][ID_LEN + 1];
    const char *args[2] = {url, NULL};
    enum mauth_reason reason = MAUTH_REASON_NONE;

    for (unsigned f = 0; f < FOLDERS; f++)
        for (unsigned a = 0; a < COUNT(actions); a++) {
            url_of(&k->folder[f], a % 2 ? "/a/b" : "", url);
            reason = expect(r, k, actions[a], args, 1, k->may[f] >> a & 1);
        }
    for (unsigned u = 0; u < N; u++) {
        id_format(ID_USER, &m->user[u], id[0]);
        snprintf(url, sizeof(url), NODES "users/%s", id[0]);
        (void)expect(r, k, "read", args, 1,
            k->own && strcmp(id[0], mauth_ticket_subject(k->ticket)) == 0);
    }
    for (unsigned x = 0; x < N; x++)
        for (unsigned y = 0; y < N; y++) {
            id_format(ID_DEVICE, &m->device[x].id, id[0]);
            id_format(ID_DEVICE, &m->device[y].id, id[1]);
            args[0] = id[0];
            args[1] = id[1];
            (void)expect(
                r, k, "sync", args, 2, k->sync && x == k->device && y == k->peer);
        }
    return reason;
}

static bool
is_supported(const struct run *r, const struct kept *k)
{
    const struct model *m = &r->m;
    char session[ID_LEN + 1];

    id_format(ID_SESSION, &m->device[k->device].session.id, session);
    if (m->who[k->device] == NOBODY ||
        strcmp(session, mauth_ticket_session(k->ticket)) != 0)
        return false;
    if (k->sync)
        return may_sync(m, k->device, k->peer);
    for (unsigned f = 0; f < FOLDERS; f++)
        for (unsigned a = 0; a < COUNT(actions); a++) {
            bool same = memcmp(&m->folder[f], &k->folder[f], sizeof(struct id)) == 0;

            if (k->may[f] >> a & 1 && !(same && may_do(m, k->device, f, a)))
                return false;
        }

    return true;
}

/* After a change and its trust file. */
static void
check_kept(struct run *r)
{
    struct model *m = &r->m;

    for (unsigned i = 0; i < KEPT; i++) {
        struct kept *k = &m->kept[i];
        const char *args[2] = {NODES, NODES};
        bool may, revoked;

        if (!k->ticket)
            continue;
        for (size_t s = 0; s < m->sets; s++)
            if (is_of(&m->set[s], k->ticket))
                *(m->set[s].maybe ? &k->maybe : &k->dead) = true;
        revoked =
            proof_check(k->sync ? r->p.relay : r->p.storage, m->device[k->device].key,
                k->authorization, "read", args, 1, &may) == MAUTH_REASON_REVOKED;
        if (k->dead && !revoked)
            fail_msg("a ticket survives what has revoked it");
        if (revoked && !k->dead && !k->maybe)
            fail_msg("a ticket died that mentions nothing of what was revoked");
        if (!revoked && !is_supported(r, k))
            fail_msg("a ticket survives without its right");
        *(revoked ? &m->died : &m->survived) += 1;
        if (roll(m, KEPT) == 0)
            (void)look_at(r, k);
    }
}

static void
forget(struct kept *k)
{
    free(k->authorization);
    mauth_ticket_free(k->ticket);
    memset(k, 0, sizeof(*k));
}

static struct kept *
keep(struct run *r, const struct token_line *line, unsigned device)
{
    struct kept *k = &r->m.kept[r->m.kept_next++ % KEPT];
    char *credential = NULL;

    for (unsigned i = 0; k->ticket && !k->dead && i < KEPT; i++) /* the living last */
        k = &r->m.kept[r->m.kept_next++ % KEPT];

    forget(k);
    assert_int_equal(mauth_credential_encode(line->ticket->xml, line->ticket->xml_len,
                         roll(&r->m, 2), &credential, NULL),
        MAUTH_OK);
    assert_true(asprintf(&k->authorization, "Bearer %s", credential) > 0);
    free(credential);
    k->ticket = ticket_of(line);
    k->device = device;
    memcpy(k->folder, r->m.folder, sizeof(k->folder));
    return k;
}

/* Ask for some actions on some folder; the model says how it must come out. */
static void
ask_for_folder(struct run *r, unsigned d)
{
    struct model *m = &r->m;
    unsigned f = roll(m, FOLDERS), wanted = 1 + roll(m, 31), want = 0;
    struct caller_world w = proof_caller(&r->p, &m->device[d]);
    bool own = roll(m, 4) == 0, known = m->role[f][m->who[d]];
    char form[640], url[160], id[ID_LEN + 1];
    struct request q;

    id_format(ID_USER, &m->user[m->who[d]], id);
    url_of(&m->folder[f], "", url);
    snprintf(form, sizeof(form), STORAGE "&resource=%s%s%s&scope=", url,
        own ? "&resource=" NODES "users/" : "", own ? id : "");
    for (unsigned a = 0; a < COUNT(actions); a++) {
        if (!(wanted >> a & 1))
            continue;
        strcat(form, form[strlen(form) - 1] == '=' ? "" : "+");
        strcat(form, actions[a]);
        want |= (unsigned)may_do(m, d, f, a) << a;
    }
    own = own && wanted & 1;
    q = ask(&w, form);
    if (!want && !own) {
        m->refused++;
        assert_string_equal(rights_refusal(q.rights),
            known || strstr(form, "users/") ? "not-granted" : "resource-unknown");
    } else {
        struct kept *k;

        assert_null(rights_refusal(q.rights));
        assert_int_equal(q.answer.lines, (want != 0) + own);
        k = keep(r, &q.answer.line[0], d);
        k->may[f] = want;
        k->own = own;
        assert_int_not_equal(look_at(r, k), MAUTH_REASON_REVOKED);
        m->issued++;
    }
    end(&q);
}

static void
ask_for_sync(struct run *r, unsigned d)
{
    struct model *m = &r->m;
    struct caller_world w = proof_caller(&r->p, &m->device[d]);
    unsigned peer = roll(m, N);
    char form[256], id[ID_LEN + 1];
    struct request q;

    id_format(ID_DEVICE, &m->device[peer].id, id);
    snprintf(form, sizeof(form), RELAY "&scope=sync&resource=" NODES "devices/%s", id);
    q = ask(&w, form);
    if (!may_sync(m, d, peer)) {
        m->refused++;
        assert_non_null(rights_refusal(q.rights));
        assert_true(rights_are_denied(q.rights));
    } else {
        struct kept *k;

        assert_null(rights_refusal(q.rights));
        k = keep(r, &q.answer.line[0], d);
        k->sync = true;
        k->peer = peer;
        assert_int_not_equal(look_at(r, k), MAUTH_REASON_REVOKED);
        m->issued++;
    }
    end(&q);
}

/* On a device on which somebody has logged in, at the latest now. */
static void
ask_for_something(struct run *r, unsigned d)
{
    struct model *m = &r->m;

    if (m->who[d] == NOBODY) {
        r->b = d;
        m->who[d] =
            (int)(m->claim[d] == NOBODY || !r->way ? r->a : (unsigned)m->claim[d]);
        proof_begin_session(&m->device[d], &m->user[m->who[d]]);
        do_graph(r, put_session);
    }
    if (roll(m, 3))
        ask_for_folder(r, d);
    else
        ask_for_sync(r, d);
}

static void
step(struct run *r)
{
    struct model *m = &r->m;
    const struct change *c = &changes[roll(m, COUNT(changes))];

    r->a = roll(m, N);
    r->b = roll(m, N);
    r->f = roll(m, FOLDERS);
    r->way = roll(m, 4);
    m->sets = 0;
    if (c->may(r)) {
        do_graph(r, c->graph);
        c->model(r);
        if (c->model == ended)
            do_graph(r, begin_user);
    }
    if (m->sets) {
        proof_publish(&r->p);
        check_kept(r);
    }
    for (unsigned i = 0; i < ASKED; i++)
        ask_for_something(r, roll(m, N));
}

static enum mauth_rc
put_device(struct kv_txn *txn, const struct run *r)
{
    struct graph_device node = proof_node(&r->m.device[r->b]), out;

    return graph_device_register(txn, &node, &out, NULL);
}

static void
begin(struct run *r)
{
    struct model *m = &r->m;

    for (r->a = r->b = 0; r->a < N; r->b = ++r->a) {
        assert_int_equal(id_new(&m->user[r->a], NULL), MAUTH_OK);
        assert_int_equal(id_new(&m->device[r->b].id, NULL), MAUTH_OK);
        proof_new_key(&m->device[r->b]);
        m->people++;
        m->who[r->b] = m->claim[r->b] = NOBODY;
        do_graph(r, begin_user);
        do_graph(r, put_device);
    }
    for (unsigned f = 0; f < FOLDERS; f++)
        assert_int_equal(id_new(&m->folder[f], NULL), MAUTH_OK);
}

static void
tickets_say_what_the_model_says(void **state)
{
    const char *seed = getenv("MAUTH_SEED"), *ops = getenv("MAUTH_MODEL_OPS");
    unsigned long count = ops ? strtoul(ops, NULL, 10) : OPS;
    static struct run r;

    (void)state;
    r.m.random = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    print_message("seed %u\n", r.m.random);
    proof_make(&r.p);
    begin(&r);
    for (unsigned long i = 0; i < count; i++)
        step(&r);
    print_message("%lu changes: %lu tickets, %lu refusals; of the kept, looked at "
                  "after each revocation, %lu were dead and %lu alive\n",
        count, r.m.issued, r.m.refused, r.m.died, r.m.survived);
    assert_true(r.m.issued > 0 && r.m.refused > 0 && r.m.died > 0 && r.m.survived > 0);
    for (unsigned i = 0; i < KEPT; i++)
        forget(&r.m.kept[i]);
    for (unsigned d = 0; d < N; d++)
        mauth_key_free(r.m.device[d].key);
    proof_remove(&r.p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_say_what_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
