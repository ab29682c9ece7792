/* Recordings: both forms, in any cuts, and what is none. */
#include "recording.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "json_line.h"
#include "mem.h"

/* One line as text: "CONNECTION SIDE AT TEXT;". */
static void note(void *context, const struct recording_line *line)
{
    struct buf *out = context;

    buf_printf(out, "%lu%c%lu ", line->connection, line->side == RECORDING_CLIENT ? '>' : '<',
               line->at);
    buf_append_escaped(out, line->text, 0);
    buf_append_char(out, ';');
}

/* Feeds the text in pieces of `cut` bytes; the lines as note() writes them, then "!UNREAD". */
static char *read_in_cuts(struct span text, size_t cut)
{
    struct buf out;

    buf_init(&out, 64 * 1024 * 1024);
    struct recording *recording = recording_new(note, &out);
    for (size_t at = 0; at < text.len; at += cut)
        recording_feed(recording, span_first(span_from(text, at), cut));
    recording_end(recording);
    if (recording_unread(recording) > 0)
        buf_printf(&out, "!%lu", recording_unread(recording));
    recording_free(recording);
    char *result = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    return result;
}

#define TAP(n, dir, data) "{\"t\": 1.5, \"c\": " #n ", \"dir\": \"" dir "\", \"data\": \"" data "\"}\n"

static const struct {
    const char *text;
    const char *lines;
} rows[] = {
    {"", ""},
    {"\n\n# nothing\n", ""},
    /* plain commands and replies */
    {"GETINFO version\n", "0>1 GETINFO version;"},
    {"GETINFO version", "0>1 GETINFO version;"},
    {"GETINFO version\r\nQUIT\r\n", "0>1 GETINFO version;0>2 QUIT;"},
    {"GETINFO version\n250-version=1\n250 OK\n",
     "0>1 GETINFO version;0<2 250-version=1;0<3 250 OK;"},
    {"650 BW 1 2\n", "0<1 650 BW 1 2;"},
    {"250OK\n25 x\n250\n", "0>1 250OK;0>2 25 x;0>3 250;"},
    {"  GETINFO\n", "0>1   GETINFO;"},
    /* data blocks of both sides, with lines that look otherwise */
    {"+LOADCONF\n250 OK\n\n# x\n{\n.\nQUIT\n",
     "0>1 +LOADCONF;0>2 250 OK;0>3 ;0>4 # x;0>5 {;0>6 .;0>7 QUIT;"},
    {"250+config-text=\nSIGNAL HALT\n+x\n\n..\n.\n250 OK\nQUIT\n",
     "0<1 250+config-text=;0<2 SIGNAL HALT;0<3 +x;0<4 ;0<5 ..;0<6 .;0<7 250 OK;0>8 QUIT;"},
    {"+LOADCONF\r\nx\r\n.\r\n250 OK\r\n", "0>1 +LOADCONF;0>2 x;0>3 .;0<4 250 OK;"},
    /* marks */
    {"> QUIT\n< 250 closing\n", "0>1 QUIT;0<2 250 closing;"},
    {">\n<\n", "0>1 ;0<2 ;"},
    {"C: QUIT\nS: 250 closing\n", "0>1 QUIT;0<2 250 closing;"},
    {"7> QUIT\n12< 250 closing\n", "7>1 QUIT;12<2 250 closing;"},
    {"   0.123 1> PROTOCOLINFO 1\n  12.5 1< 250 OK\n", "1>1 PROTOCOLINFO 1;1<2 250 OK;"},
    {"1.5 2.5> QUIT\n", "0>1 1.5 2.5> QUIT;"},
    {">QUIT\n", "0>1 >QUIT;"},
    {"250 > x\n", "0<1 250 > x;"},
    {"> +LOADCONF\n> a\n> .\n< 250 OK\n", "0>1 +LOADCONF;0>2 a;0>3 .;0<4 250 OK;"},
    {"99999999999999999999999> QUIT\n", "0>1 QUIT;"},
    /* a tap */
    {"{\"t\": 0, \"ev\": \"start\", \"note\": \"x\"}\n" TAP(1, ">", "QUIT\\r\\n"), "1>2 QUIT;"},
    {TAP(1, ">", "GETINFO ver") TAP(2, ">", "QUIT\\r\\n") TAP(1, ">", "sion\\r\\nQUIT\\r\\n"),
     "2>2 QUIT;1>3 GETINFO version;1>3 QUIT;"},
    {TAP(1, ">", "A") TAP(1, "<", "250 O") TAP(1, ">", "B\\n") TAP(1, "<", "K\\r\\n"),
     "1>3 AB;1<4 250 OK;"},
    {TAP(1, ">", "never ended"), ""},
    {TAP(3, ">", "half ") "{\"t\": 2, \"c\": 3, \"ev\": \"close\", \"by\": \"client\"}\n"
     TAP(3, ">", "QUIT\\n"), "3>3 QUIT;"},
    {"{\"c\":1,\"ev\":\"open\",\"peer\":{\"pid\":[1,{\"x\":\"}\"}]}}\n" TAP(1, ">", "QUIT\\n"),
     "1>2 QUIT;"},
    {TAP(1, ">", "\\u0000\\u00ff\\t\\\"\\\\\\/\\b\\f\\n"),
     "1>1 \\x00\\xFF\\x09\"\\\\/\\x08\\x0C;"},
    {TAP(1, ">", "\xc3\xa9\\n"), "1>1 \\xE9;"},
    {TAP(1, ">", "A\\r\\rB\\r\\n"), "1>1 A\\x0D\\x0DB;"},
    {"  " TAP(1, ">", "QUIT\\n"),
     "0>1   {\"t\": 1.5, \"c\": 1, \"dir\": \">\", \"data\": \"QUIT\\\\n\"};"},
    /* both */
    {"QUIT\n" TAP(1, ">", "QUIT\\n"), "0>1 QUIT;1>2 QUIT;"},
    /* what is none */
    {"{\n", "!1"},
    {"{}\n", ""},
    {"{\"a\": }\n{\"a\" 1}\n{\"a\": 1,}\n{\"a\": 1} x\n{a: 1}\n{\"a\": \"x}\n", "!6"},
    {"{\"a\": [[[[\n{\"a\": ]}\n", "!2"},
    {TAP(1, "?", "QUIT\\n"), "!1"},
    {TAP(1, ">", "\\u0100\\n"), "!1"},
    {TAP(1, ">", "\\u00g0\\n") TAP(1, ">", "\\x") TAP(1, ">", "\xe2\x82\xac\\n"), "!3"},
    {"{\"c\": 1, \"dir\": \">\"}\n{\"c\": 1, \"dir\": \">\", \"data\": 5}\n", "!2"},
    {"{\"c\": 1, \"dir\": \">\", \"data\": \"QUIT\\n\"}", "1>1 QUIT;"},
};

