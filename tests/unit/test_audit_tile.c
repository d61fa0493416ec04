#include "authsvc/audit_tile.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* A path behind "tile/". */
static bool
parse(const char *path, struct audit_tile *out)
{
    struct text rest = text_of(path), level, parts[TILE_PARTS + 1];
    size_t n = 0;

    assert_true(text_cut(&rest, '/', &level));
    while (n < TILE_PARTS && text_cut(&rest, '/', &parts[n]))
        n++;
    parts[n++] = rest;
    return audit_tile_parse(level, parts, n, out);
}

static void
reads_names(void **state)
{
    static const struct {
        const char *path;
        unsigned level;
        uint64_t index;
        unsigned width;
    } good[] = {
        {"0/000", 0, 0, 256},
        {"0/067", 0, 67, 256},
        {"7/999.p/255", 7, 999, 255},
        {"0/000.p/1", 0, 0, 1},
        {"1/x001/000", 1, 1000, 256},
        {"5/x001/x234/067", 5, 1234067, 256},
        {"5/x001/x234/067.p/112", 5, 1234067, 112},
        {"0/x999/x999/x999/999.p/9", 0, UINT64_C(999999999999), 9},
    };
    struct audit_tile t;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!parse(good[i].path, &t))
            fail_msg("refused: %s", good[i].path);
        assert_int_equal(t.level, good[i].level);
        assert_int_equal(t.index, good[i].index);
        assert_int_equal(t.width, good[i].width);
    }
}

static void
refuses_others(void **state)
{
    static const char *const bad[] = {"8/000", "00/000", "-1/000", "x/000",
        "entries/000", "0/", "0/0", "0/00", "0/0000", "0/x00", "0/00a", "0/x000",
        "0/x000/001", "0/001/002", "0/x001/x002", "0/001.p", "0/001.p/", "0/001.p/0",
        "0/001.p/256", "0/001.p/01", "0/001.p/1/2", "0/001.q/1", "0/x001.p/1", "0/.p/1",
        "0/x001/x001/x001/x001/001.p/3", "0/ 01", "0/001 "};
    struct audit_tile t;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse(bad[i], &t))
            fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_names),
        cmocka_unit_test(refuses_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
