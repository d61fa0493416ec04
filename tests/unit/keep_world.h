/* A service's folder for its trust file, and what the golden authority may say to it. */
#ifndef TESTS_UNIT_KEEP_WORLD_H
#define TESTS_UNIT_KEEP_WORLD_H

#include "tests/unit/forge.h"
#include "tests/unit/scratch_dir.h"
#include "updater/keep.h"

#define NOW "2026-11-22T10:05:00Z"

struct world {
    struct golden_statement g;
    struct scratch_dir dir;
    char trust[192], witness[192], alarm[192], vkey[NOTE_VKEY_MAX + 1];
    struct keep_options o;
    struct keep *keep;
    struct buf file; /* the last one that was made */
};

static inline void
open_it(struct world *w)
{
    struct mauth_err trouble = MAUTH_ERR_INIT;

    assert_int_equal(keep_open(&w->o, &w->keep, &trouble, NULL), MAUTH_OK);
    assert_int_equal(trouble.rc, MAUTH_OK);
}

static inline void
open_again(struct world *w)
{
    keep_close(w->keep);
    open_it(w);
}

static inline int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    golden_statement_init(&w->g);
    scratch_dir_make(&w->dir);
    buf_init(&w->file);
    snprintf(w->trust, sizeof(w->trust), "%s/trust", w->dir.path);
    snprintf(w->witness, sizeof(w->witness), "%s/trust.witness", w->dir.path);
    snprintf(w->alarm, sizeof(w->alarm), "%s/trust.alarm", w->dir.path);
    note_verifier_format(&w->g.forge.root, w->vkey);
    w->o = (struct keep_options){
        w->trust, w->witness, w->alarm, w->vkey, GOLDEN_ISSUER, NULL, NULL};
    open_it(w);
    *state = w;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct world *w = *state;

    keep_close(w->keep);
    buf_clear(&w->file);
    scratch_dir_remove(&w->dir);
    golden_statement_clear(&w->g);
    free(w);
    return 0;
}

/* The file that says what w->g says now. */
static inline struct text
make(struct world *w)
{
    buf_rewind(&w->file);
    assert_int_equal(golden_write(&w->g, &w->file, NULL), MAUTH_OK);
    return (struct text){(const char *)w->file.data, w->file.len};
}

static inline enum mauth_rc
take_at(struct world *w, struct text file, const char *now, struct keep_news *news)
{
    return keep_take(w->keep, file, golden_time(now), news, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
