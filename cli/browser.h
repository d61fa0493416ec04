/* The person's own browser, which is no child of ours: it outlives this command. */
#ifndef CLI_BROWSER_H
#define CLI_BROWSER_H

#include <stdbool.h>

enum {
    BROWSER_WORDS = 8
};

/* Does somebody sit in front of this machine's screen, or say which browser to use? */
bool browser_is_there(void);

/*
 * Open this https:// URL with $BROWSER (commands with ':' between, the first that
 * starts; "%s" in one is the URL, else it comes last), or with xdg-open. No shell
 * reads any of it. False when none starts.
 */
bool browser_open(const char *url);

/*
 * A command's words in place, NULL behind the last: cut at blanks, at most
 * BROWSER_WORDS with the URL. False when it is none.
 */
bool browser_words(
    char *command, const char *url, const char *words[BROWSER_WORDS + 1]);

#endif
