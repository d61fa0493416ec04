#include "tests/unit/softhsm.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

extern char **environ;

/* What the sanitizers see inside of SoftHSM is not ours. */

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libsofthsm2";
}

__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *
__tsan_default_suppressions(void)
{
    return "race:libsofthsm2"; /* gmtime() in C_GetTokenInfo */
}

/* A program of the path, quiet; it must end well. */
static void
run(const char *const *arg)
{
    union {
        const char *const *borrowed;
        char *const *args;
    } u = {arg};
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, arg[0], &actions, NULL, u.args, environ) != 0)
        fail_msg("%s: is it installed?", arg[0]);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s %s: status %d", arg[0], arg[1], status);
}

void
softhsm_file(const struct softhsm *h, const char *name, const char *text, unsigned mode,
    char path[96])
{
    FILE *f;

    snprintf(path, 96, "%s/%s", h->dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

void
softhsm_make(struct softhsm *h)
{
    char text[160], path[96];

    snprintf(h->dir, sizeof(h->dir), "/tmp/meshauth-token.XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(path, sizeof(path), "%s/tokens", h->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(
        text, sizeof(text), "directories.tokendir = %s\nlog.level = ERROR\n", path);
    softhsm_file(h, "softhsm2.conf", text, 0600, path);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    softhsm_file(h, "pin", SOFTHSM_PIN "\n", 0600, h->pin_file);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
softhsm_remove(struct softhsm *h)
{
    assert_int_equal(nftw(h->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void
softhsm_token(const struct softhsm *h, const char *label)
{
    const char *const arg[] = {"softhsm2-util", "--init-token", "--free", "--label",
        label, "--so-pin", "12345678", "--pin", SOFTHSM_PIN, NULL};

    (void)h;
    run(arg);
}

void
softhsm_key(const struct softhsm *h, const char *token, const char *label,
    const char *id, const char *kind)
{
    const char *const arg[] = {"pkcs11-tool", "--module", SOFTHSM_MODULE,
        "--token-label", token, "--login", "--pin", SOFTHSM_PIN, "--keypairgen",
        "--key-type", kind, "--label", label, "--id", id, NULL};

    (void)h;
    run(arg);
}

void
softhsm_delete(
    const struct softhsm *h, const char *token, const char *label, const char *type)
{
    const char *const arg[] = {"pkcs11-tool", "--module", SOFTHSM_MODULE,
        "--token-label", token, "--login", "--pin", SOFTHSM_PIN, "--delete-object",
        "--type", type, "--label", label, NULL};

    (void)h;
    run(arg);
}

static void
move(const struct softhsm *h, const char *from, const char *to)
{
    char a[96], b[96];

    snprintf(a, sizeof(a), "%s/%s", h->dir, from);
    snprintf(b, sizeof(b), "%s/%s", h->dir, to);
    assert_int_equal(rename(a, b), 0);
}

void
softhsm_hide(const struct softhsm *h)
{
    move(h, "tokens", "hidden");
}

void
softhsm_show(const struct softhsm *h)
{
    move(h, "hidden", "tokens");
}
