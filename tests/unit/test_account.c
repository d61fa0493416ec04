#include <sys/stat.h>
#include <unistd.h>

#include "cli/account.h"
#include "tests/unit/login_answer.h"

#define SERVICE "https://127.0.0.1:8443"

static char home[64];
static char folder[128];

static int
make_home(void **state)
{
    (void)state;
    snprintf(home, sizeof(home), "/tmp/meshauth-test.XXXXXX");
    if (!mkdtemp(home))
        return 1;
    snprintf(folder, sizeof(folder), "%s/accounts/127.0.0.1_8443", home);
    return setenv("MESHAUTH_HOME", home, 1);
}

static int
remove_home(void **state)
{
    static const char *const files[] = {"device.key", "device.crt", "ca.pem",
        "account.json", "tickets.json", "lock", ""};
    char path[256];

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        remove(path);
    }
    snprintf(path, sizeof(path), "%s/accounts", home);
    rmdir(path);
    return rmdir(home);
}

static struct account *
open_account(void)
{
    struct account *a = NULL;
    struct service_url url;

    assert_int_equal(service_url_parse(SERVICE, &url, NULL), MAUTH_OK);
    assert_int_equal(account_open(&url, &a, NULL), MAUTH_OK);
    return a;
}

static enum mauth_rc
try_to_open(void)
{
    struct account *a = NULL;
    struct service_url url;
    enum mauth_rc rc;

    assert_int_equal(service_url_parse(SERVICE, &url, NULL), MAUTH_OK);
    rc = account_open(&url, &a, NULL);
    if (rc)
        assert_null(a);
    account_free(a);
    return rc;
}

