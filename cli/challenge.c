#include "cli/challenge.h"

#include <string.h>
#include <strings.h>

static bool
is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void
skip_blanks(struct text *t)
{
    while (t->len && (*t->p == ' ' || *t->p == '\t'))
        t->p++, t->len--;
}

static struct text
take_token(struct text *t)
{
    struct text out = {t->p, 0};

    while (t->len && is_token_char(*t->p))
        t->p++, t->len--, out.len++;
    return out;
}

static bool
take_char(struct text *t, char c)
{
    skip_blanks(t);
    if (!t->len || *t->p != c)
        return false;
    t->p++, t->len--;
    return true;
}

/* A token or a quoted string (RFC 9110 5.6.4), cut at what out holds: then it is "". */
static bool
take_value(struct text *t, char *out, size_t size)
{
    size_t used = 0;
    bool fits = true;

    skip_blanks(t);
    if (!take_char(t, '"')) {
        struct text token = take_token(t);

        fits = token.len < size;
        memcpy(out, token.p, fits ? token.len : 0);
        out[fits ? token.len : 0] = '\0';
        return token.len > 0;
    }
    while (t->len && *t->p != '"') {
        if (*t->p == '\\' && t->len > 1)
            t->p++, t->len--;
        fits = fits && used + 1 < size && *t->p >= 0x20 && *t->p < 0x7f;
        if (fits)
            out[used++] = *t->p;
        t->p++, t->len--;
    }
    out[fits ? used : 0] = '\0';
    return take_char(t, '"');
}

static bool
is_word(struct text t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.p, word, t.len) == 0;
}

/* Where a parameter of this name goes, if there is none yet; NULL: nowhere. */
static char *
place_for(struct challenge *c, struct text name, size_t *size)
{
    char *at = NULL;

    *size = CHALLENGE_TEXT;
    if (is_word(name, "error")) {
        at = c->error;
        *size = sizeof(c->error);
    } else if (is_word(name, "error_description")) {
        at = c->text;
    } else if (is_word(name, "scope")) {
        at = c->scope;
    } else if (is_word(name, "resource_metadata")) {
        at = c->metadata;
    }
    return at && !*at ? at : NULL;
}

/* name=value; false: it is none, and t is where it was. */
static bool
take_parameter(struct text *t, struct challenge *c, bool ours)
{
    struct text start = *t, name = take_token(t);
    char other[CHALLENGE_TEXT], *at = other;
    size_t size = sizeof(other);

    if (!name.len || !take_char(t, '=')) {
        *t = start;
        return false;
    }
    if (ours) {
        at = place_for(c, name, &size);
        if (!at) {
            at = other;
            size = sizeof(other);
        }
    }
    if (take_value(t, at, size))
        return true;
    *at = '\0';
    *t = start;
    return false;
}

/* challenge = scheme [ 1*SP ( token68 / #auth-param ) ], several joined by commas. */
static void
read_challenges(struct text t, struct challenge *c)
{
    bool ours = false;

    while (t.len) {
        struct text scheme;

        skip_blanks(&t);
        if (take_char(&t, ','))
            continue;
        if (take_parameter(&t, c, ours))
            continue;
        scheme = take_token(&t);
        if (!scheme.len)
            return; /* no challenge, or a token68: none of ours has one */
        ours = is_word(scheme, "Bearer") || is_word(scheme, "DPoP");
        c->bearer = c->bearer || is_word(scheme, "Bearer");
        c->dpop = c->dpop || is_word(scheme, "DPoP");
    }
}

/* RFC 9449 8.1: NQCHAR without what a JSON string would escape. */
static void
read_nonce(struct text t, struct challenge *c)
{
    size_t used = 0;

    skip_blanks(&t);
    while (used < t.len && used + 1 < sizeof(c->nonce) && t.p[used] > 0x20 &&
           t.p[used] < 0x7f && t.p[used] != '"' && t.p[used] != '\\')
        used++;
    if (used != t.len)
        return;
    memcpy(c->nonce, t.p, used);
    c->nonce[used] = '\0';
}

/* "HTTP/1.1 401 ..." */
static int
status_of(struct text line)
{
    const char *blank = memchr(line.p, ' ', line.len);
    int status = 0;

    if (!text_starts(line, "HTTP/") || !blank || line.p + line.len < blank + 4)
        return 0;
    for (int i = 1; i <= 3; i++) {
        if (blank[i] < '0' || blank[i] > '9')
            return 0;
        status = 10 * status + (blank[i] - '0');
    }
    return status;
}

void
challenge_read(struct text headers, struct challenge *out)
{
    struct challenge now = {.status = 0};
    struct text line, name;

    memset(out, 0, sizeof(*out));
    while (text_cut(&headers, '\n', &line)) {
        if (line.len && line.p[line.len - 1] == '\r')
            line.len--;
        if (!line.len) { /* whole; an interim answer is followed by another */
            *out = now;
            memset(&now, 0, sizeof(now));
            continue;
        }
        if (status_of(line)) {
            memset(&now, 0, sizeof(now));
            now.status = status_of(line);
        } else if (text_cut(&line, ':', &name)) {
            if (is_word(name, "WWW-Authenticate"))
                read_challenges(line, &now);
            else if (is_word(name, "DPoP-Nonce"))
                read_nonce(line, &now);
        }
    }
}
