/* Paths come from tor, from profiles and from the file system, and a command in which they stand is
 * there to be run by root. POSIX.1 2.2.2: within single quotes every character is itself, and only
 * the single quote cannot be. */
#include "shell_word.h"

#include <string.h>

#include "ascii.h"
#include "buf.h"
#include "mem.h"

#define QUOTE "'\\''"

static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!ascii_is_alpha(*c) && !ascii_is_digit(*c) && !strchr("/._-+:@%,", *c))
            return false;
    /* Behind a command a word that begins so would be an option. */
    return text[0] && text[0] != '-';
}

char *shell_word(const char *text)
{
    struct buf word;

    if (is_plain(text))
        return mem_copy_string(span_from_string(text));
    buf_init(&word, strlen(text) * strlen(QUOTE) + 4);
    buf_append_string(&word, text[0] == '-' ? "./" : "");
    buf_append_char(&word, '\'');
    for (const char *c = text; *c; c++)
        if (*c == '\'')
            buf_append_string(&word, QUOTE);
        else
            buf_append_char(&word, *c);
    buf_append_char(&word, '\'');
    char *copy = mem_copy_string(buf_span(&word));
    buf_clear(&word);
    return copy;
}
