#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "audit/archive.h"
#include "base/fail.h"
#include "base/str.h"
#include "tests/unit/scratch_dir.h"
#include "tests/unit/unit.h"

#define USER   "usr_0000000000000000000001"
#define TICKET "_0123456789abcdef"

static const uint8_t digest[HASH_LEN] = {7, 8, 9};

/* The record of this number, as it lies in the log. */
static void
make(uint64_t sequence, struct buf *json, uint8_t salt[AUDIT_SALT])
{
    const struct audit_record r = {.time_us = 1700000000000000 + (int64_t)sequence,
        .action = "ticket.issue",
        .actor = USER,
        .outcome = "allow",
        .note = "says ,\"digest\":\"AAAA\" of himself",
        .ticket = TICKET,
        .digest = digest};
    struct audit_entry *e = NULL;

    memset(salt, (int)sequence + 1, AUDIT_SALT);
    assert_int_equal(audit_entry_salted(&r, salt, &e, NULL), MAUTH_OK);
    audit_entry_write(e, sequence, json);
    audit_entry_free(e);
}

static void
add(struct archive_writer *w, uint64_t sequence, bool erase)
{
    uint8_t salt[AUDIT_SALT], room[HASH_LEN];
    struct archive_record r = {.sequence = sequence, .salt = salt};
    struct buf json;

    buf_init(&json);
    make(sequence, &json, salt);
    r.json = buf_slice(&json);
    if (erase) {
        assert_int_equal(audit_leaf(salt, r.json, r.leaf, NULL), MAUTH_OK);
        assert_true(archive_erase(&r, room));
    }
    assert_int_equal(archive_writer_add(w, &r, NULL), MAUTH_OK);
    buf_clear(&json);
}

static struct archive_head
write_segment(const char *dir, uint64_t first, uint64_t count, uint64_t erased)
{
    struct archive_writer *w = NULL;
    struct archive_head head;

    assert_int_equal(archive_writer_new(dir, first, &w, NULL), MAUTH_OK);
    for (uint64_t i = first; i < first + count; i++)
        add(w, i, i == erased);
    assert_false(archive_writer_is_full(w));
    assert_int_equal(archive_writer_end(w, &head, NULL), MAUTH_OK);
    assert_int_equal(archive_writer_name(w, &head, NULL), MAUTH_OK);
    archive_writer_free(w);
    return head;
}

struct seen {
    uint64_t next, erased, stop;
};

static bool
see(const struct archive_record *r, void *arg)
{
    struct seen *s = arg;
    uint8_t salt[AUDIT_SALT], leaf[HASH_LEN];
    struct buf json;

    assert_int_equal(r->sequence, s->next++);
    buf_init(&json);
    make(r->sequence, &json, salt);
    assert_int_equal(audit_leaf(salt, buf_slice(&json), leaf, NULL), MAUTH_OK);
    assert_memory_equal(leaf, r->leaf, HASH_LEN);
    assert_int_equal(r->time_us, 1700000000000000 + (int64_t)r->sequence);
    assert_int_equal(r->erased, r->sequence == s->erased);
    if (r->erased) {
        assert_null(r->salt);
        assert_true(text_is(r->ticket, TICKET));
        assert_int_equal(r->digest.len, HASH_LEN);
        assert_memory_equal(r->digest.p, digest, HASH_LEN);
    } else {
        assert_memory_equal(r->salt, salt, AUDIT_SALT);
        assert_true(text_equal(r->json, buf_slice(&json)));
    }
    buf_clear(&json);
    return s->next != s->stop;
}

