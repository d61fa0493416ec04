/* That meshauthd runs under another configuration than before goes on record. */
#ifndef AUTHSVC_CONFIG_RECORD_H
#define AUTHSVC_CONFIG_RECORD_H

#include "config/config.h"
#include "store/kv.h"

/* At a start, before anything is answered. */
MAUTH_MUST_USE enum mauth_rc config_record(
    struct kv *kv, const struct config *c, struct mauth_err *err);

#endif
