#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/bn.h>

#include "authsvc/log.h"
#include "authsvc/provider.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"
#include "jose/jws.h"
#include "net/fetch.h"
#include "tests/unit/https.h"
#include "tests/unit/token.h"

/*
 * The providers of this test, all but two on one HTTPS server. Those of OK have
 * keys after the first fetch; each other one has a fault of its own.
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
    char *old_pem, *new_pem, *old_set, *new_set;
    struct https_server server, late;
    struct config config;
    char issuer[COUNT_OF_THEM][96];
    char name[COUNT_OF_THEM][32];
    struct providers *providers;
    int64_t tried_ms; /* by then each had its first fetch */
} fix;

/* What provider.c logs comes here; the library's own log.o is then not linked. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf logged;

void
log_error(const char *format, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    pthread_mutex_lock(&log_lock);
    buf_str(&logged, line);
    buf_str(&logged, "\n");
    pthread_mutex_unlock(&log_lock);
}

static void
write_file(const char *name, const char *format, ...)
{
    char *path = file_join(fix.dir, name);
    struct buf text;
    char piece[4096];
    va_list ap;

    va_start(ap, format);
    vsnprintf(piece, sizeof(piece), format, ap);
    va_end(ap);
    buf_init(&text);
    buf_str(&text, piece);
    assert_int_equal(file_replace(path, text.data, text.len, 0644, NULL), MAUTH_OK);
    buf_clear(&text);
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
    fix.old_pem = golden_file("signing-p256", ".pem", NULL);
    fix.new_pem = golden_file("signing-rsa2048", ".pem", NULL);
    assert_int_equal(jwks_from_pem(fix.old_pem, "old", &fix.old_set, NULL), MAUTH_OK);
    assert_int_equal(jwks_from_pem(fix.new_pem, "new", &fix.new_set, NULL), MAUTH_OK);
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
    free(fix.old_pem);
    free(fix.new_pem);
    free(fix.old_set);
    free(fix.new_set);
    buf_clear(&logged);
    return 0;
}

/* A good token of a provider, by the old or the new key. */
static char *
token_of(const char *issuer, const char *kid)
{
    int64_t now_s = time_now_s();
    json_t *claims =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", issuer, "sub", "alice", "aud",
            "meshauth", "iat", (json_int_t)now_s, "exp", (json_int_t)now_s + 300);
    bool old = strcmp(kid, "old") == 0;
    char *token = NULL;

    assert_int_equal(
        jws_sign(claims, old ? fix.old_pem : fix.new_pem, kid, &token, NULL), MAUTH_OK);
    json_decref(claims);
    return token;
}

/* The reason, "" when taken; what is handed out must agree with that. */
static const char *
check(struct providers *p, const char *token, bool *wait)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    static const uint8_t zero[32];
    struct provider_identity who;
    const char *reason = "untouched";
    enum mauth_rc rc;

    rc = providers_check(p, text_of(token), time_now_s(), &who, &reason, wait, &err);
    assert_int_equal(rc, err.rc);
    if (rc == MAUTH_OK) {
        assert_null(reason);
        assert_string_equal(who.subject, "alice");
        assert_memory_not_equal(who.token_hash, zero, 32);
        assert_false(*wait);
        return "";
    }
    assert_non_null(reason);
    assert_null(who.provider);
    assert_string_equal(who.subject, "");
    return reason;
}

/* Somebody who waits for a fetch. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t called;
    int calls;
};

static struct waiter *
waiter_new(void)
{
    struct waiter *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->called, NULL);
    return w;
}

static void
call(void *arg)
{
    struct waiter *w = arg;

    pthread_mutex_lock(&w->lock);
    w->calls++;
    pthread_cond_signal(&w->called);
    pthread_mutex_unlock(&w->lock);
}

static int
calls(struct waiter *w)
{
    int n;

    pthread_mutex_lock(&w->lock);
    n = w->calls;
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* Until it was called so often, 15 seconds at most. */
static void
await(struct waiter *w, int n)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 15;
    pthread_mutex_lock(&w->lock);
    while (w->calls < n && rc == 0)
        rc = pthread_cond_timedwait(&w->called, &w->lock, &until);
    assert_int_equal(w->calls, n);
    pthread_mutex_unlock(&w->lock);
}

