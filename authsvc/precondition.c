#include "authsvc/precondition.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum {
    TAG = 32 /* of a version */
};

static struct text
trim(struct text t)
{
    while (t.len && (t.p[0] == ' ' || t.p[0] == '\t')) {
        t.p++;
        t.len--;
    }
    while (t.len && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
        t.len--;
    return t;
}

/* Our tags hold no comma, so a list may be cut at each. */
static bool
has_tag(const char *list, const char *tag, bool weak)
{
    struct text rest = text_of(list), item;
    bool more;

    do {
        more = text_cut(&rest, ',', &item);
        item = trim(more ? item : rest);
        if (weak && text_starts(item, "W/")) {
            item.p += 2;
            item.len -= 2;
        }
        if (text_is(item, tag))
            return true;
    } while (more);
    return false;
}

static void
tag_of(uint64_t version, char tag[TAG])
{
    snprintf(tag, TAG, "\"%llu\"", (unsigned long long)version);
}

bool
precondition_matches(const char *if_match, uint64_t version)
{
    char tag[TAG];

    tag_of(version, tag);
    return text_is(trim(text_of(if_match)), "*") || has_tag(if_match, tag, false);
}

bool
precondition_none_match(const char *if_none_match, uint64_t version)
{
    char tag[TAG];

    tag_of(version, tag);
    return precondition_none_match_tag(if_none_match, tag);
}

bool
precondition_none_match_tag(const char *if_none_match, const char *tag)
{
    return precondition_is_fresh(if_none_match) || has_tag(if_none_match, tag, true);
}

bool
precondition_is_fresh(const char *if_none_match)
{
    return if_none_match && text_is(trim(text_of(if_none_match)), "*");
}
