#include "authsvc/ground.h"
#include "tests/unit/rights_world.h"

static const struct grant {
    const char *form;
    const char *lines;
    const char *facts; /* of the first ticket */
} grants[] = {
    {STORAGE "&resource=" NODES "folders/" TRIP, "storage " TRIP " read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner)"},
    {STORAGE "&scope=read+write+control&resource=" NODES "folders/" TRIP,
        "storage " TRIP " read write control",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner)"},
    {STORAGE "&scope=read+write+read&resource=" NODES "folders/" WORK,
        "storage " WORK " read | read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_08,reader)"},
    {STORAGE "&" PUBSUB "&scope=write+read&resource=" NODES "folders/" TRIP,
        "storage " TRIP " write read; pubsub " TRIP " read | write | read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner)"},
    {STORAGE "&" RELAY "&resource=" NODES "folders/" TRIP,
        "storage " TRIP " read | read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner)"},
    {STORAGE "&resource=" NODES "folders/" TRIP "&resource=" NODES "folders/" WORK
             "&scope=read+write",
        "storage " TRIP " read write; storage " WORK " read | read | write",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner) "
        "member(usr_01,fld_08,reader)"},
    {"resource=https://storage.example/files/" WORK "/a/b", "storage " WORK " read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_08,reader)"},
    {"resource=https://storage.example/files",
        "storage usr_01000000000000000000000000 read; storage " TRIP
        " read; storage " WORK " read",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_04,owner) "
        "member(usr_01,fld_08,reader)"},
    /* By an allow, where what proves it goes into the ticket. */
    {STORAGE "&scope=print&resource=" NODES "folders/" WORK, "storage " WORK " print",
        "claimed(dev_02,usr_01) holder(dev_02) member(usr_01,fld_08,reader)"},
    {STORAGE "&scope=receive&resource=" NODES "devices/" PC, "storage " PC " receive",
        "claimed(dev_02,usr_01) holder(dev_02)"},
    /* Peer to peer. */
    {RELAY "&audience=urn:meshauth:device:" LAPTOP "&scope=sync&resource=" NODES
           "devices/" LAPTOP,
        "relay " LAPTOP " sync; " LAPTOP " " LAPTOP " sync",
        "claimed(dev_02,usr_01) claimed(dev_08,usr_01) holder(dev_02)"},
};

static void
grants_what_the_graph_proves(void **state)
{
    const struct caller_world *w = *state;

    for (size_t i = 0; i < COUNT(grants); i++) {
        struct request q = ask(w, grants[i].form);
        struct buf lines, facts;

        buf_init(&lines);
        buf_init(&facts);
        if (rights_refusal(q.rights))
            fail_msg("%s: %s", grants[i].form, rights_refusal(q.rights));
        describe(&q.answer, &lines);
        facts_of(&q.answer.line[0], &facts);
        assert_string_equal(buf_cstr(&lines), grants[i].lines);
        assert_string_equal(buf_cstr(&facts), grants[i].facts);
        buf_clear(&lines);
        buf_clear(&facts);
        end(&q);
    }
}

