#include "base/str.h"
#include "cli/trust_home.h"
#include "keys/note_file.h"
#include "tests/unit/golden.h"
#include "tests/unit/scratch_dir.h"

#define SVC "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"

struct world {
    struct scratch_dir dir;
    char pinned[128];
    struct service_url url;
    struct note_verifier root;
    struct trust_pin pin;
    struct trust_home home;
};

static int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char *vkey = golden_vkey();

    assert_non_null(w);
    scratch_dir_make(&w->dir);
    snprintf(w->pinned, sizeof(w->pinned), "%s/pinned", w->dir.path);
    assert_int_equal(service_url_parse(GOLDEN_ISSUER, &w->url, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_parse(vkey, strlen(vkey), &w->root, NULL), MAUTH_OK);
    w->pin = (struct trust_pin){.dir = w->pinned, .url = &w->url, .root = &w->root};
    *state = w;
    free(vkey);
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    scratch_dir_remove(&w->dir);
    free(w);
    return 0;
}

static enum mauth_rc
pin(struct world *w)
{
    enum mauth_rc rc = trust_home_pin(&w->pin, &w->home, NULL);

    trust_home_close(&w->home);
    return rc;
}

static enum mauth_rc
try_to_open(struct world *w)
{
    enum mauth_rc rc = trust_home_open(w->pinned, &w->home, NULL);

    trust_home_close(&w->home);
    return rc;
}

