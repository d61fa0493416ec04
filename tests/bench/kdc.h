/*
 * MIT Kerberos beside us, where Debian's krb5-kdc, krb5-admin-server and krb5-user are
 * installed: a KDC of one realm with one user and one service, as its packages make it.
 */
#ifndef TESTS_BENCH_KDC_H
#define TESTS_BENCH_KDC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <meshauth/err.h>

bool kdc_is_installed(void);

struct kdc {
    pid_t pid; /* 0 while none runs */
    char dir[512];
};

/* Makes and starts one in DIR/kdc, and gets its user a ticket-granting ticket. */
MAUTH_MUST_USE enum mauth_rc kdc_start(
    const char *dir, struct kdc *out, struct mauth_err *err);
void kdc_stop(struct kdc *k);

/* Microseconds of the KDC's CPU time for one of many exchanges of that ticket for one to
 * the service; out of some clients at the same time. */
MAUTH_MUST_USE enum mauth_rc kdc_turn(
    const struct kdc *k, double *cpu_us, struct mauth_err *err);

#endif
