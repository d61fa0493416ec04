#include "base/time.h"

#include <time.h>

/* Days from 1970-01-01 in the proleptic Gregorian calendar; month 1 to 12. */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
digits(const char *p, int n, int *out)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool
time_parse(const char *text, size_t len, int64_t *out_s)
{
    int year, month, day, hour, minute, second;

    *out_s = 0;
    if (len != TIME_LEN || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || text[19] != 'Z')
        return false;
    if (!digits(text, 4, &year) || !digits(text + 5, 2, &month) ||
        !digits(text + 8, 2, &day) || !digits(text + 11, 2, &hour) ||
        !digits(text + 14, 2, &minute) || !digits(text + 17, 2, &second))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    *out_s = days_from_civil(year, month, day) * 86400 +
             (INT64_C(60) * hour + minute) * 60 + second;
    return true;
}

static void
put_digits(char *out, int n, int64_t v)
{
    while (n-- > 0) {
        out[n] = (char)('0' + v % 10);
        v /= 10;
    }
}

void
time_format(int64_t t_s, char out[TIME_LEN + 1])
{
    static const char form[TIME_LEN + 1] = "0000-00-00T00:00:00Z";
    int64_t days, rest, era, of_era, year, of_year, shifted, month;

    t_s = t_s < 0 ? 0 : t_s > TIME_MAX_S ? TIME_MAX_S : t_s;
    days = t_s / 86400 + 719468;
    rest = t_s % 86400;
    era = days / 146097;
    of_era = days - era * 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    shifted = (5 * of_year + 2) / 153; /* 0 is March */
    month = shifted < 10 ? shifted + 3 : shifted - 9;
    for (int i = 0; i <= TIME_LEN; i++)
        out[i] = form[i];
    put_digits(out, 4, year + era * 400 + (month <= 2));
    put_digits(out + 5, 2, month);
    put_digits(out + 8, 2, of_year - (153 * shifted + 2) / 5 + 1);
    put_digits(out + 11, 2, rest / 3600);
    put_digits(out + 14, 2, rest / 60 % 60);
    put_digits(out + 17, 2, rest % 60);
}

int64_t
time_now_s(void)
{
    return time_now_us() / 1000000;
}

int64_t
time_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
time_monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
