#include <sys/stat.h>

#include "authsvc/provider_keys.h"
#include "base/file.h"
#include "net/fetch.h"
#include "tests/unit/https.h"
#include "tests/unit/providers.h"

/*
 * The providers of this test, all but LATE on one HTTPS server. Those before it
 * have keys after the first fetch; each one behind it has a fault of its own.
 */
enum {
    STEADY,   /* nothing happens to it */
    ROTATING, /* another key after the first fetch */
    FAILING,  /* answers well, then not at all */
    LATE,     /* does not listen at first */
    OK_FIRST = STEADY,
    BAD_FIRST = LATE,
    STRANGER = LATE + 1, /* its metadata are another issuer's */
    SLASH,               /* ... are its own, but for a slash at the end */
    PLAIN,               /* jwks_uri is http */
    NOWHERE,             /* no jwks_uri */
    TWICE,               /* names its issuer twice */
    MISSING,             /* has no metadata */
    LARGE_METADATA,
    LARGE_KEYS,
    PRIVATE_KEYS, /* publishes what it should keep */
    COUNT_OF_THEM
};

static const char *const names[] = {"steady", "rotating", "failing", "late", "stranger",
    "slash", "plain", "nowhere", "twice", "missing", "large-metadata", "large-keys",
    "private-keys"};

static struct {
    char dir[32], ca[64], crt[64], key[64];
    char *old_set, *new_set;
    struct https_server server, late;
    struct config config;
    char issuer[COUNT_OF_THEM][96];
    char name[COUNT_OF_THEM][32];
    struct providers *providers;
    int64_t tried_ms; /* by then each had its first fetch */
} fix;

static void write_file(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
write_file(const char *name, const char *format, ...)
{
    char *path = file_join(fix.dir, name);
    char text[4096];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    assert_int_equal(file_replace(path, text, strlen(text), 0644, NULL), MAUTH_OK);
    free(path);
}

static void
make_folder(const char *provider)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", fix.dir, provider);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%s/.well-known", fix.dir, provider);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* Metadata that name this issuer and that place of the keys. */
static void
write_metadata(const char *provider, const char *issuer, const char *jwks_uri)
{
    char name[128];

    snprintf(name, sizeof(name), "%s/.well-known/openid-configuration", provider);
    write_file(
        name, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"more\":[]}", issuer, jwks_uri);
}

static void
write_keys(const char *provider, const char *set)
{
    char name[64];

    snprintf(name, sizeof(name), "%s/jwks", provider);
    write_file(name, "%s", set);
}

/* Behind the end of JSON spaces may follow; too many of them. */
static void
write_large(const char *name, const char *text)
{
    char *path = file_join(fix.dir, name);
    struct buf b;

    buf_init(&b);
    buf_str(&b, text);
    while (b.len <= JWKS_MAX)
        buf_str(&b, "                                ");
    assert_int_equal(file_replace(path, b.data, b.len, 0644, NULL), MAUTH_OK);
    buf_clear(&b);
    free(path);
}

static struct https_server
serve(int port)
{
    char number[16];
    const char *args[] = {"--cert", fix.crt, "--key", fix.key, "--port", number, NULL};

    snprintf(number, sizeof(number), "%d", port);
    return https_start(fix.dir, args);
}

