#include "cli/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* Characters that are invisible, or reorder what stands around them. */
static const struct {
    uint32_t first, last;
} deceptive[] = {
    {0x0000, 0x001f},   /* C0 controls */
    {0x007f, 0x009f},   /* DEL, C1 controls */
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* combining grapheme joiner */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x180e, 0x180e},   /* Mongolian vowel separator */
    {0x200b, 0x200f},   /* no width; marks of direction */
    {0x2028, 0x202e},   /* separators; embedding, override */
    {0x2060, 0x206f},   /* joiners, isolates */
    {0xd800, 0xdfff},   /* surrogates */
    {0xfe00, 0xfe0f},   /* variation selectors */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff0, 0xfffb},   /* interlinear annotation */
    {0xe0000, 0xe0fff}, /* tags */
    {0x110000, UINT32_MAX},
};

static bool
is_deceptive(uint32_t c)
{
    for (size_t i = 0; i < sizeof(deceptive) / sizeof(*deceptive); i++)
        if (c >= deceptive[i].first && c <= deceptive[i].last)
            return true;
    return false;
}

/* One character of UTF-8 off the front (RFC 3629); 0 bytes when there is none. */
static size_t
take_character(struct text in, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)in.p[0];
    size_t len = first < 0x80             ? 1
                 : (first & 0xe0) == 0xc0 ? 2
                 : (first & 0xf0) == 0xe0 ? 3
                 : (first & 0xf8) == 0xf0 ? 4
                                          : 0;
    uint32_t c = len == 1 ? first : first & (0xffU >> (len + 1));

    if (!len || len > in.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((uint8_t)in.p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)in.p[i] & 0x3f);
    }
    *out = c;
    return len > 1 && c < least[len] ? 0 : len;
}

void
output_escape(struct buf *out, struct text text)
{
    while (text.len) {
        uint32_t c = 0;
        size_t len = take_character(text, &c), taken = len ? len : 1;

        if (len && !is_deceptive(c))
            buf_put(out, text.p, len);
        else
            for (size_t i = 0; i < taken; i++)
                buf_printf(out, "\\x%02x", (uint8_t)text.p[i]);
        text.p += taken;
        text.len -= taken;
    }
}

void
output_text(FILE *f, const char *text)
{
    struct buf b;

    buf_init(&b);
    output_escape(&b, text_of(text));
    if (buf_ok(&b))
        fwrite(b.data, 1, b.len, f);
    buf_clear(&b);
}

static bool
is_colourful(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && term &&
           strcmp(term, "dumb") != 0;
}

static void
print_styled(enum style style, const char *text)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",
        [STYLE_BOLD] = "\033[1m",
        [STYLE_DIM] = "\033[2m",
        [STYLE_GOOD] = "\033[32m",
        [STYLE_BAD] = "\033[31m",
    };
    bool colour = style != STYLE_PLAIN && *text && is_colourful();

    printf("%s%s%s", colour ? codes[style] : "", text, colour ? "\033[0m" : "");
}

/* Malloc'd, NULL without memory. */
static char *
escaped(const char *raw)
{
    struct buf b;

    buf_init(&b);
    output_escape(&b, text_of(raw));
    return buf_detach(&b, NULL);
}

static char *__attribute__((format(printf, 1, 0)))
format_escaped(const char *format, va_list ap)
{
    char *raw = NULL, *text;

    if (vasprintf(&raw, format, ap) < 0)
        return NULL;
    text = escaped(raw);
    free(raw);
    return text;
}

void
output_line(enum style style, const char *word, const char *format, ...)
{
    char *first = escaped(word), *rest;
    va_list ap;

    va_start(ap, format);
    rest = format_escaped(format, ap);
    va_end(ap);
    print_styled(style, first ? first : "");
    puts(rest ? rest : "");
    free(rest);
    free(first);
}

bool
output_json(json_t *object)
{
    size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    int code = -1;

    if (isatty(STDOUT_FILENO))
        flags |= JSON_ENSURE_ASCII;
    if (object) {
        code = json_dumpf(object, stdout, flags);
        putchar('\n');
    }
    json_decref(object);
    return code == 0;
}

/* Tables. */

struct cell {
    char *text;
    size_t width;
    enum style style;
};

struct table {
    size_t columns;
    size_t count;
    size_t room;
    struct cell *cell;
    bool failed;
};

