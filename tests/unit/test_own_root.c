#include "authsvc/own_root.h"
#include "keys/note_file.h"
#include "tests/unit/forge.h"
#include "tests/unit/scratch_dir.h"

/* The golden root's note, and the root's key in a file. */
struct world {
    struct golden_statement g;
    struct buf delegation;
    struct scratch_dir dir;
};

static void
set_up(struct world *w)
{
    golden_statement_init(&w->g);
    buf_init(&w->delegation);
    assert_int_equal(trust_write_delegation(&w->g.delegation, &w->g.forge.root,
                         w->g.forge.root_seed, &w->delegation, NULL),
        MAUTH_OK);
    scratch_dir_make(&w->dir);
}

static void
tear_down(struct world *w)
{
    scratch_dir_remove(&w->dir);
    buf_clear(&w->delegation);
    golden_statement_clear(&w->g);
}

static enum mauth_rc
read_root(struct world *w, const char *name, char vkey[NOTE_VKEY_MAX + 1])
{
    struct text delegation = {(const char *)w->delegation.data, w->delegation.len};

    strcpy(vkey, "as before");
    return own_root_read(scratch_path(&w->dir, name), delegation, vkey, NULL);
}

static void
tells_who_signed_the_authority(void **state)
{
    char vkey[NOTE_VKEY_MAX + 1], want[NOTE_VKEY_MAX + 1];
    struct world w;

    (void)state;
    set_up(&w);
    assert_int_equal(
        note_file_write(scratch_path(&w.dir, "root"), &w.g.forge.root, NULL), MAUTH_OK);
    assert_int_equal(read_root(&w, "root", vkey), MAUTH_OK);
    note_verifier_format(&w.g.forge.root, want);
    assert_string_equal(vkey, want);
    tear_down(&w);
}

static void
tells_of_no_other(void **state)
{
    char vkey[NOTE_VKEY_MAX + 1];
    struct note_verifier other;
    struct world w;

    (void)state;
    set_up(&w);
    assert_int_equal(read_root(&w, "none", vkey), MAUTH_NOT_FOUND);
    assert_string_equal(vkey, "");
    scratch_write(&w.dir, "root", "root\n", 5);
    assert_int_equal(read_root(&w, "root", vkey), MAUTH_MALFORMED);
    assert_string_equal(vkey, "");
    /* Of the same name, and another key. */
    assert_int_equal(
        note_verifier_make(w.g.forge.root.name, w.g.forge.authority.key, &other, NULL),
        MAUTH_OK);
    assert_int_equal(
        note_file_write(scratch_path(&w.dir, "root"), &other, NULL), MAUTH_OK);
    assert_int_equal(read_root(&w, "root", vkey), MAUTH_UNTRUSTED);
    assert_string_equal(vkey, "");
    tear_down(&w);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_who_signed_the_authority),
        cmocka_unit_test(tells_of_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
