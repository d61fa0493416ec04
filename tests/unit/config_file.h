/* A configuration in a folder of its own. */
#ifndef TESTS_CONFIG_FILE_H
#define TESTS_CONFIG_FILE_H

#include <unistd.h>

#include "config/config.h"
#include "tests/unit/unit.h"

#define URL "issuer: { url = \"https://a.example\"; };\n"

struct world {
    char dir[64];
    char path[96];
};

static inline int
set_up(void **state)
{
    static struct world w;

    strcpy(w.dir, "/tmp/meshauth-config-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    snprintf(w.path, sizeof(w.path), "%s/meshauth.conf", w.dir);
    *state = &w;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct world *w = *state;

    unlink(w->path);
    return rmdir(w->dir);
}

static inline void
write_file(const struct world *w, const char *text)
{
    FILE *f = fopen(w->path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static inline void
assert_path(const struct world *w, const char *have, const char *name)
{
    char want[128];

    snprintf(want, sizeof(want), "%s/%s", w->dir, name);
    assert_string_equal(have, want);
}

static inline struct config *
load(const struct world *w, const char *text)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *c = NULL;

    write_file(w, text);
    if (config_load(w->path, &c, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return c;
}

#endif
