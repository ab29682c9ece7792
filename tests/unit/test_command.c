/* Commands off the stream and back to bytes: framing as in control-protocol 1.1 to 1.3 and the
 * attacks of 7. */
#include <criterion/criterion.h>

#include "command.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* What a command came out as, for comparison: defect, form, and the parts between bars. */
static void describe(const struct command *command, struct buf *out)
{
    static const char *const defects[] = {"ok", "bytes", "none", "unknown"};

    buf_printf(out, "%s%s|", command->is_block ? "+" : "", defects[command->defect]);
    buf_append_string(out, command->keyword ? command->keyword->name : "");
    buf_append_char(out, '|');
    buf_append(out, command->name);
    buf_append_char(out, '|');
    buf_append(out, command->arguments);
    buf_append_char(out, '|');
    buf_append(out, command->data);
    buf_append_char(out, ';');
}

/* Reads all of `text` in pieces of `step` bytes. */
static void read_in_steps(struct span text, size_t step, struct buf *out)
{
    struct command_reader reader;
    struct command command;
    enum command_result result = COMMAND_NONE;

    command_reader_init(&reader);
    for (size_t at = 0; at < text.len && result != COMMAND_TOO_LONG; at += step) {
        struct span input = span_first(span_from(text, at), step);
        while ((result = command_reader_next(&reader, &input, &command)) == COMMAND_READY)
            describe(&command, out);
        cr_expect(result == COMMAND_TOO_LONG || input.len == 0);
    }
    if (result == COMMAND_TOO_LONG)
        buf_append_char(out, '!');
    command_reader_clear(&reader);
}

struct row {
    const char *text;
    size_t len;
    const char *commands;
    size_t commands_len;
};

#define ROW(text, commands) {text, sizeof(text) - 1, commands, sizeof(commands) - 1}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t step = 1; step <= rows[i].len; step++) {
            struct buf out;
            buf_init(&out, 2000);
            read_in_steps(span_make(rows[i].text, rows[i].len), step, &out);
            struct span expected = span_make(rows[i].commands, rows[i].commands_len);
            cr_expect(span_equals(buf_span(&out), expected), "row %zu, steps of %zu: got %.*s", i,
                      step, (int)out.len, buf_span(&out).data);
            buf_clear(&out);
        }
}

Test(command, lines)
{
    static const struct row rows[] = {
        ROW("GETINFO version\r\n", "ok|GETINFO|GETINFO|version|;"),
        ROW("getinfo version\n", "ok|GETINFO|getinfo|version|;"),
        ROW("QUIT\r\n", "ok|QUIT|QUIT||;"),
        ROW("QUIT", ""),
        ROW("GETINFO   a  b  \r\n", "ok|GETINFO|GETINFO|a  b  |;"),
        ROW("CLOSECIRCUIT 230 \r\n", "ok|CLOSECIRCUIT|CLOSECIRCUIT|230 |;"),
        ROW("SETEVENTS \r\n", "ok|SETEVENTS|SETEVENTS||;"),
        ROW("QUIT\r\nQUIT\nSIGNAL x\r\nGET", "ok|QUIT|QUIT||;ok|QUIT|QUIT||;ok|SIGNAL|SIGNAL|x|;"),
        ROW("FOO bar\r\n", "unknown||FOO|bar|;"),
        ROW("GETINF version\n", "unknown||GETINF|version|;"),
        ROW("LOADCONF x\r\n", "unknown||LOADCONF|x|;"),
        ROW("\r\n", "none||||;"),
        ROW("\n", "none||||;"),
        ROW("   \r\n", "none||||;"),
        ROW(" GETINFO version\r\n", "none|||GETINFO version|;"),
        /* 7.2, 7.1, 7.21: bytes that tor reads in ways of its own */
        ROW("GETINFO\tversion\r\n", "bytes||GETINFO\tversion||;"),
        ROW("GETINFO version\taddress\r\n", "bytes|GETINFO|GETINFO|version\taddress|;"),
        ROW("SETCONF A=0\rB=1\r\n", "bytes|SETCONF|SETCONF|A=0\rB=1|;"),
        ROW("SETCONF A=0\x0b""B=1\r\n", "bytes|SETCONF|SETCONF|A=0\x0b""B=1|;"),
        ROW("GETINFO version\x0c address\r\n", "bytes|GETINFO|GETINFO|version\x0c address|;"),
        ROW("GETINFO\0junk version\r\n", "bytes||GETINFO\0junk|version|;"),
        ROW("QUIT\0x\r\n", "bytes||QUIT\0x||;"),
        ROW("ADD_ONION NEW:BEST Port=80,unix:/run/tor/control\0,x\r\n",
            "bytes|ADD_ONION|ADD_ONION|NEW:BEST Port=80,unix:/run/tor/control\0,x|;"),
        ROW("GETINFO a\xc2\xa0""b\r\n", "bytes|GETINFO|GETINFO|a\xc2\xa0""b|;"),
        ROW("GETINFO a\x7f\r\n", "bytes|GETINFO|GETINFO|a\x7f|;"),
        ROW("QUIT\r\r\n", "bytes||QUIT\r||;"),
        ROW("\r\r\n", "bytes||\r||;"),
        ROW("\tQUIT\r\n", "bytes||\tQUIT||;"),
        ROW(" \x01\r\n", "bytes|||\x01|;"),
    };

    check_rows(rows, COUNT(rows));
}