static void
publish(void)
{
    char uri[160], slash[160];

    for (int i = 0; i < COUNT_OF_THEM; i++) {
        make_folder(fix.name[i]);
        snprintf(uri, sizeof(uri), "%s/jwks", fix.issuer[i]);
        write_metadata(fix.name[i], fix.issuer[i], uri);
        write_keys(fix.name[i], fix.old_set);
    }
    snprintf(uri, sizeof(uri), "%s/jwks", fix.issuer[STRANGER]);
    write_metadata(fix.name[STRANGER], fix.issuer[STEADY], uri);
    snprintf(uri, sizeof(uri), "%s/jwks", fix.issuer[SLASH]);
    snprintf(slash, sizeof(slash), "%s/", fix.issuer[SLASH]);
    write_metadata(fix.name[SLASH], slash, uri);
    snprintf(uri, sizeof(uri), "http://127.0.0.1:%d/plain/jwks", fix.server.port);
    write_metadata(fix.name[PLAIN], fix.issuer[PLAIN], uri);
    write_file("nowhere/.well-known/openid-configuration", "{\"issuer\":\"%s\"}",
        fix.issuer[NOWHERE]);
    write_file("twice/.well-known/openid-configuration",
        "{\"issuer\":\"%1$s\",\"issuer\":\"%1$s\",\"jwks_uri\":\"%1$s/jwks\"}",
        fix.issuer[TWICE]);
    snprintf(uri, sizeof(uri), "%s/missing/.well-known/openid-configuration", fix.dir);
    assert_int_equal(unlink(uri), 0);
    write_large("large-metadata/.well-known/openid-configuration", "{}");
    write_large("large-keys/jwks", fix.old_set);
    write_keys("private-keys", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}");
}

static void
configure(void)
{
    fix.config.providers = COUNT_OF_THEM;
    for (int i = 0; i < COUNT_OF_THEM; i++) {
        snprintf(fix.name[i], sizeof(fix.name[i]), "%s", names[i]);
        snprintf(fix.issuer[i], sizeof(fix.issuer[i]), "https://127.0.0.1:%d/%s",
            i == LATE ? fix.late.port : fix.server.port, names[i]);
        fix.config.provider[i] = (struct config_provider){
            .name = fix.name[i],
            .issuer = fix.issuer[i],
            .client_id = {"meshauth"},
            .client_ids = 1,
            .ca_file = fix.ca,
            .max_age_s = 600,
        };
    }
}

static int
set_up(void **state)
{
    (void)state;
    buf_init(&logged);
    https_certs(fix.dir);
    snprintf(fix.ca, sizeof(fix.ca), "%s/ca.crt", fix.dir);
    snprintf(fix.crt, sizeof(fix.crt), "%s/server.crt", fix.dir);
    snprintf(fix.key, sizeof(fix.key), "%s/server.key", fix.dir);
    fix.old_set = set_named("old");
    fix.new_set = set_named("new");
    fix.server = serve(0);
    fix.late = serve(0);
    https_stop(&fix.late); /* its port is known now */
    configure();
    publish();
    assert_int_equal(providers_open(&fix.config, &fix.providers, NULL), MAUTH_OK);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    providers_close(fix.providers);
    https_stop(&fix.server);
    https_stop(&fix.late);
    https_certs_remove(fix.dir);
    free(fix.old_set);
    free(fix.new_set);
    buf_clear(&logged);
    return 0;
}

/* How many requests the server has seen for this path. */
static int
requests(const char *provider, const char *rest)
{
    char *path = file_join(fix.dir, "requests.log"), line[256], want[256];
    FILE *f = fopen(path, "r");
    int n = 0;

    assert_non_null(f);
    snprintf(want, sizeof(want), "/%s/%s\n", provider, rest);
    while (fgets(line, sizeof(line), f))
        n += strcmp(line, want) == 0;
    fclose(f);
    free(path);
    return n;
}

#define METADATA ".well-known/openid-configuration"

/* Runs first: several ask while the very first fetch is under way, or before it. */
static void
finds_keys_by_discovery(void **state)
{
    (void)state;
    for (int i = OK_FIRST; i < BAD_FIRST; i++) {
        char *token = token_of(fix.issuer[i], "old");

        if (strcmp(login(fix.providers, token), "") != 0)
            fail_msg("not taken: %s", names[i]);
        assert_int_equal(requests(fix.name[i], METADATA), 1);
        assert_int_equal(requests(fix.name[i], "jwks"), 1);
        free(token);
    }
}

