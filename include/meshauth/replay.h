/*
 * A memory of one-time names, such as the `jti` of DPoP proofs (RFC 9449 11.1):
 * each is taken once until its time is over. Bounded in size by the memory that
 * the caller gives it and in time by the names' own ends; when it is full a name
 * is refused, never forgotten early.
 *
 * The memory may be shared between processes (mmap with MAP_SHARED, a server's
 * shared zone): one makes it, the others attach to it. It holds no pointers. A
 * process that dies while it holds the lock does no harm.
 */
#ifndef MESHAUTH_REPLAY_H
#define MESHAUTH_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_replay;

enum {
    MAUTH_REPLAY_NAMES_MIN = 64,
    MAUTH_REPLAY_NAMES_MAX = 1 << 24
};

/* Bytes of memory for so many live names (within the bounds above; else 0). */
MAUTH_API size_t mauth_replay_bytes(size_t names);

/*
 * Make one in memory of the caller's, which must be aligned to 64 bytes and stay
 * until the last user has ended. There is nothing to free.
 *
 * MAUTH_INVALID  too small, too large, not aligned
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_replay_init(
    void *memory, size_t bytes, struct mauth_replay **out, struct mauth_err *err);

/* Use the one that another process made in this memory. MAUTH_INVALID: none is there. */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_replay_attach(
    void *memory, size_t bytes, struct mauth_replay **out, struct mauth_err *err);

/*
 * Take a name until until_s. Safe from any thread and process.
 *
 * MAUTH_OK           it is taken now
 * MAUTH_CONFLICT     it was taken before, and its time is not over
 * MAUTH_EXPIRED      until_s is not after now_s
 * MAUTH_UNAVAILABLE  no room: refuse, and let the caller try again
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_replay_take(struct mauth_replay *r,
    const void *name, size_t len, int64_t now_s, int64_t until_s,
    struct mauth_err *err);

#ifdef __cplusplus
}
#endif

#endif