static void
waiter_free(struct waiter *w)
{
    pthread_cond_destroy(&w->called);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* As the service does it: check, fetch once if that is worth it, check again. */
static const char *
login(struct providers *p, const char *token)
{
    const char *reason;
    bool wait;

    reason = check(p, token, &wait);
    if (wait) {
        struct waiter *w = waiter_new();

        providers_fetch(p, text_of(token), call, w);
        await(w, 1);
        waiter_free(w);
        reason = check(p, token, &wait);
    }
    return reason;
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

/* A provider whose keys are in a file. */
static struct providers *
open_file(struct config *config, const char *set, char path[64], enum mauth_rc want)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct providers *p = NULL;

    snprintf(path, 64, "%s/keys", fix.dir);
    write_file("keys", "%s", set);
    memset(config, 0, sizeof(*config));
    config->providers = 1;
    config->provider[0] = (struct config_provider){
        .name = "demo",
        .issuer = "https://idp.example",
        .client_id = {"meshauth"},
        .client_ids = 1,
        .jwks_file = path,
        .max_age_s = 600,
    };
    assert_int_equal(providers_open(config, &p, &err), want);
    assert_int_equal(err.rc, want);
    assert_int_equal(p != NULL, want == MAUTH_OK);
    return p;
}

static void
reads_keys_from_a_file(void **state)
{
    struct config config;
    char path[64], *token = token_of("https://idp.example", "old");
    char *unknown = token_of("https://idp.example", "new");
    struct providers *p = open_file(&config, fix.old_set, path, MAUTH_OK);
    struct provider_identity who;
    struct waiter *w = waiter_new();
    const char *reason;
    int64_t now_s = time_now_s();
    bool wait = true;

    (void)state;
    assert_int_equal(
        providers_check(p, text_of(token), now_s, &who, &reason, &wait, NULL),
        MAUTH_OK);
    assert_ptr_equal(who.provider, &config.provider[0]);
    assert_string_equal(who.subject, "alice");
    assert_in_range(who.issued_s, now_s - 5, now_s);
    assert_int_equal(who.too_old_s, who.issued_s + 360);
    assert_string_equal(check(p, unknown, &wait), "token-key");
    assert_false(wait);
    providers_fetch(p, text_of(unknown), call, w);
    assert_int_equal(calls(w), 1);
    providers_close(p);
    waiter_free(w);
    free(token);
    free(unknown);
}

static void
opens_no_file_without_keys(void **state)
{
    static const char *const sets[] = {"", "{}", "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}"};
    struct config config;
    struct providers *p;
    char path[64];

    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++)
        open_file(&config, sets[i], path, MAUTH_MALFORMED);
    config.provider[0].jwks_file = "/nonexistent";
    assert_int_equal(providers_open(&config, &p, NULL), MAUTH_NOT_FOUND);
    assert_null(p);
    config.providers = 0;
    assert_int_equal(providers_open(&config, &p, NULL), MAUTH_OK);
    providers_close(p);
    providers_close(NULL);
}

#define CLAIMS(rest) "{\"iss\":\"https://idp.example\",\"sub\":\"alice\"" rest "}"
#define GOOD         CLAIMS(",\"aud\":\"meshauth\",\"iat\":1000,\"exp\":2000")

