/*
 * Rules: who may do what (docs/rules.md). A rules file is compiled once and
 * asked often. Services ask through mauth_verifier; this is the layer below,
 * for whoever has facts of his own to decide over.
 *
 * Compiled rules are immutable: share them between threads freely.
 */
#ifndef MESHAUTH_RULES_H
#define MESHAUTH_RULES_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_rules;

enum {
    MAUTH_RULES_MAX = 65536,      /* bytes of a rules file */
    MAUTH_RULES_HASH_LEN = 32,    /* SHA-256 */
    MAUTH_RULES_ARGS_MAX = 4,     /* arguments of a fact or a question */
    MAUTH_RULES_LITERALS_MAX = 16 /* conditions of a rule */
};

/*
 * Compile a rules file.
 *
 *   text, len  the file, not kept after return
 *   out        on MAUTH_OK, rules that the caller frees; otherwise NULL
 *   err        "line 3, column 7, at "mebmer(U, F)": ..." and what would be right
 *
 * MAUTH_MALFORMED  not rules, or rules that could never do what they seem to
 * MAUTH_TOO_LARGE  the file, or a count in it, passes a bound
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_rules_compile(
    const char *text, size_t len, struct mauth_rules **out, struct mauth_err *err);

MAUTH_API void mauth_rules_free(struct mauth_rules *rules);

/* SHA-256 of the file; belongs to the rules. */
MAUTH_API const uint8_t *mauth_rules_hash(const struct mauth_rules *rules);

/* The `allow` and `grant` rules, numbered from 0 as they stand in the file. */
MAUTH_API size_t mauth_rules_count(const struct mauth_rules *rules);
/* A rule in one line, without comments; belongs to the rules. NULL: no such rule. */
MAUTH_API const char *mauth_rules_text(const struct mauth_rules *rules, size_t rule);
/* The line of the file on which it begins; 0: no such rule. */
MAUTH_API unsigned mauth_rules_line(const struct mauth_rules *rules, size_t rule);

/* relation(arg, ...), all strings of the caller; unused arguments are NULL. */
struct mauth_fact {
    const char *relation;
    const char *arg[MAUTH_RULES_ARGS_MAX];
};

/* May this be done, by what one ticket says? */
struct mauth_question {
    size_t size;                    /* sizeof(struct mauth_question) */
    const char *issuer;             /* whose URLs folder(URL, F) and its like accept */
    const char *action;             /* "read" */
    const char *const *args;        /* what it is done to */
    size_t arg_count;               /* at most MAUTH_RULES_ARGS_MAX */
    const struct mauth_fact *facts; /* what the ticket says */
    size_t fact_count;              /* at most MAUTH_RULES_FACTS_MAX */
};

enum {
    MAUTH_RULES_FACTS_MAX = 256
};

/* Why it may: the rule, and which of the facts made it true. */
struct mauth_proof {
    size_t size; /* sizeof(struct mauth_proof) */
    size_t rule;
    size_t fact_count;
    size_t fact[MAUTH_RULES_LITERALS_MAX]; /* indexes into the question's facts */
};

/*
 * Answer a question by the `allow` rules that a ticket can prove. Facts of
 * relations that rules do not know are passed over. Does not allocate.
 *
 *   proof  filled on MAUTH_OK; may be NULL
 *
 * MAUTH_OK                  yes
 * MAUTH_DENIED (no-rule)    no rule allows it; err names the nearest miss
 * MAUTH_DENIED (bound)      undecided after 4,096 steps, which is a no
 * MAUTH_INVALID             more arguments or facts than there may be, or a fact
 *                           with another number of arguments than its relation has
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_rules_allow(
    const struct mauth_rules *rules, const struct mauth_question *question,
    struct mauth_proof *proof, struct mauth_err *err);

#ifdef __cplusplus
}
#endif

#endif
