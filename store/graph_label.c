#include "store/graph_label.h"

#include <stdint.h>

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/* What controls a terminal or a line's direction, or what nobody sees. */
static const struct range unfit[] = {
    {0x0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, /* soft hyphen */
    {0x61c, 0x61c}, {0x115f, 0x1160},        /* Hangul fillers */
    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfe00, 0xfe0e}, /* variation selectors, but for the one that asks for colour */
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, /* tags, more variation selectors */
};

static bool
is_unfit(uint32_t c)
{
    for (size_t i = 0; i < sizeof(unfit) / sizeof(*unfit); i++)
        if (c >= unfit[i].first && c <= unfit[i].last)
            return true;
    return false;
}

bool
graph_text_ok(struct text t)
{
    uint32_t c;
    size_t n;

    for (size_t i = 0; i < t.len; i += n) {
        n = utf8_next(t.p + i, t.len - i, &c);
        if (!n || is_unfit(c))
            return false;
    }
    return true;
}

bool
graph_label_ok(struct text label)
{
    return label.len && label.len <= GRAPH_LABEL_MAX && graph_text_ok(label);
}