static const struct refusal {
    const char *reason;
    const char *form;
} refusals[] = {
    {"actions", STORAGE "&scope=Read&resource=" NODES "folders/" TRIP},
    {"actions", STORAGE "&scope=read++write&resource=" NODES "folders/" TRIP},
    {"actions", STORAGE "&scope=read+&resource=" NODES "folders/" TRIP},
    {"sync-scope", RELAY "&scope=sync+read&resource=" NODES "devices/" LAPTOP},
    {"sync-target", RELAY "&scope=sync"},
    {"sync-target", RELAY "&scope=sync&resource=" NODES "folders/" TRIP},
    {"sync-target", RELAY "&scope=sync&resource=" NODES "devices/" LAPTOP
                          "&resource=" NODES "devices/" PHONE},
    {"audience", RELAY "&scope=sync&audience=urn:meshauth:device:" PHONE
                       "&resource=" NODES "devices/" LAPTOP},
    {"audience", STORAGE "&audience=urn:meshauth:device:" LAPTOP "&resource=" NODES
                         "devices/" LAPTOP},
    {"audience", "audience=" GOLDEN_ISSUER "&resource=" NODES "folders/" TRIP},
    {"audience", "audience=urn:meshauth:service:none&resource=" NODES "folders/" TRIP},
    {"audience-missing", "resource=" NODES "folders/" TRIP},
    {"place", STORAGE "&resource=https://elsewhere.example/"},
    {"resource", STORAGE "&resource=" NODES "folders/" TRIP "/a"},
    {"resource", "resource=https://storage.example/files/a"},
    {"place", "resource=https://storage.example/file"},
    {"resource-unknown",
        STORAGE "&resource=" NODES "folders/fld_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
    {"resource-unknown",
        STORAGE "&resource=" NODES "users/usr_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
    {"not-granted", STORAGE "&scope=write&resource=" NODES "folders/" WORK},
    {"not-granted", PUBSUB "&scope=write&resource=" NODES "folders/" TRIP},
    {"not-granted", STORAGE "&scope=boast&resource=" NODES "folders/" TRIP},
    {"not-granted", STORAGE "&scope=create"}, /* caller(_) is not for tickets */
    {"not-granted", STORAGE "&scope=know&resource=" NODES "folders/" TRIP},
    {"not-granted", PUBSUB "&scope=publish"},
    {"not-granted", RELAY "&scope=sync&resource=" NODES "devices/" PHONE},
    {"not-granted", RELAY "&scope=sync&resource=" NODES "devices/" PC},
    {"not-granted", PUBSUB "&scope=sync&resource=" NODES "devices/" LAPTOP},
};

static void
refuses(void **state)
{
    const struct caller_world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct request q = ask(w, refusals[i].form);
        const char *got = rights_refusal(q.rights);

        if (!got || strcmp(got, refusals[i].reason) != 0)
            fail_msg("%s: %s instead of %s", refusals[i].form, got, refusals[i].reason);
        assert_int_equal(rights_are_denied(q.rights),
            strcmp(got, "not-granted") == 0 || strcmp(got, "resource-unknown") == 0);
        end(&q);
    }
}

#define NONE "fld_7zzzzzzzzzzzzzzzzzzzzzzzzz"
#define WRITE_ON_WORK                                                              \
    "write on " WORK " is not allowed: the rules have no can(reader, write), but " \
    "can(contributor, write), can(owner, write)."

/* What a denial says is of known nodes alone, and of the caller's own side. */
static void
says_what_is_missing(void **state)
{
    static const struct {
        const char *form, *lacks;
    } cases[] = {
        {STORAGE "&scope=write&resource=" NODES "folders/" WORK, WRITE_ON_WORK},
        {STORAGE "&scope=write&resource=" NODES "folders/" WORK "&resource=" NODES
                 "folders/" NONE,
            WRITE_ON_WORK},
        {STORAGE "&scope=write&resource=" NODES "folders/" NONE, ""},
        {PUBSUB "&scope=write&resource=" NODES "folders/" TRIP,
            "write is not allowed: no ticket for these audiences carries it."},
        {STORAGE "&scope=publish",
            "publish is not allowed: usr_01000000000000000000000000 does not have the "
            "role publish."},
        {RELAY "&scope=sync&resource=" NODES "devices/" PHONE,
            "sync on " PHONE " is not allowed: it takes more than your own side shows; "
            "and " PC " has no folder mapped."},
        /* It is true, but of what no ticket says: that is nobody's lack. */
        {STORAGE "&scope=boast&resource=" NODES "folders/" TRIP,
            "boast on " TRIP " is not allowed: it takes more than your own side "
            "shows."},
    };
    const struct caller_world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request q = ask(w, cases[i].form);

        assert_true(rights_are_denied(q.rights));
        assert_string_equal(rights_lacks(q.rights), cases[i].lacks);
        end(&q);
    }
}

/* Of 14 nodes and 64 actions few are explained. */
static void
explains_no_more_than_it_may(void **state)
{
    const struct caller_world *w = *state;
    struct request q =
        ask(w, STORAGE "&scope=a+b+c+d+e+f&resource=" NODES "folders/" WORK
                       "&resource=" NODES "folders/" TRIP);

    assert_non_null(strstr(rights_lacks(q.rights), "d on " WORK));
    assert_null(strstr(rights_lacks(q.rights), "e on "));
    assert_null(strstr(rights_lacks(q.rights), TRIP));
    end(&q);
}

