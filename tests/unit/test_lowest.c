#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/scratch_dir.h"
#include "updater/lowest.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/* A process that lives until it is killed. */
static pid_t
start_process(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

static void
end_process(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
report(
    const struct scratch_dir *d, pid_t pid, unsigned epoch, unsigned sequence, char end)
{
    char name[32], text[512];
    int len = snprintf(text, sizeof(text),
        "epoch %u\nsequence %u\nhash " HASH "%c\nrules " HASH
        "0\naudience urn:x\nloaded 2026-11-22T10:00:00Z\n",
        epoch, sequence, end);

    snprintf(name, sizeof(name), "%ld.status", (long)pid);
    scratch_write(d, name, text, (size_t)len);
}

static struct lowest
read_all(const struct scratch_dir *d)
{
    struct lowest l;

    assert_int_equal(lowest_read(d->path, &l, NULL), MAUTH_OK);
    return l;
}

static void
tells_of_the_oldest_of_the_living(void **state)
{
    pid_t a = start_process(), b = start_process(), gone = start_process();
    struct scratch_dir d;
    struct lowest l;

    (void)state;
    scratch_dir_make(&d);
    assert_int_equal(read_all(&d).processes, 0);
    report(&d, getpid(), 2, 7, '7');
    report(&d, a, 2, 6, '6');
    report(&d, b, 3, 1, 'b');
    report(&d, gone, 1, 1, '1');
    end_process(gone);
    l = read_all(&d);
    assert_int_equal(l.processes, 3);
    assert_int_equal(l.epoch, 2);
    assert_int_equal(l.sequence, 6);
    assert_string_equal(l.hash, HASH "6");
    end_process(a);
    l = read_all(&d);
    assert_int_equal(l.processes, 2);
    assert_int_equal(l.sequence, 7);
    end_process(b);
    assert_int_equal(read_all(&d).processes, 1);
    scratch_dir_remove(&d);
}

/* Its number belongs to somebody else now: what it wrote is older than that process. */
static void
knows_a_number_that_was_given_again(void **state)
{
    static const struct timespec long_ago[2] = {{1000000000, 0}, {1000000000, 0}};
    struct scratch_dir d;
    char name[32];

    (void)state;
    scratch_dir_make(&d);
    report(&d, getpid(), 1, 1, '1');
    assert_int_equal(read_all(&d).processes, 1);
    snprintf(name, sizeof(name), "%ld.status", (long)getpid());
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(&d, name), long_ago, 0), 0);
    assert_int_equal(read_all(&d).processes, 0);
    scratch_dir_remove(&d);
}

static void
passes_over_what_is_none(void **state)
{
    static const char *const texts[] = {"", "epoch 1\n", "epoch 1\nsequence 2\n",
        "epoch 1\nsequence 2\nhash " HASH "\n", "epoch 1\nsequence 2\nhash " HASH "X\n",
        "epoch 01\nsequence 2\nhash " HASH "0\n",
        "epoch -1\nsequence 2\nhash " HASH "0\n",
        "sequence 2\nepoch 1\nhash " HASH "0\n", "epoch 1\nsequence 2\nhash " HASH "0"};
    static const char *const names[] = {"x.status", "0.status", "-1.status",
        "1.status.new", "status", ".status", "99999999999999999999.status"};
    static const char good[] = "epoch 1\nsequence 2\nhash " HASH "0\n";
    struct scratch_dir d;
    char name[32];

    (void)state;
    scratch_dir_make(&d);
    snprintf(name, sizeof(name), "%ld.status", (long)getpid());
    for (size_t i = 0; i < COUNT(texts); i++) {
        scratch_write(&d, name, texts[i], strlen(texts[i]));
        if (read_all(&d).processes)
            fail_msg("counted: %s", texts[i]);
    }
    unlink(scratch_path(&d, name));
    for (size_t i = 0; i < COUNT(names); i++)
        scratch_write(&d, names[i], good, strlen(good));
    assert_int_equal(read_all(&d).processes, 0);
    scratch_write(&d, name, good, strlen(good));
    assert_int_equal(read_all(&d).processes, 1);
    scratch_dir_remove(&d);
}

static void
says_that_there_is_no_folder(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct lowest l = {.processes = 3};

    (void)state;
    assert_int_equal(lowest_read("/none/such", &l, &err), MAUTH_NOT_FOUND);
    assert_int_equal(l.processes, 0);
    assert_int_equal(lowest_read("/dev/null", &l, NULL), MAUTH_UNAVAILABLE);
}

/* By a process that may not read everything, as nobody's may not. */
static int
look_as_nobody(const char *dir)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct lowest l;

    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    if (lowest_read(dir, &l, &err) != MAUTH_UNAVAILABLE || l.processes)
        return 2;
    return strstr(err.text, ".status: Permission denied") ? 0 : 3;
}

/* Else a service whose reports are hidden would hold up no key. */
static void
says_what_it_may_not_read(void **state)
{
    struct scratch_dir d;
    char name[32];
    int status;
    pid_t pid;

    (void)state;
    scratch_dir_make(&d);
    report(&d, getpid(), 2, 7, '7');
    snprintf(name, sizeof(name), "%ld.status", (long)getpid());
    assert_int_equal(chmod(scratch_path(&d, name), 0), 0);
    assert_int_equal(chmod(d.path, 0755), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(look_as_nobody(d.path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    scratch_dir_remove(&d);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_the_oldest_of_the_living),
        cmocka_unit_test(knows_a_number_that_was_given_again),
        cmocka_unit_test(passes_over_what_is_none),
        cmocka_unit_test(says_that_there_is_no_folder),
        cmocka_unit_test(says_what_it_may_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