Test(command, blocks)
{
    static const struct row rows[] = {
        ROW("+LOADCONF\r\nA 1\r\nB 2\r\n.\r\n", "+ok|LOADCONF|LOADCONF||A 1\r\nB 2\r\n;"),
        ROW("+loadconf\nA 1\n.\n", "+ok|LOADCONF|loadconf||A 1\r\n;"),
        ROW("+POSTDESCRIPTOR  cache=no \r\nx\r\n.\r\nQUIT\r\n",
            "+ok|POSTDESCRIPTOR|POSTDESCRIPTOR|cache=no |x\r\n;ok|QUIT|QUIT||;"),
        ROW("+LOADCONF\r\n.\r\n", "+ok|LOADCONF|LOADCONF||;"),
        ROW("+LOADCONF\r\nA\r\n", ""),
        /* 1.3: any keyword swallows lines, known or not */
        ROW("+GETINFO version\r\nSIGNAL HALT\r\n.\r\nQUIT\r\n",
            "+unknown||GETINFO|version|SIGNAL HALT\r\n;ok|QUIT|QUIT||;"),
        ROW("+FOO\r\nX\r\n.\nSIGNAL HALT\r\n.\r\n",
            "+unknown||FOO||X\r\n;ok|SIGNAL|SIGNAL|HALT|;unknown||.||;"),
        ROW("+\r\nX\r\n.\r\nQUIT\r\n", "+unknown||||X\r\n;ok|QUIT|QUIT||;"),
        ROW("+ LOADCONF\r\nX\r\n.\r\n", "+unknown|||LOADCONF|X\r\n;"),
        ROW("++LOADCONF\r\nX\r\n.\r\n", "+unknown||+LOADCONF||X\r\n;"),
        /* 7.5: a plus elsewhere starts nothing */
        ROW(" +FOO\r\nSIGNAL HALT\r\n.\r\n", "none|||+FOO|;ok|SIGNAL|SIGNAL|HALT|;unknown||.||;"),
        ROW("GETINFO +FOO\r\nQUIT\r\n", "ok|GETINFO|GETINFO|+FOO|;ok|QUIT|QUIT||;"),
        /* what does not end a block; dots stay as they were sent */
        ROW("+LOADCONF\r\n..\r\n. \r\n .\r\n...\r\n.x\r\n.\r\n",
            "+ok|LOADCONF|LOADCONF||..\r\n. \r\n .\r\n...\r\n.x\r\n;"),
        ROW("+LOADCONF\r\n.\r\r\n.\r\n", "+bytes|LOADCONF|LOADCONF||.\r\r\n;"),
        ROW("+LOADCONF\r\n\r\n\n.\r\n", "+ok|LOADCONF|LOADCONF||\r\n\r\n;"),
        /* 7.15: data that looks like protocol */
        ROW("+LOADCONF\r\n250 OK\r\n+FOO\r\n650 X\r\n.\r\n",
            "+ok|LOADCONF|LOADCONF||250 OK\r\n+FOO\r\n650 X\r\n;"),
        /* bad bytes mark the command and do not change where it ends */
        ROW("+LOADCONF\r\nA\tB\r\nC\r\n.\r\nQUIT\r\n",
            "+bytes|LOADCONF|LOADCONF||A\tB\r\nC\r\n;ok|QUIT|QUIT||;"),
        ROW("+LOADCONF\x01\r\nC\r\n.\r\nQUIT\r\n", "+bytes||LOADCONF\x01||C\r\n;ok|QUIT|QUIT||;"),
        ROW("+\t\r\nC\r\n.\r\nQUIT\r\n", "+bytes||\t||C\r\n;ok|QUIT|QUIT||;"),
        ROW("+FOO\r\nA\0B\r\n.\0\r\n.\r\n", "+bytes||FOO||A\0B\r\n.\0\r\n;"),
        ROW("+LOADCONF\r\n\x01\r\n.\r\n+LOADCONF\r\nA\r\n.\r\n",
            "+bytes|LOADCONF|LOADCONF||\x01\r\n;+ok|LOADCONF|LOADCONF||A\r\n;"),
    };

    check_rows(rows, COUNT(rows));
}

