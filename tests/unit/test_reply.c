/* Bytes of tor's to lines: framing, events, data blocks, cuts, limits. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* One line as "K250[text]": kind, code, text; "~" before a line that is not clean. */
static void trace_line(struct buf *trace, const struct reply_line *line)
{
    static const char kinds[] = {
        [REPLY_MID] = 'M',      [REPLY_DATA] = 'D', [REPLY_DATA_LINE] = 'd',
        [REPLY_DATA_END] = '.', [REPLY_END] = 'E',
    };

    if (!reply_line_is_clean(line))
        buf_append_char(trace, '~');
    buf_printf(trace, "%c%03u[", kinds[line->kind], line->code);
    buf_append_escaped(trace, line->text, 0);
    buf_append_char(trace, ']');
}

/* Feeds `bytes` in pieces of `step` (0: random sizes) and traces what comes out; "!" where the
 * stream is malformed. */
static void trace_bytes(struct buf *trace, struct span bytes, size_t step)
{
    struct reply_reader reader;
    struct reply_line line;

    reply_reader_init(&reader);
    while (bytes.len > 0) {
        size_t size = step ? step : 1 + (size_t)rand() % 7;
        struct span piece = span_first(bytes, size);
        bytes = span_from(bytes, piece.len);
        enum reply_result result;
        while ((result = reply_reader_next(&reader, &piece, &line)) == REPLY_LINE)
            trace_line(trace, &line);
        if (result == REPLY_MALFORMED) {
            buf_append_char(trace, '!');
            piece = SPAN("250 OK\r\n");
            cr_expect_eq(reply_reader_next(&reader, &piece, &line), REPLY_MALFORMED,
                         "a malformed stream stays malformed");
            break;
        }
        cr_expect_eq(piece.len, 0, "all input is taken");
    }
    reply_reader_clear(&reader);
}

struct row {
    struct span bytes;
    const char *trace;
};

static const struct row rows[] = {
    {SPAN(""), ""},
    {SPAN("250 OK\r\n"), "E250[OK]"},
    {SPAN("250 OK\n"), "E250[OK]"},
    {SPAN("250 \r\n"), "E250[]"},
    {SPAN("250 OK\r"), ""},
    {SPAN("250 OK\r\n250 "), "E250[OK]"},
    {SPAN("250-version=0.4\r\n250 OK\r\n"), "M250[version=0.4]E250[OK]"},
    {SPAN("250-a\r\n451-b\r\n512 c\r\n"), "M250[a]M451[b]E512[c]"},
    {SPAN("250-x=\xc3\xa9\r\n250 OK\r\n"), "M250[x=\\xC3\\xA9]E250[OK]"},
    /* data blocks: only the lone dot counts */
    {SPAN("250+k=\r\na\r\n.\r\n250 OK\r\n"), "D250[k=]d250[a].250[.]E250[OK]"},
    {SPAN("250+k=\r\n.\r\n250 OK\r\n"), "D250[k=].250[.]E250[OK]"},
    {SPAN("250+k=\r\n..\r\n.x\r\n. \r\n.\r\r\n.\n250 OK\r\n"),
     "D250[k=]d250[..]d250[.x]d250[. ]d250[.\\x0D].250[.]E250[OK]"},
    {SPAN("250+k=\r\n250 OK\r\n650 CIRC 1\r\n515 no\r\n\r\n.\r\n250 OK\r\n"),
     "D250[k=]d250[250 OK]d250[650 CIRC 1]d250[515 no]d250[].250[.]E250[OK]"},
    {SPAN("250+k=\r\na\rb\0c\td\r\n.\r\n250 OK\r\n"),
     "D250[k=]d250[a\\x0Db\\x00c\\x09d].250[.]E250[OK]"},
    {SPAN("250+a=\r\n.\r\n250+b=\r\n.\r\n250-c=d\r\n250 OK\r\n"),
     "D250[a=].250[.]D250[b=].250[.]M250[c=d]E250[OK]"},
    /* events */
    {SPAN("650 BW 1 2\r\n"), "E650[BW 1 2]"},
    {SPAN("650+NS\r\nr x\r\n.\r\n650 OK\r\n"), "D650[NS]d650[r x].650[.]E650[OK]"},
    {SPAN("650-CONF_CHANGED\r\n650-A=b\r\n650 OK\r\n250 OK\r\n"),
     "M650[CONF_CHANGED]M650[A=b]E650[OK]E250[OK]"},
    {SPAN("650 INFO a\rb\r\n250 OK\r\n"), "~E650[INFO a\\x0Db]E250[OK]"},
    {SPAN("650 INFO a\r\r\n"), "~E650[INFO a\\x0D]"},
    {SPAN("650 INFO a\0b\r\n"), "~E650[INFO a\\x00b]"},
    {SPAN("650 INFO a\x7f\r\n"), "~E650[INFO a\\x7F]"},
    {SPAN("650 INFO a\tb\r\n"), "~E650[INFO a\\x09b]"},
    /* what is no reply */
    {SPAN("\r\n"), "!"},
    {SPAN("\n"), "!"},
    {SPAN("250\r\n"), "!"},
    {SPAN("250OK\r\n"), "!"},
    {SPAN("250\tOK\r\n"), "!"},
    {SPAN("250:OK\r\n"), "!"},
    {SPAN(" 250 OK\r\n"), "!"},
    {SPAN("25 OK\r\n"), "!"},
    {SPAN("2500 OK\r\n"), "!"},
    {SPAN("-50 OK\r\n"), "!"},
    {SPAN("+50 OK\r\n"), "!"},
    {SPAN("25\xb2 OK\r\n"), "!"},
    {SPAN("2\0000 OK\r\n"), "!"},
    {SPAN(".\r\n"), "!"},
    {SPAN("250 OK\r\n.\r\n"), "E250[OK]!"},
    {SPAN("HTTP/1.0 501 no\r\n"), "!"},
    /* control characters in a reply */
    {SPAN("250 OK\r\r\n"), "!"},
    {SPAN("552 a\rb\r\n"), "!"},
    {SPAN("250-a=\0\r\n"), "!"},
    {SPAN("250-a=\x1b[m\r\n"), "!"},
    {SPAN("250-a=b\tc\r\n"), "!"},
    {SPAN("250-a=\x7f\r\n"), "!"},
    {SPAN("250+a\r=\r\n"), "!"},
    /* events and replies in one message */
    {SPAN("250-a=b\r\n650 BW 1 2\r\n"), "M250[a=b]!"},
    {SPAN("650-CONF_CHANGED\r\n250 OK\r\n"), "M650[CONF_CHANGED]!"},
    {SPAN("250+a=\r\n.\r\n650 OK\r\n"), "D250[a=].250[.]!"},
    /* tor's reply without an end: the next reply looks like its continuation */
    {SPAN("552+=\r\nUnrecognized key \"x\ry\"\r\n.\r\n250 OK\r\n"),
     "D552[=]d552[Unrecognized key \"x\\x0Dy\"].552[.]E250[OK]"},
};

