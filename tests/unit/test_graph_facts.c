#include "facts/graph_facts.h"
#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "store/graph_role.h"
#include "store/graph_service.h"
#include "tests/unit/graph_world.h"
#include "tests/unit/unit.h"

enum {
    NOW_S = WORLD_S + 1
};

/* All that a walk finds, as "a,b;c,d;" with ids by their last digits. */
struct walk {
    struct graph_facts facts;
    char text[2048];
};

/* "u1" for the first user, "reader" as it is. */
static void
say(char *out, size_t size, struct text t)
{
    enum id_kind kind = id_kind_of(t.p, t.len);
    struct id id;

    if (kind != ID_KINDS && id_parse(kind, t.p, t.len, &id))
        snprintf(out, size, "%c%u", id_prefix(kind)[0], id.b[2] * 256U + id.b[3]);
    else
        snprintf(out, size, "%.*s", (int)t.len, t.p);
}

static const char *
walk(struct walk *w, enum predicate p, const struct text *want)
{
    struct fact_source source = graph_facts_source(&w->facts);
    struct fact_cursor c = {.predicate = p};
    char arg[80];
    enum mauth_rc rc;

    w->text[0] = '\0';
    for (unsigned i = 0; i < predicate_info(p)->arity; i++) {
        c.want[i] = want[i];
        c.bound |= want[i].len ? 1U << i : 0;
    }
    assert_true(predicate_key(p, SIDE_GRAPH, c.bound, &c.key));
    while ((rc = source.next(source.self, &c, NULL)) == MAUTH_OK) {
        size_t used = strlen(w->text);

        for (unsigned i = 0; i < predicate_info(p)->arity; i++) {
            say(arg, sizeof(arg), c.arg[i]);
            used += (size_t)snprintf(
                w->text + used, sizeof(w->text) - used, "%s%s", i ? "," : "", arg);
        }
        snprintf(w->text + used, sizeof(w->text) - used, ";");
    }
    assert_int_equal(rc, MAUTH_NOT_FOUND);
    return w->text;
}

struct named {
    char text[ID_LEN + 1];
};

static struct text
id_text(struct named *n, enum id_kind kind, unsigned number)
{
    struct id id = nth(number);

    id_format(kind, &id, n->text);
    return text_of(n->text);
}

/* What is asked for: a letter and a number for an id, '-' for nothing, else the text. */
static const char *
ask(struct walk *w, enum predicate p, const char *a, const char *b, const char *c)
{
    static const struct {
        char letter;
        enum id_kind kind;
    } kinds[] = {{'u', ID_USER}, {'d', ID_DEVICE}, {'f', ID_FOLDER},
        {'i', ID_INVITATION}, {'s', ID_SERVICE}};
    const char *const words[] = {a, b, c};
    struct text want[PREDICATE_ARGS_MAX] = {{NULL, 0}};
    struct named named[3];

    for (size_t i = 0; i < 3; i++) {
        if (!words[i] || words[i][0] == '-')
            continue;
        want[i] = text_of(words[i]);
        for (size_t k = 0; k < COUNT(kinds); k++)
            if (words[i][0] == kinds[k].letter && words[i][1] >= '0' &&
                words[i][1] <= '9')
                want[i] = id_text(&named[i], kinds[k].kind,
                    (unsigned)strtoul(words[i] + 1, NULL, 10));
    }
    return walk(w, p, want);
}

/* Users 1 to 3 with a device each; folder 1: 1 owns, 2 reads, mapped on devices 1, 2. */
static void
make_all(struct kv_txn *txn)
{
    struct id user[4], device[4], folder;

    for (unsigned n = 1; n <= 3; n++) {
        user[n] = make_user(txn, n);
        device[n] = make_device(txn, n, &user[n]);
    }
    folder = make_folder(txn, 1, &user[1]);
    assert_int_equal(
        graph_member_add(txn, &folder, &user[2], GRAPH_READER, WORLD_S, NULL),
        MAUTH_OK);
    for (unsigned n = 1; n <= 2; n++)
        assert_int_equal(
            graph_mapping_add(txn, &device[n], &folder, WORLD_S, NULL), MAUTH_OK);
}

