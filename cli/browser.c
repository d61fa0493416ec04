#include "cli/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

bool
browser_is_there(void)
{
    if (is_set("BROWSER"))
        return true;
    /* A window over ssh would open, but far from where a browser's sessions are. */
    if (is_set("SSH_CONNECTION") || is_set("SSH_TTY"))
        return false;
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

bool
browser_words(char *command, const char *url, const char *words[BROWSER_WORDS + 1])
{
    bool placed = false;
    char *rest = NULL;
    size_t count = 0;

    for (char *word = strtok_r(command, " \t", &rest); word;
         word = strtok_r(NULL, " \t", &rest)) {
        bool is_url = strcmp(word, "%s") == 0;

        if (count == BROWSER_WORDS - 1)
            return false;
        words[count++] = is_url ? url : word;
        placed = placed || is_url;
    }
    if (!count || words[0] == url)
        return false;
    if (!placed)
        words[count++] = url;
    words[count] = NULL;
    return true;
}

/* In the grandchild: nothing of ours is left open but what says that it failed. */
static void
become(const char *const *words, int report)
{
    union { /* POSIX says that they are not changed, and not const */
        const char *const *in;
        char *const *out;
    } argv = {words};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), why;

    setsid(); /* ctrl-C is for us alone */
    for (int fd = 0; fd <= 2 && null >= 0; fd++)
        dup2(null, fd);
    execvp(words[0], argv.out);
    why = errno;
    if (write(report, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(127);
}

/* Forks twice, so that nobody has to wait for the browser's end. */
static bool
start(const char *const *words)
{
    int report[2], why = 0;
    pid_t child;
    ssize_t n;

    if (pipe2(report, O_CLOEXEC) != 0)
        return false;
    child = fork();
    if (child == 0) {
        pid_t grandchild = fork();

        if (grandchild == 0)
            become(words, report[1]);
        _exit(grandchild < 0);
    }
    close(report[1]);
    if (child > 0 && waitpid(child, &why, 0) == child && why == 0)
        n = read(report[0], &why, sizeof(why)); /* its end comes with exec */
    else
        n = -1;
    close(report[0]);
    return n == 0;
}

bool
browser_open(const char *url)
{
    const char *words[BROWSER_WORDS + 1], *given = getenv("BROWSER");
    char *list = strdup(given && *given ? given : "xdg-open"), *rest = NULL;
    bool opened = false;

    if (!list)
        return false;
    for (char *command = strtok_r(list, ":", &rest); command && !opened;
         command = strtok_r(NULL, ":", &rest))
        opened = browser_words(command, url, words) && start(words);
    free(list);
    return opened;
}
