#include <unistd.h>

#include "cli/folder_picture.h"
#include "tests/unit/unit.h"

#define USERS   "https://auth.mesh.example/v1/mesh/users/"
#define DEVICES "https://auth.mesh.example/v1/mesh/devices/"

/* Single quotes stand for double ones; the caller's. */
static json_t *
read_json(const char *text)
{
    char copy[2048];
    json_t *o;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    o = json_loads(copy, JSON_DECODE_ANY, NULL);
    assert_non_null(o);
    return o;
}

/* What is printed for these, without a terminal; the caller frees. */
static char *
draw(const char *folder, const char *members, const char *mappings, const char *devices,
    bool utf8)
{
    json_t *f = read_json(folder), *u = read_json(members), *d = read_json(devices);
    json_t *l = read_json(mappings);
    const struct folder_picture p = {.folder = f,
        .members = u,
        .mappings = l,
        .devices = d,
        .user = "usr_a",
        .key = "0011",
        .utf8 = utf8};
    char *text = calloc(1, 4096);
    int out[2], keep = dup(STDOUT_FILENO);
    bool ok;

    assert_non_null(text);
    assert_int_equal(pipe(out), 0);
    fflush(stdout);
    dup2(out[1], STDOUT_FILENO);
    ok = folder_picture_print(&p);
    fflush(stdout);
    dup2(keep, STDOUT_FILENO);
    close(keep);
    close(out[1]);
    assert_true(ok);
    assert_true(read(out[0], text, 4095) >= 0);
    close(out[0]);
    json_decref(l);
    json_decref(d);
    json_decref(u);
    json_decref(f);
    return text;
}

#define FOLDER "{'name':'Trip','id':'fld_t'}"
#define MEMBERS                             \
    "[{'id':'usr_b','role':'contributor'}," \
    "{'id':'usr_a','role':'owner'},{'id':'usr_c','role':'reader'}]"
#define MAPPINGS                                              \
    "[{'device':'" DEVICES "dev_a','user':'" USERS "usr_a'}," \
    "{'device':'" DEVICES "dev_b','user':'" USERS "usr_b'},"  \
    "{'device':'" DEVICES "dev_c','user':'" USERS "usr_a'},"  \
    "{'device':'" DEVICES "dev_d','user':'" USERS "usr_c'},"  \
    "{'device':'" DEVICES "dev_e','user':'" USERS "usr_c'}]"
#define OWN                                     \
    "[{'id':'dev_a','name':'PC','key':'0011'}," \
    "{'id':'dev_c','name':'La\\u001b[2Jptop','key':'22'}]"

static void
draws_in_ascii(void **state)
{
    char *text = draw(FOLDER, MEMBERS, MAPPINGS, OWN, false);

    (void)state;
    assert_string_equal(text, "Trip  fld_t\n"
                              "|-- usr_a  owner, you\n"
                              "|   |-- PC  this device\n"
                              "|   `-- La\\x1b[2Jptop\n"
                              "|-- usr_b  contributor\n"
                              "|   `-- dev_b\n"
                              "`-- usr_c  reader\n"
                              "    |-- dev_d\n"
                              "    `-- dev_e\n");
    free(text);
}

static void
draws_with_boxes(void **state)
{
    char *text = draw(FOLDER, MEMBERS, MAPPINGS, OWN, true);

    (void)state;
    assert_string_equal(text, u8"Trip  fld_t\n"
                              u8"├── usr_a  owner, you\n"
                              u8"│   ├── PC  this device\n"
                              u8"│   └── La\\x1b[2Jptop\n"
                              u8"├── usr_b  contributor\n"
                              u8"│   └── dev_b\n"
                              u8"└── usr_c  reader\n"
                              u8"    ├── dev_d\n"
                              u8"    └── dev_e\n");
    free(text);
}

static void
draws_what_there_is(void **state)
{
    static const struct {
        const char *folder, *members, *mappings, *devices, *picture;
    } cases[] = {
        {FOLDER, "[]", "[]", "[]", "Trip  fld_t\n"},
        {FOLDER, "[{'id':'usr_a','role':'owner'}]", "[]", OWN,
            "Trip  fld_t\n`-- usr_a  owner, you\n"},
        {"{'name':'a\\u202eb\\n','id':'\\u0007'}", "[]", "[]", "[]",
            "a\\xe2\\x80\\xaeb\\x0a  \\x07\n"},
        /* Of no form at all. */
        {"{}", "{}", "{}", "{}", "  \n"},
        {"[]", "[1,{},{'id':7}]", "[{'user':[]}]", "[null]",
            "  \n|--   \n|   `-- \n|--   \n|   `-- \n`--   \n    `-- \n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = draw(cases[i].folder, cases[i].members, cases[i].mappings,
            cases[i].devices, false);

        assert_string_equal(text, cases[i].picture);
        free(text);
    }
}

static void
knows_the_terminal(void **state)
{
    static const struct {
        const char *all, *ctype, *lang;
        bool utf8;
    } cases[] = {
        {NULL, NULL, NULL, false},
        {NULL, NULL, "C.UTF-8", true},
        {NULL, NULL, "de_DE.utf8@euro", true},
        {NULL, NULL, "de_DE.ISO-8859-1", false},
        {NULL, NULL, "C", false},
        {NULL, "C", "C.UTF-8", false},
        {NULL, "en_US.UTF-8", "C", true},
        {"C", "en_US.UTF-8", "C.UTF-8", false},
        {"", "", "C.UTF-8", true},
        {"C.UTF-8", "C", "C", true},
        {NULL, NULL, "", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const values[] = {cases[i].all, cases[i].ctype, cases[i].lang};
        static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

        for (size_t k = 0; k < COUNT(names); k++)
            assert_int_equal(
                values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]), 0);
        if (folder_picture_is_utf8() != cases[i].utf8)
            fail_msg("case %zu", i);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_in_ascii),
        cmocka_unit_test(draws_with_boxes),
        cmocka_unit_test(draws_what_there_is),
        cmocka_unit_test(knows_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
