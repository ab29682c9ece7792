/* Events through response patterns: what is delivered, and that nothing of a withheld one is. */
#include "event_filter.h"
#include "rules_fixture.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    struct span event;
    struct rule_text rules;
    const char *delivered;
} rows[] = {
    /* one line */
    {SPAN("650 BW 1 2\r\n"), {{{"650 BW (\\d+) \\d+", "650 BW {} 0"}}, false, {NULL}},
     "650 BW 1 0\r\n"},
    {SPAN("650 BW 1 2\r\n"), {{{"650 X", "650 Y"}}, false, {NULL}}, "650 BW 1 2\r\n"},
    {SPAN("650 BW 1 2\r\n"), {{{"650 X", "650 Y"}}, true, {NULL}}, ""},
    {SPAN("650 BW 1 2\r\n"), {{{NULL, NULL}}, true, {NULL}}, ""},
    {SPAN("650 BW 1 2\r\n"), {{{"650 BW.*", ""}}, false, {NULL}}, ""},
    {SPAN("650 BW 1 2\r\n"), {{{"650 (BW).*", "{}"}}, false, {NULL}}, ""},
    {SPAN("650 BW 1 2\r\n"), {{{"650 BW.*", "650-BW"}}, false, {NULL}}, ""},
    {SPAN("650 BW 1 2\r\n"), {{{"650 BW.*", "250 BW"}}, false, {NULL}}, ""},
    /* control characters */
    {SPAN("650 INFO a\rb\r\n"), {{{"650 INFO.*", "650 INFO"}}, false, {NULL}}, ""},
    {SPAN("650 INFO a\rb\r\n"), {{{"X", "650 Y"}}, false, {NULL}}, ""},
    {SPAN("650-C\r\n650-A\tb\r\n650 OK\r\n"), {{{"(650.*)", "{}"}}, false, {NULL}}, ""},
    /* further lines must match */
    {SPAN("650-C\r\n650-A=b\r\n650 OK\r\n"), {{{"650-A=.*", "650-A=x"}}, false, {NULL}},
     "650-C\r\n650-A=x\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650-A=b\r\n650-D=e\r\n650 OK\r\n"), {{{"650-A=.*", "650-A=x"}}, false, {NULL}},
     ""},
    {SPAN("650-C\r\n650-A=b\r\n650 OK\r\n"), {{{"650-C", "650-C"}}, false, {NULL}}, ""},
    {SPAN("650-C\r\n650 D\r\n"), {{{"650-C", "650-C"}}, false, {NULL}}, ""},
    {SPAN("650-C\r\n650-OK\r\n650 OK\r\n"), {{{"650-C", "650-C"}}, false, {NULL}}, ""},
    {SPAN("650-C\r\n650 OK \r\n"), {{{"650-C", "650-C"}}, false, {NULL}}, ""},
    {SPAN("650-C\r\n650 OK\r\n"), {{{"650-C", "650-C"}}, true, {NULL}}, "650-C\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650-A=b\r\n650 OK\r\n"), {{{"650-A=b", "650 A=b"}}, false, {NULL}}, ""},
    /* removal of further lines */
    {SPAN("650-C\r\n650-A=b\r\n650-D=e\r\n650 OK\r\n"),
     {{{"650-A=.*", ""}, {"(650-D.*)", "{}"}}, false, {NULL}}, "650-C\r\n650-D=e\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650 D\r\n"), {{{"650 D", ""}}, false, {NULL}}, "650-C\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650 OK\r\n"), {{{"650 OK", ""}}, false, {NULL}}, "650-C\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650 OK\r\n"), {{{".*", ""}}, false, {NULL}}, ""},
    /* data blocks */
    {SPAN("650+NS\r\nr a\r\ns b\r\n.\r\n650 OK\r\n"), {{{"(r .*)", "{}"}}, false, {NULL}}, ""},
    {SPAN("650+NS\r\nr a\r\ns b\r\n.\r\n650 OK\r\n"),
     {{{"(r .*)", "{}"}, {"s .*", "s"}}, false, {NULL}}, "650+NS\r\nr a\r\ns\r\n.\r\n650 OK\r\n"},
    {SPAN("650+NS\r\nr a\r\ns b\r\n.\r\n650 OK\r\n"),
     {{{"(r .*)", "{}"}, {"s .*", ""}}, false, {NULL}}, "650+NS\r\nr a\r\n.\r\n650 OK\r\n"},
    {SPAN("650+NS\r\n.\r\n650 OK\r\n"), {{{"X", "Y"}}, false, {NULL}},
     "650+NS\r\n.\r\n650 OK\r\n"},
    {SPAN("650+NS\r\nOK\r\n.\r\n650 OK\r\n"), {{{"X", "Y"}}, false, {NULL}}, ""},
    {SPAN("650+NS\r\n650 OK\r\n.\r\n650 OK\r\n"), {{{"X", "Y"}}, false, {NULL}}, ""},
    {SPAN("650+NS\r\nr a\r\n.\r\n650 OK\r\n"), {{{"650\\+NS", ""}, {"r.*", "r"}}, false, {NULL}},
     ""},
    {SPAN("650+NS\r\na\rb\r\n.\r\n650 OK\r\n"), {{{"a.b", "ab"}}, false, {NULL}},
     "650+NS\r\nab\r\n.\r\n650 OK\r\n"},
    {SPAN("650+NS\r\nr a\r\n.\r\n650 OK\r\n"), {{{"r a", "."}}, false, {NULL}}, ""},
    /* a block behind another line, taken out whole */
    {SPAN("650-C\r\n650+A\r\nsecret\r\n.\r\n650 OK\r\n"),
     {{{"650\\+A", ""}}, false, {NULL}}, "650-C\r\n650 OK\r\n"},
    {SPAN("650-C\r\n650+A\r\nx\r\n.\r\n650+B\r\ny\r\n.\r\n650 OK\r\n"),
     {{{"650\\+A", ""}, {"650\\+B", "650+B"}, {"y", "z"}}, false, {NULL}},
     "650-C\r\n650+B\r\nz\r\n.\r\n650 OK\r\n"},
    /* no patterns at all: nothing to hold against it */
    {SPAN("650-C\r\n650-A\r\n650 OK\r\n"), {{{NULL, NULL}}, false, {NULL}},
     "650-C\r\n650-A\r\n650 OK\r\n"},
    /* limits */
    {SPAN("650-C\r\n650-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n650 OK\r\n"),
     {{{"650-C", "650-C"}, {"650-" FIXTURE_RUNAWAY, "650-x"}, {"650-.*", "650-y"}}, false, {NULL}},
     ""},
};

