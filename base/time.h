/*
 * Time as int64_t Unix seconds and as the one spelling that tickets, trust
 * files and answers use: "2026-11-22T10:00:00Z", UTC, years 1970 to 9999, no
 * leap second (SAML 2.0 core 1.3.3).
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/api.h>

enum {
    TIME_LEN = 20, /* characters, without the terminator */
};

#define TIME_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* False, and *out_s zero, unless text is exactly one valid time. */
MAUTH_MUST_USE bool time_parse(const char *text, size_t len, int64_t *out_s);

/* Writes TIME_LEN characters and a terminator. t_s is clamped to 1970..9999. */
void time_format(int64_t t_s, char out[TIME_LEN + 1]);

int64_t time_now_s(void);        /* the wall clock */
int64_t time_now_us(void);       /* the wall clock, microseconds */
int64_t time_monotonic_ms(void); /* never goes back */

#endif
