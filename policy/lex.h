/*
 * The words of a rules file (docs/rules.md, "Lexis"), and how an error points
 * at its place. Tokens are slices of the source, so each knows where it stands.
 */
#ifndef POLICY_LEX_H
#define POLICY_LEX_H

#include <stdbool.h>

#include "base/str.h"
#include <meshauth/err.h>

enum {
    LEX_STRING_MAX = 1024,
    LEX_VARIABLE_MAX = 64
};

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_VARIABLE,
    TOKEN_ANY,    /* _ */
    TOKEN_STRING, /* text is what stands between the quotes */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_STOP,
    TOKEN_DIFFERS, /* != */
    TOKEN_EQUALS,  /* = : only case tables have it */
};

struct token {
    enum token_kind kind;
    struct text text;
    const char *at; /* where it begins: the text, or the quote before it */
};

struct lexer {
    struct text source;
    size_t at;
};

/* MAUTH_MALFORMED or MAUTH_TOO_LARGE with a sentence as lex_fault writes it. */
MAUTH_MUST_USE enum mauth_rc lex_next(
    struct lexer *lx, struct token *out, struct mauth_err *err);

/* Line and column of a place in source; both from 1, columns in bytes. */
void lex_place(struct text source, const char *at, unsigned *line, unsigned *column);

/*
 * Notes "line 3, column 7, at "mebmer(U, F)": ..." in err and yields rc. at points
 * into source, or to its end. A macro, as mauth_fail() is and for its reason.
 */
#define lex_fault(source, at, rc, err, ...) \
    (lex_note((source), (at), (rc), (err), __VA_ARGS__), (enum mauth_rc)(rc))

void lex_note(struct text source, const char *at, enum mauth_rc rc,
    struct mauth_err *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Can t be written without quotes? */
MAUTH_MUST_USE bool lex_is_bare(struct text t);

#endif