Test(reply, lines_are_the_same_whatever_the_cuts)
{
    static const size_t steps[] = {1024, 1, 2, 3, 0, 0, 0};

    for (size_t i = 0; i < LENGTH(rows); i++) {
        for (size_t j = 0; j < LENGTH(steps); j++) {
            struct buf trace;
            buf_init(&trace, 4096);
            trace_bytes(&trace, rows[i].bytes, steps[j]);
            buf_append_char(&trace, '\0');
            cr_expect_str_eq(trace.data, rows[i].trace, "row %zu, step %zu: %s is not %s", i,
                             steps[j], trace.data, rows[i].trace);
            buf_clear(&trace);
        }
    }
}

Test(reply, every_control_character_is_refused_in_a_reply_and_marked_in_an_event)
{
    for (int c = 0; c < 256; c++) {
        char bytes[] = "250 a?b\r\n";
        bool is_control = c < 0x20 || c == 0x7f;
        struct reply_reader reader;
        struct reply_line line;

        if (c == '\n')
            continue;
        bytes[5] = (char)c;
        for (int is_event = 0; is_event < 2; is_event++) {
            bytes[0] = is_event ? '6' : '2';
            struct span input = span_make(bytes, sizeof(bytes) - 1);
            reply_reader_init(&reader);
            enum reply_result result = reply_reader_next(&reader, &input, &line);
            if (is_event) {
                cr_assert_eq(result, REPLY_LINE, "byte %d", c);
                cr_expect_eq(reply_line_is_clean(&line), !is_control, "byte %d", c);
            } else {
                cr_expect_eq(result, is_control ? REPLY_MALFORMED : REPLY_LINE, "byte %d", c);
            }
            reply_reader_clear(&reader);
            cr_expect_eq(reply_parse_line(span_make(bytes, 7), &line), !is_control, "byte %d", c);
        }
    }
}

/* Feeds a reply whose line has `size` bytes with its end, in large pieces. */
static enum reply_result feed_long_line(size_t size)
{
    char *bytes = malloc(size);
    struct reply_reader reader;
    struct reply_line line;

