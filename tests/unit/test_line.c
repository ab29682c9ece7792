/* Lines: where they end, how long they get, and that cuts do not matter. */
#include <criterion/criterion.h>

#include "line.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define MAX 16

/* Reads everything in pieces of `step` bytes; lines are written to `out`, each as "<line>", and
 * "!" if one is too long. */
static void read_in_steps(struct span text, size_t step, struct buf *out)
{
    struct line_reader reader;
    enum line_result result = LINE_NONE;

    line_reader_init(&reader, MAX);
    for (size_t at = 0; at < text.len && result != LINE_TOO_LONG; at += step) {
        struct span input = span_first(span_from(text, at), step), line;
        while ((result = line_reader_next(&reader, &input, &line)) == LINE_READY) {
            buf_append_char(out, '<');
            buf_append(out, line);
            buf_append_char(out, '>');
        }
    }
    if (result == LINE_TOO_LONG)
        buf_append_char(out, '!');
    line_reader_clear(&reader);
}

struct row {
    const char *text;
    size_t len;
    const char *lines;
    size_t lines_len;
};

#define ROW(text, lines) {text, sizeof(text) - 1, lines, sizeof(lines) - 1}

Test(line, ends_at_lf_only)
{
    static const struct row rows[] = {
        ROW("", ""),
        ROW("no end", ""),
        ROW("\n", "<>"),
        ROW("\n\n\r\n", "<><><\r>"),
        ROW("a\r\nb\nc", "<a\r><b>"),
        ROW("a\rb\r\n", "<a\rb\r>"),
        ROW("a\0b\n", "<a\0b>"),
        ROW("\x80\xff\x0b\x0c\n", "<\x80\xff\x0b\x0c>"),
        ROW("123456789012345\n", "<123456789012345>"),
        ROW("1234567890123456\n", "!"),
        ROW("1234567890123456", "!"),
        ROW("123456789012345", ""),
        ROW("12345678901234\r\nx\n", "<12345678901234\r><x>"),
        ROW("123456789012345\r\nx\n", "!"),
        ROW("ok\n12345678901234567890\nlost\n", "<ok>!"),
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= rows[i].len; step++) {
            struct buf out;
            buf_init(&out, 200);
            read_in_steps(span_make(rows[i].text, rows[i].len), step, &out);
            cr_expect(span_equals(buf_span(&out), span_make(rows[i].lines, rows[i].lines_len)),
                      "row %zu, steps of %zu: got %.*s", i, step, (int)out.len,
                      buf_span(&out).data);
            buf_clear(&out);
        }
}

Test(line, too_long_is_known_without_an_end_and_stays)
{
    struct line_reader reader;
    struct span input = SPAN("1234567890123456"), more = SPAN("\nshort\n"), line;

    line_reader_init(&reader, MAX);
    cr_expect_eq(line_reader_next(&reader, &input, &line), LINE_TOO_LONG);
    cr_expect_eq(line_reader_next(&reader, &more, &line), LINE_TOO_LONG);
    line_reader_clear(&reader);
    cr_expect_eq(line_reader_next(&reader, &more, &line), LINE_READY, "cleared, it starts anew");
    line_reader_clear(&reader);
}

Test(line, a_whole_line_is_not_copied)
{
    struct line_reader reader;
    static const char text[] = "first\nsecond\n";
    struct span input = SPAN(""), line;

    line_reader_init(&reader, MAX);
    input = span_make(text, sizeof text - 1);
    cr_assert_eq(line_reader_next(&reader, &input, &line), LINE_READY);
    cr_expect_eq(line.data, text);
    cr_assert_eq(line_reader_next(&reader, &input, &line), LINE_READY);
    cr_expect_eq(line.data, text + 6);
    cr_expect_null(reader.partial.data, "nothing was allocated");
    cr_expect_eq(input.len, 0);
    line_reader_clear(&reader);
}

Test(line, an_idle_reader_keeps_no_big_storage)
{
    static char text[5000];
    struct line_reader reader;
    struct span line;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\n';
    line_reader_init(&reader, sizeof text);
    for (size_t at = 0; at < sizeof text; at += 1000) {
        struct span input = span_make(text + at, 1000);
        bool is_last = at + 1000 == sizeof text;
        cr_assert_eq(line_reader_next(&reader, &input, &line), is_last ? LINE_READY : LINE_NONE);
        cr_expect_eq(input.len, 0);
    }
    cr_expect_eq(line.len, sizeof text - 1);
    struct span nothing = SPAN("");
    cr_expect_eq(line_reader_next(&reader, &nothing, &line), LINE_NONE);
    cr_expect_null(reader.partial.data);
    line_reader_clear(&reader);
}

Test(line, bytes_behind_the_line_are_left)
{
    struct line_reader reader;
    struct span input = SPAN("ab"), rest = SPAN("c\nde"), line;

    line_reader_init(&reader, MAX);
    cr_expect_eq(line_reader_next(&reader, &input, &line), LINE_NONE);
    cr_expect_eq(line_reader_next(&reader, &rest, &line), LINE_READY);
    cr_expect(span_equals(line, SPAN("abc")));
    cr_expect(span_equals(rest, SPAN("de")));
    line_reader_clear(&reader);
}

Test(line, one_cr_is_removed)
{
    cr_expect(span_equals(line_without_cr(SPAN("a\r")), SPAN("a")));
    cr_expect(span_equals(line_without_cr(SPAN("a\r\r")), SPAN("a\r")));
    cr_expect(span_equals(line_without_cr(SPAN("\r")), SPAN("")));
    cr_expect(span_equals(line_without_cr(SPAN("a\rb")), SPAN("a\rb")));
    cr_expect_eq(line_without_cr(span_make(NULL, 0)).len, 0);
}

Test(line, printable_is_0x20_to_0x7e)
{
    for (int i = 0; i < 256; i++) {
        char text[3] = {'a', (char)i, 'b'};
        cr_expect_eq(line_is_printable(span_make(text, 3)), i >= 0x20 && i <= 0x7e, "byte %d", i);
    }
    cr_expect(line_is_printable(span_make(NULL, 0)));
}
