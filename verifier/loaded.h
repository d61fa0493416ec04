/*
 * What a verifier has loaded: one trust file and one rules file, immutable, counted by
 * its users. Each is taken over when it is good, whatever the other one is: a slip in the
 * rules holds up no revocation.
 */
#ifndef VERIFIER_LOADED_H
#define VERIFIER_LOADED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/hash.h"
#include <meshauth/err.h>
#include <meshauth/rules.h>
#include <meshauth/trust.h>

/* Which file it was, so that a look tells whether it is still the same. */
struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

/* What one file said, counted by those that have it loaded. */
struct loaded_file {
    atomic_uint users;
    struct file_mark mark;
    struct mauth_trust *trust; /* of one of the two */
    struct mauth_rules *rules;
};

struct loaded {
    atomic_uint users;
    struct loaded_file *trust_file, *rules_file;
    const struct mauth_trust *trust; /* theirs */
    const struct mauth_rules *rules;
    uint64_t generation; /* grows with each load */
    uint64_t keys_since; /* since this generation no key has been added */
};

struct loaded_files {
    const char *trust_file;
    const char *rules_file;
    const char *root_vkey;
};

/*
 * Read and check what is not loaded yet. before is what was loaded so far, or NULL: a
 * trust file that may not follow it is refused as in mauth_trust_follows().
 *
 * *out is what is to be used from now on, also when one of the files is refused and the
 * other is new; NULL: before is still all there is.
 */
MAUTH_MUST_USE enum mauth_rc loaded_read(const struct loaded_files *files,
    const struct loaded *before, struct loaded **out, struct mauth_err *err);

/*
 * Was each key of the new file in the old one? A ticket remembers only the id of
 * the key that its signature was checked with. With a key that is new, all are
 * checked once more.
 */
MAUTH_MUST_USE bool loaded_no_key_is_new(
    const struct mauth_trust *old, const struct mauth_trust *new);

/* Are the files, by two calls of stat(), still the ones that it was read from? */
MAUTH_MUST_USE bool loaded_is_current(
    const struct loaded *l, const struct loaded_files *files);

struct loaded *loaded_use(struct loaded *l); /* one user more */
void loaded_release(struct loaded *l);       /* one less; the last frees it */

/*
 * Say in DIR/PID.status what is loaded and when: "epoch N", "sequence N",
 * "hash HEX", "rules HEX", "audience A", "loaded TIME", a line each; and, when
 * trouble is not NULL, "trouble SENTENCE". Replaced by rename, not synced.
 */
MAUTH_MUST_USE enum mauth_rc loaded_report(const struct loaded *l, const char *dir,
    const char *audience, int64_t now_s, const char *trouble, struct mauth_err *err);
/* Remove it. */
void loaded_unreport(const char *dir);

#endif
