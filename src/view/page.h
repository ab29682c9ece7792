/* Lines of text for a person, each with what it is to look like. What shows them, plain text, a
 * terminal or a screen, decides what becomes of that. */
#ifndef OG_PAGE_H
#define OG_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

enum page_tone {
    PAGE_PLAIN,
    PAGE_HEADING,
    PAGE_GOOD,
    PAGE_WARNING,
    PAGE_PROBLEM,
};

struct page_line {
    char *text; /* owned; printable ASCII */
    enum page_tone tone;
};

struct page {
    struct page_line *lines; /* owned */
    size_t count;
};

void page_init(struct page *page);
void page_clear(struct page *page);

/* Adds a line; spaces at its end are left out. What is not printable ASCII is escaped. */
void page_add(struct page *page, enum page_tone tone, struct span text);
void page_printf(struct page *page, enum page_tone tone, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds "NAME  text", the text folded at spaces to `width` columns (0: not at all), and further
 * lines of it below the first one. An empty name continues the one before. */
#define PAGE_NAME_WIDTH 15
void page_add_named(struct page *page, enum page_tone tone, unsigned width, const char *name,
                    struct span text);

/* Appends the lines, with colours for a terminal or without any. */
void page_write(const struct page *page, bool has_colours, struct buf *out);

#endif
