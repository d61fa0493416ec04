#include "tests/fuzz/naive_rules.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "tests/fuzz/fuzz.h"

/* URLs: a regular expression, and what it cannot say. */

static bool
is_utf8(const unsigned char *p, size_t len)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};

    while (len) {
        size_t n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : 4;
        unsigned rune = n == 1 ? *p : *p & (0xffU >> (n + 1));

        if (n > len || (n == 4 && *p >> 3 != 30))
            return false;
        for (size_t i = 1; i < n; i++) {
            if (p[i] >> 6 != 2)
                return false;
            rune = rune << 6 | (p[i] & 63U);
        }
        if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
            return false;
        p += n;
        len -= n;
    }
    return true;
}

/* Each run of %XX is UTF-8, and none stands for what may be literal or is banned. */
static bool
has_good_escapes(const char *url)
{
    unsigned char run[1 << 16];
    size_t n = 0;

    for (const char *p = url;; p++) {
        unsigned byte;

        if (*p == '%' && sscanf(p + 1, "%2X", &byte) == 1) {
            if (byte < 0x20 || strchr("%/\\;-._~!$&'()*+,=:@\x7f", (int)byte) ||
                (byte < 0x80 && isalnum((int)byte)))
                return false;
            run[n++] = (unsigned char)byte;
            p += 2;
            continue;
        }
        if (!is_utf8(run, n))
            return false;
        n = 0;
        if (!*p)
            return true;
    }
}

bool
naive_is_strict_url(struct text url)
{
    static const char form[] =
        "^https://([a-z0-9-]+(\\.[a-z0-9-]+)*|\\[[0-9a-f:.]{2,}\\])"
        "(:[1-9][0-9]{0,4})?(/([A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F][0-9A-F])*)+$";
    static regex_t re;
    static bool ready;
    char *copy = calloc(1, url.len + 2), *path, *port;
    regmatch_t match[5];
    bool good;

    MUST(copy);
    if (url.len)
        memcpy(copy, url.p, url.len);
    if (!ready)
        MUST(regcomp(&re, form, REG_EXTENDED) == 0);
    ready = true;
    good = strlen(copy) == url.len && regexec(&re, copy, 5, match, 0) == 0;
    if (good && match[3].rm_so >= 0) {
        port = copy + match[3].rm_so + 1;
        good = atoi(port) != 443 && atoi(port) <= 65535;
    }
    if (good) {
        path = strchr(copy + strlen("https://"), '/');
        good = has_good_escapes(copy) && !strstr(path, "//");
        copy[url.len] = '/';
        good = good && !strstr(path, "/./") && !strstr(path, "/../");
    }
    free(copy);
    return good;
}

/* Words. */

enum {
    CLAUSES = 1024,
    BODY = 16,
    VARIABLES = 8
};

struct term {
    char kind; /* 'c'onstant, 'v'ariable, '_' */
    struct text text;
};

struct atom {
    bool differs;
    struct text name;
    struct term arg[NAIVE_ARGS];
    size_t args;
};

struct clause {
    char kind; /* 'a'llow, 'g'rant, 'f'act */
    struct atom head;
    struct atom body[BODY];
    size_t count;
};

struct input {
    const char *p, *end;
};

static void
skip(struct input *in)
{
    while (in->p < in->end && (isspace((unsigned char)*in->p) || *in->p == '#')) {
        if (*in->p == '#')
            while (in->p < in->end && *in->p != '\n')
                in->p++;
        else
            in->p++;
    }
}

static bool
accept(struct input *in, const char *mark)
{
    size_t n = strlen(mark);

    skip(in);
    if ((size_t)(in->end - in->p) < n || memcmp(in->p, mark, n) != 0)
        return false;
    in->p += n;
    return true;
}

