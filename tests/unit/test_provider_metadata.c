#include <unistd.h>

#include "authsvc/fresh.h"
#include "authsvc/provider_metadata.h"
#include "base/file.h"
#include "saml/metadata.h"
#include "tests/unit/saml_idp.h"
#include "tests/unit/saml_metadata.h"

struct world {
    char path[64];
    struct config_provider config;
};

static void
publish(const struct world *w, const char *key_file)
{
    char *xml = saml_metadata_of(key_file);

    assert_int_equal(
        file_replace(w->path, xml, strlen(xml), FILE_PRIVATE, NULL), MAUTH_OK);
    free(xml);
}

static int
set_up(void **state)
{
    static struct world w;
    int fd;

    w.config = (struct config_provider){
        .name = "company", .type = "saml", .issuer = IDP, .metadata_file = w.path};
    strcpy(w.path, "/tmp/mauth-metadata-XXXXXX");
    fd = mkstemp(w.path);
    assert_true(fd >= 0);
    close(fd);
    publish(&w, "signing-p256.pem");
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    const struct world *w = *state;

    unlink(w->path);
    return 0;
}

static void
assert_key(struct fresh *f, const char *public_file)
{
    struct shared_ref *ref = fresh_take(f);
    struct mauth_key *key = golden_key(public_file);
    size_t count;

    assert_non_null(ref);
    assert_string_equal(
        mauth_key_id(metadata_keys(shared_object(ref), &count)[0]), mauth_key_id(key));
    assert_int_equal(count, 1);
    shared_drop(ref);
    mauth_key_free(key);
}

/* Whoever waits for a load that is under way comes back when it is done. */
static void
load_again(struct fresh *f)
{
    struct waiter *w = waiter_new();

    assert_true(fresh_may_fetch(f));
    fresh_fetch(f, call, w);
    await(w, 1);
    waiter_free(w);
}

static void
reads_the_file_again(void **state)
{
    const struct world *w = *state;
    struct fresh *f = NULL;

    assert_int_equal(provider_metadata_open(&w->config, &f, NULL), MAUTH_OK);
    assert_key(f, "signing-p256.pub.pem");
    publish(w, "signing-rsa2048.pem");
    assert_key(f, "signing-p256.pub.pem"); /* nobody has asked */
    load_again(f);
    assert_key(f, "signing-rsa2048.pub.pem");
    assert_false(fresh_may_fetch(f)); /* for a while */
    fresh_close(f);
}

static void
keeps_what_it_has(void **state)
{
    const struct world *w = *state;
    struct fresh *f = NULL;

    assert_int_equal(provider_metadata_open(&w->config, &f, NULL), MAUTH_OK);
    assert_int_equal(file_replace(w->path, "<html/>", 7, FILE_PRIVATE, NULL), MAUTH_OK);
    load_again(f);
    assert_key(f, "signing-p256.pub.pem");
    fresh_close(f);
}

static void
opens_nothing_without_good_metadata(void **state)
{
    const struct world *w = *state;
    struct config_provider config = w->config;
    struct fresh *f = (struct fresh *)state;

    config.issuer = "https://other.example";
    assert_int_equal(provider_metadata_open(&config, &f, NULL), MAUTH_NOT_FOUND);
    assert_null(f);
    config = w->config;
    config.metadata_file = "/nonexistent";
    assert_int_equal(provider_metadata_open(&config, &f, NULL), MAUTH_NOT_FOUND);
    config = w->config;
    config.metadata_key = "/nonexistent";
    assert_int_equal(provider_metadata_open(&config, &f, NULL), MAUTH_NOT_FOUND);
    config.metadata_key = w->path; /* no key */
    assert_int_equal(provider_metadata_open(&config, &f, NULL), MAUTH_MALFORMED);
    config.metadata_key =
        MAUTH_TEST_DATA "/golden/signing-p256.pub.pem"; /* not signed */
    assert_int_equal(provider_metadata_open(&config, &f, NULL), MAUTH_UNTRUSTED);
    assert_null(f);
}

static int
start(void **state)
{
    (void)state;
    idp_start();
    buf_init(&logged);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    buf_clear(&logged);
    saml_library_close();
    return 0;
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(reads_the_file_again),
        IN_WORLD(keeps_what_it_has),
        IN_WORLD(opens_nothing_without_good_metadata),
    };

    return cmocka_run_group_tests(tests, start, end);
}
