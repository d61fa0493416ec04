#include "policy/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/utf8.h"

enum {
    EXCERPT = 32 /* characters of the place that a message shows */
};

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_byte(char c)
{
    return is_lower(c) || is_digit(c) || c == '_' || c == '-';
}

static bool
is_variable_byte(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
lex_place(struct text source, const char *at, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (const char *p = source.p; p < at; p++) {
        (*column)++;
        if (*p == '\n') {
            (*line)++;
            *column = 1;
        }
    }
}

/* What stands at a place: to the end of the line, cut, without blanks behind it. */
static void
write_excerpt(struct buf *out, struct text source, const char *at)
{
    struct text line = {at, (size_t)(source.p + source.len - at)};
    const char *end = line.len ? memchr(at, '\n', line.len) : NULL;

    if (end)
        line.len = (size_t)(end - at);
    while (line.len && is_blank(line.p[line.len - 1]))
        line.len--;
    buf_str(out, "\"");
    for (size_t i = 0; i < line.len && i < EXCERPT; i++) {
        if (line.p[i] >= 0x20 && line.p[i] <= 0x7e)
            buf_put(out, &line.p[i], 1);
        else
            buf_printf(out, "\\x%02x", (unsigned)(uint8_t)line.p[i]);
    }
    buf_str(out, line.len > EXCERPT ? "...\"" : "\"");
    buf_put(out, "", 1);
}

void
lex_note(struct text source, const char *at, enum mauth_rc rc, struct mauth_err *err,
    const char *format, ...)
{
    char what[sizeof(err->text)], place[4 * EXCERPT + 8];
    unsigned line, column;
    struct buf b;
    va_list ap;

    va_start(ap, format);
    /* The checker forgets va_start when other files came before this one. */
    vsnprintf(what, sizeof(what), format, ap); // NOLINT(clang-analyzer-valist.*)
    va_end(ap);
    lex_place(source, at, &line, &column);
    buf_init_fixed(&b, place, sizeof(place));
    write_excerpt(&b, source, at);
    if (at == source.p + source.len)
        snprintf(place, sizeof(place), "the end");
    mauth_err_note(err, rc, MAUTH_REASON_NONE, MAUTH_WHERE,
        "line %u, column %u, at %s: %s", line, column, place, what);
}

/* The bytes from here on that are of one class, and what they make. */
static struct text
take(struct lexer *lx, bool (*is)(char))
{
    struct text t = {lx->source.p + lx->at, 0};

    while (lx->at < lx->source.len && is(lx->source.p[lx->at])) {
        lx->at++;
        t.len++;
    }
    return t;
}

/* Bidirectional overrides make a reader see other text than we do. */
static bool
is_deceiving(uint32_t rune)
{
    return (rune >= 0x202a && rune <= 0x202e) || (rune >= 0x2066 && rune <= 0x2069) ||
           rune == 0x200e || rune == 0x200f || rune == 0x61c;
}

static enum mauth_rc
skip_comment(struct lexer *lx, struct mauth_err *err)
{
    while (lx->at < lx->source.len && lx->source.p[lx->at] != '\n') {
        const char *at = lx->source.p + lx->at;
        uint32_t rune;
        size_t n = utf8_next(at, lx->source.len - lx->at, &rune);

        if (n == 0)
            return lex_fault(
                lx->source, at, MAUTH_MALFORMED, err, "a comment is UTF-8 text");
        if ((rune < 0x20 && rune != '\t' && rune != '\r') ||
            (rune >= 0x7f && rune < 0xa0) || is_deceiving(rune))
            return lex_fault(lx->source, at, MAUTH_MALFORMED, err,
                "a comment holds no control characters");
        lx->at += n;
    }
    return MAUTH_OK;
}

/* A dot belongs to a name only when the name goes on right behind it. */
static enum mauth_rc
take_name(struct lexer *lx, struct token *t, struct mauth_err *err)
{
    const char *end = lx->source.p + lx->source.len;

    t->kind = TOKEN_NAME;
    t->text = take(lx, is_name_byte);
    while (end - (t->text.p + t->text.len) >= 2 && t->text.p[t->text.len] == '.' &&
           is_name_byte(t->text.p[t->text.len + 1])) {
        lx->at++;
        t->text.len += 1 + take(lx, is_name_byte).len;
    }
    if (t->text.len > STR_NAME_MAX)
        return lex_fault(lx->source, t->at, MAUTH_TOO_LARGE, err,
            "a name has at most %d characters", STR_NAME_MAX);
    return MAUTH_OK;
}

static enum mauth_rc
take_variable(struct lexer *lx, struct token *t, struct mauth_err *err)
{
    t->kind = TOKEN_VARIABLE;
    t->text = take(lx, is_variable_byte);
    if (t->text.len > LEX_VARIABLE_MAX)
        return lex_fault(lx->source, t->at, MAUTH_TOO_LARGE, err,
            "a variable has at most %d characters", LEX_VARIABLE_MAX);
    return MAUTH_OK;
}

static enum mauth_rc
take_any(struct lexer *lx, struct token *t, struct mauth_err *err)
{
    t->kind = TOKEN_ANY;
    t->text = take(lx, is_variable_byte);
    if (t->text.len > 1)
        return lex_fault(lx->source, t->at, MAUTH_MALFORMED, err,
            "a name begins with a lower-case letter, a variable with an upper-case "
            "one");
    return MAUTH_OK;
}

static bool
is_string_byte(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

static enum mauth_rc
take_string(struct lexer *lx, struct token *t, struct mauth_err *err)
{
    const char *end;

    lx->at++;
    t->kind = TOKEN_STRING;
    t->text = take(lx, is_string_byte);
    end = lx->source.p + lx->at;
    if (lx->at == lx->source.len || *end == '\n' || *end == '\r')
        return lex_fault(lx->source, t->at, MAUTH_MALFORMED, err,
            "a string ends with a quote on the same line");
    if (*end != '"')
        return lex_fault(lx->source, end, MAUTH_MALFORMED, err,
            "a string holds printable ASCII without \" and \\");
    if (t->text.len == 0)
        return lex_fault(
            lx->source, t->at, MAUTH_MALFORMED, err, "no value equals an empty string");
    if (t->text.len > LEX_STRING_MAX)
        return lex_fault(lx->source, t->at, MAUTH_TOO_LARGE, err,
            "a string has at most %d characters", LEX_STRING_MAX);
    lx->at++;
    return MAUTH_OK;
}

static const struct {
    const char *spelling;
    enum token_kind kind;
} marks[] = {
    {"(", TOKEN_OPEN},
    {")", TOKEN_CLOSE},
    {",", TOKEN_COMMA},
    {".", TOKEN_STOP},
    {"!=", TOKEN_DIFFERS},
    {"=", TOKEN_EQUALS},
};

/* What people write who come from another language. */
static const struct {
    const char *spelling;
    const char *advice;
} habits[] = {
    {":-", "write \"if\" for :-"},
    {"!", "there is no negation, only !="},
    {"\\", "there is no negation, only !="},
    {"<", "there are no comparisons but !="},
    {">", "there are no comparisons but !="},
    {"%", "a comment begins with #"},
    {"/", "a comment begins with #"},
    {"'", "strings stand in double quotes"},
    {";", "there is no \"or\"; write another rule"},
    {"|", "there is no \"or\"; write another rule"},
};

static enum mauth_rc
take_mark(struct lexer *lx, struct token *t, struct mauth_err *err)
{
    struct text rest = {lx->source.p + lx->at, lx->source.len - lx->at};

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        if (!text_starts(rest, marks[i].spelling))
            continue;
        t->kind = marks[i].kind;
        t->text.len = strlen(marks[i].spelling);
        lx->at += t->text.len;
        return MAUTH_OK;
    }
    for (size_t i = 0; i < sizeof(habits) / sizeof(*habits); i++)
        if (text_starts(rest, habits[i].spelling))
            return lex_fault(
                lx->source, t->at, MAUTH_MALFORMED, err, "%s", habits[i].advice);
    if (is_digit(*t->at))
        return lex_fault(lx->source, t->at, MAUTH_MALFORMED, err,
            "a value that begins with a digit stands in quotes");
    return lex_fault(lx->source, t->at, MAUTH_MALFORMED, err,
        "this character has no meaning outside strings and comments");
}

enum mauth_rc
lex_next(struct lexer *lx, struct token *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    char c;

    for (;;) {
        take(lx, is_blank);
        if (lx->at == lx->source.len || lx->source.p[lx->at] != '#')
            break;
        rc = skip_comment(lx, err);
        if (rc)
            return rc;
    }
    out->at = out->text.p = lx->source.p + lx->at;
    out->text.len = 0;
    out->kind = TOKEN_END;
    if (lx->at == lx->source.len)
        return MAUTH_OK;
    c = *out->at;
    if (is_lower(c))
        return take_name(lx, out, err);
    if (is_upper(c))
        return take_variable(lx, out, err);
    if (c == '_')
        return take_any(lx, out, err);
    if (c == '"')
        return take_string(lx, out, err);
    return take_mark(lx, out, err);
}

bool
lex_is_bare(struct text t)
{
    struct lexer lx = {t, 0};
    struct token token;

    return str_is_name(t) && lex_next(&lx, &token, NULL) == MAUTH_OK &&
           token.kind == TOKEN_NAME && token.text.len == t.len;
}
