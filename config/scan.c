#include "config/scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"

struct scan {
    const char *p, *end;
    unsigned line;
    const char *wrong; /* the first fault, and where it lies */
    unsigned wrong_line;
};

static bool
blame(struct scan *s, unsigned line, const char *wrong)
{
    if (!s->wrong) {
        s->wrong = wrong;
        s->wrong_line = line;
    }
    s->p = s->end;
    return false;
}

static bool
next_is(const struct scan *s, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(s->end - s->p) >= len && memcmp(s->p, word, len) == 0;
}

/* Takes one byte, which must be part of a text file. */
static bool
take(struct scan *s)
{
    unsigned char c = (unsigned char)*s->p;

    if (c == '\n')
        s->line++;
    else if (iscntrl(c) && c != '\t' && c != '\r')
        return blame(s, s->line, "a control byte; the file must be plain text");
    s->p++;
    return true;
}

static void
skip_line(struct scan *s)
{
    while (s->p < s->end && *s->p != '\n' && take(s))
        continue;
}

static void
skip_comment(struct scan *s)
{
    unsigned start = s->line;

    s->p += 2;
    while (s->p < s->end && !next_is(s, "*/") && take(s))
        continue;
    if (s->p == s->end)
        blame(s, start, "this comment never ends; close it with */");
    else
        s->p += 2;
}

static void
skip_string(struct scan *s)
{
    s->p++;
    while (s->p < s->end && *s->p != '"' && *s->p != '\n') {
        if (next_is(s, "\\x00") || next_is(s, "\\X00"))
            blame(s, s->line, "a text cannot hold \\x00");
        else if (take(s) && s->p[-1] == '\\' && s->p < s->end && *s->p != '\n')
            take(s);
    }
    if (s->p == s->end || *s->p == '\n')
        blame(s, s->line, "a text must end on its own line; its closing \" is missing");
    else
        s->p++;
}

static bool
is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '*';
}

static void
skip_name(struct scan *s)
{
    while (s->p < s->end && is_of_name(*s->p))
        s->p++;
}

static void
skip_number(struct scan *s)
{
    const int base = next_is(s, "0x") || next_is(s, "0X") ? 16 : 10;
    int64_t n = 0;

    for (s->p += base == 16 ? 2 : 0; s->p < s->end; s->p++) {
        unsigned char c = (unsigned char)*s->p;

        if (base == 16 ? !isxdigit(c) : !isdigit(c))
            return;
        n = n * base + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
        if (n > CONFIG_NUMBER_MAX) {
            blame(s, s->line, "a number larger than any setting takes");
            return;
        }
    }
}

static void
skip_token(struct scan *s)
{
    unsigned char c = (unsigned char)*s->p;

    if (c == '#' || next_is(s, "//"))
        skip_line(s);
    else if (next_is(s, "/*"))
        skip_comment(s);
    else if (c == '"')
        skip_string(s);
    else if (c == '@')
        blame(s, s->line, "there is no @include here; put all settings into this file");
    else if (isalpha(c))
        skip_name(s);
    else if (isdigit(c))
        skip_number(s);
    else
        take(s);
}

enum mauth_rc
config_scan(const char *file, struct text text, struct mauth_err *err)
{
    struct scan s = {.p = text.p, .end = text.p + text.len, .line = 1};

    while (s.p < s.end)
        skip_token(&s);
    if (s.wrong)
        return mauth_fail(
            err, MAUTH_MALFORMED, "%s:%u: %s", file, s.wrong_line, s.wrong);
    return MAUTH_OK;
}