static void
is_read_as_it_was_written(void **state)
{
    struct seen seen = {.next = 40, .erased = 42};
    struct archive_head head, found;
    char name[ARCHIVE_NAME_MAX];
    struct scratch_dir d;

    (void)state;
    scratch_dir_make(&d);
    head = write_segment(scratch_path(&d, "archive"), 40, 1000, 42);
    archive_name(&head, name);
    assert_true(archive_name_parse(name, &found));
    assert_int_equal(found.first, 40);
    assert_int_equal(found.count, 1000);
    assert_int_equal(chdir(scratch_path(&d, "archive")), 0);
    assert_int_equal(archive_read(name, NULL, see, &seen, &found, NULL), MAUTH_OK);
    assert_int_equal(seen.next, 1040);
    assert_memory_equal(&found, &head, sizeof(head));
    /* Erasing another one changes neither root nor name. */
    head = write_segment(".", 40, 1000, 44);
    assert_memory_equal(found.root, head.root, HASH_LEN);
    assert_memory_not_equal(found.sha256, head.sha256, HASH_LEN);
    seen = (struct seen){.next = 40, .erased = 44, .stop = 50};
    assert_int_equal(archive_read(name, NULL, see, &seen, NULL, NULL), MAUTH_OK);
    assert_int_equal(seen.next, 50);
    assert_int_equal(chdir("/"), 0);
    scratch_dir_remove(&d);
}

static bool
count(const struct archive_record *r, void *arg)
{
    (void)r;
    ++*(size_t *)arg;
    return true;
}

#define A     "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define FIRST "{\"segment\":\"meshauth audit\",\"version\":1,\"first\":7}\n"
#define RECORD       \
    "{\"salt\":\"" A \
    "\",\"record\":{\"sequence\":7,\"time\":\"2026-11-22T10:00:00.000000Z\"}}\n"
#define ERASED \
    "{\"erased\":true,\"leaf\":\"" A "\",\"time\":\"2026-11-22T10:00:00.000000Z\""
#define LAST "{\"count\":1,\"root\":\"" A "\"}\n"

static const struct {
    const char *name, *lines;
    enum mauth_rc rc;
} segments[] = {
    /* The root of a tree of one leaf is the leaf. */
    {"good", FIRST ERASED "}\n" LAST, MAUTH_OK},
    {"good with all", FIRST ERASED ",\"ticket\":\"_x\",\"digest\":\"" A "\"}\n" LAST,
        MAUTH_OK},
    {"empty", "", MAUTH_MALFORMED},
    {"no records", FIRST "{\"count\":0,\"root\":\"" A "\"}\n", MAUTH_MALFORMED},
    {"no first line", ERASED "}\n" LAST, MAUTH_MALFORMED},
    {"no last line", FIRST ERASED "}\n", MAUTH_MALFORMED},
    {"no last newline", FIRST ERASED "}\n{\"count\":1,\"root\":\"" A "\"}",
        MAUTH_MALFORMED},
    {"more behind it", FIRST ERASED "}\n" LAST ERASED "}\n", MAUTH_MALFORMED},
    {"two last lines", FIRST ERASED "}\n" LAST LAST, MAUTH_MALFORMED},
    {"another count", FIRST ERASED "}\n{\"count\":2,\"root\":\"" A "\"}\n",
        MAUTH_MALFORMED},
    {"another root", FIRST RECORD LAST, MAUTH_MALFORMED},
    {"another version",
        "{\"segment\":\"meshauth audit\",\"version\":2,\"first\":7}\n" ERASED
        "}\n" LAST,
        MAUTH_MALFORMED},
    {"another order", FIRST ERASED ",\"digest\":\"" A "\",\"ticket\":\"_x\"}\n" LAST,
        MAUTH_MALFORMED},
    {"another number",
        FIRST "{\"salt\":\"" A "\",\"record\":{\"sequence\":8,\"time\":\"2026-11-22T10:"
              "00:00.000000Z\"}}\n" LAST,
        MAUTH_MALFORMED},
    {"a ticket that is none", FIRST ERASED ",\"ticket\":\"_\\u0000\"}\n" LAST,
        MAUTH_MALFORMED},
    {"an empty ticket", FIRST ERASED ",\"ticket\":\"\"}\n" LAST, MAUTH_MALFORMED},
    {"a short leaf",
        FIRST "{\"erased\":true,\"leaf\":\"AQE=\",\"time\":\"2026-11-22T10:00:00."
              "000000Z\"}\n" LAST,
        MAUTH_MALFORMED},
    {"no time", FIRST "{\"erased\":true,\"leaf\":\"" A "\",\"time\":\"2026\"}\n" LAST,
        MAUTH_MALFORMED},
    {"spaces", FIRST ERASED " }\n" LAST, MAUTH_MALFORMED},
    {"an empty line", FIRST "\n" ERASED "}\n" LAST, MAUTH_MALFORMED},
};

