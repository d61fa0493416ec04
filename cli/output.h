/*
 * What people and machines read on standard output. Foreign text passes through
 * output_text() or a table, where nothing in it can steer a terminal. Colours
 * only where a person looks.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/buf.h"

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_GOOD, /* green */
    STYLE_BAD,  /* red */
};

/*
 * Append text with all that could steer a terminal or deceive a reader written
 * as \xNN: control characters, what is not UTF-8, and characters that change
 * the direction of others or have no width.
 */
void output_escape(struct buf *out, struct text text);

/* Print text, escaped. */
void output_text(FILE *f, const char *text);

/* One line on standard output: a word in style, then the rest in none, both escaped. */
void output_line(enum style style, const char *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Compact JSON and a newline; takes the reference. False when it is NULL. */
bool output_json(json_t *object);

/* Columns that line up, with or without heads. Latches the first failure. */
struct table;

/* heads, one for each column, or NULL. NULL without memory, which all below take. */
struct table *table_new(size_t columns, const char *const *heads);
/* The next cell; a row is full after as many as there are columns. */
void table_cell(struct table *t, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Print it, indented by two blanks, and free it. False when there was no memory. */
bool table_end(struct table *t);

#endif
