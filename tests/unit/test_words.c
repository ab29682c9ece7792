/* Words of positional arguments. */
#include <criterion/criterion.h>

#include "buf.h"
#include "words.h"

struct row {
    const char *text;
    const char *words; /* joined by "|" */
    size_t count;
};

Test(words, cut_at_spaces_only)
{
    static const struct row rows[] = {
        {"", "", 0},
        {" ", "", 0},
        {"    ", "", 0},
        {"version", "version", 1},
        {"  version  ", "version", 1},
        {"a b  c ", "a|b|c", 3},
        {"\"a b\" 'c d'", "\"a|b\"|'c|d'", 4},
        {"a,b=c", "a,b=c", 1},
        {"a\tb", "a\tb", 1},
        {"a\xc2\xa0""b", "a\xc2\xa0""b", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span rest = span_from_string(rows[i].text), word;
        struct buf joined;
        buf_init(&joined, 100);
        while (words_next(&rest, &word)) {
            buf_append_string(&joined, joined.len ? "|" : "");
            buf_append(&joined, word);
        }
        cr_expect(span_equals(buf_span(&joined), span_from_string(rows[i].words)),
                  "row %zu: got %.*s", i, (int)joined.len, buf_span(&joined).data);
        cr_expect_eq(rest.len, 0, "row %zu", i);
        cr_expect_eq(words_count(span_from_string(rows[i].text)), rows[i].count, "row %zu", i);
        buf_clear(&joined);
    }
}
