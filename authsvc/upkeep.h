/*
 * What has to be done for the audit log while nobody waits for it: its index is brought up
 * to date, what was asked to be erased is erased, and the oldest records go to the archive.
 * One thread, which gives way to whatever else wants the processor.
 */
#ifndef AUTHSVC_UPKEEP_H
#define AUTHSVC_UPKEEP_H

#include "audit/index.h"
#include "base/buf.h"
#include "store/audit_archive.h"

struct upkeep;

/* index may be NULL. */
MAUTH_MUST_USE enum mauth_rc upkeep_start(struct kv *kv, struct audit_index *index,
    const struct audit_keep *keep, struct upkeep **out, struct mauth_err *err);
void upkeep_stop(struct upkeep *u); /* NULL is fine */

/* What cannot be done, a line for each; nothing when all is well. Thread-safe. */
void upkeep_complain(struct upkeep *u, struct buf *lines);

/* Between these two no records are deleted: a question sees all that there were. */
void upkeep_hold(struct upkeep *u);
void upkeep_release(struct upkeep *u);

/* For threads like it: a tenth of what others get, when all want more than there is. */
void upkeep_give_way(void);

#endif
