/* meshauthd: the account service. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "authsvc/auditing.h"
#include "authsvc/changes_api.h"
#include "authsvc/config_record.h"
#include "authsvc/documents.h"
#include "authsvc/housekeeper.h"
#include "authsvc/http.h"
#include "authsvc/log.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/pace.h"
#include "authsvc/parking.h"
#include "authsvc/proof.h"
#include "authsvc/provider.h"
#include "authsvc/refusals.h"
#include "authsvc/reload.h"
#include "authsvc/routes.h"
#include "authsvc/rules_in_force.h"
#include "authsvc/service.h"
#include "authsvc/start_check.h"
#include "authsvc/trust_api.h"
#include "authsvc/verifiers.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "jose/json.h"
#include "net/fetch.h"
#include "saml/library.h"
#include "verifier/cache.h"

enum {
    EXIT_DONE = 0,
    EXIT_USAGE_OR_CONFIG = 2,
    EXIT_FAILED = 3,
    ADMIN_CONNECTIONS = 16,
    OTHER_FILES = 128, /* store, trust file, log, listeners, providers, threads */
    STOP_TIMEOUT_MS = 10000,
    KEPT_FREE = 4 << 20, /* by malloc, in each of its arenas */

    REPORTS_PER_MINUTE = 600, /* of one service; an updater has as many at most */

    /* A ticket that is shown again and again is verified once: so many of them. */
    KNOWN_TICKETS = 1 << 14,
    KNOWN_BYTES = 64 << 20
};

static const char usage[] =
    "usage: meshauthd -c FILE [-t]\n"
    "\n"
    "  -c FILE     the configuration, as `meshauth init` writes it\n"
    "  -t          only check it, and the files that a start would read\n"
    "  -h, --help  this text\n"
    "  --version   which version this is\n"
    "\n"
    "SIGHUP: read the TLS certificate and the rules again, sign the trust file anew.\n"
    "SIGTERM, SIGINT: finish what is under way and end.\n";

/* Whoever does not get past the gate is counted, like those whom a route refuses. */
static void
count_refusal(const struct http_exchange *x, const char *reason)
{
    const struct service *service = http_context(x);

    refusals_count(service->refusals, time_now_s(), http_client(x), reason);
}

/* Everything that runs, in the order in which it starts. */
struct daemon {
    struct config *config;
    struct mauth_secret *seal;
    struct kv *kv;
    struct service service;
    struct housekeeper *housekeeper;
    struct http_server *admin;
    struct http_server *public;
};

static enum mauth_rc
open_store(struct daemon *d, struct mauth_err *err)
{
    enum mauth_rc rc;

    rc = keystore_seal_read(d->config->seal_key_file, &d->seal, err);
    if (rc == MAUTH_OK)
        rc = kv_open(d->config->store, KV_OPEN, &d->kv, err);
    if (rc == MAUTH_OK)
        kv_set_reserve(d->kv, (uint64_t)d->config->limits.disk_reserve_mib << 20);
    return rc ? rc : own_keys_open(d->kv, d->seal, &d->service.keys, err);
}

static enum mauth_rc
start_auditing(struct daemon *d, struct mauth_err *err)
{
    const struct config *c = d->config;
    const struct audit_keep keep = {
        .age_us = c->audit.keep_days * INT64_C(86400000000),
        .bytes = (uint64_t)c->audit.keep_mib << 20,
    };

    return auditing_start(
        d->kv, (size_t)c->limits.connections / 8, &keep, &d->service.auditing, err);
}

