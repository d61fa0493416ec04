#include <sys/stat.h>
#include <unistd.h>

#include "cli/wallet.h"
#include "cli/wallet_use.h"
#include "tests/unit/login_answer.h"

#define SERVICE "https://127.0.0.1:8443"
#define STORAGE "urn:meshauth:service:storage"
#define RELAY   "urn:meshauth:service:relay"
#define PEER    "urn:meshauth:device:dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"
#define FOLDER  "fld_0fffffffffffffffffffffffff"
#define NODE    SERVICE "/v1/mesh/folders/" FOLDER
#define OTHER   SERVICE "/v1/mesh/folders/fld_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define USER    SERVICE "/v1/mesh/users/usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define DEVICE  SERVICE "/v1/mesh/devices/dev_0yyyyyyyyyyyyyyyyyyyyyyyyy"
#define FILES   "https://storage.example/files"
#define ENDS    "2026-11-22T10:10:00Z" /* the golden rights tickets */

static char home[64], folder[128], file[160];
static struct account *account;
static int64_t now_s, end_s;

static int
log_in(void **state)
{
    struct grant *g = NULL;
    struct service_url url;
    json_t *answer;

    (void)state;
    snprintf(home, sizeof(home), "/tmp/meshauth-test.XXXXXX");
    if (!mkdtemp(home) || setenv("MESHAUTH_HOME", home, 1) != 0)
        return 1;
    snprintf(folder, sizeof(folder), "%s/accounts/127.0.0.1_8443", home);
    snprintf(file, sizeof(file), "%s/tickets.json", folder);
    end_s = golden_time(ENDS);
    now_s = end_s - 300;
    assert_int_equal(service_url_parse(SERVICE, &url, NULL), MAUTH_OK);
    assert_int_equal(account_open(&url, &account, NULL), MAUTH_OK);
    answer = answer_make(SERVICE, account_key(account));
    assert_int_equal(
        grant_from_json(
            answer, &(struct grant_owner){SERVICE, account_key(account)}, &g, NULL),
        MAUTH_OK);
    assert_int_equal(account_save(account, g, text_of(""), now_s, NULL), MAUTH_OK);
    json_decref(answer);
    return 0;
}

static int
log_out(void **state)
{
    static const char *const files[] = {
        "device.key", "device.crt", "account.json", "tickets.json", "lock", ""};
    char path[256];

    (void)state;
    account_free(account);
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        remove(path);
    }
    snprintf(path, sizeof(path), "%s/accounts", home);
    rmdir(path);
    return rmdir(home);
}

static struct wallet *
open_wallet(void)
{
    struct wallet *w = NULL;

    assert_int_equal(wallet_open(account, now_s, &w, NULL), MAUTH_OK);
    return w;
}

static char *
credential_of(const char *kind, answer_change *change, void *arg)
{
    return answer_changed(kind, SERVICE, account_key(account), true, change, arg);
}

static json_t *
line(const char *credential, const char *audience, const char *resource,
    const char *action)
{
    json_t *o =
        json_pack("{s:s, s:s*, s:[s], s:s, s:i}", "audience", audience, "resource",
            resource, "actions", action, "credential", credential, "expires_in", 600);

    assert_non_null(o);
    return o;
}

/* Takes the lines. */
static enum mauth_rc
add(struct wallet *w, json_t *lines, const char *place)
{
    const char *resource[] = {place ? place : NODE};
    const struct token_rights asked = {.resource = resource, .resources = 1};
    json_t *o = json_pack("{s:o}", "tickets", lines);
    char *text = json_dumps(o, 0);
    enum mauth_rc rc = wallet_add(w, text_of(text), &asked, now_s, NULL);

    free(text);
    json_decref(o);
    return rc;
}

static void
read_and_write(json_t *l)
{
    json_array_append_new(json_object_get(l, "actions"), json_string("write"));
}

