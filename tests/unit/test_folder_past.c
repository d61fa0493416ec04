/* Who was in a folder, as its records tell it. */
#include "base/str.h"
#include "facts/folder_past.h"
#include "tests/unit/unit.h"

enum {
    DEEDS = 8
};

/* Ids by a letter: its 26 characters. */
#define A      "00000000000000000000000000"
#define B      "11111111111111111111111111"
#define C      "22222222222222222222222222"
#define URL    "https://auth.example/v1/mesh/"
#define FLD    "\"" URL "folders/fld_" A "\""
#define OTH    "\"" URL "folders/fld_" B "\""
#define USR(x) "\"" URL "users/usr_" x "\""
#define DEV(x) "\"" URL "devices/dev_" x "\""
#define DEED(action, actor, resources)                                        \
    "{\"action\":\"" action "\",\"actor\":\"" actor                           \
    "\",\"outcome\":\"done\",\"resources\":[" resources "],\"sequence\":%zu," \
    "\"time\":\"2026-11-22T10:00:0%zu.000000Z\"}"

#define MADE   DEED("folder.create", "usr_" A, FLD)
#define JOINED DEED("invitation.accept", "usr_" B, "\"inv_" A "\"," FLD ",\"reader\"")
#define MAPPED                    \
    DEED("mapping.add", "usr_" B, \
        FLD "," DEV(B) ",\"" URL "folders/fld_" A "/mappings/dev_" B "\"")
#define OWN                       \
    DEED("mapping.add", "usr_" A, \
        FLD "," DEV(A) ",\"" URL "folders/fld_" A "/mappings/dev_" A "\"")

/* What is left: "the id's kind and letter, its role, and the record", for each row. */
static const struct telling {
    const char *name;
    const char *deed[DEEDS];
    const char *left;
    bool exists, told;
} tellings[] = {
    {"nothing", {NULL}, "", false, false},
    {"made", {MADE}, "usr0=owner@0 ", true, true},
    {"another folder is made", {DEED("folder.create", "usr_" A, OTH)}, "", false,
        false},
    {"joined", {MADE, JOINED}, "usr0=owner@0 usr1=reader@1 ", true, true},
    {"mapped", {MADE, JOINED, MAPPED}, "usr0=owner@0 usr1=reader@1 dev1=@2 ", true,
        true},
    {"another role",
        {MADE, JOINED,
            DEED("member.role", "usr_" A, FLD "," USR(B) ",\"contributor\"")},
        "usr0=owner@0 usr1=contributor@2 ", true, true},
    {"the same role again",
        {MADE, JOINED, DEED("member.role", "usr_" A, FLD "," USR(B) ",\"reader\"")},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"passed on", {MADE, JOINED, DEED("folder.pass", "usr_" A, FLD "," USR(B))},
        "usr0=contributor@2 usr1=owner@2 ", true, true},
    {"left", {MADE, JOINED, MAPPED, OWN, DEED("member.leave", "usr_" B, FLD)},
        "usr0=owner@0 dev0=@3 ", true, true},
    {"removed", {MADE, JOINED, MAPPED, DEED("member.remove", "usr_" A, FLD "," USR(B))},
        "usr0=owner@0 ", true, true},
    {"removed by an admin",
        {MADE, JOINED, MAPPED,
            DEED("member.remove", "uid:0", "\"fld_" A "\",\"usr_" B "\"")},
        "usr0=owner@0 ", true, true},
    {"removed from another folder",
        {MADE, JOINED, DEED("member.remove", "uid:0", "\"fld_" B "\",\"usr_" B "\"")},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"unmapped",
        {MADE, JOINED, MAPPED, DEED("mapping.remove", "usr_" B, FLD "," DEV(B))},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"unmapped by an admin",
        {MADE, JOINED, MAPPED,
            DEED("mapping.remove", "uid:0", "\"dev_" B "\",\"fld_" A "\"")},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"the device is released",
        {MADE, JOINED, MAPPED, DEED("device.release", "usr_" B, DEV(B))},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"the device is renamed",
        {MADE, JOINED, MAPPED, DEED("device.update", "usr_" B, DEV(B))},
        "usr0=owner@0 usr1=reader@1 dev1=@2 ", true, true},
    {"the device is revoked",
        {MADE, JOINED, MAPPED, DEED("device.revoke", "uid:0", "\"dev_" B "\"")},
        "usr0=owner@0 usr1=reader@1 ", true, true},
    {"another device is revoked",
        {MADE, JOINED, MAPPED, DEED("device.revoke", "uid:0", "\"dev_" C "\"")},
        "usr0=owner@0 usr1=reader@1 dev1=@2 ", true, true},
    {"a member is deleted",
        {MADE, JOINED, MAPPED, DEED("user.delete", "uid:0", "\"usr_" B "\"")},
        "usr0=owner@0 ", true, true},
    {"the owner is deleted",
        {MADE, JOINED, MAPPED, DEED("user.delete", "uid:0", "\"usr_" A "\"")}, "",
        false, true},
    {"deleted", {MADE, JOINED, MAPPED, DEED("folder.delete", "usr_" A, FLD)}, "", false,
        true},
    {"the beginning is gone", {JOINED}, "usr1=reader@0 ", true, false},
    {"only the end is left", {DEED("folder.delete", "usr_" A, FLD)}, "", false, false},
    {"another's end", {DEED("user.delete", "uid:0", "\"usr_" B "\"")}, "", false,
        false},
};

