/* Messages about a file, each with file:line:column, collected rather than printed.
 *
 * A loader reports all errors of a file in one go; the shell decides where they are shown. */
#ifndef OG_DIAG_H
#define OG_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum diag_severity {
    DIAG_NOTE,    /* nothing is wrong; what the file grants on purpose (author/lint) */
    DIAG_WARNING, /* the file is used, the author should know */
    DIAG_ERROR,   /* the file is not used */
};

/* A place in a file. `file` lives as long as what it describes. Line and column count from 1;
 * line 0: the file as a whole. */
struct source {
    const char *file;
    unsigned line;
    unsigned column;
};

struct diag {
    enum diag_severity severity;
    char *file; /* owned */
    unsigned line;
    unsigned column;
    char *text;       /* owned; says what was found and what belongs there */
    const char *code; /* static: a name for this kind of message that never changes; or NULL */
};

struct diag_list {
    struct diag *items;
    size_t count;
    size_t errors;   /* how many are DIAG_ERROR */
    size_t left_out; /* how many did not fit */
};

void diag_list_init(struct diag_list *list);
void diag_list_clear(struct diag_list *list);

/* Adds a message. After DIAG_MAX messages further ones are counted, not kept. Bytes from a file
 * belong into the text only through buf_append_escaped. */
#define DIAG_MAX 200
void diag_add(struct diag_list *list, enum diag_severity severity, struct source where,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, with a code. */
void diag_add_coded(struct diag_list *list, enum diag_severity severity, struct source where,
                    const char *code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Appends "file:line:column: error: text" (without the numbers where line is 0). */
void diag_format(struct buf *out, const struct diag *diag);

/* Appends "file:line:column". */
void source_format(struct buf *out, struct source where);

#endif
