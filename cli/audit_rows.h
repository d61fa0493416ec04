/* Records of the audit log as a table for people; machines have them whole. */
#ifndef CLI_AUDIT_ROWS_H
#define CLI_AUDIT_ROWS_H

#include "cli/output.h"

/* As table_new(), with the names of its columns. */
struct table *audit_rows_new(void);

/* Nodes of this issuer's mesh are named without its URL, as "folders/fld_...". */
void audit_rows_add(struct table *t, const json_t *record, const char *issuer);

/*
 * One record by itself: nobody knows how wide those will be that follow, so its columns
 * stand where most fit. False as of table_end().
 */
bool audit_rows_print(const json_t *record, const char *issuer);

#endif
