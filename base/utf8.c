#include "base/utf8.h"

/* RFC 3629 section 4, a row for each line of its grammar: first byte, second byte. */
static const struct {
    uint8_t first_low, first_high, second_low, second_high;
    uint8_t len;
} forms[] = {
    {0x00, 0x7f, 0, 0, 1},
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static size_t
form_of(uint8_t first)
{
    size_t i = 0;

    while (i < sizeof(forms) / sizeof(*forms) &&
           (first < forms[i].first_low || first > forms[i].first_high))
        i++;
    return i;
}

size_t
utf8_next(const void *text, size_t len, uint32_t *out)
{
    static const uint8_t payload[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const uint8_t *p = text;
    size_t form, need;
    uint32_t rune;

    *out = 0;
    form = len ? form_of(p[0]) : sizeof(forms);
    if (form >= sizeof(forms) / sizeof(*forms) || forms[form].len > len)
        return 0;
    need = forms[form].len;
    if (need > 1 && (p[1] < forms[form].second_low || p[1] > forms[form].second_high))
        return 0;
    rune = p[0] & payload[need];
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        rune = rune << 6 | (p[i] & 0x3f);
    }
    *out = rune;
    return need;
}
