/* Messages about a file, collected with their places (design 3.1).
 *
 * The list is bounded: a file that is wrong from its first line to its last says enough in
 * DIAG_MAX messages. What is written for a person never holds a control character, whatever the
 * caller put in. */
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

void diag_list_init(struct diag_list *list)
{
    *list = (struct diag_list){0};
}

void diag_list_clear(struct diag_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].text);
    }
    free(list->items);
    diag_list_init(list);
}

static void hide_control_characters(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

__attribute__((format(printf, 4, 0))) static void add(struct diag_list *list, struct diag diag,
                                                      struct source where, const char *format,
                                                      va_list arguments)
{
    if (diag.severity == DIAG_ERROR)
        list->errors++;
    if (list->count >= DIAG_MAX) {
        list->left_out++;
        return;
    }
    if (vasprintf(&diag.text, format, arguments) < 0)
        abort();
    hide_control_characters(diag.text);
    diag.file = mem_copy_string(span_from_string(where.file ? where.file : ""));
    diag.line = where.line;
    diag.column = where.column;
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = diag;
}

void diag_add(struct diag_list *list, enum diag_severity severity, struct source where,
              const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(list, (struct diag){.severity = severity}, where, format, arguments);
    va_end(arguments);
}

void diag_add_coded(struct diag_list *list, enum diag_severity severity, struct source where,
                    const char *code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(list, (struct diag){.severity = severity, .code = code}, where, format, arguments);
    va_end(arguments);
}

static const char *severity_text(enum diag_severity severity)
{
    switch (severity) {
    case DIAG_NOTE:
        return "note";
    case DIAG_WARNING:
        return "warning";
    case DIAG_ERROR:
        return "error";
    }
    return "error";
}

void diag_format(struct buf *out, const struct diag *diag)
{
    source_format(out, (struct source){diag->file, diag->line, diag->column});
    buf_printf(out, ": %s: ", severity_text(diag->severity));
    buf_append_string(out, diag->text);
}

void source_format(struct buf *out, struct source where)
{
    buf_append_escaped(out, span_from_string(where.file), 0);
    if (where.line == 0)
        return;
    buf_printf(out, ":%u", where.line);
    if (where.column)
        buf_printf(out, ":%u", where.column);
}