static bool
finds(const struct wallet *w, const char *const *audience, const char *const *resource,
    const char *const *action, int64_t when_s)
{
    struct token_rights want = {
        .audience = audience, .resource = resource, .action = action};
    struct wallet_ticket t;

    while (audience && audience[want.audiences])
        want.audiences++;
    while (resource && resource[want.resources])
        want.resources++;
    while (action[want.actions])
        want.actions++;
    return wallet_find(w, &want, when_s, &t);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
knows_what_covers_what(void **state)
{
    static const struct {
        const char *name, *audience[3], *resource[3], *action[3];
        bool found;
    } cases[] = {
        {"one of two actions", {STORAGE}, {NODE}, {"read"}, true},
        {"both", {STORAGE}, {NODE}, {"read", "write"}, true},
        {"and another", {STORAGE}, {NODE}, {"read", "delete"}, false},
        {"another node", {STORAGE}, {OTHER}, {"read"}, false},
        {"another node as well", {STORAGE}, {NODE, OTHER}, {"read"}, false},
        {"another audience", {RELAY}, {NODE}, {"read"}, false},
        {"another audience as well", {STORAGE, RELAY}, {NODE}, {"read"}, false},
        {"no audience, a node", {NULL}, {NODE}, {"read"}, false},
        {"no resource", {STORAGE}, {NULL}, {"read"}, false},
        {"two audiences of one ticket", {RELAY, PEER}, {DEVICE}, {"sync"}, true},
        {"one of them", {PEER}, {DEVICE}, {"sync"}, true},
        {"of facts alone, no other action", {RELAY}, {DEVICE}, {"read"}, false},
        {"a node below a node", {STORAGE}, {NODE "/a"}, {"read"}, false},
    };
    char *rights = credential_of("rights", NULL, NULL);
    char *sync = credential_of("p2p-same-user", NULL, NULL);
    json_t *both = line(rights, STORAGE, NODE, "read");
    struct wallet *w = open_wallet(), *again;

    (void)state;
    read_and_write(both);
    assert_int_equal(add(w, json_pack("[o]", both), NULL), MAUTH_OK);
    assert_int_equal(add(w,
                         json_pack("[o, o]", line(sync, RELAY, DEVICE, "sync"),
                             line(sync, PEER, DEVICE, "sync")),
                         NULL),
        MAUTH_OK);
    again = open_wallet();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct wallet *each[] = {w, again};

        for (size_t k = 0; k < COUNT(each); k++)
            if (finds(each[k], cases[i].audience, cases[i].resource, cases[i].action,
                    now_s) != cases[i].found)
                fail_msg("%s", cases[i].name);
    }
    wallet_close(again);
    wallet_close(w);
    free(sync);
    free(rights);
}

static void
lets_them_expire(void **state)
{
    char *rights = credential_of("rights", NULL, NULL);
    struct wallet *w = open_wallet();

    (void)state;
    assert_int_equal(
        add(w, json_pack("[o]", line(rights, STORAGE, NODE, "read")), NULL), MAUTH_OK);
    assert_true(finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), end_s - 1));
    assert_false(finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), end_s));
    wallet_close(w);
    now_s = end_s - 1;
    w = open_wallet();
    assert_true(finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), now_s));
    wallet_close(w);
    now_s = end_s; /* not even looked at */
    w = open_wallet();
    assert_false(finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), now_s - 1));
    wallet_close(w);
    free(rights);
}

static void
knows_places(void **state)
{
    static const struct {
        const char *url;
        bool folder, own;
    } cases[] = {
        {FILES "/" FOLDER, true, false},
        {FILES "/" FOLDER "/", true, false},
        {FILES "/" FOLDER "/a/b", true, false},
        {FILES "/" FOLDER "x", false, false},
        {FILES "/" FOLDER "/../x", false, false},
        {FILES "/fld_0aaaaaaaaaaaaaaaaaaaaaaaaa", false, false},
        {FILES, false, true},
        {FILES "/", false, true},
        {FILES "/a", false, false},
        {FILES "x", false, false},
        {"https://storage.example", false, false},
    };

    (void)state;
    for (int own = 0; own < 2; own++) {
        char *rights = credential_of("rights", NULL, NULL);
        struct wallet *w = open_wallet();

        assert_int_equal(
            add(w, json_pack("[o]", line(rights, STORAGE, own ? USER : NODE, "read")),
                own ? FILES : FILES "/" FOLDER "/x"),
            MAUTH_OK);
        for (size_t i = 0; i < COUNT(cases); i++)
            if (finds(w, NULL, LIST(cases[i].url), LIST("read"), now_s) !=
                (own ? cases[i].own : cases[i].folder))
                fail_msg("%s %d", cases[i].url, own);
        assert_true(
            finds(w, LIST(STORAGE), LIST(own ? USER : NODE), LIST("read"), now_s));
        wallet_close(w);
        unlink(file);
        free(rights);
    }
}