static void
put(const char *path, const char *data, size_t len)
{
    gzFile f = gzopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)len), (int)len);
    assert_int_equal(gzclose(f), Z_OK);
}

static void
takes_nothing_else(void **state)
{
    struct scratch_dir d;

    (void)state;
    scratch_dir_make(&d);
    for (size_t i = 0; i < COUNT(segments); i++) {
        const char *path = scratch_path(&d, "x.gz");
        struct mauth_err err = MAUTH_ERR_INIT;
        struct archive_head head;
        size_t records = 0;
        enum mauth_rc rc;

        put(path, segments[i].lines, strlen(segments[i].lines));
        rc = archive_read(path, NULL, count, &records, &head, &err);
        if (rc != segments[i].rc)
            fail_msg("%s: %d, %s", segments[i].name, rc, err.text);
        assert_int_equal(head.count, rc == MAUTH_OK ? 1 : 0);
    }
    scratch_dir_remove(&d);
}

/* No byte of a file may change, no part of it be missing, nothing stand behind it. */
static void
takes_no_damaged_file(void **state)
{
    char name[ARCHIVE_NAME_MAX];
    struct archive_head head, found;
    struct scratch_dir d;
    size_t len = 0, records = 0, idle = 0;
    char *data;

    (void)state;
    scratch_dir_make(&d);
    head = write_segment(d.path, 0, 20, 3);
    archive_name(&head, name);
    data = scratch_read(&d, name, &len);
    assert_non_null(data);
    for (size_t i = 10; i < len; i++) { /* the first ten have the time, the system */
        data[i] ^= 1;
        scratch_write(&d, "x", data, len);
        data[i] ^= 1;
        /* DEFLATE has some bits that say nothing. */
        if (archive_read(scratch_path(&d, "x"), NULL, count, &records, &found, NULL) ==
            MAUTH_OK) {
            assert_memory_equal(found.root, head.root, HASH_LEN);
            assert_memory_not_equal(found.sha256, head.sha256, HASH_LEN);
            idle++;
        }
        assert_true(idle < 4);
        scratch_write(&d, "x", data, i);
        assert_int_equal(
            archive_read(scratch_path(&d, "x"), NULL, count, &records, NULL, NULL),
            MAUTH_MALFORMED);
    }
    data = realloc(data, len + 1);
    assert_non_null(data);
    data[len] = 0;
    scratch_write(&d, "x", data, len + 1);
    assert_int_equal(
        archive_read(scratch_path(&d, "x"), NULL, count, &records, NULL, NULL),
        MAUTH_MALFORMED);
    /* Nor one that goes by the name of another. */
    scratch_write(
        &d, "audit-000000000000-000000000019-0000000000000000.jsonl.gz", data, len);
    assert_int_equal(
        archive_read(scratch_path(&d,
                         "audit-000000000000-000000000019-0000000000000000.jsonl.gz"),
            NULL, count, &records, NULL, NULL),
        MAUTH_MALFORMED);
    free(data);
    scratch_dir_remove(&d);
}