static enum mauth_rc
start_service(struct daemon *d, struct mauth_err *err)
{
    enum mauth_rc rc;

    d->service.config = d->config;
    d->service.kv = d->kv;
    d->service.seal = d->seal;
    rc = config_record(d->kv, d->config, err);
    if (rc == MAUTH_OK)
        rc = refusals_new(&d->service.refusals, err);
    if (rc == MAUTH_OK)
        rc = proofs_new(&d->service.proofs, err);
    if (rc == MAUTH_OK)
        rc = pace_new(d->config->limits.changes_per_minute, &d->service.pace, err);
    if (rc == MAUTH_OK)
        rc = pace_new(d->config->limits.changes_per_minute, &d->service.logins, err);
    if (rc == MAUTH_OK)
        rc = pace_new(REPORTS_PER_MINUTE, &d->service.reports, err);
    if (rc == MAUTH_OK)
        rc = pace_new(
            d->config->limits.decisions_per_minute, &d->service.decisions, err);
    if (rc == MAUTH_OK)
        rc = own_trust_new(&d->service.trust, err);
    if (rc == MAUTH_OK)
        rc = verifiers_open(d->kv, &d->service.verifiers, err);
    if (rc == MAUTH_OK)
        rc = cache_new(KNOWN_TICKETS, KNOWN_BYTES, &d->service.known, err);
    if (rc == MAUTH_OK)
        rc = parking_new((size_t)d->config->limits.connections / 2, TRUST_API_WAIT_MS,
            &d->service.waiting, err);
    if (rc == MAUTH_OK)
        rc = parking_new((size_t)d->config->limits.connections / 4, CHANGES_API_WAIT_MS,
            &d->service.followers, err);
    if (rc == MAUTH_OK)
        rc = troubles_new(&d->service.troubles, err);
    if (rc == MAUTH_OK)
        rc = in_force_open(d->kv, d->config->rules_file, &d->service.rules, err);
    if (rc == MAUTH_OK)
        rc = providers_open(d->config, &d->service.providers, err);
    if (rc == MAUTH_OK)
        rc = documents_open(
            d->kv, d->seal, d->config->issuer.url, &d->service.documents, err);
    if (rc == MAUTH_OK)
        rc = start_auditing(d, err);
    if (rc == MAUTH_OK)
        rc = housekeeper_start(&d->service, &d->housekeeper, err);
    return rc;
}

static enum mauth_rc
listen_on_both(struct daemon *d, struct mauth_err *err)
{
    const struct config *c = d->config;
    struct http_options o = {
        .unix_socket = c->listen.admin_socket,
        .routes = admin_routes,
        .route_count = admin_route_count,
        .context = &d->service,
        .log = log_request,
        .refused = count_refusal,
        .threads = 1,
        .connections = ADMIN_CONNECTIONS,
        .connections_per_ip = ADMIN_CONNECTIONS,
        .request_s = c->limits.request_s,
        .idle_s = c->limits.idle_s,
    };
    enum mauth_rc rc = http_start(&o, &d->admin, err);

    if (rc != MAUTH_OK)
        return rc;
    o.unix_socket = NULL;
    o.address = c->listen.address;
    o.port = c->listen.port;
    o.certificate_file = c->listen.certificate;
    o.key_file = c->listen.key;
    o.routes = public_routes;
    o.route_count = public_route_count;
    o.threads = c->limits.threads;
    o.connections = c->limits.connections;
    o.connections_per_ip = c->limits.connections_per_ip;
    return http_start(&o, &d->public, err);
}

/* In the reverse order; whatever was not started is NULL. */
static void
stop(struct daemon *d)
{
    parking_close(d->service.waiting);
    parking_close(d->service.followers);
    if (d->service.auditing) {
        parking_close(auditing_parking(d->service.auditing));
        auditing_end(d->service.auditing);
    }
    http_stop(d->public, STOP_TIMEOUT_MS);
    http_stop(d->admin, STOP_TIMEOUT_MS);
    housekeeper_stop(d->housekeeper);
    auditing_stop(d->service.auditing);
    providers_close(d->service.providers);
    refusals_free(d->service.refusals);
    proofs_free(d->service.proofs);
    pace_free(d->service.pace);
    pace_free(d->service.logins);
    pace_free(d->service.reports);
    pace_free(d->service.decisions);
    parking_free(d->service.waiting);
    parking_free(d->service.followers);
    shared_free(d->service.trust);
    verifiers_close(d->service.verifiers);
    cache_free(d->service.known);
    in_force_close(d->service.rules);
    troubles_free(d->service.troubles);
    documents_close(d->service.documents);
    own_keys_close(d->service.keys);
    kv_close(d->kv);
    mauth_secret_free(d->seal);
}