/* More values than there may be; each counts once. */
static void
bounds_what_is_asked_for(void **state)
{
    static const struct {
        const char *name;
        const char *format;
        unsigned most;
    } lists[] = {
        {"resource", "&resource=" NODES "folders/fld_0000000000000000000000%04u", 14},
        {"audience", "&audience=urn:meshauth:service:s%u", 8},
        {"scope", "+a%u", 64},
    };
    const struct caller_world *w = *state;

    for (size_t i = 0; i < COUNT(lists); i++)
        for (unsigned more = 0; more < 2; more++) {
            struct request q;
            struct buf form;

            buf_init(&form);
            buf_str(&form, i == 2 ? "audience=x&scope=a0" : "scope=a");
            for (unsigned k = 0; k < lists[i].most + more; k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                buf_printf(&form, lists[i].format, k);
#pragma GCC diagnostic pop
            }
            q = ask(w, buf_cstr(&form));
            if ((strcmp(rights_refusal(q.rights), "too-much") == 0) != (more != 0))
                fail_msg("%s: %s", lists[i].name, rights_refusal(q.rights));
            end(&q);
            buf_clear(&form);
        }
}

static void
join_many(struct kv_txn *txn, struct caller_world *w)
{
    for (uint8_t i = 0; i < 20; i++) {
        struct graph_folder f = {.id = nth((uint8_t)(100 + i)), .name = "one of many"};

        assert_int_equal(graph_folder_create(txn, &f, &w->alice, NULL), MAUTH_OK);
    }
}

/* A rule that looks at everything: 22 folders, five times over. */
static void
bounds_what_is_looked_at(void **state)
{
    struct caller_world *w = *state;
    struct request q;

    caller_do(w, join_many);
    q = ask(w, STORAGE "&scope=dig+read&resource=" NODES "folders/" TRIP);
    assert_string_equal(rights_refusal(q.rights), "too-much");
    assert_false(rights_are_denied(q.rights));
    end(&q);
}

/* A folder that everything is granted on, often: no ticket holds 65 actions. */
static void
bounds_what_a_ticket_holds(void **state)
{
    struct caller_world *w = *state;
    struct request q;
    struct buf form;

    caller_do(w, join_many);
    for (unsigned folders = 12; folders <= 13; folders++) {
        buf_init(&form);
        buf_str(&form, STORAGE "&scope=read+write+delete+control+subscribe");
        for (unsigned i = 0; i < folders; i++) {
            struct id id = nth((uint8_t)(100 + i));
            char text[ID_LEN + 1];

            id_format(ID_FOLDER, &id, text);
            buf_printf(&form, "&resource=" NODES "folders/%s", text);
        }
        q = ask(w, buf_cstr(&form));
        assert_int_equal(rights_refusal(q.rights) != NULL, folders == 13);
        if (folders == 13)
            assert_string_equal(rights_refusal(q.rights), "too-much");
        else
            assert_int_equal(q.answer.lines, 12);
        end(&q);
        buf_clear(&form);
    }
}

static void
close_session(struct kv_txn *txn, struct caller_world *w)
{
    assert_int_equal(graph_session_close(txn, &w->session.id, NULL), MAUTH_OK);
}

static void
needs_an_open_session(void **state)
{
    static const char form[] = STORAGE "&resource=" NODES "folders/" TRIP;
    struct caller_world *w = *state;
    struct request q;

    w->caller.now_s = w->session.ends_s;
    q = ask(w, form);
    assert_string_equal(rights_refusal(q.rights), "session");
    end(&q);
    w->caller.now_s = w->session.ends_s - 5;
    q = ask(w, form);
    assert_null(rights_refusal(q.rights));
    assert_int_equal(q.answer.line[0].ticket->expires_in_s, 5);
    end(&q);
    caller_do(w, close_session);
    q = ask(w, form);
    assert_string_equal(rights_refusal(q.rights), "session");
    assert_false(rights_are_denied(q.rights)); /* nobody, as far as we know */
    end(&q);
}

/* What the ticket says holds as of the state that it names. */
static void
remove_from_work(struct kv_txn *txn, struct caller_world *w)
{
    struct id work = nth(8);

    assert_int_equal(graph_member_remove(txn, &work, &w->alice, 2, NULL), MAUTH_OK);
}

static void
states_its_moment(void **state)
{
    static const char form[] = STORAGE "&resource=" NODES "folders/" WORK;
    struct caller_world *w = *state;
    struct request before = ask(w, form), after;
    struct mauth_ticket *t = ticket_of(&before.answer.line[0]);
    uint64_t asof = mauth_ticket_asof(t);

    mauth_ticket_free(t);
    caller_do(w, remove_from_work);
    after = ask(w, form);
    assert_string_equal(rights_refusal(after.rights), "resource-unknown");
    end(&before);
    end(&after);
    after = ask(w, STORAGE "&resource=" NODES "folders/" TRIP);
    t = ticket_of(&after.answer.line[0]);
    assert_true(mauth_ticket_asof(t) > asof);
    mauth_ticket_free(t);
    end(&after);
}