/* The longest word here that does not end with a dot. */
static struct text
word(struct input *in)
{
    struct text t;

    skip(in);
    t.p = in->p;
    while (
        in->p < in->end &&
        (isalnum((unsigned char)*in->p) || *in->p == '_' || *in->p == '-' ||
            (*in->p == '.' && in->end - in->p > 1 &&
                (isdigit((unsigned char)in->p[1]) || islower((unsigned char)in->p[1]) ||
                    in->p[1] == '_' || in->p[1] == '-'))))
        in->p++;
    t.len = (size_t)(in->p - t.p);
    return t;
}

/* A variable ends where a name goes on: at a dot or a hyphen. */
static struct text
variable(struct input *in)
{
    struct text t = {in->p, 0};

    while (in->p < in->end && (isalnum((unsigned char)*in->p) || *in->p == '_'))
        in->p++;
    t.len = (size_t)(in->p - t.p);
    return t;
}

static struct term
read_term(struct input *in)
{
    struct term t = {'c', {NULL, 0}};

    if (accept(in, "\"")) {
        t.text.p = in->p;
        t.text.len =
            (size_t)((const char *)memchr(in->p, '"', (size_t)(in->end - in->p)) -
                     in->p);
        in->p += t.text.len + 1;
        return t;
    }
    skip(in);
    if (isupper((unsigned char)*in->p))
        t.kind = 'v';
    if (*in->p == '_')
        t.kind = '_';
    t.text = t.kind == 'c' ? word(in) : variable(in);
    return t;
}

static struct atom
read_atom(struct input *in)
{
    struct atom a = {.differs = false};
    struct term first = read_term(in);

    if (accept(in, "!=")) {
        a.differs = true;
        a.arg[0] = first;
        a.arg[1] = read_term(in);
        a.args = 2;
        return a;
    }
    a.name = first.text;
    if (!accept(in, "("))
        return a;
    do
        a.arg[a.args++] = read_term(in);
    while (accept(in, ","));
    MUST(accept(in, ")"));
    return a;
}

static void
read_clause(struct input *in, struct clause *c)
{
    struct input before = *in;
    struct text first = word(in);

    c->kind = text_is(first, "allow") ? 'a' : text_is(first, "grant") ? 'g' : 'f';
    if (c->kind == 'f')
        *in = before;
    c->head = read_atom(in);
    c->count = 0;
    if (accept(in, "if"))
        do
            c->body[c->count++] = read_atom(in);
        while (accept(in, ","));
    MUST(accept(in, "."));
}

/* Meaning. */

struct world {
    const struct naive_question *q;
    struct clause *clause;
    size_t clauses;
};

struct values {
    struct text name[VARIABLES], value[VARIABLES];
    size_t count;
};

static bool
fits(struct values *v, const struct term *t, struct text value)
{
    if (t->kind == '_')
        return true;
    if (t->kind == 'c')
        return text_equal(t->text, value);
    for (size_t i = 0; i < v->count; i++)
        if (text_equal(v->name[i], t->text))
            return text_equal(v->value[i], value);
    v->name[v->count] = t->text;
    v->value[v->count++] = value;
    return true;
}

static struct text
value_of(const struct values *v, const struct term *t)
{
    if (t->kind == 'c')
        return t->text;
    for (size_t i = 0; i < v->count; i++)
        if (text_equal(v->name[i], t->text))
            return v->value[i];
    abort(); /* the compiler takes no such rule */
}

static bool
is_in(struct text name, const char *words)
{
    char spaced[128];

    snprintf(spaced, sizeof(spaced), " %.*s ", (int)name.len, name.p);
    return strstr(words, spaced) != NULL;
}

#define COMPUTED " within folder device user "
#define BOTH     " claimed holder mapped member role service session subject "
#define TICKET   " permit "
#define GRAPH    " account addressed caller invitation inviter key local sharing shown "

/* Does this side know all that the rule speaks of? */
static bool
is_known(const struct clause *c, bool of_graph)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_in(c->body[i].name, of_graph ? TICKET : GRAPH))
            return false;
    return of_graph || c->kind != 'g';
}

static bool solve(
    const struct world *w, const struct clause *c, size_t i, struct values v);