/* Feeds the bytes of one event; how many lines said that they were the last. */
static size_t feed(struct event_filter *filter, struct span bytes, struct buf *out)
{
    struct template_variables variables = fixture_variables();
    struct reply_reader reader;
    struct reply_line line;
    size_t lasts = 0;

    reply_reader_init(&reader);
    while (reply_reader_next(&reader, &bytes, &line) == REPLY_LINE) {
        size_t before = out->len;
        bool is_last = event_filter_feed(filter, &line, &variables, out);
        cr_expect_eq(is_last, line.kind == REPLY_END);
        cr_expect(is_last || out->len == before, "nothing is written before the last line");
        lasts += is_last;
    }
    reply_reader_clear(&reader);
    return lasts;
}

Test(event_filter, events)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct event_rule rule = {.name = "X"};
        struct event_filter filter;
        struct buf out;

        fixture_line_rules(&rule.response, &rows[i].rules);
        buf_init(&out, 65536);
        event_filter_init(&filter);
        /* twice: one event leaves nothing behind for the next */
        for (int round = 0; round < 2; round++) {
            buf_reset(&out);
            event_filter_begin(&filter, &rule);
            cr_expect_eq(feed(&filter, rows[i].event, &out), 1, "row %zu", i);
            cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].delivered)),
                      "row %zu, round %d: %.*s", i, round, (int)out.len, buf_span(&out).data);
            cr_expect_null(filter.rule, "row %zu", i);
            cr_expect_null(filter.held.data, "row %zu: the event's memory is given back", i);
        }
        event_filter_clear(&filter);
        buf_clear(&out);
        fixture_line_rules_clear(&rule.response);
    }
}

Test(event_filter, an_event_that_is_too_long_is_withheld_and_not_stored)
{
    static const struct rule_text text = {{{"(r.*)", "{}"}}, false, {NULL}};
    struct template_variables variables = fixture_variables();
    struct event_rule rule = {.name = "NS"};
    struct event_filter filter;
    struct buf out;
    struct reply_line first, line, last;

    fixture_line_rules(&rule.response, &text);
    buf_init(&out, 4 * EVENT_FILTER_MAX);
    event_filter_init(&filter);
    reply_parse_line(SPAN("650+NS"), &first);
    reply_parse_line(SPAN("650 OK"), &last);
    line = (struct reply_line){.kind = REPLY_DATA_LINE, .code = 650};
    /* 8 bytes for each of the first and last line, 3 for the dot, the rest in lines of 1024 */
    for (size_t lines = 1023; lines <= 2048; lines += 1025) {
        static char text_line[1022];
        memset(text_line, 'r', sizeof(text_line));
        line.wire = line.text = span_make(text_line, sizeof(text_line));
        buf_reset(&out);
        event_filter_begin(&filter, &rule);
        event_filter_feed(&filter, &first, &variables, &out);
        for (size_t i = 0; i < lines; i++) {
            event_filter_feed(&filter, &line, &variables, &out);
            cr_assert_leq(filter.held.len, EVENT_FILTER_MAX, "line %zu", i);
        }
        cr_expect_eq(filter.held.len == 0, lines > 1023, "%zu lines", lines);
        cr_expect(event_filter_feed(&filter, &last, &variables, &out));
        cr_expect_eq(out.len, lines > 1023 ? 0 : 16 + 1024 * lines, "%zu lines", lines);
    }
    event_filter_clear(&filter);
    buf_clear(&out);
    fixture_line_rules_clear(&rule.response);
}

Test(event_filter, lines_between_events_are_nobodys)
{
    struct event_filter filter;
    struct buf out;

    buf_init(&out, 4096);
    event_filter_init(&filter);
    cr_expect_eq(feed(&filter, SPAN("650-C\r\n650 OK\r\n650 BW 1 2\r\n"), &out), 2);
    cr_expect_eq(out.len, 0);
    event_filter_clear(&filter);
    buf_clear(&out);
}

Test(event_filter, an_unfinished_event_is_not_delivered)
{
    static const struct rule_text text = {{{"(650-.*)", "{}"}}, false, {NULL}};
    struct event_rule rule = {.name = "C"};
    struct event_filter filter;
    struct buf out;

    fixture_line_rules(&rule.response, &text);
    buf_init(&out, 4096);
    event_filter_init(&filter);
    event_filter_begin(&filter, &rule);
    cr_expect_eq(feed(&filter, SPAN("650-C\r\n650-A=b\r\n650 O"), &out), 0);
    event_filter_begin(&filter, &rule);
    cr_expect_eq(feed(&filter, SPAN("650-D\r\n650 OK\r\n"), &out), 1);
    cr_expect(span_equals(buf_span(&out), SPAN("650-D\r\n650 OK\r\n")));
    event_filter_clear(&filter);
    buf_clear(&out);
    fixture_line_rules_clear(&rule.response);
}