struct table *
table_new(size_t columns, const char *const *heads)
{
    struct table *t = calloc(1, sizeof(*t));

    if (t)
        t->columns = columns;
    for (size_t i = 0; heads && i < columns; i++)
        table_cell(t, STYLE_DIM, "%s", heads[i]);
    return t;
}

/*
 * Characters that take no column of a terminal, or two (Unicode's East Asian Width: W,
 * F, and emoji). wcwidth() knows them only where the locale does.
 */
static const struct {
    uint32_t first, last;
    size_t columns;
} uneven[] = {
    {0x0300, 0x036f, 0},   /* combining marks */
    {0x1100, 0x115f, 2},   /* Hangul, leading */
    {0x1ab0, 0x1aff, 0},   /* combining marks */
    {0x1dc0, 0x1dff, 0},   /* combining marks */
    {0x20d0, 0x20ff, 0},   /* combining marks */
    {0x2e80, 0x303e, 2},   /* CJK radicals, punctuation */
    {0x3041, 0x4dbf, 2},   /* kana to CJK extension A */
    {0x4e00, 0xa4cf, 2},   /* CJK, Yi */
    {0xa960, 0xa97f, 2},   /* Hangul, leading */
    {0xac00, 0xd7a3, 2},   /* Hangul */
    {0xf900, 0xfaff, 2},   /* CJK compatibility */
    {0xfe20, 0xfe2f, 0},   /* combining marks */
    {0xfe30, 0xfe6f, 2},   /* CJK compatibility */
    {0xff00, 0xff60, 2},   /* full-width */
    {0xffe0, 0xffe6, 2},   /* full-width */
    {0x1f300, 0x1f64f, 2}, /* emoji */
    {0x1f680, 0x1f6ff, 2}, /* emoji */
    {0x1f900, 0x1faff, 2}, /* emoji */
    {0x20000, 0x3fffd, 2}, /* CJK extensions */
};

static size_t
columns_of(uint32_t c)
{
    for (size_t i = 0; i < sizeof(uneven) / sizeof(*uneven); i++)
        if (c >= uneven[i].first && c <= uneven[i].last)
            return uneven[i].columns;
    return 1;
}

/* Columns of a terminal, of text that is escaped. */
static size_t
width_of(const char *text)
{
    struct text rest = text_of(text);
    size_t width = 0;

    while (rest.len) {
        uint32_t c = 0;
        size_t len = take_character(rest, &c), taken = len ? len : 1;

        width += columns_of(c);
        rest.p += taken;
        rest.len -= taken;
    }
    return width;
}

static bool
make_room(struct table *t)
{
    size_t room = t->room ? 2 * t->room : 64;
    struct cell *grown;

    if (t->count < t->room)
        return true;
    grown = realloc(t->cell, room * sizeof(*grown));
    if (!grown)
        return false;
    t->cell = grown;
    t->room = room;
    return true;
}

void
table_cell(struct table *t, enum style style, const char *format, ...)
{
    char *text = NULL;
    va_list ap;

    if (!t || t->failed)
        return;
    va_start(ap, format);
    if (make_room(t))
        text = format_escaped(format, ap);
    va_end(ap);
    if (text)
        t->cell[t->count++] = (struct cell){text, width_of(text), style};
    else
        t->failed = true;
}

static size_t
column_width(const struct table *t, size_t column)
{
    size_t width = 0;

    for (size_t i = column; i < t->count; i += t->columns)
        if (t->cell[i].width > width)
            width = t->cell[i].width;
    return width;
}

/* No blanks at the end of a line. */
static void
print_row(const struct table *t, const struct cell *row, const size_t *widths)
{
    size_t blanks = 2;

    for (size_t i = 0; i < t->columns; i++) {
        if (row[i].width) {
            printf("%*s", (int)blanks, "");
            print_styled(row[i].style, row[i].text);
            blanks = 0;
        }
        blanks += widths[i] - row[i].width + 2;
    }
    putchar('\n');
}

bool
table_end(struct table *t)
{
    size_t *widths = t ? calloc(t->columns, sizeof(*widths)) : NULL;
    bool ok = widths && !t->failed && t->count % t->columns == 0;

    for (size_t i = 0; ok && i < t->columns; i++)
        widths[i] = column_width(t, i);
    for (size_t i = 0; ok && i < t->count; i += t->columns)
        print_row(t, &t->cell[i], widths);
    for (size_t i = 0; t && i < t->count; i++)
        free(t->cell[i].text);
    if (t)
        free(t->cell);
    free(t);
    free(widths);
    return ok;
}