    memset(bytes, 'x', size);
    memcpy(bytes, "250 ", 4);
    memcpy(bytes + size - 2, "\r\n", 2);
    reply_reader_init(&reader);
    enum reply_result result = REPLY_NONE;
    for (size_t at = 0; at < size && result == REPLY_NONE; at += 65536) {
        struct span input = span_first(span_make(bytes + at, size - at), 65536);
        result = reply_reader_next(&reader, &input, &line);
        cr_expect_leq(reader.lines.partial.len, REPLY_MAX_LINE, "an unfinished line is bounded");
    }
    if (result == REPLY_LINE)
        cr_expect_eq(line.text.len, size - 6, "size %zu", size);
    reply_reader_clear(&reader);
    free(bytes);
    return result;
}

Test(reply, a_line_may_be_as_long_as_the_limit_and_no_longer)
{
    cr_expect_eq(feed_long_line(REPLY_MAX_LINE), REPLY_LINE);
    cr_expect_eq(feed_long_line(REPLY_MAX_LINE + 1), REPLY_MALFORMED);
    cr_expect_eq(feed_long_line(REPLY_MAX_LINE + 200000), REPLY_MALFORMED);
}

Test(reply, the_reader_knows_whether_it_stands_in_a_message)
{
    static const struct {
        const char *bytes;
        bool in_message, in_data;
    } states[] = {
        {"250-a=b\r\n", true, false}, {"250+c=\r\n", true, true}, {"250 x\r\n", true, true},
        {".\r\n", true, false},       {"250 OK\r\n", false, false},
    };
    struct reply_reader reader;
    struct reply_line line;

    reply_reader_init(&reader);
    for (size_t i = 0; i < LENGTH(states); i++) {
        struct span input = span_from_string(states[i].bytes);
        cr_assert_eq(reply_reader_next(&reader, &input, &line), REPLY_LINE, "row %zu", i);
        cr_expect_eq(reader.in_message, states[i].in_message, "row %zu", i);
        cr_expect_eq(reader.in_data, states[i].in_data, "row %zu", i);
    }
    reply_reader_clear(&reader);
}

Test(reply, parse_line_takes_one_line_only)
{
    static const struct {
        struct span wire;
        bool is_line;
        enum reply_line_kind kind;
        unsigned code;
    } lines[] = {
        {SPAN("250 OK"), true, REPLY_END, 250},    {SPAN("250-a=b"), true, REPLY_MID, 250},
        {SPAN("250+a="), true, REPLY_DATA, 250},   {SPAN("650 "), true, REPLY_END, 650},
        {SPAN("000 x"), true, REPLY_END, 0},       {SPAN(""), false, REPLY_END, 0},
        {SPAN("250"), false, REPLY_END, 0},        {SPAN("250 a\r\n"), false, REPLY_END, 0},
        {SPAN("250 a\r"), false, REPLY_END, 0},    {SPAN("250 a\n250 b"), false, REPLY_END, 0},
        {SPAN("250 a\0"), false, REPLY_END, 0},    {SPAN("25a b"), false, REPLY_END, 0},
        {SPAN("250.OK"), false, REPLY_END, 0},     {SPAN("."), false, REPLY_END, 0},
    };

    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct reply_line line = {0};
        cr_assert_eq(reply_parse_line(lines[i].wire, &line), lines[i].is_line, "row %zu", i);
        if (!lines[i].is_line)
            continue;
        cr_expect_eq(line.kind, lines[i].kind, "row %zu", i);
        cr_expect_eq(line.code, lines[i].code, "row %zu", i);
        cr_expect(span_equals(line.wire, lines[i].wire), "row %zu", i);
        cr_expect(span_equals(line.text, span_from(lines[i].wire, 4)), "row %zu", i);
    }
}

Test(reply, write_appends_the_line_whole_or_not_at_all)
{
    struct buf out;

    for (size_t max = 0; max < 20; max++) {
        buf_init(&out, max);
        bool first = reply_write(&out, SPAN("250 OK"));
        bool second = reply_write(&out, SPAN("250 OK"));
        cr_expect_eq(first, max >= 8, "max %zu", max);
        cr_expect_eq(second, max >= 16, "max %zu", max);
        const char *expected = max >= 16 ? "250 OK\r\n250 OK\r\n" : max >= 8 ? "250 OK\r\n" : "";
        cr_expect(span_equals(buf_span(&out), span_from_string(expected)), "max %zu", max);
        cr_expect_eq(out.overflow, max < 16, "max %zu", max);
        buf_clear(&out);
    }
}
