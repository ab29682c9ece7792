/* base/json.c: commas, nesting, and bytes that cannot get out of their string. */
#include <criterion/criterion.h>
#include <string.h>

#include "json.h"

#define OUT_MAX 65536

static void expect_text(struct buf *out, const char *expected, const char *what)
{
    struct span text = buf_span(out);

    cr_expect(span_equals(text, span_from_string(expected)), "%s: got %.*s, expected %s", what,
              (int)text.len, text.data ? text.data : "", expected);
    buf_clear(out);
}

Test(json, strings)
{
    static const struct {
        struct span text;
        const char *expected;
    } rows[] = {
        {SPAN(""), "\"\""},
        {{NULL, 0}, "\"\""},
        {SPAN("plain ~ text"), "\"plain ~ text\""},
        {SPAN("\""), "\"\\\"\""},
        {SPAN("\\"), "\"\\\\\""},
        {SPAN("\\\""), "\"\\\\\\\"\""},
        {SPAN("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {SPAN("\r\n\t"), "\"\\u000d\\u000a\\u0009\""},
        {SPAN("a\0b"), "\"a\\u0000b\""},
        {SPAN("\x1f \x7f\x80\xff"), "\"\\u001f \\u007f\\u0080\\u00ff\""},
        {SPAN("\xc3\xa4"), "\"\\u00c3\\u00a4\""},
        {SPAN("</script>/"), "\"</script>/\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        struct json json;
        buf_init(&out, OUT_MAX);
        json_init(&json, &out);
        json_string(&json, rows[i].text);
        struct span got = buf_span(&out);
        cr_expect(span_equals(got, span_from_string(rows[i].expected)), "row %zu: %.*s", i,
                  (int)got.len, got.data);
        buf_clear(&out);
    }
}

Test(json, every_byte_stays_inside_its_string)
{
    for (unsigned c = 0; c < 256; c++) {
        struct buf out;
        struct json json;
        char byte = (char)c;
        buf_init(&out, OUT_MAX);
        json_init(&json, &out);
        json_string(&json, span_make(&byte, 1));
        struct span got = buf_span(&out);
        bool is_escaped = c < 0x20 || c > 0x7e || c == '"' || c == '\\';
        size_t expected = !is_escaped ? 3 : c == '"' || c == '\\' ? 4 : 8;
        cr_expect_eq(got.len, expected, "byte %u: %.*s", c, (int)got.len, got.data);
        for (size_t i = 0; i < got.len; i++)
            cr_expect(got.data[i] >= ' ' && got.data[i] <= '~', "byte %u", c);
        buf_clear(&out);
    }
}

Test(json, containers)
{
    struct buf out;
    struct json json;

    buf_init(&out, OUT_MAX);
    json_init(&json, &out);
    json_open_object(&json);
    json_close_object(&json);
    expect_text(&out, "{}", "empty object");

    json_init(&json, &out);
    json_open_array(&json);
    json_open_array(&json);
    json_close_array(&json);
    json_open_object(&json);
    json_close_object(&json);
    json_null(&json);
    json_close_array(&json);
    expect_text(&out, "[[],{},null]", "empty containers in an array");

    json_init(&json, &out);
    json_open_object(&json);
    json_member_text(&json, "a", NULL);
    json_member_text(&json, "b", "x\"y");
    json_member_number(&json, "c", 18446744073709551615UL);
    json_member_bool(&json, "d", true);
    json_key(&json, "e");
    json_open_array(&json);
    json_bool(&json, false);
    json_number(&json, 0);
    json_text(&json, "z");
    json_close_array(&json);
    json_member_string(&json, "f\n", SPAN("g"));
    json_key(&json, "h");
    json_open_object(&json);
    json_member_bool(&json, "i", false);
    json_close_object(&json);
    json_close_object(&json);
    expect_text(&out,
                "{\"a\":null,\"b\":\"x\\\"y\",\"c\":18446744073709551615,\"d\":true,"
                "\"e\":[false,0,\"z\"],\"f\\u000a\":\"g\",\"h\":{\"i\":false}}",
                "members");
}

Test(json, a_full_buffer_says_so)
{
    struct buf out;
    struct json json;

    buf_init(&out, 4);
    json_init(&json, &out);
    json_text(&json, "12345");
    cr_expect(out.overflow);
    buf_clear(&out);
}