/* One case for each reason; jose's and the claims' own tests have the others. */
static void
refuses_by_reason(void **state)
{
    static const struct {
        const char *reason, *header, *claims;
        enum mauth_rc rc;
    } cases[] = {
        {"token-form", "{\"alg\":\"ES256\"}", "[]", MAUTH_MALFORMED},
        {"token-alg", "{\"alg\":\"none\"}", GOOD, MAUTH_MALFORMED},
        {"token-alg", "{\"alg\":\"RS256\",\"kid\":\"old\"}", GOOD, MAUTH_UNTRUSTED},
        {"token-header", "{\"alg\":\"ES256\",\"crit\":[]}", GOOD, MAUTH_MALFORMED},
        {"token-issuer", "{\"alg\":\"ES256\"}", "{}", MAUTH_UNTRUSTED},
        {"token-issuer", "{\"alg\":\"ES256\"}", "{\"iss\":\"https://idp.example/\"}",
            MAUTH_UNTRUSTED},
        {"token-key", "{\"alg\":\"ES256\",\"kid\":\"x\"}", GOOD, MAUTH_UNTRUSTED},
        {"token-claims", "{\"alg\":\"ES256\"}", CLAIMS(",\"aud\":\"meshauth\""),
            MAUTH_MALFORMED},
        {"token-audience", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"x\",\"iat\":1000,\"exp\":2000"), MAUTH_DENIED},
        {"token-party", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"azp\":\"x\",\"iat\":1000,\"exp\":2000"),
            MAUTH_DENIED},
        {"token-expired", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":1000,\"exp\":1000"), MAUTH_EXPIRED},
        {"token-not-yet", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":1900,\"exp\":2000"), MAUTH_EXPIRED},
        {"token-age", "{\"alg\":\"ES256\"}",
            CLAIMS(",\"aud\":\"meshauth\",\"iat\":100,\"exp\":2000"), MAUTH_EXPIRED},
    };
    struct config config;
    char path[64];
    struct providers *p = open_file(&config, fix.old_set, path, MAUTH_OK);
    struct signer *signer = golden_signer("p256");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *token = token_make(cases[i].header, cases[i].claims, signer);
        struct provider_identity who;
        const char *reason = "";
        bool wait = true;
        enum mauth_rc rc =
            providers_check(p, text_of(token), 1100, &who, &reason, &wait, NULL);

        if (rc != cases[i].rc || !reason || strcmp(reason, cases[i].reason) != 0)
            fail_msg("%s: %s, %s", cases[i].reason, mauth_rc_name(rc),
                reason ? reason : "(no reason)");
        assert_false(wait);
        assert_null(who.provider);
        free(token);
    }
    signer_free(signer);
    providers_close(p);
}

/* The same token with the other of the two ECDSA signatures that it then has. */
static char *
other_half(const char *token)
{
    const char *signature = strrchr(token, '.') + 1;
    BIGNUM *order = NULL, *s;
    struct buf b;
    uint8_t raw[64];
    size_t len;
    char *out;

    assert_true(
        b64_decode(B64_URL, signature, strlen(signature), raw, sizeof(raw), &len));
    assert_int_equal(len, 64);
    BN_hex2bn(
        &order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    s = BN_bin2bn(raw + 32, 32, NULL);
    assert_true(BN_sub(s, order, s));
    BN_bn2binpad(s, raw + 32, 32);
    BN_free(s);
    BN_free(order);
    buf_init(&b);
    buf_put(&b, token, (size_t)(signature - token));
    token_put(&b, raw, 64);
    out = buf_detach(&b, &len);
    assert_string_not_equal(out, token);
    return out;
}

static void
knows_a_token_by_what_is_signed(void **state)
{
    struct config config;
    char path[64];
    struct providers *p = open_file(&config, fix.old_set, path, MAUTH_OK);
    struct signer *signer = golden_signer("p256");
    char *one = token_make("{\"alg\":\"ES256\"}", GOOD, signer);
    char *same = other_half(one);
    char *another = token_make("{\"alg\":\"ES256\",\"kid\":\"old\"}", GOOD, signer);
    const char *tokens[] = {one, same, another}, *reason;
    struct provider_identity who[3];
    uint8_t want[HASH_LEN];
    bool wait;

    (void)state;
    for (size_t i = 0; i < COUNT(tokens); i++)
        assert_int_equal(
            providers_check(p, text_of(tokens[i]), 1100, &who[i], &reason, &wait, NULL),
            MAUTH_OK);
    assert_memory_equal(who[0].token_hash, who[1].token_hash, 32);
    assert_memory_not_equal(who[0].token_hash, who[2].token_hash, 32);
    assert_int_equal(
        hash_bytes(one, (size_t)(strrchr(one, '.') - one), want, NULL), MAUTH_OK);
    assert_memory_equal(who[0].token_hash, want, 32);
    signer_free(signer);
    providers_close(p);
    free(one);
    free(same);
    free(another);
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
        cmocka_unit_test(reads_keys_from_a_file),
        cmocka_unit_test(opens_no_file_without_keys),
        cmocka_unit_test(refuses_by_reason),
        cmocka_unit_test(knows_a_token_by_what_is_signed),
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
