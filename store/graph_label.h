/* Names that people give to things, as they may be shown to other people. */
#ifndef STORE_GRAPH_LABEL_H
#define STORE_GRAPH_LABEL_H

#include <stdbool.h>

#include "base/buf.h"
#include <meshauth/api.h>

enum {
    GRAPH_LABEL_MAX = 128 /* bytes */
};

/*
 * UTF-8 of 1 to GRAPH_LABEL_MAX bytes, without characters that control a terminal or a
 * line's direction, or that nobody sees.
 */
MAUTH_MUST_USE bool graph_label_ok(struct text label);
/* The same of any length. */
MAUTH_MUST_USE bool graph_text_ok(struct text t);

#endif
