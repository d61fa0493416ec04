#include "cli/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"

static const struct {
    int64_t seconds;
    const char *name;
} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

enum {
    UNITS = sizeof(units) / sizeof(*units)
};

void
when_format(int64_t t_s, int64_t now_s, char out[WHEN_LEN])
{
    int64_t span = t_s > now_s ? t_s - now_s : now_s - t_s, first, second = 0;
    const char *before = t_s > now_s ? "in " : "", *after = t_s > now_s ? "" : " ago";
    size_t i = 0;

    if (!span) {
        snprintf(out, WHEN_LEN, "now");
        return;
    }
    while (units[i].seconds > span)
        i++;
    first = span / units[i].seconds;
    if (i + 1 < UNITS)
        second = span % units[i].seconds / units[i + 1].seconds;
    if (second)
        snprintf(out, WHEN_LEN, "%s%" PRId64 " %s %" PRId64 " %s%s", before, first,
            units[i].name, second, units[i + 1].name, after);
    else
        snprintf(
            out, WHEN_LEN, "%s%" PRId64 " %s%s", before, first, units[i].name, after);
}

bool
when_span(const char *text, int64_t *out_s)
{
    static const struct {
        char letter;
        int64_t seconds;
    } letters[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct text number = text_of(text);
    uint64_t n;

    *out_s = 0;
    if (number.len < 2 || number.len > 10) /* no product that would not fit */
        return false;
    number.len--;
    if (!str_number(number, &n))
        return false;
    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
        if (letters[i].letter == text[number.len]) {
            *out_s = (int64_t)n * letters[i].seconds;
            return true;
        }
    return false;
}

bool
when_read(const char *text, int64_t now_s, enum when_way way, int64_t *out_s)
{
    char day[TIME_LEN + 1];
    int64_t span;
    int len = snprintf(day, sizeof(day), "%sT00:00:00Z", text);

    if (when_span(text, &span)) {
        *out_s = now_s + way * span;
        return true;
    }
    return time_parse(text, strlen(text), out_s) ||
           (len == TIME_LEN && time_parse(day, TIME_LEN, out_s));
}