static void
is_opened_as_it_was_pinned(void **state)
{
    struct world *w = *state;
    struct trust_home *h = &w->home;
    struct stat st;

    w->pin.ca = text_of("-----BEGIN ...");
    assert_int_equal(pin(w), MAUTH_OK);
    assert_int_equal(stat(w->pinned, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_int_equal(stat(scratch_path(&w->dir, "pinned/service.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(trust_home_open(w->pinned, h, NULL), MAUTH_OK);
    assert_string_equal(h->url.text, GOLDEN_ISSUER);
    assert_string_equal(h->service, "");
    assert_string_equal(h->key_file, scratch_path(&w->dir, "pinned/service.key"));
    assert_true(h->has_ca);
    assert_int_equal(trust_home_set_service(h, SVC, NULL), MAUTH_OK);
    trust_home_close(h);
    /* Brought up to date: what is not named stays. */
    w->pin.ca = text_of(NULL);
    assert_int_equal(pin(w), MAUTH_OK);
    assert_int_equal(trust_home_open(w->pinned, h, NULL), MAUTH_OK);
    assert_string_equal(h->service, SVC);
    assert_true(h->has_ca);
    trust_home_close(h);
    trust_home_close(h); /* no harm */
}

/* The root was lost: whoever takes its key away may pin another; the rest stays. */
static void
can_be_pinned_anew(void **state)
{
    struct world *w = *state;
    struct note_verifier other;
    char *key, *same;

    w->pin.service = SVC;
    assert_int_equal(pin(w), MAUTH_OK);
    key = scratch_read(&w->dir, "pinned/service.key", NULL);
    w->root.key[3] ^= 1;
    assert_int_equal(
        note_verifier_make(w->root.name, w->root.key, &other, NULL), MAUTH_OK);
    w->pin.root = &other;
    w->pin.service = NULL;
    assert_int_equal(pin(w), MAUTH_CONFLICT);
    assert_int_equal(unlink(scratch_path(&w->dir, "pinned/root.vkey")), 0);
    assert_int_equal(try_to_open(w), MAUTH_NOT_FOUND);
    assert_int_equal(pin(w), MAUTH_OK);
    assert_int_equal(trust_home_open(w->pinned, &w->home, NULL), MAUTH_OK);
    assert_string_equal(w->home.service, SVC);
    trust_home_close(&w->home);
    same = scratch_read(&w->dir, "pinned/service.key", NULL);
    assert_string_equal(key, same);
    free(same);
    free(key);
}

/* A folder can be moved, with the key in it. */
static void
can_be_moved(void **state)
{
    struct world *w = *state;
    char moved[128];

    assert_int_equal(pin(w), MAUTH_OK);
    snprintf(moved, sizeof(moved), "%s/moved", w->dir.path);
    assert_int_equal(rename(w->pinned, moved), 0);
    assert_int_equal(trust_home_open(moved, &w->home, NULL), MAUTH_OK);
    assert_string_equal(w->home.key_file, scratch_path(&w->dir, "moved/service.key"));
    assert_int_equal(trust_home_set_service(&w->home, SVC, NULL), MAUTH_OK);
    trust_home_close(&w->home);
    assert_int_equal(rename(moved, w->pinned), 0);
    assert_int_equal(trust_home_open(w->pinned, &w->home, NULL), MAUTH_OK);
    assert_string_equal(w->home.key_file, scratch_path(&w->dir, "pinned/service.key"));
    trust_home_close(&w->home);
}

static void
keeps_what_was_pinned(void **state)
{
    struct world *w = *state;
    struct note_verifier other;

    assert_int_equal(pin(w), MAUTH_OK);
    w->root.key[3] ^= 1;
    w->pin.root = &other;
    assert_int_equal(
        note_verifier_make(w->root.name, w->root.key, &other, NULL), MAUTH_OK);
    assert_int_equal(pin(w), MAUTH_CONFLICT);
    w->root.key[3] ^= 1;
    w->pin.root = &w->root;
    assert_int_equal(
        service_url_parse("https://auth.mesh.example:444", &w->url, NULL), MAUTH_OK);
    assert_int_equal(pin(w), MAUTH_CONFLICT);
    assert_int_equal(service_url_parse(GOLDEN_ISSUER, &w->url, NULL), MAUTH_OK);
    assert_int_equal(pin(w), MAUTH_OK);
}

static void
refuses_what_is_damaged(void **state)
{
    static const struct {
        const char *name, *file, *text;
        enum mauth_rc rc;
    } refusals[] = {
        {"no settings", "updater.json", NULL, MAUTH_NOT_FOUND},
        {"no root", "root.vkey", NULL, MAUTH_NOT_FOUND},
        {"another root file", "root.vkey", "root\n", MAUTH_MALFORMED},
        {"no JSON", "updater.json", "{", MAUTH_MALFORMED},
        {"no URL", "updater.json", "{\"key\":\"service.key\"}", MAUTH_MALFORMED},
        {"no key", "updater.json", "{\"url\":\"" GOLDEN_ISSUER "\"}", MAUTH_MALFORMED},
        {"plain HTTP", "updater.json", "{\"url\":\"http://a\",\"key\":\"k\"}",
            MAUTH_MALFORMED},
        {"no service's id", "updater.json",
            "{\"url\":\"" GOLDEN_ISSUER "\",\"key\":\"k\",\"service\":\"relay\"}",
            MAUTH_MALFORMED},
    };
    struct world *w = *state;

    assert_int_equal(try_to_open(w), MAUTH_NOT_FOUND);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct scratch_dir pinned;

        snprintf(pinned.path, sizeof(pinned.path), "%.60s", w->pinned);
        scratch_dir_remove(&pinned);
        assert_int_equal(pin(w), MAUTH_OK);
        assert_int_equal(try_to_open(w), MAUTH_OK);
        if (refusals[i].text)
            scratch_write(
                &pinned, refusals[i].file, refusals[i].text, strlen(refusals[i].text));
        else
            assert_int_equal(unlink(scratch_path(&pinned, refusals[i].file)), 0);
        if (try_to_open(w) != refusals[i].rc)
            fail_msg("%s", refusals[i].name);
    }
}

static void
wants_its_key_to_be_a_secret(void **state)
{
    struct world *w = *state;

    assert_int_equal(pin(w), MAUTH_OK);
    assert_int_equal(chmod(scratch_path(&w->dir, "pinned/service.key"), 0640), 0);
    assert_int_equal(pin(w), MAUTH_DENIED);
}

/* Of one that was killed; what is others' stays. */
static void
sweeps_what_was_left_behind(void **state)
{
    static const char *const left[] = {"pinned/trust.12.3.new",
        "pinned/trust.witness.12.3.new", "pinned/updater.json.1.2.new",
        "pinned/status.json.1.2.new"};
    static const char *const stay[] = {
        "pinned/trust", "pinned/12.status.new", "pinned/trust.new.old", "pinned/x.new"};
    struct world *w = *state;

    assert_int_equal(pin(w), MAUTH_OK);
    for (size_t i = 0; i < COUNT(left); i++)
        scratch_write(&w->dir, left[i], "x", 1);
    for (size_t i = 0; i < COUNT(stay); i++)
        scratch_write(&w->dir, stay[i], "x", 1);
    assert_int_equal(try_to_open(w), MAUTH_OK);
    for (size_t i = 0; i < COUNT(left); i++)
        assert_false(scratch_has(&w->dir, left[i]));
    for (size_t i = 0; i < COUNT(stay); i++)
        assert_true(scratch_has(&w->dir, stay[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(is_opened_as_it_was_pinned),
        TEST(can_be_pinned_anew),
        TEST(can_be_moved),
        TEST(keeps_what_was_pinned),
        TEST(refuses_what_is_damaged),
        TEST(wants_its_key_to_be_a_secret),
        TEST(sweeps_what_was_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
