/* Records of the audit log as a table for people; machines have them whole. */
#ifndef CLI_AUDIT_ROWS_H
#define CLI_AUDIT_ROWS_H

#include "cli/output.h"

/* With the names of its columns, or without; as table_new(). */
struct table *audit_rows_new(bool heads);

/* Nodes of this issuer's mesh are named without its URL, as "folders/fld_...". */
void audit_rows_add(struct table *t, const json_t *record, const char *issuer);

#endif
