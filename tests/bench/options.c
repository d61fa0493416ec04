#include "tests/bench/options.h"

#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

static const struct bench_option *
find(const struct bench_option *options, const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return NULL;
    for (const struct bench_option *o = options; o->name; o++)
        if (strcmp(o->name, word + 2) == 0)
            return o;
    return NULL;
}

bool
bench_options(int argc, char **argv, const struct bench_option *options)
{
    for (int i = 1; i < argc; i++) {
        const struct bench_option *o = find(options, argv[i]);

        if (!o)
            return false;
        if (o->flag) {
            *o->flag = true;
            continue;
        }
        if (++i == argc)
            return false;
        if (o->word)
            *o->word = argv[i];
        else if (!bench_number(argv[i], o->max, o->number))
            return false;
    }
    return true;
}

int
bench_end(char **argv, enum mauth_rc rc, const struct mauth_err *err)
{
    if (rc == MAUTH_OK)
        return BENCH_DONE;
    fprintf(stderr, "meshauth-bench %s: %s (%s)\n", argv[0], err->text, err->where);
    return BENCH_FAILED;
}
