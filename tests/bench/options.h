/* The words behind a command of the bench, and its end: alike for all of them. */
#ifndef TESTS_BENCH_OPTIONS_H
#define TESTS_BENCH_OPTIONS_H

#include <stdbool.h>

#include <meshauth/err.h>

/* --NAME, with what belongs behind it: one of three. */
struct bench_option {
    const char *name;
    double *number; /* positive, at most max */
    double max;
    const char **word;
    bool *flag; /* nothing */
};

/* Takes all words as options; the list ends with a name of NULL. False: one is wrong. */
MAUTH_MUST_USE bool bench_options(
    int argc, char **argv, const struct bench_option *options);

/* The exit code of a command that has run; says why it failed. argv[0] is its name. */
int bench_end(char **argv, enum mauth_rc rc, const struct mauth_err *err);

#endif