static void
later(struct ticket *t, void *arg)
{
    for (size_t i = 0; i < t->facts; i++)
        if (t->fact[i].relation == FACT_ASOF)
            t->fact[i].arg[0] = text_of("4712");
    (void)arg;
}

static void
prefers_the_latest_proof(void **state)
{
    const char *audience[] = {STORAGE}, *resource[] = {NODE}, *action[] = {"read"};
    const struct token_rights want = {audience, 1, resource, 1, action, 1, false};
    char *old = credential_of("rights", NULL, NULL);
    char *new = credential_of("rights", later, NULL);
    struct wallet_ticket t;
    struct wallet *w = open_wallet();

    (void)state;
    assert_int_equal(add(w,
                         json_pack("[o, o]", line(new, STORAGE, NODE, "read"),
                             line(old, STORAGE, NODE, "read")),
                         NULL),
        MAUTH_OK);
    assert_true(wallet_find(w, &want, now_s, &t));
    assert_string_equal(t.credential, new);
    assert_int_equal(wallet_drop(w, t.credential, now_s, NULL), MAUTH_OK);
    assert_true(wallet_find(w, &want, now_s, &t));
    assert_string_equal(t.credential, old);
    assert_string_equal(t.audience, STORAGE);
    wallet_close(w);
    free(new);
    free(old);
}

/* Strictly: nothing of a bad answer stays. */
/* {"audience about actions..."} of what is at hand, in one line. */
static void
assert_uses(const struct wallet *w, int64_t when_s, const char *want)
{
    struct wallet_use *use = NULL;
    size_t count = 0;
    struct buf b;

    buf_init(&b);
    assert_int_equal(wallet_uses(w, when_s, &use, &count, NULL), MAUTH_OK);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&b, "%s%s %s", i ? "; " : "", strrchr(use[i].audience, ':') + 1,
            use[i].resource + strlen(SERVICE "/v1/mesh/"));
        if (*use[i].place)
            buf_printf(&b, " %s", use[i].place);
        for (size_t k = 0; k < json_array_size(use[i].actions); k++)
            buf_printf(&b, " %s", json_string_value(json_array_get(use[i].actions, k)));
        assert_int_equal(use[i].until_s, end_s);
    }
    assert_string_equal(buf_cstr(&b), want);
    buf_clear(&b);
    free(use);
}

static void
shows_each_thing_once(void **state)
{
    char *old = credential_of("rights", NULL, NULL);
    char *new = credential_of("rights", later, NULL);
    char *sync = credential_of("p2p-same-user", NULL, NULL);
    json_t *both = line(old, STORAGE, NODE, "read");
    struct wallet *w = open_wallet();

    (void)state;
    assert_uses(w, now_s, "");
    assert_int_equal(add(w,
                         json_pack("[o, o]", line(new, STORAGE, NODE, "read"),
                             line(old, STORAGE, NODE, "read")),
                         NULL),
        MAUTH_OK);
    assert_uses(w, now_s, "storage folders/" FOLDER " read");
    assert_uses(w, end_s, "");
    /* The older one says more: then it is not the same. */
    read_and_write(both);
    assert_int_equal(add(w, json_pack("[o]", both), NULL), MAUTH_OK);
    assert_uses(w, now_s,
        "storage folders/" FOLDER " read; storage folders/" FOLDER " read write");
    assert_int_equal(add(w, json_pack("[o]", line(new, STORAGE, NODE, "read")),
                         FILES "/" FOLDER "/a"),
        MAUTH_OK);
    assert_int_equal(add(w,
                         json_pack("[o, o]", line(sync, RELAY, DEVICE, "sync"),
                             line(sync, PEER, DEVICE, "sync")),
                         NULL),
        MAUTH_OK);
    assert_uses(w, now_s,
        "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy devices/dev_0yyyyyyyyyyyyyyyyyyyyyyyyy sync; "
        "relay devices/dev_0yyyyyyyyyyyyyyyyyyyyyyyyy sync; "
        "storage folders/" FOLDER " read; storage folders/" FOLDER " read write; "
        "storage folders/" FOLDER " " FILES "/" FOLDER " read");
    wallet_close(w);
    free(sync);
    free(new);
    free(old);
}

