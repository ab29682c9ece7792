/* Lines of the daemon's answers: what is one, and what is found in it. */
#include "record.h"

#include <criterion/criterion.h>
#include <string.h>

Test(record, soundness)
{
    static const struct {
        struct span line;
        bool is_sound;
    } rows[] = {
        {SPAN("{}"), true},
        {SPAN("{\"type\":\"end\"}"), true},
        {SPAN("{ \"a\" : 1 , \"b\" : [ 1 , 2 ] }"), true},
        {SPAN("{\"a\":null,\"b\":true,\"c\":false,\"d\":-1,\"e\":1.5}"), true},
        {SPAN("{\"a\":{\"b\":{\"c\":[{\"d\":[]}]}}}"), true},
        {SPAN("{\"a\":[],\"b\":{},\"c\":\"\\u00e9\\n\\\"\"}"), true},
        {SPAN(""), false},
        {SPAN("{"), false},
        {SPAN("[]"), false},
        {SPAN("{\"a\":1"), false},
        {SPAN("{\"a\":1}x"), false},
        {SPAN("{\"a\":1}{}"), false},
        {SPAN("{\"a\":1,}"), false},
        {SPAN("{\"a\"}"), false},
        {SPAN("{\"a\":}"), false},
        {SPAN("{a:1}"), false},
        {SPAN("{\"a\":x}"), false},
        {SPAN("{\"a\":1.}"), false},
        {SPAN("{\"a\":--1}"), false},
        {SPAN("{\"a\":truefalse}"), false},
        {SPAN("{\"a\":\"\\x\"}"), false},
        {SPAN("{\"a\":\"\\u20ac\"}"), false}, /* no byte */
        {SPAN("{\"a\":\"b}"), false},
        {SPAN("{\"a\":[1,2}"), false},
        {SPAN("{\"a\":[1,2,]}"), false},
        {SPAN("{\"a\":[1 2]}"), false},
        {SPAN("{\"a\":[}]}"), false},
        {SPAN("{\"a\":[x]}"), false},
        {SPAN("{\"a\":{\"b\":x}}"), false},
        {SPAN("{\"a\":\"\x1b[31m\"}"), false}, /* what could reach a terminal */
        {SPAN("{\"a\":\"\xc3\xa9\"}"), false},
        {SPAN("{\"a\":\t1}"), false},
        {SPAN("{\"a\":\"x\0y\"}"), false},
        {SPAN("{\"a\":[[[[[[[[[[1]]]]]]]]]]}"), false}, /* deeper than any line is */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(record_is_sound(rows[i].line), rows[i].is_sound, "row %zu: %s", i,
                     rows[i].line.data);
}

/* Nesting costs nothing but its length. */
Test(record, depth)
{
    char line[20000] = "{\"a\":";

    memset(line + 5, '[', 9000);
    memset(line + 9005, ']', 9000);
    strcpy(line + 18005, "}");
    cr_expect_not(record_is_sound(span_from_string(line)));
}

Test(record, members)
{
    const struct span record =
        SPAN("{\"type\":\"session\",\"number\":7,\"none\":null,\"on\":true,\"off\":false,"
             "\"text\":\"a\\u001b[31m\\u00e9\\\\\",\"rule\":{\"line\":3},\"big\":99999999999999999999,"
             "\"minus\":-1,\"number\":8}");
    unsigned long number = 5;
    struct buf out;

    cr_expect(record_equals(record, "type", "session"));
    cr_expect_not(record_equals(record, "type", "sessio"));
    cr_expect_not(record_equals(record, "number", "7"));
    cr_expect_not(record_equals(record, "absent", ""));
    cr_expect(record_number(record, "number", &number));
    cr_expect_eq(number, 7, "the first one counts");
    cr_expect_not(record_number(record, "none", &number));
    cr_expect_eq(number, 0);
    cr_expect_not(record_number(record, "text", &number));
    cr_expect_not(record_number(record, "big", &number));
    cr_expect_not(record_number(record, "minus", &number));
    cr_expect_eq(record_count(record, "absent"), 0);
    cr_expect(record_flag(record, "on"));
    cr_expect_not(record_flag(record, "off"));
    cr_expect_not(record_flag(record, "text"));
    cr_expect(record_has(record, "off"));
    cr_expect_not(record_has(record, "none"));
    cr_expect_not(record_has(record, "absent"));
    cr_expect_eq(record_count(record_value(record, "rule"), "line"), 3);

    buf_init(&out, 1024);
    cr_expect(record_shown(record, "text", &out));
    cr_expect(span_equals(buf_span(&out), SPAN("a\\x1B[31m\\xE9\\\\")), "%.*s", (int)out.len,
              buf_span(&out).data);
    buf_reset(&out);
    cr_expect(record_bytes(record, "text", &out));
    cr_expect(span_equals(buf_span(&out), SPAN("a\x1b[31m\xe9\\")));
    buf_reset(&out);
    cr_expect(record_said(record, "text", &out));
    cr_expect(span_equals(buf_span(&out), SPAN("a\\x1B[31m\\xE9\\")));
    cr_expect_not(record_shown(record, "none", &out));
    cr_expect_not(record_said(record, "none", &out));
    cr_expect_not(record_shown(record, "number", &out));
    buf_clear(&out);
}

Test(record, lists)
{
    static const struct {
        struct span record;
        size_t count;
        const char *last;
    } rows[] = {
        {SPAN("{\"a\":[]}"), 0, NULL},
        {SPAN("{\"a\":[ ]}"), 0, NULL},
        {SPAN("{\"a\":[\"x\"]}"), 1, "\"x\""},
        {SPAN("{\"a\":[\"x, ]\", {\"b\":[1,2]}]}"), 2, "{\"b\":[1,2]}"},
        {SPAN("{\"a\":\"[1]\"}"), 0, NULL},
        {SPAN("{\"a\":null}"), 0, NULL},
        {SPAN("{}"), 0, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_line list = record_items(rows[i].record, "a");
        struct span item = span_make(NULL, 0);
        size_t count = 0;
        while (json_list_next(&list, &item) == JSON_MEMBER)
            count++;
        cr_expect_eq(count, rows[i].count, "row %zu", i);
        if (rows[i].last)
            cr_expect(span_equals(item, span_from_string(rows[i].last)), "row %zu", i);
    }
}
