/*
 * An immutable object that is replaced while others hold it: whoever takes it keeps it
 * until it is dropped, whatever has been set since. Safe from any thread.
 */
#ifndef AUTHSVC_SHARED_H
#define AUTHSVC_SHARED_H

#include <meshauth/err.h>

struct shared;
struct shared_ref;

/* free_object is called for each object when nobody holds it any more. */
MAUTH_MUST_USE enum mauth_rc shared_new(
    void (*free_object)(void *), struct shared **out, struct mauth_err *err);
void shared_free(struct shared *s); /* all references were dropped */

/* To be put in place later, or dropped. The object is the reference's on success. */
MAUTH_MUST_USE enum mauth_rc shared_wrap(
    struct shared *s, void *object, struct shared_ref **out, struct mauth_err *err);
/* Cannot fail; the reference is shared's. */
void shared_put(struct shared *s, struct shared_ref *ref);
/* Both. The object is shared's on success. */
MAUTH_MUST_USE enum mauth_rc shared_set(
    struct shared *s, void *object, struct mauth_err *err);

/* What was set last, to be dropped; NULL: nothing was. */
struct shared_ref *shared_take(struct shared *s);
void *shared_object(const struct shared_ref *ref);
void shared_drop(struct shared_ref *ref); /* NULL is fine */

#endif