WORLD_TEST(links_by_each_pattern)
{
    struct walk w = {.facts = {.txn = txn, .now_s = NOW_S}};

    make_all(txn);
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "d1", "-", NULL), "d1,u1;");
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "-", "u2", NULL), "d2,u2;");
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "d1", "u1", NULL), "d1,u1;");
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "d1", "u2", NULL), "");
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "d9", "-", NULL), "");
    assert_string_equal(ask(&w, PREDICATE_MAPPED, "-", "f1", NULL), "d1,f1;d2,f1;");
    assert_string_equal(ask(&w, PREDICATE_MAPPED, "d2", "-", NULL), "d2,f1;");
    assert_string_equal(ask(&w, PREDICATE_MAPPED, "d3", "f1", NULL), "");
    assert_string_equal(
        ask(&w, PREDICATE_MEMBER, "-", "f1", "-"), "u1,f1,owner;u2,f1,reader;");
    assert_string_equal(ask(&w, PREDICATE_MEMBER, "u2", "-", "-"), "u2,f1,reader;");
    assert_string_equal(ask(&w, PREDICATE_MEMBER, "u2", "f1", "-"), "u2,f1,reader;");
    assert_string_equal(ask(&w, PREDICATE_MEMBER, "u3", "f1", "-"), "");
    /* An id of another kind, or what is none, is not there. */
    assert_string_equal(ask(&w, PREDICATE_CLAIMED, "u1", "-", NULL), "");
    assert_string_equal(ask(&w, PREDICATE_MEMBER, "-", "d1", "-"), "");
    assert_string_equal(ask(&w, PREDICATE_MAPPED, "x", "-", NULL), "");
}

/* A walk has no pages that could be seen. */
WORLD_TEST(long_walks)
{
    struct walk w = {.facts = {.txn = txn, .now_s = NOW_S}};
    struct fact_source source = graph_facts_source(&w.facts);
    struct id owner = make_user(txn, 500), folder = make_folder(txn, 1, &owner);
    struct fact_cursor c = {.predicate = PREDICATE_MEMBER, .bound = 2, .key = 2};
    struct named named;
    size_t count = 0;

    for (unsigned n = 1; n <= 200; n++) {
        struct id user = make_user(txn, n);

        assert_int_equal(
            graph_member_add(txn, &folder, &user, GRAPH_READER, 5, NULL), MAUTH_OK);
    }
    c.want[1] = id_text(&named, ID_FOLDER, 1);
    while (source.next(source.self, &c, NULL) == MAUTH_OK)
        count++;
    assert_int_equal(count, 201);
}

WORLD_TEST(accounts_services_and_roles)
{
    struct walk w = {.facts = {.txn = txn, .now_s = NOW_S}};
    struct graph_service service = {.id = nth(7), .name = "relay", .created_s = 5};
    struct graph_principal alice = {ID_USER, nth(1)};
    struct id closed;

    make_all(txn);
    closed = make_user(txn, 4);
    assert_int_equal(graph_user_delete(txn, &closed, 5, NULL), MAUTH_OK);
    assert_string_equal(ask(&w, PREDICATE_ACCOUNT, "u1", NULL, NULL), "u1;");
    assert_string_equal(ask(&w, PREDICATE_ACCOUNT, "u4", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_ACCOUNT, "u9", NULL, NULL), "");
    assert_int_equal(graph_service_create(txn, &service, NULL), MAUTH_OK);
    assert_string_equal(ask(&w, PREDICATE_SERVICE, "s7", NULL, NULL), "s7;");
    assert_string_equal(ask(&w, PREDICATE_SERVICE, "s8", NULL, NULL), "");
    assert_int_equal(graph_role_grant(txn, &alice, "auditor", 5, NULL), MAUTH_OK);
    assert_int_equal(graph_role_grant(txn, &alice, "admin", 5, NULL), MAUTH_OK);
    assert_string_equal(
        ask(&w, PREDICATE_ROLE, "u1", "-", NULL), "u1,admin;u1,auditor;");
    assert_string_equal(ask(&w, PREDICATE_ROLE, "u1", "admin", NULL),
        "u1,admin;u1,auditor;"); /* the evaluator looks again */
    assert_string_equal(ask(&w, PREDICATE_ROLE, "u2", "-", NULL), "");
    assert_int_equal(graph_service_delete(txn, &service.id, 6, NULL), MAUTH_OK);
    assert_string_equal(ask(&w, PREDICATE_SERVICE, "s7", NULL, NULL), "");
}

