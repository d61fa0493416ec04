#include <unistd.h>

#include "base/str.h"
#include "cli/ticket_view.h"
#include "tests/unit/golden.h"
#include <meshauth/credential.h>

static char path[64];

static int
make_file(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/meshauth-test.XXXXXX");
    fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int
remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void
put(const char *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void
check_reads_as(const char *xml, size_t len, struct text file)
{
    char got[MAUTH_TICKET_MAX];
    size_t got_len;

    put(file.p, file.len);
    assert_int_equal(ticket_view_read(path, got, &got_len, NULL), MAUTH_OK);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, xml, len);
}

static void
reads_every_golden_file(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++)
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            size_t len, all;
            char name[64], *xml = golden_xml(golden_kinds[k], golden_algs[a], &len);
            char *two;
            struct text rest, line;

            snprintf(name, sizeof(name), "%s.%s", golden_kinds[k], golden_algs[a]);
            two = golden_file(name, ".credential", &all);
            check_reads_as(xml, len, (struct text){xml, len});
            rest = (struct text){two, all};
            while (text_cut(&rest, '\n', &line)) {
                check_reads_as(xml, len, line);
                line.len++; /* with its newline */
                check_reads_as(xml, len, line);
            }
            free(two);
            free(xml);
        }
}

static void
ignores_one_newline(void **state)
{
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);

    (void)state;
    xml = realloc(xml, len + 2);
    assert_non_null(xml);
    memcpy(xml + len, "\n", 2);
    put(xml, len + 1);
    {
        char got[MAUTH_TICKET_MAX];
        size_t got_len;

        assert_int_equal(ticket_view_read(path, got, &got_len, NULL), MAUTH_OK);
        assert_int_equal(got_len, len);
    }
    free(xml);
}

static char *
filled(const char *start, size_t len)
{
    char *text = malloc(len);

    assert_non_null(text);
    memset(text, 'A', len);
    memcpy(text, start, strlen(start));
    return text;
}

static void
refuses_by_size_and_form(void **state)
{
    static const struct {
        const char *name, *start;
        size_t len;
        enum mauth_reason reason;
    } cases[] = {
        {"empty", "", 0, MAUTH_REASON_FORM},
        {"a newline", "\n", 1, MAUTH_REASON_FORM},
        {"XML too long", "<", MAUTH_TICKET_MAX + 1, MAUTH_REASON_SIZE},
        {"XML much too long", "<", 1000000, MAUTH_REASON_SIZE},
        {"credential too long", "", MAUTH_CREDENTIAL_MAX + 1, MAUTH_REASON_SIZE},
        {"credential far too long", "", 1000000, MAUTH_REASON_SIZE},
        {"not base64url", "+/", 100, MAUTH_REASON_FORM},
        {"two tickets", "AA~AA", 8, MAUTH_REASON_FORM},
        {"two lines", "AA\nAA", 8, MAUTH_REASON_FORM},
        {"two newlines", "AA\n\n", 4, MAUTH_REASON_FORM},
        {"a blank before it", " <", 100, MAUTH_REASON_FORM},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *data = filled(cases[i].start, cases[i].len ? cases[i].len : 1);
        struct mauth_err err = MAUTH_ERR_INIT;
        char xml[MAUTH_TICKET_MAX];
        size_t len = 7;

        put(data, cases[i].len);
        if (ticket_view_read(path, xml, &len, &err) == MAUTH_OK || len ||
            err.reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].name, mauth_reason_name(err.reason));
        free(data);
    }
}

static void
tells_a_missing_file_from_a_bad_one(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    char xml[MAUTH_TICKET_MAX];
    size_t len;

    (void)state;
    assert_int_equal(
        ticket_view_read("/nonexistent/ticket", xml, &len, &err), MAUTH_NOT_FOUND);
    assert_int_equal(err.reason, MAUTH_REASON_NONE);
    assert_non_null(strstr(err.text, "/nonexistent/ticket"));
}

static void
says_the_same_in_json(void **state)
{
    struct mauth_ticket *t = NULL;
    const char *kind, *holder;
    size_t len;
    char *xml = golden_xml("identity", "rsa2048", &len);
    json_t *o, *core;

    (void)state;
    assert_int_equal(mauth_ticket_read_untrusted(xml, len, &t, NULL), MAUTH_OK);
    o = ticket_view_json(t);
    core = ticket_view_json_core(t);
    assert_int_equal(
        json_unpack(o, "{s:s, s:s}", "kind", &kind, "holder_key", &holder), 0);
    assert_string_equal(kind, "identity");
    assert_string_equal(holder, "1968aaade31ca08c");
    assert_int_equal(json_object_size(core), 7);
    assert_int_equal(json_array_size(json_object_get(core, "facts")), 4);
    assert_int_equal(json_array_size(json_object_get(core, "permits")), 0);
    json_decref(core);
    json_decref(o);
    mauth_ticket_free(t);
    free(xml);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_golden_file),
        cmocka_unit_test(ignores_one_newline),
        cmocka_unit_test(refuses_by_size_and_form),
        cmocka_unit_test(tells_a_missing_file_from_a_bad_one),
        cmocka_unit_test(says_the_same_in_json),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
