/* What is forwarded: only what tor answers exactly once (control-protocol 2.5, 7.6, 7.20). */
#include <criterion/criterion.h>

#include "arguments.h"
#include "buf.h"
#include "command.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define KEY44 "x25519:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa="

struct row {
    const char *line;
    bool good;
};

static const char *refusal(const char *line)
{
    bool is_block = line[0] == '+';
    struct span text = span_from_string(line + is_block);
    size_t space = span_find(text, ' ');
    const struct keyword *keyword = keyword_find(span_first(text, space), is_block);

    return arguments_refusal(keyword, span_from(text, space + 1),
                             is_block ? SPAN("x\r\n") : SPAN(""));
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *why = refusal(rows[i].line);
        cr_expect_eq(why == NULL, rows[i].good, "row %zu: %s: %s", i, rows[i].line,
                     why ? why : "allowed");
    }
}

Test(arguments, local_and_unknown_commands_are_never_forwarded)
{
    static const struct row rows[] = {
        {"AUTHENTICATE", false},
        {"AUTHENTICATE 00", false},
        {"AUTHENTICATE \"x\"", false},
        {"AUTHCHALLENGE SAFECOOKIE 00", false},
        {"PROTOCOLINFO", false},
        {"PROTOCOLINFO 1", false},
        {"QUIT", false},
        {"FOO", false},
        {"LOADCONF", false},
        {"+GETINFO version", false},
    };

    check_rows(rows, COUNT(rows));
}

Test(arguments, positional)
{
    static const struct row rows[] = {
        {"GETINFO", true},
        {"GETINFO version", true},
        {"GETINFO  a \"b\" 'c' = ", true},
        {"GETCONF SocksPort", true},
        {"GETINFO a\tb", false},
        {"GETINFO a\rb", false},
        {"GETINFO a\xc3\xa4", false},
        {"SETEVENTS", true},
        {"SETEVENTS  ", true},
        {"SETEVENTS BW CIRC", true},
        {"SIGNAL", false},
        {"SIGNAL NEWNYM", true},
        {"SIGNAL NEWNYM ", true},
        {"SIGNAL NEWNYM HUP", false},
        {"USEFEATURE VERBOSE_NAMES", true},
        {"DEL_ONION", false},
        {"DEL_ONION a", true},
        {"DEL_ONION a b", false},
        {"DROPGUARDS", true},
        {"DROPGUARDS x", false},
        {"DROPTIMEOUTS  ", true},
        {"DROPTIMEOUTS x", false},
        {"CLOSESTREAM 1", false},
        {"CLOSESTREAM 1 2", true},
        {"CLOSESTREAM 1 2 3", true},
        {"REDIRECTSTREAM 1", false},
        {"REDIRECTSTREAM 1 a", true},
        {"REDIRECTSTREAM 1 a 80", true},
        {"ONION_CLIENT_AUTH_REMOVE", false},
        {"ONION_CLIENT_AUTH_REMOVE a", true},
        {"ONION_CLIENT_AUTH_REMOVE a b", false},
        {"ONION_CLIENT_AUTH_VIEW", true},
        {"ONION_CLIENT_AUTH_VIEW a", true},
        {"ONION_CLIENT_AUTH_VIEW a b", false},
        {"TAKEOWNERSHIP", true},
        {"TAKEOWNERSHIP what ever", true},
        {"TAKEOWNERSHIP \x01", false},
        {"DROPOWNERSHIP", true},
        {"SETROUTERPURPOSE x", true},
        {"+LOADCONF", true},
        {"+LOADCONF  ", true},
        {"+LOADCONF x", false},
    };

    check_rows(rows, COUNT(rows));
}

Test(arguments, pairs)
{
    static const struct row rows[] = {
        {"SETCONF", true},
        {"SETCONF A=1 B", true},
        {"SETCONF A=\"1\"B=2", true},
        {"SETCONF A=\"1", false},
        {"SETCONF A = 1", false},
        {"RESETCONF A=\"x y\" B", true},
        {"RESETCONF A=\"\\q\"", false},
        {"SAVECONF", true},
        {"SAVECONF FORCE", true},
        {"SAVECONF \"x", false},
        {"MAPADDRESS", false},
        {"MAPADDRESS  ", false},
        {"MAPADDRESS a=b", true},
        {"MAPADDRESS a=b c=d", true},
        {"MAPADDRESS a", false},
        {"MAPADDRESS a=\"b\"", false},
        {"RESOLVE", true},
        {"RESOLVE example.com", true},
        {"RESOLVE mode=reverse 192.0.2.1", true},
        {"RESOLVE \"example.com", false},
        {"EXTENDCIRCUIT", false},
        {"EXTENDCIRCUIT 0", true},
        {"EXTENDCIRCUIT 0 a,b purpose=general", true},
        {"EXTENDCIRCUIT 0 \"a\"", false},
        {"CLOSECIRCUIT", false},
        {"CLOSECIRCUIT 230 ", true},
        {"CLOSECIRCUIT 230 IfUnused", true},
        {"CLOSECIRCUIT 230 'x", false},
        {"ATTACHSTREAM", false},
        {"ATTACHSTREAM 1", false},
        {"ATTACHSTREAM 1 2", true},
        {"ATTACHSTREAM 1 2 HOP=1", true},
        {"ATTACHSTREAM 1 2 3", false},
        {"HSFETCH", false},
        {"HSFETCH a", true},
        {"HSFETCH a SERVER=b SERVER=c", true},
        {"HSFETCH a b", false},
        {"+POSTDESCRIPTOR", true},
        {"+POSTDESCRIPTOR purpose=general cache=no", true},
        {"+POSTDESCRIPTOR x", false},
    };

    check_rows(rows, COUNT(rows));
}

