/*
 * What auditors need of a running service, apart from what issues tickets: the index of
 * the audit log and its upkeep, and threads in which questions are answered, one after the
 * other. They give way to whatever else wants the processor.
 */
#ifndef AUTHSVC_AUDITING_H
#define AUTHSVC_AUDITING_H

#include <stdatomic.h>

#include "audit/index.h"
#include "authsvc/parking.h"
#include "base/buf.h"
#include "store/audit_archive.h"

struct auditing;

enum {
    AUDITING_WAIT_MS = 55000 /* of a request for records to come */
};

/* Room for so many requests that wait. What is wrong with the index is logged, and costs
 * time, not answers: questions then look through the log. */
MAUTH_MUST_USE enum mauth_rc auditing_start(struct kv *kv, size_t room,
    const struct audit_keep *keep, struct auditing **out, struct mauth_err *err);
/* Questions end from now on, answered or not: their filters look at it. Before the
 * connections on which they wait are closed. */
void auditing_end(struct auditing *a);
const atomic_bool *auditing_is_ending(const struct auditing *a);

/* No more questions come by then. NULL is fine. */
void auditing_stop(struct auditing *a);

/* The index, or NULL. */
struct audit_index *auditing_index(const struct auditing *a);

/* Requests that wait for the next record: woken within a fifth of a second of it. */
struct parking *auditing_parking(const struct auditing *a);

/*
 * Questions that wait, and are asked again and again: a record of each would be what the
 * next one waits for. So each goes on record once an hour, and is told of here when it is
 * there. what tells questions, and those who ask them, apart; a question is followed from
 * the record behind which it began: what lies before that has not been asked for.
 */
bool auditing_is_followed(
    struct auditing *a, struct text what, uint64_t after, int64_t now_s);
void auditing_follow(
    struct auditing *a, struct text what, uint64_t after, int64_t now_s);

/* What of its upkeep cannot be done, a line for each. */
void auditing_complain(const struct auditing *a, struct buf *lines);

/* Whoever waits for an answer, and what services have handed in: none waits for the
 * others. */
enum auditing_desk {
    AUDITING_ASKED,
    AUDITING_ASKED_OF_ARCHIVE, /* which may take minutes */
    AUDITING_HANDED_IN,
    AUDITING_DESKS
};

/* Runs in the thread of a desk; the question belongs to it until then. */
struct auditing_question {
    void (*run)(struct auditing_question *q);
    struct auditing_question *next; /* auditing's */
};
void auditing_ask(
    struct auditing *a, enum auditing_desk desk, struct auditing_question *q);

#endif