static void
wait_for_the_end(struct daemon *d, const sigset_t *signals)
{
    int number;

    while (sigwait(signals, &number) == 0) {
        if (number != SIGHUP)
            return;
        reload_all(d->service.troubles, d->public, d->service.rules);
        housekeeper_wake(d->housekeeper);
    }
}

static enum mauth_rc
serve(struct config *config, const sigset_t *signals, struct mauth_err *err)
{
    struct daemon d = {.config = config};
    enum mauth_rc rc = open_store(&d, err);

    if (rc == MAUTH_OK)
        rc = start_service(&d, err);
    if (rc == MAUTH_OK)
        rc = listen_on_both(&d, err);
    if (rc == MAUTH_OK) {
        log_info("serving %s on %s port %d", config->issuer.url, config->listen.address,
            http_port(d.public));
        wait_for_the_end(&d, signals);
        log_info("ending");
    }
    stop(&d);
    return rc;
}

/* Else strangers' connections would leave none to write the trust file with. */
static enum mauth_rc
allow_files(int connections, struct mauth_err *err)
{
    const rlim_t need = (rlim_t)connections + ADMIN_CONNECTIONS + OTHER_FILES;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return mauth_fail(err, MAUTH_INTERNAL, "open files: %s", strerror(errno));
    if (files.rlim_cur >= need)
        return MAUTH_OK;
    files.rlim_cur = need;
    if (files.rlim_max < need || setrlimit(RLIMIT_NOFILE, &files) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "limits.connections: %d of them need %llu open files, and the system "
            "allows %llu (ulimit -Hn; LimitNOFILE=)",
            connections, (unsigned long long)need, (unsigned long long)files.rlim_max);
    return MAUTH_OK;
}

/* Before any thread: signals blocked, libraries ready. */
static enum mauth_rc
prepare_process(bool hardened, sigset_t *signals, struct mauth_err *err)
{
    enum mauth_rc rc;

    sigemptyset(signals);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!hardened)
        log_info(
            "keys lie in memory that may be swapped: none can be locked (ulimit -l; "
            "LimitMEMLOCK=)");
    json_prepare_process();
    rc = net_init(err);
    return rc ? rc : saml_library_open(err);
}

/*
 * Most requests deflate a ticket, which takes 130 KiB for a moment. Without this malloc
 * would give them back to the kernel, and fault each page in again, for each.
 */
static void
keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_FREE);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

static int
check_only(const struct config *config)
{
    printf("%s: good\n", config->path);
    return start_check(config) ? EXIT_DONE : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *config = NULL;
    const char *file = NULL;
    bool hardened, only_check = false;
    sigset_t signals;
    enum mauth_rc rc;
    int option, code = EXIT_DONE;

    if (!file_guard_standard())
        return EXIT_FAILED; /* and nowhere to say so */
    hardened = process_harden();
    keep_memory();
    while ((option = getopt_long(argc, argv, "c:th", longs, NULL)) != -1) {
        switch (option) {
        case 'c': file = optarg; break;
        case 't': only_check = true; break;
        case 'h': fputs(usage, stdout); return EXIT_DONE;
        case 'V': puts("meshauthd " MESHAUTH_VERSION); return EXIT_DONE;
        default: fputs(usage, stderr); return EXIT_USAGE_OR_CONFIG;
        }
    }
    if (!file || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE_OR_CONFIG;
    }
    if (config_load(file, &config, &err) != MAUTH_OK) {
        fprintf(stderr, "meshauthd: %s\n", err.text);
        return EXIT_USAGE_OR_CONFIG;
    }
    rc = only_check ? MAUTH_OK : allow_files(config->limits.connections, &err);
    if (rc == MAUTH_OK)
        rc = prepare_process(hardened, &signals, &err);
    if (rc == MAUTH_OK && only_check)
        code = check_only(config);
    else if (rc == MAUTH_OK)
        rc = serve(config, &signals, &err);
    if (rc != MAUTH_OK)
        fprintf(stderr, "meshauthd: %s\n", err.text);
    config_free(config);
    return rc == MAUTH_OK ? code : EXIT_FAILED;
}