/* By the rules of the moment: others count at once, and those before no more. */
static void
goes_by_the_rules_in_force(void **state)
{
    static const char form[] = STORAGE "&scope=paint&resource=" NODES "folders/" TRIP;
    struct caller_world *w = *state;
    struct request q = ask(w, form);
    bool changed;

    assert_string_equal(rights_refusal(q.rights), "not-granted");
    end(&q);
    caller_write_rules(w,
        "grant paint(R) if subject(U), folder(R, F), member(U, F, _).\n"
        "allow paint(R) if permit(paint, P), within(R, P).\n");
    assert_int_equal(in_force_reload(w->rules, &changed, NULL), MAUTH_OK);
    assert_true(changed);
    q = ask(w, form);
    assert_null(rights_refusal(q.rights));
    end(&q);
}

static enum mauth_rc
forget_rules(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t others[HASH_LEN] = {1};
    bool changed;

    (void)arg;
    return rules_mark_set(txn, others, &changed, err);
}

/* Never by rules that the store does not show: it gives up, and grants nothing. */
static void
proves_nothing_by_replaced_rules(void **state)
{
    struct caller_world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct request q = {.form = NULL};

    assert_int_equal(kv_write(w->dir.store.kv, forget_rules, NULL, NULL), MAUTH_OK);
    assert_int_equal(
        form_parse(text_of(STORAGE "&resource=" NODES "folders/" TRIP), &q.form, NULL),
        MAUTH_OK);
    assert_int_equal(
        rights_new(&w->ground, &w->caller, q.form, &q.rights, NULL), MAUTH_OK);
    assert_int_equal(rights_prove(q.rights, &err), MAUTH_UNAVAILABLE);
    rights_answer(q.rights, &q.answer);
    assert_int_equal(q.answer.lines, 0);
    end(&q);
}

static void
puts_on_record(void **state)
{
    struct caller_world *w = *state;
    struct request q =
        ask(w, STORAGE "&" PUBSUB "&scope=read+write&resource=" NODES "folders/" TRIP);
    size_t before = caller_records(w);
    char id[ID_LEN + 1];

    assert_int_equal(
        kv_write(w->dir.store.kv, rights_record, q.rights, NULL), MAUTH_OK);
    assert_int_equal(caller_records(w), before + 2);
    for (size_t i = 0; i < 2; i++) {
        struct mauth_ticket *t = ticket_of(&q.answer.line[1 - i]);

        assert_string_equal(audit_log_text(&w->log, i, "action"), "ticket.issue");
        assert_string_equal(audit_log_text(&w->log, i, "outcome"), "allow");
        assert_string_equal(audit_log_text(&w->log, i, "ticket"), mauth_ticket_id(t));
        assert_int_equal(
            json_array_size(json_object_get(w->log.record[i], "resources")), 2);
        assert_string_equal(audit_log_resource(&w->log, i, 0), NODES "folders/" TRIP);
        assert_string_equal(
            audit_log_resource(&w->log, i, 1), mauth_ticket_audience(t, 0));
        mauth_ticket_free(t);
    }
    assert_non_null(strstr(audit_log_text(&w->log, 1, "rule"), "grant read(R)"));
    assert_non_null(strstr(audit_log_text(&w->log, 1, "rule"), "grant write(R)"));
    assert_null(strstr(audit_log_text(&w->log, 0, "rule"), "grant write(R)"));
    end(&q);

    q = ask(w, STORAGE "&scope=write&resource=" NODES "folders/" WORK);
    assert_int_equal(rights_prepare_refusal(q.rights, NULL), MAUTH_OK);
    assert_int_equal(
        kv_write(w->dir.store.kv, rights_record_refusal, q.rights, NULL), MAUTH_OK);
    assert_int_equal(caller_records(w), before + 3);
    id_format(ID_USER, &w->alice, id);
    assert_string_equal(audit_log_text(&w->log, 0, "actor"), id);
    assert_string_equal(audit_log_text(&w->log, 0, "outcome"), "deny");
    assert_string_equal(audit_log_text(&w->log, 0, "reason"), "not-granted");
    id_format(ID_DEVICE, &w->pc, id);
    assert_string_equal(audit_log_text(&w->log, 0, "device"), id);
    end(&q);
}