static void
takes_no_keys_from_the_wrong_place(void **state)
{
    (void)state;
    for (int i = BAD_FIRST; i < COUNT_OF_THEM; i++) {
        char *token = token_of(fix.issuer[i], "old"), quoted[64];
        const char *reason = login(fix.providers, token);
        bool wait = true;

        if (strcmp(reason, "provider-down") != 0)
            fail_msg("%s: %s", names[i], reason);
        assert_string_equal(check(fix.providers, token, &wait), "provider-down");
        assert_false(wait); /* it was tried a moment ago */
        snprintf(quoted, sizeof(quoted), "\"%s\"", names[i]);
        pthread_mutex_lock(&log_lock);
        if (!strstr(buf_cstr(&logged), quoted))
            fail_msg("not on the log: %s", names[i]);
        pthread_mutex_unlock(&log_lock);
        free(token);
    }
    fix.tried_ms = time_monotonic_ms();
    assert_int_equal(requests("plain", "jwks"), 0);
    assert_int_equal(requests("stranger", "jwks"), 0);
    assert_int_equal(requests("large-keys", "jwks"), 1);
}

static void
asks_not_more_often_than_the_floor(void **state)
{
    char *token = token_of(fix.issuer[ROTATING], "new");
    struct waiter *w = waiter_new();
    bool wait = true;

    (void)state;
    write_keys("rotating", fix.new_set);
    for (int i = 1; i <= 20; i++) {
        assert_string_equal(check(fix.providers, token, &wait), "token-key");
        assert_false(wait);
        providers_fetch(fix.providers, text_of(token), call, w);
        assert_int_equal(calls(w), i); /* at once, from this thread */
    }
    assert_int_equal(requests("rotating", "jwks"), 1);
    waiter_free(w);
    free(token);
}

static void
calls_back_at_once_for_strangers(void **state)
{
    char *foreign = token_of("https://idp.example", "old");
    const char *const tokens[] = {foreign, "", "a.b.c"};
    struct waiter *w = waiter_new();
    bool wait = true;

    (void)state;
    assert_string_equal(check(fix.providers, foreign, &wait), "token-issuer");
    assert_false(wait);
    for (int i = 0; i < (int)COUNT(tokens); i++) {
        providers_fetch(fix.providers, text_of(tokens[i]), call, w);
        assert_int_equal(calls(w), i + 1);
    }
    waiter_free(w);
    free(foreign);
}

/* A request of its own: asks until it is let in, while others do the same. */
static void *
log_in(void *arg)
{
    return strcmp(login(fix.providers, arg), "") == 0 ? NULL : arg;
}

/* What a request that needs no fetch sees meanwhile: never anything but success. */
static void *
log_in_steadily(void *arg)
{
    bool wait;

    for (int i = 0; i < 300; i++)
        if (strcmp(check(fix.providers, arg, &wait), "") != 0)
            return arg;
    return NULL;
}

static void
wait_for_the_floor(void)
{
    int64_t left_ms = fix.tried_ms + 1000 * PROVIDER_FLOOR_S + 100;

    left_ms -= time_monotonic_ms();
    if (left_ms > 0)
        nanosleep(&(struct timespec){left_ms / 1000, left_ms % 1000 * 1000000}, NULL);
}

/* From here on fetches are allowed again, once for each provider. */
static void
follows_a_rotation_with_one_fetch(void **state)
{
    char *old = token_of(fix.issuer[ROTATING], "old");
    char *new = token_of(fix.issuer[ROTATING], "new");
    char *steady = token_of(fix.issuer[STEADY], "old");
    pthread_t threads[12];
    void *failed = NULL;
    bool wait;

    (void)state;
    wait_for_the_floor();
    assert_string_equal(check(fix.providers, old, &wait), ""); /* nobody asked yet */
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL,
                             i % 3 ? log_in : log_in_steadily, i % 3 ? new : steady),
            0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(requests("rotating", METADATA), 2);
    assert_int_equal(requests("rotating", "jwks"), 2);
    assert_string_equal(login(fix.providers, old), "token-key");
    assert_int_equal(requests("rotating", "jwks"), 2);
    free(old);
    free(new);
    free(steady);
}