static void
put(const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static mode_t
mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

/* A login's outcome, kept. */
static void
log_in(struct account *a, const char *ca, int64_t now_s)
{
    const struct grant_owner owner = {SERVICE, account_key(a)};
    json_t *answer = answer_make(SERVICE, account_key(a));
    struct grant *g = NULL;

    assert_int_equal(grant_from_json(answer, &owner, &g, NULL), MAUTH_OK);
    assert_int_equal(account_save(a, g, text_of(ca), now_s, NULL), MAUTH_OK);
    json_decref(answer);
}

static void
makes_a_key_once(void **state)
{
    struct account *a = open_account();
    char id[MAUTH_KEY_ID_LEN + 1];

    (void)state;
    snprintf(id, sizeof(id), "%s", mauth_key_id(account_key(a)));
    assert_string_equal(account_dir(a), folder);
    assert_int_equal(mode_of(account_dir(a)), 0700);
    assert_int_equal(mode_of(account_key_file(a)), 0600);
    assert_null(account_ca_file(a));
    assert_null(account_grant(a));
    account_free(a);
    a = open_account();
    assert_string_equal(id, mauth_key_id(account_key(a)));
    /* The certificate is made again from the key, should it be lost. */
    assert_int_equal(unlink(account_certificate_file(a)), 0);
    account_free(a);
    a = open_account();
    assert_string_equal(id, mauth_key_id(account_key(a)));
    account_free(a);
}

static void
count_one(const struct account *a, void *arg)
{
    assert_string_equal(account_url(a), SERVICE);
    assert_int_equal(account_logged_in_s(a), 1000);
    assert_int_equal(grant_count(account_grant(a)), 2);
    ++*(size_t *)arg;
}

static void
keeps_what_a_login_brings(void **state)
{
    struct account *a = open_account();
    char path[256];
    size_t count = 0;

    (void)state;
    assert_int_equal(account_walk(count_one, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 0); /* a key is no login */
    log_in(a, "an authority", 1000);
    snprintf(path, sizeof(path), "%s/account.json", folder);
    assert_int_equal(mode_of(path), 0600);
    assert_non_null(account_ca_file(a));
    account_free(a);
    assert_int_equal(account_walk(count_one, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 1);
    a = open_account();
    log_in(a, "", 1000); /* the authority stays */
    assert_non_null(account_ca_file(a));
    account_free(a);
}

/* Before a login nothing is made to find out that there is nothing. */
static void
finds_kept_authorities(void **state)
{
    struct service_url url;
    struct account *a;
    char *ca = (char *)&url;

    (void)state;
    assert_int_equal(service_url_parse(SERVICE, &url, NULL), MAUTH_OK);
    assert_int_equal(account_find_ca(&url, &ca, NULL), MAUTH_OK);
    assert_null(ca);
    assert_int_equal(access(folder, F_OK), -1);
    a = open_account();
    log_in(a, "an authority", 1000);
    assert_int_equal(account_find_ca(&url, &ca, NULL), MAUTH_OK);
    assert_string_equal(ca, account_ca_file(a));
    free(ca);
    account_free(a);
    assert_int_equal(chmod(folder, 0770), 0); /* anybody could have put it there */
    assert_int_equal(account_find_ca(&url, &ca, NULL), MAUTH_DENIED);
    assert_null(ca);
}

static enum mauth_rc
load(const char *service, struct account **out)
{
    struct service_url url;
    enum mauth_rc rc;

    assert_int_equal(service_url_parse(service, &url, NULL), MAUTH_OK);
    rc = account_load(&url, out, NULL);
    if (rc)
        assert_null(*out);
    return rc;
}

static void
loads_a_login(void **state)
{
    struct account *a = NULL;

    (void)state;
    assert_int_equal(load(SERVICE, &a), MAUTH_NOT_FOUND);
    a = open_account();
    assert_int_equal(load(SERVICE, &(struct account *){NULL}), MAUTH_NOT_FOUND);
    log_in(a, "", 1000);
    account_free(a);
    assert_int_equal(load(SERVICE, &a), MAUTH_OK);
    assert_string_equal(account_url(a), SERVICE);
    assert_int_equal(account_logged_in_s(a), 1000);
    assert_non_null(grant_credential(account_grant(a), 0));
    assert_null(grant_credential(account_grant(a), 2));
    account_free(a);
    assert_int_equal(load("https://127.0.0.1:8444", &a), MAUTH_NOT_FOUND);
    put("account.json", "{}");
    assert_int_equal(load(SERVICE, &a), MAUTH_MALFORMED);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(load(SERVICE, &a), MAUTH_DENIED);
    assert_int_equal(chmod(folder, 0700), 0);
}

static void
finds_nothing_where_nothing_is(void **state)
{
    size_t count = 0;

    (void)state;
    assert_int_equal(account_walk(count_one, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(setenv("MESHAUTH_HOME", "/dev/null/x", 1), 0);
    assert_int_equal(try_to_open(), MAUTH_UNAVAILABLE);
    assert_int_equal(unsetenv("MESHAUTH_HOME"), 0);
    assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(try_to_open(), MAUTH_INVALID);
}

static void
refuses_what_others_may_read(void **state)
{
    char path[256];

    (void)state;
    account_free(open_account());
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(try_to_open(), MAUTH_DENIED);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(try_to_open(), MAUTH_OK);
    snprintf(path, sizeof(path), "%s/device.crt", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/device.key", folder);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(try_to_open(), MAUTH_DENIED);
}

static void
refuses_damaged_files(void **state)
{
    (void)state;
    account_free(open_account());
    put("device.crt", "not a certificate");
    assert_int_equal(try_to_open(), MAUTH_MALFORMED);
    put("device.key", "");
    put("device.crt", "");
    assert_int_equal(try_to_open(), MAUTH_MALFORMED);
}

static void
refuses_damaged_logins(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{}",
        "{\"url\":\"https://other.example\"}", "{\"url\":\"" SERVICE "\"}",
        "{\"url\":\"" SERVICE "\",\"logged_in\":\"2026-11-22T10:00:00Z\"}",
        "{\"url\":\"" SERVICE
        "\",\"logged_in\":\"yesterday\",\"tickets\":[{\"audience\":\"x\"}]}",
        "{\"url\":\"" SERVICE "\",\"logged_in\":\"2026-11-22T10:00:00Z\","
        "\"tickets\":[{\"audience\":\"" SERVICE "\",\"credential\":\"AAAA\"}]}"};
    size_t count = 0;

    (void)state;
    account_free(open_account());
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;

        put("account.json", bad[i]);
        if (account_walk(count_one, &count, &err) != MAUTH_MALFORMED || count ||
            !strstr(err.text, "account.json"))
            fail_msg("taken: %s (%s)", bad[i], err.text);
    }
    account_free(open_account()); /* a new login goes over it */
}

/* What a renewal brings: one ticket, of this session; NULL: of the same. */
static struct grant *
renewal(const struct account *a, char *session)
{
    const struct grant_owner owner = {SERVICE, account_key(a)};
    char *credential = answer_changed("identity", SERVICE, account_key(a), true,
        session ? answer_of_session : NULL, session);
    json_t *o = json_pack(
        "{s:[{s:s, s:s}]}", "tickets", "audience", SERVICE, "credential", credential);
    struct grant *g = NULL;

    assert_int_equal(grant_from_json(o, &owner, &g, NULL), MAUTH_OK);
    json_decref(o);
    free(credential);
    return g;
}

static void
keeps_what_a_renewal_brings(void **state)
{
    struct account *a = open_account(), *b = NULL;
    struct grant *g;

    (void)state;
    log_in(a, "", 1000);
    assert_int_equal(account_renew(a, renewal(a, NULL), NULL), MAUTH_OK);
    assert_int_equal(grant_count(account_grant(a)), 1);
    assert_int_equal(load(SERVICE, &b), MAUTH_OK);
    assert_int_equal(grant_count(account_grant(b)), 1);
    assert_int_equal(account_logged_in_s(b), 1000);
    account_free(b);
    g = renewal(a, (char[]){"ses_0aaaaaaaaaaaaaaaaaaaaaaaaa"});
    assert_int_equal(account_renew(a, g, NULL), MAUTH_MALFORMED);
    grant_free(g);
    account_free(a);
}

/* Who logs in or out while another process renews has the last word. */
static void
renews_no_login_but_its_own(void **state)
{
    struct account *a = open_account(), *other = NULL;
    struct grant *g = renewal(a, NULL);

    (void)state;
    log_in(a, "", 1000);
    assert_int_equal(load(SERVICE, &other), MAUTH_OK);
    assert_int_equal(
        account_save(other, renewal(a, (char[]){"ses_0aaaaaaaaaaaaaaaaaaaaaaaaa"}),
            text_of(""), 2000, NULL),
        MAUTH_OK);
    assert_int_equal(account_renew(a, g, NULL), MAUTH_CONFLICT);
    assert_int_equal(account_forget(other, NULL), MAUTH_OK);
    assert_int_equal(account_renew(a, g, NULL), MAUTH_CONFLICT);
    assert_int_equal(load(SERVICE, &(struct account *){NULL}), MAUTH_NOT_FOUND);
    grant_free(g);
    account_free(other);
    account_free(a);
}

static void
forgets_a_login_but_not_its_key(void **state)
{
    struct account *a = open_account();
    char id[MAUTH_KEY_ID_LEN + 1], path[256];
    struct service_url url;
    size_t count = 0;

    (void)state;
    snprintf(id, sizeof(id), "%s", mauth_key_id(account_key(a)));
    assert_int_equal(account_forget(a, NULL), MAUTH_OK); /* nothing to forget */
    log_in(a, "an authority", 1000);
    put("tickets.json", "{}");
    assert_int_equal(account_forget(a, NULL), MAUTH_OK);
    snprintf(path, sizeof(path), "%s/tickets.json", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_null(account_grant(a));
    account_free(a);
    a = NULL;
    assert_int_equal(account_walk(count_one, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(service_url_parse(SERVICE, &url, NULL), MAUTH_OK);
    assert_int_equal(account_load(&url, &a, NULL), MAUTH_NOT_FOUND);
    assert_null(a);
    a = open_account();
    assert_string_equal(id, mauth_key_id(account_key(a)));
    assert_non_null(account_ca_file(a));
    account_free(a);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_a_key_once, make_home, remove_home),
        cmocka_unit_test_setup_teardown(finds_kept_authorities, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            keeps_what_a_login_brings, make_home, remove_home),
        cmocka_unit_test_setup_teardown(loads_a_login, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            keeps_what_a_renewal_brings, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            renews_no_login_but_its_own, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            forgets_a_login_but_not_its_key, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            finds_nothing_where_nothing_is, make_home, remove_home),
        cmocka_unit_test_setup_teardown(
            refuses_what_others_may_read, make_home, remove_home),
        cmocka_unit_test_setup_teardown(refuses_damaged_files, make_home, remove_home),
        cmocka_unit_test_setup_teardown(refuses_damaged_logins, make_home, remove_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