/* Feeds `count` times `len` bytes 'x' with `end` behind each; the last result. */
static enum command_result feed(struct command_reader *reader, size_t count, size_t len,
                                const char *end, size_t *ready_out)
{
    static char bytes[COMMAND_MAX_DATA + 1];
    enum command_result result = COMMAND_NONE;
    struct command command;

    memset(bytes, 'x', sizeof bytes);
    *ready_out = 0;
    for (size_t i = 0; i < 2 * count && result != COMMAND_TOO_LONG; i++) {
        struct span input = i % 2 ? span_from_string(end) : span_make(bytes, len);
        while ((result = command_reader_next(reader, &input, &command)) == COMMAND_READY)
            ++*ready_out;
    }
    return result;
}

struct limit_row {
    const char *first; /* fed before */
    size_t count, len;
    const char *end;
    bool too_long;
};

Test(command, limits)
{
    static const struct limit_row rows[] = {
        {"", 1, COMMAND_MAX_LINE - 1, "\n", false},
        {"", 1, COMMAND_MAX_LINE - 2, "\r\n", false},
        {"", 1, COMMAND_MAX_LINE - 1, "\r\n", true},
        {"", 1, COMMAND_MAX_LINE, "", true},
        {"", 1, COMMAND_MAX_LINE - 1, "", false},
        {"", 100, 0, "QUIT\r\n", false},
        {"+FOO\r\n", 8, COMMAND_MAX_LINE - 2, "\r\n", false},
        {"+FOO\r\n", 9, COMMAND_MAX_LINE - 2, "\r\n", true},
        {"+FOO\r\nx\r\n", 8, COMMAND_MAX_LINE - 2, "\r\n", true},
        {"+FOO\r\n", 1, COMMAND_MAX_LINE, "", true},
        {"+FOO\r\n", COMMAND_MAX_DATA / 2, 0, "\n", false},
        {"+FOO\r\n", COMMAND_MAX_DATA / 2 + 1, 0, "\n", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct command_reader reader;
        struct command command;
        size_t ready;
        struct span first = span_from_string(rows[i].first), more = SPAN("QUIT\r\n.\r\n");
        command_reader_init(&reader);
        command_reader_next(&reader, &first, &command);
        enum command_result result = feed(&reader, rows[i].count, rows[i].len, rows[i].end, &ready);
        cr_expect_eq(result == COMMAND_TOO_LONG, rows[i].too_long, "row %zu", i);
        if (rows[i].too_long)
            cr_expect_eq(command_reader_next(&reader, &more, &command), COMMAND_TOO_LONG,
                         "row %zu: it stays so", i);
        command_reader_clear(&reader);
    }
}

Test(command, a_full_block_is_complete_and_then_freed)
{
    struct command_reader reader;
    struct command command = {.defect = COMMAND_UNKNOWN};
    struct span first = SPAN("+LOADCONF\r\n"), end = SPAN(".\r\n"), nothing = SPAN("");
    size_t ready;

    command_reader_init(&reader);
    cr_expect_eq(command_reader_next(&reader, &first, &command), COMMAND_NONE);
    feed(&reader, 8, COMMAND_MAX_LINE - 2, "\r\n", &ready);
    cr_assert_eq(command_reader_next(&reader, &end, &command), COMMAND_READY);
    cr_expect_eq(command.data.len, COMMAND_MAX_DATA);
    cr_expect_eq(command.defect, COMMAND_SOUND);
    cr_expect_eq(command_reader_next(&reader, &nothing, &command), COMMAND_NONE);
    cr_expect_null(reader.data.data);
    cr_expect_null(reader.header.data);
    cr_expect_null(reader.lines.partial.data);
    command_reader_clear(&reader);
}

Test(command, a_line_that_was_never_in_a_block)
{
    struct command command;

    command_parse_line(SPAN("ADD_ONION NEW:BEST Port=80 \r"), &command);
    cr_expect_eq(command.defect, COMMAND_SOUND);
    cr_expect(span_equals(command.arguments, SPAN("NEW:BEST Port=80 ")));
    command_parse_line(SPAN("+LOADCONF"), &command);
    cr_expect_eq(command.defect, COMMAND_UNKNOWN, "a block is no line");
    cr_expect_null(command.keyword);
    command_parse_line(SPAN("GETINFO a\nSIGNAL HALT"), &command);
    cr_expect_eq(command.defect, COMMAND_BAD_BYTES);
    command_parse_line(span_make(NULL, 0), &command);
    cr_expect_eq(command.defect, COMMAND_NO_KEYWORD);
}

struct write_row {
    const char *name;
    bool is_block;
    const char *arguments, *data;
    const char *wire; /* NULL: refused */
};

Test(command, writing)
{
    static const struct write_row rows[] = {
        {"getinfo", false, "version", "", "GETINFO version\r\n"},
        {"QUIT", false, "", "", "QUIT\r\n"},
        {"CLOSECIRCUIT", false, "230 ", "", "CLOSECIRCUIT 230 \r\n"},
        {"SETEVENTS", false, " ", "", "SETEVENTS  \r\n"},
        {"GETINFO", false, "a\rb", "", NULL},
        {"GETINFO", false, "a\nSIGNAL HALT", "", NULL},
        {"GETINFO", false, "a\tb", "", NULL},
        {"GETINFO", false, "a\xc2\xa0", "", NULL},
        {"GETINFO", false, "a", "x\r\n", NULL},
        {"loadconf", true, "", "", "+LOADCONF\r\n.\r\n"},
        {"LOADCONF", true, "", "A\r\nB\r\n", "+LOADCONF\r\nA\r\nB\r\n.\r\n"},
        {"HSPOST", true, "HSADDRESS=a", "..\r\n\r\n", "+HSPOST HSADDRESS=a\r\n..\r\n\r\n.\r\n"},
        {"LOADCONF", true, "", ".\r\nSIGNAL HALT\r\n", NULL},
        {"LOADCONF", true, "", "A\r\n.\r\n", NULL},
        {"LOADCONF", true, "", "A\n.\nSIGNAL HALT\r\n", NULL},
        {"LOADCONF", true, "", "A", NULL},
        {"LOADCONF", true, "", "A\n", NULL},
        {"LOADCONF", true, "", "A\r", NULL},
        {"LOADCONF", true, "", "\n", NULL},
        {"LOADCONF", true, "", ".\r\r\n", NULL},
        {"LOADCONF", true, "", "A\tB\r\n", NULL},
        {"LOADCONF", true, "", "A\r\nB", NULL},
        {"LOADCONF", true, "\r\n", "A\r\n", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct write_row *row = &rows[i];
        const struct keyword *keyword = keyword_find(span_from_string(row->name), row->is_block);
        struct buf out;
        buf_init(&out, 100);
        buf_append_char(&out, '>');
        bool done = command_write(&out, keyword, span_from_string(row->arguments),
                                  span_from_string(row->data));
        cr_expect_eq(done, row->wire != NULL, "row %zu", i);
        cr_expect(span_equals(span_from(buf_span(&out), 1), span_from_string(row->wire)),
                  "row %zu: got %.*s", i, (int)out.len, out.data);
        buf_clear(&out);
    }
}

Test(command, nothing_is_written_with_a_nul)
{
    struct buf out;

    buf_init(&out, 100);
    cr_expect_not(command_write(&out, keyword_find(SPAN("GETINFO"), false), SPAN("a\0b"),
                                SPAN("")));
    cr_expect_not(command_write(&out, keyword_find(SPAN("LOADCONF"), true), SPAN(""),
                                SPAN("a\0\r\n")));
    cr_expect_eq(out.len, 0);
    buf_clear(&out);
}

Test(command, a_full_buffer_gets_no_part_of_a_command)
{
    const struct keyword *keyword = keyword_find(SPAN("LOADCONF"), true);
    static const char wire[] = "+LOADCONF a\r\nA\r\n.\r\n";

    for (size_t max = 0; max < sizeof wire - 1; max++) {
        struct buf out;
        buf_init(&out, max);
        cr_expect_not(command_write(&out, keyword, SPAN("a"), SPAN("A\r\n")), "maximum %zu", max);
        cr_expect_eq(out.len, 0, "maximum %zu", max);
        buf_clear(&out);
    }
}
