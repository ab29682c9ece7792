/* Quoted strings, with the escapes that tor 0.4.9 takes. */
#include <criterion/criterion.h>

#include "quoted.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

struct row {
    const char *text;
    size_t length;       /* of the string at the front; 0 if there is none */
    const char *meaning; /* if the text is exactly one string */
};

Test(quoted, strings)
{
    static const struct row rows[] = {
        {"\"\"", 2, ""},
        {"\"abc\"", 5, "abc"},
        {"\"a b='c'\"", 9, "a b='c'"},
        {"\"abc\"x", 5, NULL},
        {"\"\"\"", 2, NULL},
        {"\"a\"b\"", 3, NULL},
        {"", 0, NULL},
        {"\"", 0, NULL},
        {"\"abc", 0, NULL},
        {"abc\"", 0, NULL},
        {" \"abc\"", 0, NULL},
        {"'abc'", 0, NULL},
        {"\"\\\"", 0, NULL},
        {"\"\\\\\"", 4, "\\"},
        {"\"\\\\\\\"", 0, NULL},
        {"\"\\\"\\'\\\\\"", 8, "\"'\\"},
        {"\"\\n\\r\\t\"", 8, "\n\r\t"},
        {"\"\\x41\\X4a\\x4A\"", 14, "AJJ"},
        {"\"\\xff\"", 6, "\xff"},
        {"\"\\x4\"", 0, NULL},
        {"\"\\x\"", 0, NULL},
        {"\"\\xg1\"", 0, NULL},
        {"\"\\x00\"", 0, NULL},
        {"\"\\x411\"", 7, "A1"},
        {"\"\\7\"", 4, "\x07"},
        {"\"\\7z\"", 5, "\x07z"},
        {"\"\\78\"", 5, "\x07" "8"},
        {"\"\\101\"", 6, "A"},
        {"\"\\1011\"", 7, "A1"},
        {"\"\\377\"", 6, "\xff"},
        {"\"\\400\"", 0, NULL},
        {"\"\\777\"", 0, NULL},
        {"\"\\0\"", 0, NULL},
        {"\"\\00\"", 0, NULL},
        {"\"\\000\"", 0, NULL},
        {"\"\\001\"", 6, "\x01"},
        {"\"\\8\"", 0, NULL},
        {"\"\\a\"", 0, NULL},
        {"\"\\N\"", 0, NULL},
        {"\"\\", 0, NULL},
        {"\"\\1", 0, NULL},
        {"\"\\x4", 0, NULL},
        {"\"a\nb\"", 0, NULL},
        {"\"\xc3\xa4\t\"", 5, "\xc3\xa4\t"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span text = span_from_string(rows[i].text);
        struct buf out;
        buf_init(&out, 100);
        buf_append_char(&out, '>');
        cr_expect_eq(quoted_length(text), rows[i].length, "row %zu: %s", i, rows[i].text);
        bool decoded = quoted_decode(text, &out);
        cr_expect_eq(decoded, rows[i].meaning != NULL, "row %zu: %s", i, rows[i].text);
        struct span meaning = span_from_string(rows[i].meaning);
        cr_expect(span_equals(span_from(buf_span(&out), 1), meaning), "row %zu: %s", i,
                  rows[i].text);
        buf_clear(&out);
    }
}

Test(quoted, a_nul_ends_nothing)
{
    struct buf out;

    buf_init(&out, 100);
    cr_expect_eq(quoted_length(SPAN("\"a\0b\"")), 0);
    cr_expect_not(quoted_encode(SPAN("a\0b"), &out));
    cr_expect_eq(out.len, 0);
    buf_clear(&out);
}

Test(quoted, encoding)
{
    struct buf out;

    buf_init(&out, 100);
    cr_assert(quoted_encode(SPAN("a \"b\" \\ \n\x7f\xff\x01'"), &out));
    cr_expect(span_equals(buf_span(&out), SPAN("\"a \\\"b\\\" \\\\ \\012\\177\\377\\001'\"")),
              "got %.*s", (int)out.len, out.data);
    buf_clear(&out);
}

Test(quoted, every_byte_but_nul_comes_back)
{
    char bytes[600];
    struct buf text, back;

    /* Each byte also in front of a digit, where a short octal escape would swallow it. */
    for (int i = 0; i < 255; i++) {
        bytes[2 * i] = (char)(i + 1);
        bytes[2 * i + 1] = (char)('0' + i % 10);
    }
    buf_init(&text, 4000);
    buf_init(&back, 4000);
    cr_assert(quoted_encode(span_make(bytes, 510), &text));
    cr_assert(quoted_decode(buf_span(&text), &back));
    cr_expect(span_equals(buf_span(&back), span_make(bytes, 510)));
    buf_clear(&text);
    buf_clear(&back);
}

Test(quoted, a_full_buffer_is_left_as_it_was)
{
    for (size_t max = 1; max < 6; max++) {
        struct buf out;
        buf_init(&out, max);
        buf_append_char(&out, '>');
        cr_expect_not(quoted_encode(SPAN("abc\\"), &out), "maximum %zu", max);
        cr_expect(span_equals(buf_span(&out), SPAN(">")), "maximum %zu", max);
        if (max < 5)
            cr_expect_not(quoted_decode(SPAN("\"abcd\""), &out), "maximum %zu", max);
        buf_truncate(&out, 1);
        cr_expect(span_equals(buf_span(&out), SPAN(">")), "maximum %zu", max);
        buf_clear(&out);
    }
}