static void
take(struct folder_past *p, const char *deed, size_t sequence)
{
    char record[1024];
    /* The marks of a table's row: its number, twice. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(record, sizeof(record), deed, sequence, sequence);
#pragma GCC diagnostic pop

    assert_in_range(len, 1, sizeof(record) - 1);
    assert_int_equal(
        folder_past_take(p, (struct text){record, (size_t)len}, NULL), MAUTH_OK);
}

static void
begin(struct folder_past *p)
{
    const char *folder = "fld_" A;
    struct id id;

    assert_true(id_parse(ID_FOLDER, folder, ID_LEN, &id));
    folder_past_init(p, &id);
}

static void
tells_who_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tellings); i++) {
        const struct telling *t = &tellings[i];
        char left[256] = "";
        struct folder_past p;

        begin(&p);
        for (size_t k = 0; k < DEEDS && t->deed[k]; k++)
            take(&p, t->deed[k], k);
        for (size_t k = 0; k < p.count; k++)
            snprintf(left + strlen(left), sizeof(left) - strlen(left), "%.3s%c=%s@%d ",
                p.row[k].id, p.row[k].id[4], p.row[k].role, (int)p.row[k].sequence);
        if (strcmp(left, t->left) != 0 || p.exists != t->exists || p.is_told != t->told)
            fail_msg("%s: %s", t->name, left);
        folder_past_clear(&p);
    }
}

static void
says_by_which_record(void **state)
{
    struct folder_past p;

    (void)state;
    begin(&p);
    take(&p, MADE, 0);
    take(&p, JOINED, 1);
    take(&p, MAPPED, 2);
    take(&p, DEED("member.role", "usr_" A, FLD "," USR(B) ",\"contributor\""), 7);
    assert_string_equal(p.row[1].since, "2026-11-22T10:00:07.000000Z");
    assert_string_equal(p.row[1].actor, "usr_" A);
    assert_int_equal(p.row[1].sequence, 7);
    assert_string_equal(p.row[2].user, "usr_" B);
    assert_string_equal(p.row[2].actor, "usr_" B);
    folder_past_clear(&p);
}

static void
reports_a_damaged_record(void **state)
{
    struct folder_past p;

    (void)state;
    begin(&p);
    assert_int_equal(folder_past_take(&p, text_of("{"), NULL), MAUTH_UNAVAILABLE);
    assert_false(p.exists);
    folder_past_clear(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_who_is_there),
        cmocka_unit_test(says_by_which_record),
        cmocka_unit_test(reports_a_damaged_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
