#include "tests/bench/kdc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "tests/bench/service.h"
#include "tests/bench/spawn.h"

enum {
    CLIENTS = 4,
    EACH = 250, /* exchanges of a client in a turn */
    START_NAPS = 500
};

static const char krb5kdc[] = "/usr/sbin/krb5kdc";
static const char kdb5_util[] = "/usr/sbin/kdb5_util";
static const char kadmin[] = "/usr/sbin/kadmin.local";
static const char kinit[] = "/usr/bin/kinit";
static const char kvno[] = "/usr/bin/kvno";

static const char client_configuration[] = "[libdefaults]\n"
                                           " default_realm = BENCH\n"
                                           " dns_lookup_kdc = false\n"
                                           " dns_lookup_realm = false\n"
                                           " dns_canonicalize_hostname = false\n"
                                           "[realms]\n"
                                           " BENCH = {\n"
                                           "  kdc = 127.0.0.1:%d\n"
                                           " }\n"
                                           "[logging]\n"
                                           " kdc = FILE:%s/kdc.log\n";
static const char kdc_configuration[] = "[kdcdefaults]\n"
                                        " kdc_listen = 127.0.0.1:%d\n"
                                        " kdc_tcp_listen = 127.0.0.1:%d\n"
                                        "[realms]\n"
                                        " BENCH = {\n"
                                        "  database_name = %s/principal\n"
                                        "  key_stash_file = %s/stash\n"
                                        "  acl_file = %s/kadm5.acl\n"
                                        " }\n";

bool
kdc_is_installed(void)
{
    static const char *const programs[] = {krb5kdc, kdb5_util, kadmin, kinit, kvno};

    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
        if (access(programs[i], X_OK) != 0)
            return false;
    return true;
}

static enum mauth_rc
configure(const struct kdc *k, struct mauth_err *err)
{
    const char *d = k->dir;
    char krb5[1024], kdc[sizeof(kdc_configuration) + 2048], path[2][1024], cc[1024];
    int port = bench_free_port();
    enum mauth_rc rc;

    snprintf(krb5, sizeof(krb5), client_configuration, port, d);
    snprintf(kdc, sizeof(kdc), kdc_configuration, port, port, d, d, d);
    snprintf(path[0], sizeof(path[0]), "%s/krb5.conf", d);
    snprintf(path[1], sizeof(path[1]), "%s/kdc.conf", d);
    snprintf(cc, sizeof(cc), "FILE:%s/cc", d);
    if (!port || mkdir(d, 0700) != 0 || setenv("KRB5_CONFIG", path[0], 1) != 0 ||
        setenv("KRB5_KDC_PROFILE", path[1], 1) != 0 || setenv("KRB5CCNAME", cc, 1) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no folder for a KDC");
    rc = file_replace(path[0], krb5, strlen(krb5), FILE_PUBLIC, err);
    return rc ? rc : file_replace(path[1], kdc, strlen(kdc), FILE_PUBLIC, err);
}

static bool
make_realm(const struct kdc *k, const char *keytab)
{
    const char *const create[] = {
        kdb5_util, "create", "-s", "-P", "bench", "-r", "BENCH", NULL};
    const char *const user[] = {kadmin, "addprinc", "-randkey", "user", NULL};
    const char *const service[] = {
        kadmin, "addprinc", "-randkey", "storage/bench", NULL};
    const char *const key[] = {kadmin, "ktadd", "-k", keytab, "user", NULL};

    return spawn_and_wait(k->dir, create) && spawn_and_wait(k->dir, user) &&
           spawn_and_wait(k->dir, service) && spawn_and_wait(k->dir, key);
}

enum mauth_rc
kdc_start(const char *dir, struct kdc *k, struct mauth_err *err)
{
    const char *const serve[] = {krb5kdc, "-n", NULL};
    char keytab[1024];
    const char *const initial[] = {kinit, "-k", "-t", keytab, "user", NULL};
    enum mauth_rc rc;

    k->pid = 0;
    snprintf(k->dir, sizeof(k->dir), "%s/kdc", dir);
    snprintf(keytab, sizeof(keytab), "%s/keytab", k->dir);
    rc = configure(k, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!make_realm(k, keytab))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no KDC could be made");
    k->pid = spawn(k->dir, serve);
    for (size_t i = 0; k->pid > 0 && i < START_NAPS; i++) {
        spawn_nap();
        if (spawn_and_wait(k->dir, initial))
            return MAUTH_OK;
    }
    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the KDC does not answer");
}

void
kdc_stop(struct kdc *k)
{
    spawn_end(&k->pid);
}

enum mauth_rc
kdc_turn(const struct kdc *k, double *cpu_us, struct mauth_err *err)
{
    const char *argv[EACH + 4] = {kvno, "-q", "--no-store"};
    struct timespec before, after;
    pid_t client[CLIENTS];
    clockid_t clock;
    bool good = true;

    for (size_t i = 0; i < EACH; i++)
        argv[3 + i] = "storage/bench";
    if (clock_getcpuclockid(k->pid, &clock) != 0 || clock_gettime(clock, &before) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the KDC's CPU time");
    for (size_t i = 0; i < CLIENTS; i++)
        client[i] = spawn(k->dir, argv);
    for (size_t i = 0; i < CLIENTS; i++)
        good = spawn_wait(client[i]) && good;
    if (!good || clock_gettime(clock, &after) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the KDC does not answer");
    *cpu_us = ((double)(after.tv_sec - before.tv_sec) * 1e6 +
                  (double)(after.tv_nsec - before.tv_nsec) / 1e3) /
              (CLIENTS * EACH);
    return MAUTH_OK;
}