Test(arguments, commands_that_break_the_count_of_replies)
{
    static const struct row rows[] = {
        /* never answered */
        {"ADD_ONION NEW:BEST Port=80 ClientAuth=bob", false},
        {"ADD_ONION NEW:BEST clientauth= Port=80", false},
        {"ADD_ONION NEW:BEST Port=80 CLIENTAUTH=bob:x", false},
        {"ADD_ONION NEW:BEST Port=80 Flags=V3Auth ClientAuthV3=a ClientAuth=b", false},
        {"ADD_ONION NEW:BEST Port=80 Flags=V3Auth ClientAuthV3=a", true},
        {"ADD_ONION NEW:BEST Port=80 ClientAuthX=a", true},
        {"+HSPOST", false},
        {"+HSPOST SERVER=a", false},
        {"+HSPOST HSADDRESS", false},
        {"+HSPOST HSADDRESS=a", true},
        {"+HSPOST SERVER=b hsaddress=a", true},
        {"+HSPOST xHSADDRESS=a", false},
        /* answered twice */
        {"ONION_CLIENT_AUTH_ADD a " KEY44 " ClientName=12345678901234567", false},
        {"ONION_CLIENT_AUTH_ADD a " KEY44 " ClientName=a clientname=12345678901234567", false},
        {"ONION_CLIENT_AUTH_ADD a " KEY44 " ClientName=1234567890123456", true},
        {"ONION_CLIENT_AUTH_ADD a " KEY44 " Flags=Permanent", true},
        {"ONION_CLIENT_AUTH_ADD a " KEY44, true},
        {"ONION_CLIENT_AUTH_ADD a", false},
        {"ONION_CLIENT_AUTH_ADD", false},
        /* the end of tor */
        {"SETCIRCUITPURPOSE", false},
        {"SETCIRCUITPURPOSE ", false},
        {"SETCIRCUITPURPOSE 1", false},
        {"SETCIRCUITPURPOSE 1 x=general", false},
        {"SETCIRCUITPURPOSE purpose=general", false},
        {"SETCIRCUITPURPOSE 1 PURPOSE=general", true},
        {"SETCIRCUITPURPOSE 1 purpose=general x", false},
        /* other shapes of ADD_ONION */
        {"ADD_ONION", false},
        {"ADD_ONION NEW:BEST", false},
        {"ADD_ONION Port=80", false},
        {"ADD_ONION NEW:BEST Flags=Detach", false},
        {"ADD_ONION NEW:BEST Port", false},
        {"ADD_ONION NEW:BEST port=80 ", true},
        {"ADD_ONION NEW:BEST Port=80 Port=\"81\"", false},
        {"ADD_ONION NEW:BEST Port=80 =", false},
    };

    check_rows(rows, COUNT(rows));
}

/* "a a a ..." or "a=b a=b ..." */
static void repeat(struct buf *out, const char *word, size_t count)
{
    buf_reset(out);
    for (size_t i = 0; i < count; i++) {
        buf_append_string(out, word);
        buf_append_char(out, ' ');
    }
}

Test(arguments, there_are_not_too_many)
{
    static const char *const rows[][2] = {
        {"GETINFO", "version"}, {"SETCONF", "A=\"1\""}, {"MAPADDRESS", "a=b"}, {"RESOLVE", "a"},
        {"ADD_ONION", "Port=80"}, /* the first is the key, and counts */
    };
    struct buf text;

    buf_init(&text, 10000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct keyword *keyword = keyword_find(span_from_string(rows[i][0]), false);
        repeat(&text, rows[i][1], ARGUMENTS_MAX_WORDS);
        cr_expect_null(arguments_refusal(keyword, buf_span(&text), SPAN("")), "row %zu", i);
        repeat(&text, rows[i][1], ARGUMENTS_MAX_WORDS + 1);
        cr_expect_not_null(arguments_refusal(keyword, buf_span(&text), SPAN("")), "row %zu", i);
    }
    buf_clear(&text);
}

struct data_row {
    const char *name;
    bool is_block;
    const char *data;
    bool good;
};

Test(arguments, data)
{
    static const struct data_row rows[] = {
        {"LOADCONF", true, "", true},
        {"LOADCONF", true, "A 1\r\n", true},
        {"LOADCONF", true, "A 1", false},
        {"LOADCONF", true, "A\n", false},
        {"LOADCONF", true, ".\r\n", false},
        {"LOADCONF", true, "A\tB\r\n", false},
        {"SETEVENTS", false, "", true},
        {"SETEVENTS", false, "A 1\r\n", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct keyword *keyword = keyword_find(span_from_string(rows[i].name),
                                                     rows[i].is_block);
        const char *why = arguments_refusal(keyword, SPAN(""), span_from_string(rows[i].data));
        cr_expect_eq(why == NULL, rows[i].good, "row %zu: %s", i, why ? why : "allowed");
    }
}

Test(arguments, sizes)
{
    static char bytes[COMMAND_MAX_LINE + 1];
    const struct keyword *keyword = keyword_find(SPAN("GETINFO"), false);

    memset(bytes, 'x', sizeof bytes);
    cr_expect_null(arguments_refusal(keyword, span_make(bytes, COMMAND_MAX_LINE), SPAN("")));
    cr_expect_not_null(arguments_refusal(keyword, span_make(bytes, sizeof bytes), SPAN("")));
    cr_expect_not_null(arguments_refusal(NULL, SPAN(""), SPAN("")));
    cr_expect_not_null(arguments_refusal(keyword, SPAN("version\0x"), SPAN("")));
}
