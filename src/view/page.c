/* Colours are those of ECMA-48 that every terminal has, by their numbers: the terminal's own theme
 * says what they look like. */
#include "page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

#define FOLD_MIN 20 /* columns: a text is not folded to less */

void page_init(struct page *page)
{
    *page = (struct page){.lines = NULL};
}

void page_clear(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->lines[i].text);
    free(page->lines);
    page_init(page);
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

void page_add(struct page *page, enum page_tone tone, struct span text)
{
    struct buf line;

    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    buf_init(&line, text.len * 4 + 1);
    for (size_t i = 0; i < text.len; i++)
        if (is_printable(text.data[i]))
            buf_append_char(&line, text.data[i]);
        else
            buf_printf(&line, "\\x%02X", (unsigned)(unsigned char)text.data[i]);
    page->lines = mem_resize(page->lines, page->count + 1, sizeof *page->lines);
    page->lines[page->count++] =
        (struct page_line){.text = mem_copy_string(buf_span(&line)), .tone = tone};
    buf_clear(&line);
}

void page_printf(struct page *page, enum page_tone tone, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0)
        abort();
    page_add(page, tone, span_make(text, (size_t)len));
    free(text);
}

/* How much of the text goes on a line of `width`: to its last space, or all that fits. */
static size_t fold_length(struct span text, size_t width)
{
    if (text.len <= width)
        return text.len;
    for (size_t len = width; len > 0; len--)
        if (text.data[len] == ' ')
            return len;
    return width;
}

void page_add_named(struct page *page, enum page_tone tone, unsigned width, const char *name,
                    struct span text)
{
    size_t room = text.len;

    if (width > 0)
        room = width > PAGE_NAME_WIDTH + FOLD_MIN ? width - PAGE_NAME_WIDTH : FOLD_MIN;
    do {
        size_t len = fold_length(text, room);
        page_printf(page, tone, "%-*s%.*s", PAGE_NAME_WIDTH, name, (int)len, text.data);
        text = span_from(text, len);
        while (text.len > 0 && text.data[0] == ' ')
            text = span_from(text, 1);
        name = "";
    } while (text.len > 0);
}

static const char *tone_code(enum page_tone tone)
{
    switch (tone) {
    case PAGE_PLAIN:
        return NULL;
    case PAGE_HEADING:
        return "1";
    case PAGE_GOOD:
        return "32";
    case PAGE_WARNING:
        return "33";
    case PAGE_PROBLEM:
        break;
    }
    return "31";
}

void page_write(const struct page *page, bool has_colours, struct buf *out)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct page_line *line = &page->lines[i];
        const char *code = has_colours && line->text[0] ? tone_code(line->tone) : NULL;
        if (code)
            buf_printf(out, "\033[%sm%s\033[0m\n", code, line->text);
        else
            buf_printf(out, "%s\n", line->text);
    }
}