Test(recording, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t cut = 1; cut < 80; cut += cut < 4 ? 1 : 25) {
            char *lines = read_in_cuts(span_from_string(rows[i].text), cut);
            cr_expect_str_eq(lines, rows[i].lines, "row %zu, cut %zu: %s", i, cut, lines);
            free(lines);
        }
}

Test(recording, nul_bytes)
{
    char *lines = read_in_cuts(SPAN("GETINFO\0x\nQUIT\n"), 3);

    cr_expect_str_eq(lines, "0>1 GETINFO\\x00x;0>2 QUIT;", "%s", lines);
    free(lines);
}

static void count(void *context, const struct recording_line *line)
{
    (void)line;
    ++*(size_t *)context;
}

Test(recording, too_long_a_line_is_skipped_whole)
{
    size_t lines = 0;
    char *block = mem_zalloc(1, 1024 * 1024);
    struct recording *recording = recording_new(count, &lines);

    memset(block, 'A', 1024 * 1024);
    for (int i = 0; i < 6; i++)
        recording_feed(recording, span_make(block, 1024 * 1024));
    recording_feed(recording, SPAN(" x\nQUIT\n"));
    recording_end(recording);
    cr_expect_eq(lines, 1, "%zu lines", lines);
    cr_expect_eq(recording_unread(recording), 1);
    recording_free(recording);
    free(block);
}

Test(recording, connections_are_limited_and_given_back)
{
    size_t lines = 0;
    char text[128];
    struct recording *recording = recording_new(count, &lines);

    for (int i = 0; i < RECORDING_MAX_CONNECTIONS + 3; i++) {
        snprintf(text, sizeof text, "{\"c\": %d, \"dir\": \">\", \"data\": \"a\\n\"}\n", i);
        recording_feed(recording, span_from_string(text));
    }
    cr_expect_eq(lines, RECORDING_MAX_CONNECTIONS, "%zu lines", lines);
    cr_expect_eq(recording_unread(recording), 3);
    recording_feed(recording, SPAN("{\"c\": 5, \"ev\": \"close\"}\n"
                                   "{\"c\": 90000, \"dir\": \">\", \"data\": \"a\\n\"}\n"));
    cr_expect_eq(lines, RECORDING_MAX_CONNECTIONS + 1, "%zu lines", lines);
    recording_free(recording);
}

Test(json, members)
{
    static const struct {
        const char *text;
        const char *members; /* "KEY=VALUE;" each, then "." for the end or "!" */
    } json_rows[] = {
        {"{}", "."},
        {" { } ", "."},
        {"{\"a\":1}", "a=1;."},
        {"{ \"a\" : -1.5e+3 , \"b\" : true }", "a=-1.5e+3;b=true;."},
        {"{\"a\\\"b\":\"c\\\\\"}", "a\\\"b=\"c\\\\\";."},
        {"{\"a\":[1,{\"b\":\"]}\"}],\"c\":{}}", "a=[1,{\"b\":\"]}\"}];c={};."},
        {"", "!"},
        {"[]", "!"},
        {"{\"a\":1}}", "a=1;!"},
        {"{\"a\":1 \"b\":2}", "a=1;!"},
        {"{,\"a\":1}", "!"},
        {"{\"a\":\"\\", "!"},
    };

    for (size_t i = 0; i < sizeof json_rows / sizeof *json_rows; i++) {
        struct json_line json;
        struct json_member member;
        enum json_result result;
        struct buf out;

        buf_init(&out, 4096);
        json_line_init(&json, span_from_string(json_rows[i].text));
        while ((result = json_line_next(&json, &member)) == JSON_MEMBER) {
            buf_append(&out, member.key);
            buf_append_char(&out, '=');
            buf_append(&out, member.value);
            buf_append_char(&out, ';');
        }
        buf_append_char(&out, result == JSON_END ? '.' : '!');
        cr_expect(span_equals(buf_span(&out), span_from_string(json_rows[i].members)),
                  "row %zu: %.*s", i, (int)out.len, buf_span(&out).data);
        buf_clear(&out);
    }
}