WORLD_TEST(invitations)
{
    struct walk w = {.facts = {.txn = txn, .now_s = NOW_S}};
    struct graph_invitation i = {.id = nth(5),
        .folder = nth(1),
        .inviter = nth(1),
        .role = GRAPH_CONTRIBUTOR,
        .created_s = WORLD_S,
        .expires_s = NOW_S + 10,
        .addressee = GRAPH_FOR_USER,
        .user = nth(3)};

    make_all(txn);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_string_equal(
        ask(&w, PREDICATE_INVITATION, "i5", "-", "-"), "i5,f1,contributor;");
    assert_string_equal(ask(&w, PREDICATE_INVITER, "i5", "-", NULL), "i5,u1;");
    assert_string_equal(ask(&w, PREDICATE_ADDRESSED, "i5", "u3", NULL), "i5,u3;");
    assert_string_equal(ask(&w, PREDICATE_ADDRESSED, "i5", "u2", NULL), "");
    assert_string_equal(ask(&w, PREDICATE_INVITATION, "i6", "-", "-"), "");
    /* Over, it can be seen and not be accepted. */
    w.facts.now_s = NOW_S + 10;
    assert_string_equal(ask(&w, PREDICATE_INVITATION, "i5", "-", "-"), "");
    assert_string_equal(ask(&w, PREDICATE_INVITER, "i5", "-", NULL), "i5,u1;");
}

WORLD_TEST(sharing)
{
    struct walk w = {.facts = {.txn = txn, .now_s = NOW_S}};
    struct id folder = nth(1);

    make_all(txn);
    assert_string_equal(ask(&w, PREDICATE_SHARING, "f1", "-", NULL), "");
    assert_int_equal(
        graph_folder_update(txn, &folder, "Trip", true, NOW_S, NULL), MAUTH_OK);
    assert_string_equal(ask(&w, PREDICATE_SHARING, "f1", "-", NULL), "f1,contributor;");
    assert_int_equal(graph_folder_delete(txn, &folder, NOW_S, NULL), MAUTH_OK);
    assert_string_equal(ask(&w, PREDICATE_SHARING, "f1", "-", NULL), "");
}

/* What the request is; and nothing of it when it is not. */
WORLD_TEST(of_the_request)
{
    const struct id user = nth(1), device = nth(2), session = nth(3),
                    invitation = nth(4);
    struct walk w = {.facts = {.txn = txn,
                         .caller_kind = ID_USER,
                         .caller = &user,
                         .subject = &user,
                         .holder = &device,
                         .session = &session,
                         .shown = &invitation,
                         .key = "0123456789abcdef",
                         .local = true}};

    assert_string_equal(ask(&w, PREDICATE_CALLER, "-", NULL, NULL), "u1;");
    assert_string_equal(ask(&w, PREDICATE_SUBJECT, "-", NULL, NULL), "u1;");
    assert_string_equal(ask(&w, PREDICATE_HOLDER, "-", NULL, NULL), "d2;");
    assert_string_equal(ask(&w, PREDICATE_SESSION, "-", NULL, NULL), "s3;");
    assert_string_equal(ask(&w, PREDICATE_SHOWN, "-", NULL, NULL), "i4;");
    assert_string_equal(ask(&w, PREDICATE_KEY, "-", NULL, NULL), "0123456789abcdef;");
    assert_string_equal(ask(&w, PREDICATE_LOCAL, NULL, NULL, NULL), ";");
    w.facts = (struct graph_facts){.txn = txn};
    assert_string_equal(ask(&w, PREDICATE_CALLER, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_SUBJECT, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_HOLDER, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_SESSION, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_SHOWN, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_KEY, "-", NULL, NULL), "");
    assert_string_equal(ask(&w, PREDICATE_LOCAL, NULL, NULL, NULL), "");
}

/* Damage is no "no": it ends the question. */
WORLD_TEST(damage)
{
    struct graph_facts facts = {.txn = txn, .now_s = NOW_S};
    struct fact_source source = graph_facts_source(&facts);
    struct fact_cursor c = {.predicate = PREDICATE_CLAIMED, .bound = 1, .key = 1};
    struct id device = nth(1), user = nth(1);
    struct store_key key;
    struct named named;

    make_all(txn);
    store_key(&key, SPACE_CLAIM_DEVICE, device.b, ID_BYTES);
    buf_put(&key.b, user.b, ID_BYTES);
    put_raw(txn, &key, "\1", 1);
    c.want[0] = id_text(&named, ID_DEVICE, 1);
    assert_int_equal(source.next(source.self, &c, NULL), MAUTH_UNAVAILABLE);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_by_each_pattern),
        cmocka_unit_test(long_walks),
        cmocka_unit_test(accounts_services_and_roles),
        cmocka_unit_test(invitations),
        cmocka_unit_test(sharing),
        cmocka_unit_test(of_the_request),
        cmocka_unit_test(damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