/* A line without end, and more of them than any segment has: given up in bounded room. */
static void
is_not_blown_up(void **state)
{
    const char *path;
    struct scratch_dir d;
    size_t records = 0;
    static char zeros[1 << 20];
    gzFile f;

    (void)state;
    scratch_dir_make(&d);
    path = scratch_path(&d, "bomb");
    f = gzopen(path, "wb");
    assert_non_null(f);
    gzputs(f, FIRST);
    memset(zeros, ' ', sizeof(zeros));
    for (int i = 0; i < 64; i++)
        assert_int_equal(gzwrite(f, zeros, sizeof(zeros)), sizeof(zeros));
    assert_int_equal(gzclose(f), Z_OK);
    assert_int_equal(
        archive_read(path, NULL, count, &records, NULL, NULL), MAUTH_MALFORMED);
    assert_int_equal(records, 0);
    scratch_dir_remove(&d);
}

/* Only the file that was written will do, whatever another says; nor a pipe, or a link. */
static void
knows_its_file(void **state)
{
    char name[ARCHIVE_NAME_MAX];
    struct archive_known known = {.count = 1};
    struct archive_head head, again;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct scratch_dir d, other;
    size_t records = 0, len = 0;
    char *data;

    (void)state;
    scratch_dir_make(&d);
    scratch_dir_make(&other);
    head = write_segment(d.path, 0, 20, 3);
    again = write_segment(other.path, 0, 20, 4); /* one more that says it was erased */
    archive_name(&head, name);
    memcpy(known.sha256[0], head.sha256, HASH_LEN);
    assert_int_equal(
        archive_read(scratch_path(&d, name), &known, count, &records, NULL, NULL),
        MAUTH_OK);
    data = scratch_read(&other, name, &len);
    assert_non_null(data);
    scratch_write(&d, name, data, len);
    records = 0;
    assert_int_equal(
        archive_read(scratch_path(&d, name), &known, count, &records, NULL, &err),
        MAUTH_MALFORMED);
    assert_non_null(strstr(err.text, name));
    assert_int_equal(records, 0);
    known.count = 2;
    memcpy(known.sha256[1], again.sha256, HASH_LEN);
    assert_int_equal(
        archive_read(scratch_path(&d, name), &known, count, &records, NULL, NULL),
        MAUTH_OK);
    unlink(scratch_path(&d, name));
    assert_int_equal(mkfifo(scratch_path(&d, name), 0600), 0);
    assert_int_equal(
        archive_read(scratch_path(&d, name), NULL, count, &records, NULL, NULL),
        MAUTH_MALFORMED);
    unlink(scratch_path(&d, name));
    assert_int_equal(symlink(other.path, scratch_path(&d, name)), 0);
    assert_int_equal(
        archive_read(scratch_path(&d, name), NULL, count, &records, NULL, NULL),
        MAUTH_UNAVAILABLE);
    free(data);
    scratch_dir_remove(&d);
    scratch_dir_remove(&other);
}

/* What has not come to its end leaves nothing. */
static void
tidies_up(void **state)
{
    struct archive_writer *w = NULL;
    struct archive_head head;
    struct scratch_dir d;
    char name[ARCHIVE_NAME_MAX];

    (void)state;
    scratch_dir_make(&d);
    assert_int_equal(archive_writer_new(d.path, 0, &w, NULL), MAUTH_OK);
    add(w, 0, false);
    assert_int_equal(archive_writer_end(w, &head, NULL), MAUTH_OK);
    archive_writer_free(w);
    archive_name(&head, name);
    assert_false(scratch_has(&d, name));
    head = write_segment(d.path, 0, 5, 9);
    archive_name(&head, name);
    scratch_write(&d, "audit-segment.1.1.new", "", 0);
    archive_tidy(d.path);
    assert_false(scratch_has(&d, "audit-segment.1.1.new"));
    assert_true(scratch_has(&d, name));
    scratch_dir_remove(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written),
        cmocka_unit_test(takes_nothing_else),
        cmocka_unit_test(takes_no_damaged_file),
        cmocka_unit_test(is_not_blown_up),
        cmocka_unit_test(knows_its_file),
        cmocka_unit_test(tidies_up),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