static void
recovers_when_a_provider_comes_back(void **state)
{
    char *token = token_of(fix.issuer[LATE], "old");

    (void)state;
    wait_for_the_floor();
    fix.late = serve(fix.late.port);
    assert_string_equal(login(fix.providers, token), "");
    free(token);
}

static void
keeps_old_keys_when_a_fetch_fails(void **state)
{
    char *known = token_of(fix.issuer[FAILING], "old");
    char *unknown = token_of(fix.issuer[FAILING], "new");
    struct waiter *w = waiter_new();
    bool wait = false;

    (void)state;
    wait_for_the_floor();
    https_stop(&fix.server);
    assert_string_equal(check(fix.providers, unknown, &wait), "token-key");
    assert_true(wait);
    providers_fetch(fix.providers, text_of(unknown), call, w);
    await(w, 1);
    assert_string_equal(check(fix.providers, unknown, &wait), "token-key");
    assert_false(wait);
    assert_string_equal(check(fix.providers, known, &wait), "");
    waiter_free(w);
    free(known);
    free(unknown);
}

/* Runs while the server is up and slow: nobody who waits is forgotten, or told twice. */
static void
tells_everyone_who_waits_at_the_end(void **state)
{
    struct config config = {.providers = 1, .provider = {fix.config.provider[LATE]}};
    char *token = token_of(fix.issuer[LATE], "old"), uri[96];
    struct providers *p = NULL;
    struct waiter *w[5];
    int64_t start_ms = time_monotonic_ms();
    bool wait = false;

    (void)state;
    snprintf(uri, sizeof(uri), "https://127.0.0.1:%d/slow/4", fix.late.port);
    write_metadata("late", fix.issuer[LATE], uri);
    assert_int_equal(providers_open(&config, &p, NULL), MAUTH_OK);
    assert_string_equal(check(p, token, &wait), "provider-down");
    assert_true(wait);
    for (size_t i = 0; i < COUNT(w); i++) {
        w[i] = waiter_new();
        providers_fetch(p, text_of(token), call, w[i]);
        assert_int_equal(calls(w[i]), 0);
    }
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    providers_close(p);
    assert_true(time_monotonic_ms() - start_ms < 2500);
    for (size_t i = 0; i < COUNT(w); i++) {
        assert_int_equal(calls(w[i]), 1);
        waiter_free(w[i]);
    }
    free(token);
}

/* Closed before its thread has taken the first turn, or just then. */
static void
tells_those_who_waited_for_nothing(void **state)
{
    struct config config = {.providers = 1, .provider = {fix.config.provider[LATE]}};
    char *token = token_of(fix.issuer[LATE], "old");

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct waiter *w = waiter_new();
        struct providers *p = NULL;

        assert_int_equal(providers_open(&config, &p, NULL), MAUTH_OK);
        providers_fetch(p, text_of(token), call, w);
        providers_close(p);
        assert_int_equal(calls(w), 1);
        waiter_free(w);
    }
    free(token);
}

int
main(void)
{
    /* In this order: the provider's clock runs on from one to the next. */
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_keys_by_discovery),
        cmocka_unit_test(takes_no_keys_from_the_wrong_place),
        cmocka_unit_test(asks_not_more_often_than_the_floor),
        cmocka_unit_test(calls_back_at_once_for_strangers),
        cmocka_unit_test(follows_a_rotation_with_one_fetch),
        cmocka_unit_test(recovers_when_a_provider_comes_back),
        cmocka_unit_test(tells_everyone_who_waits_at_the_end),
        cmocka_unit_test(tells_those_who_waited_for_nothing),
        cmocka_unit_test(keeps_old_keys_when_a_fetch_fails),
    };

    json_object_seed(0);
    if (net_init(NULL) != MAUTH_OK)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