/* Is the atom at i met by these arguments, and all that follows? */
static bool
goes_on(const struct world *w, const struct clause *c, size_t i, struct values v,
    const struct text *arg)
{
    for (size_t k = 0; k < c->body[i].args; k++)
        if (!fits(&v, &c->body[i].arg[k], arg[k]))
            return false;
    return solve(w, c, i + 1, v);
}

static bool
solve_computed(const struct world *w, const struct clause *c, size_t i, struct values v)
{
    const struct atom *a = &c->body[i];
    struct text arg[2] = {value_of(&v, &a->arg[0]), {NULL, 0}};
    char prefix[256];
    size_t n;

    if (!naive_is_strict_url(arg[0]))
        return false;
    if (text_is(a->name, "within")) {
        arg[1] = value_of(&v, &a->arg[1]);
        n = arg[1].len;
        return naive_is_strict_url(arg[1]) && arg[0].len >= n &&
               memcmp(arg[0].p, arg[1].p, n) == 0 &&
               (arg[0].len == n || arg[0].p[n] == '/') && goes_on(w, c, i, v, arg);
    }
    n = (size_t)snprintf(prefix, sizeof(prefix), "%.*s/v1/mesh/%.*ss/",
        (int)w->q->issuer.len, w->q->issuer.p, (int)a->name.len, a->name.p);
    if (!text_starts(arg[0], prefix))
        return false;
    arg[1].p = arg[0].p + n;
    arg[1].len = arg[0].len - n;
    return id_kind_of(arg[1].p, arg[1].len) == (text_is(a->name, "user") ? ID_USER
                                                   : text_is(a->name, "device")
                                                       ? ID_DEVICE
                                                       : ID_FOLDER) &&
           goes_on(w, c, i, v, arg);
}

static bool
solve(const struct world *w, const struct clause *c, size_t i, struct values v)
{
    const struct atom *a = &c->body[i];

    if (i == c->count)
        return true;
    if (a->differs)
        return !text_equal(value_of(&v, &a->arg[0]), value_of(&v, &a->arg[1])) &&
               solve(w, c, i + 1, v);
    if (is_in(a->name, COMPUTED))
        return solve_computed(w, c, i, v);
    for (size_t f = 0; f < w->q->fact_count; f++)
        if (text_equal(w->q->facts[f].name, a->name) &&
            goes_on(w, c, i, v, w->q->facts[f].arg))
            return true;
    for (size_t f = 0; f < w->clauses; f++) {
        struct text arg[NAIVE_ARGS];

        if (w->clause[f].kind != 'f' || !text_equal(w->clause[f].head.name, a->name))
            continue;
        for (size_t k = 0; k < NAIVE_ARGS; k++)
            arg[k] = w->clause[f].head.arg[k].text;
        if (goes_on(w, c, i, v, arg))
            return true;
    }
    return false;
}

static bool
is_true(const struct world *w, const struct clause *c)
{
    const struct naive_atom *asked = &w->q->asked;
    struct values v = {.count = 0};

    if (c->kind != (w->q->is_grant ? 'g' : 'a') || c->head.args != asked->args ||
        !text_equal(c->head.name, asked->name) || !is_known(c, w->q->of_graph))
        return false;
    for (size_t k = 0; k < asked->args; k++)
        if (!fits(&v, &c->head.arg[k], asked->arg[k]))
            return false;
    return solve(w, c, 0, v);
}

bool
naive_decide(struct text rules, const struct naive_question *q)
{
    struct world w = {.q = q, .clause = calloc(CLAUSES, sizeof(struct clause))};
    struct input in = {rules.p, rules.p + rules.len};
    bool yes = false;

    MUST(w.clause);
    for (skip(&in); in.p < in.end; skip(&in)) {
        MUST(w.clauses < CLAUSES);
        read_clause(&in, &w.clause[w.clauses++]);
    }
    for (size_t i = 0; i < w.clauses && !yes; i++)
        yes = is_true(&w, &w.clause[i]);
    free(w.clause);
    return yes;
}
