#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "store/backup_file.h"
#include "tests/unit/unit.h"

static char dir[64], path[96];

static const struct backup_head head = {.issuer = "https://a.example",
    .made_s = 1795341900,
    .schema = KV_SCHEMA,
    .epoch = 3,
    .sequence = 17,
    .state = 42,
    .tree = {.size = 5, .root = {1, 2, 3}}};

static const struct {
    struct text key, value;
} entries[] = {
    {{"a", 1}, {"", 0}}, {{"b\0c", 3}, {"\0\0\n\n", 4}}, {{"z", 1}, {"x", 1}}};

static int
set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/backup", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
    return 0;
}

static void
write_all(struct buf *file)
{
    struct backup_writer *w = NULL;
    uint8_t hash[HASH_LEN];

    assert_int_equal(backup_writer_open(path, &head, &w, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(entries); i++)
        assert_int_equal(
            backup_writer_put(w, entries[i].key, entries[i].value, NULL), MAUTH_OK);
    assert_int_not_equal(access(path, F_OK), 0); /* not before it is whole */
    assert_int_equal(backup_writer_finish(w, hash, NULL), MAUTH_OK);
    backup_writer_free(w);
    buf_init(file);
    assert_int_equal(file_read(path, 1 << 20, file, NULL), MAUTH_OK);
}

/* MAUTH_OK when all of it is read and found good; then it is what was written. */
static enum mauth_rc
read_all(size_t *count)
{
    struct backup_reader *r = NULL;
    struct text key, value;
    bool more = true, same = true;
    enum mauth_rc rc = backup_reader_open(path, &r, NULL);

    assert_true((rc == MAUTH_OK) == (r != NULL));
    for (*count = 0; rc == MAUTH_OK && more; *count += more) {
        rc = backup_reader_next(r, &key, &value, &more, NULL);
        assert_true(rc == MAUTH_OK || !more);
        if (more && *count < COUNT(entries))
            same &= text_equal(key, entries[*count].key) &&
                    text_equal(value, entries[*count].value);
    }
    backup_reader_free(r);
    assert_true(rc != MAUTH_OK || same);
    return rc;
}

static void
put(const void *data, size_t len)
{
    assert_int_equal(file_replace(path, data, len, FILE_PRIVATE, NULL), MAUTH_OK);
}

static void
reads_what_was_written(void **state)
{
    struct backup_reader *r = NULL;
    struct stat st;
    struct buf file;
    size_t count;

    (void)state;
    write_all(&file);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(backup_reader_open(path, &r, NULL), MAUTH_OK);
    assert_string_equal(backup_reader_head(r)->issuer, head.issuer);
    assert_int_equal(backup_reader_head(r)->made_s, head.made_s);
    assert_int_equal(backup_reader_head(r)->epoch, 3);
    assert_int_equal(backup_reader_head(r)->sequence, 17);
    assert_int_equal(backup_reader_head(r)->state, 42);
    assert_int_equal(backup_reader_head(r)->tree.size, 5);
    assert_memory_equal(backup_reader_head(r)->tree.root, head.tree.root, HASH_LEN);
    backup_reader_free(r);
    assert_int_equal(read_all(&count), MAUTH_OK);
    assert_int_equal(count, COUNT(entries));
    buf_clear(&file);
}

static void
takes_no_name_that_is_there(void **state)
{
    struct backup_writer *w = NULL;
    uint8_t hash[HASH_LEN];
    struct buf file;

    (void)state;
    put("mine", 4);
    assert_int_equal(backup_writer_open(path, &head, &w, NULL), MAUTH_OK);
    assert_int_equal(backup_writer_finish(w, hash, NULL), MAUTH_CONFLICT);
    backup_writer_free(w);
    buf_init(&file);
    assert_int_equal(file_read(path, 16, &file, NULL), MAUTH_OK);
    assert_int_equal(file.len, 4);
    buf_clear(&file);
    /* And one that is given up is nowhere. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(backup_writer_open(path, &head, &w, NULL), MAUTH_OK);
    backup_writer_free(w);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(
        backup_writer_open("/nowhere/at/all", &head, &w, NULL), MAUTH_UNAVAILABLE);
    assert_null(w);
}

/* Not a bit of it may be another, nor a byte missing or too many. */
static void
refuses_each_damage(void **state)
{
    struct buf file;
    size_t count;

    (void)state;
    write_all(&file);
    for (size_t i = 0; i < file.len; i++) {
        file.data[i] ^= 1;
        put(file.data, file.len);
        assert_int_equal(read_all(&count), MAUTH_MALFORMED);
        file.data[i] ^= 1;
        put(file.data, i);
        assert_int_equal(read_all(&count), MAUTH_MALFORMED);
    }
    put(file.data, file.len);
    assert_int_equal(read_all(&count), MAUTH_OK);
    buf_u8(&file, 0);
    put(file.data, file.len);
    assert_int_equal(read_all(&count), MAUTH_MALFORMED);
    buf_clear(&file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_all(&count), MAUTH_NOT_FOUND);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_name_that_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_each_damage, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