/* Nobody asks: what the root points to, and the folder that was opened. */

static void
initial(const struct caller_world *w, const struct caller *caller,
    const struct id *folder, const char *lines)
{
    struct issue_ground ground = w->ground;
    struct token_answer answer;
    struct rights *r = NULL;
    struct buf b;

    ground_take_caller(&ground, &w->caller);
    ground.session_ends_s = w->session.ends_s;
    assert_int_equal(
        rights_new_initial(&ground, caller, w->caller.key_hash, folder, &r, NULL),
        MAUTH_OK);
    assert_int_equal(rights_prove(r, NULL), MAUTH_OK);
    assert_null(rights_refusal(r));
    assert_int_equal(rights_issue(r, NULL), MAUTH_OK);
    rights_answer(r, &answer);
    buf_init(&b);
    describe(&answer, &b);
    assert_string_equal(buf_cstr(&b), lines);
    buf_clear(&b);
    rights_free(r);
}

static void
add_many(struct kv_txn *txn, struct caller_world *w)
{
    for (uint8_t i = 0; i < 6; i++) {
        struct graph_folder f = {.id = nth((uint8_t)(100 + i)), .name = "more"};
        char name[8];

        snprintf(name, sizeof(name), "z%d", i);
        add_service(txn, (uint8_t)(10 + i), name, "", "read");
        assert_int_equal(graph_folder_create(txn, &f, &w->alice, NULL), MAUTH_OK);
    }
}

static void
gives_what_the_root_points_to(void **state)
{
    struct caller_world *w = *state;
    const struct id trip = nth(4), work = nth(8), none = nth(77);

    initial(w, NULL, NULL,
        "pubsub usr_01000000000000000000000000 read; pubsub " TRIP " read; pubsub " WORK
        " read; storage usr_01000000000000000000000000 read; storage " TRIP
        " read; storage " WORK " read");
    initial(w, &w->caller, &trip, "pubsub " TRIP " read; storage " TRIP " read");
    initial(w, &w->caller, &work, "pubsub " WORK " read; storage " WORK " read");
    initial(w, &w->caller, &none, "");
}

static void
bounds_what_it_gives(void **state)
{
    struct caller_world *w = *state;
    struct issue_ground ground = w->ground;
    struct token_answer answer;
    struct rights *r = NULL;
    size_t tickets = 1;

    caller_do(w, add_many); /* 9 services, 8 folders */
    ground_take_caller(&ground, &w->caller);
    assert_int_equal(
        rights_new_initial(&ground, &w->caller, NULL, NULL, &r, NULL), MAUTH_OK);
    assert_int_equal(rights_prove(r, NULL), MAUTH_OK);
    assert_int_equal(rights_issue(r, NULL), MAUTH_OK);
    rights_answer(r, &answer);
    assert_int_equal(answer.lines, RIGHTS_INITIAL * (1 + RIGHTS_FOLDERS));
    for (size_t i = 1; i < answer.lines; i++)
        tickets += answer.line[i].ticket != answer.line[i - 1].ticket;
    assert_int_equal(tickets, RIGHTS_INITIAL);
    rights_free(r);
}

static void
gives_nothing_without_a_session(void **state)
{
    struct caller_world *w = *state;
    struct rights *r = NULL;

    caller_do(w, close_session);
    assert_int_equal(
        rights_new_initial(&w->ground, &w->caller, NULL, NULL, &r, NULL), MAUTH_OK);
    assert_int_equal(rights_prove(r, NULL), MAUTH_OK);
    assert_string_equal(rights_refusal(r), "session");
    rights_free(r);
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(grants_what_the_graph_proves),
        IN_WORLD(refuses),
        IN_WORLD(says_what_is_missing),
        IN_WORLD(explains_no_more_than_it_may),
        IN_WORLD(bounds_what_is_asked_for),
        IN_WORLD(bounds_what_is_looked_at),
        IN_WORLD(bounds_what_a_ticket_holds),
        IN_WORLD(needs_an_open_session),
        IN_WORLD(states_its_moment),
        IN_WORLD(goes_by_the_rules_in_force),
        IN_WORLD(proves_nothing_by_replaced_rules),
        IN_WORLD(puts_on_record),
        IN_WORLD(gives_what_the_root_points_to),
        IN_WORLD(bounds_what_it_gives),
        IN_WORLD(gives_nothing_without_a_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