static void
refuses_bad_answers(void **state)
{
    char *rights = credential_of("rights", NULL, NULL);
    char *identity = credential_of("identity", NULL, NULL);
    char *session = credential_of(
        "rights", answer_of_session, (char[]){"ses_0aaaaaaaaaaaaaaaaaaaaaaaaa"});
    char *stranger = answer_credential("rights", SERVICE, NULL, true);
    char *issuer =
        answer_credential("rights", GOLDEN_ISSUER, account_key(account), true);
    char *bearer = answer_credential("bearer", SERVICE, NULL, true);
    const struct {
        const char *name;
        json_t *lines;
    } bad[] = {
        {"none", json_array()},
        {"no list", json_object()},
        {"no object", json_pack("[s]", "x")},
        {"identity", json_pack("[o]", line(identity, SERVICE, NODE, "read"))},
        {"other session", json_pack("[o]", line(session, STORAGE, NODE, "read"))},
        {"other key", json_pack("[o]", line(stranger, STORAGE, NODE, "read"))},
        {"other issuer", json_pack("[o]", line(issuer, STORAGE, NODE, "read"))},
        {"no key", json_pack("[o]", line(bearer, STORAGE, NODE, "read"))},
        {"other audience", json_pack("[o]", line(rights, RELAY, NODE, "read"))},
        {"garbled", json_pack("[o]", line("!", STORAGE, NODE, "read"))},
        {"no actions",
            json_pack("[{s:s, s:s}]", "audience", STORAGE, "credential", rights)},
        {"actions of numbers", json_pack("[{s:s, s:s, s:[i]}]", "audience", STORAGE,
                                   "credential", rights, "actions", 1)},
        {"a good one, then a bad one",
            json_pack("[o, o]", line(rights, STORAGE, NODE, "read"),
                line(stranger, STORAGE, NODE, "read"))},
    };
    struct wallet *w = open_wallet();

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (add(w, bad[i].lines, NULL) != MAUTH_MALFORMED ||
            finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), now_s) ||
            access(file, F_OK) == 0)
            fail_msg("taken: %s", bad[i].name);
    }
    wallet_close(w);
    free(bearer);
    free(issuer);
    free(stranger);
    free(session);
    free(identity);
    free(rights);
}

/* A cache: what is not as it must be is not there. But nobody else may read it. */
static void
takes_damage_lightly(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"tickets\":1}",
        "{\"tickets\":[1,null,{},{\"credential\":\"AAAA\"}]}"};
    struct wallet *w = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        FILE *f = fopen(file, "wb");

        assert_non_null(f);
        fputs(texts[i], f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(file, 0600), 0);
        w = open_wallet();
        assert_false(finds(w, LIST(STORAGE), LIST(NODE), LIST("read"), now_s));
        wallet_close(w);
    }
    assert_int_equal(chmod(file, 0640), 0);
    assert_int_equal(wallet_open(account, now_s, &w, NULL), MAUTH_DENIED);
    assert_null(w);
}

/* Each has an ID, so no two are the same. */
static void
numbered(struct ticket *t, void *arg)
{
    t->id = text_of(arg);
}

static void
is_bounded(void **state)
{
    struct wallet *w = open_wallet();
    size_t kept = 0;
    json_t *o;

    (void)state;
    for (int i = 0; i < WALLET_TICKETS + 6; i++) {
        char id[TICKET_ID_LEN + 1], *rights;

        snprintf(id, sizeof(id), "_%032d", i);
        rights = credential_of("rights", numbered, id);
        assert_int_equal(
            add(w, json_pack("[o]", line(rights, STORAGE, NODE, "read")), NULL),
            MAUTH_OK);
        free(rights);
    }
    wallet_close(w);
    o = json_load_file(file, 0, NULL);
    kept = json_array_size(json_object_get(o, "tickets"));
    json_decref(o);
    assert_int_equal(kept, WALLET_TICKETS);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_what_covers_what, log_in, log_out),
        cmocka_unit_test_setup_teardown(lets_them_expire, log_in, log_out),
        cmocka_unit_test_setup_teardown(knows_places, log_in, log_out),
        cmocka_unit_test_setup_teardown(prefers_the_latest_proof, log_in, log_out),
        cmocka_unit_test_setup_teardown(shows_each_thing_once, log_in, log_out),
        cmocka_unit_test_setup_teardown(refuses_bad_answers, log_in, log_out),
        cmocka_unit_test_setup_teardown(takes_damage_lightly, log_in, log_out),
        cmocka_unit_test_setup_teardown(is_bounded, log_in, log_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
