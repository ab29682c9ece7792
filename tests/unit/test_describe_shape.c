/* The shape of commands: what a profile's author has to know, and no value of a client's. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "describe_shape.h"
#include "mem.h"

#define ONION "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"
#define FINGERPRINT "0123456789ABCDEF0123456789abcdef01234567"
#define KEY_BLOB "ED25519-V3:c2VjcmV0c2VjcmV0=="

static const struct {
    const char *line;
    const char *shape;
} rows[] = {
    /* GETINFO */
    {"GETINFO version", "GETINFO version"},
    {"getinfo  version   uptime ", "GETINFO version uptime"},
    {"GETINFO", "GETINFO"},
    {"GETINFO ns/id/" FINGERPRINT, "GETINFO ns/id/(fingerprint)"},
    {"GETINFO ns/id/$" FINGERPRINT "~nick", "GETINFO ns/id/(fingerprint)"},
    {"GETINFO ns/id/" FINGERPRINT "x ns/name/secret", "GETINFO ns/id/(name) ns/name/(name)"},
    {"GETINFO ns/id/" FINGERPRINT " ns/id/$" FINGERPRINT " version", "GETINFO ns/id/(fingerprint) version"},
    {"GETINFO ip-to-country/10.0.0.7 ip-to-country/fe80::1", "GETINFO ip-to-country/(address)"},
    {"GETINFO hs/client/desc/id/" ONION, "GETINFO hs/client/desc/id/(onion)"},
    {"GETINFO hs/client/desc/id/secret", "GETINFO hs/client/desc/id/(name)"},
    {"GETINFO consensus/valid-after consensus/secret", "GETINFO consensus/valid-after consensus/(name)"},
    {"GETINFO secret Version", "GETINFO (unknown)"},
    {"GETINFO net/listeners/socks net/listeners/secret", "GETINFO net/listeners/socks net/listeners/(name)"},
    {"GETINFO downloads/cert/fp/0", "GETINFO downloads/cert/fp/(number)"},
    /* options */
    {"GETCONF socksport __owningcontrollerprocess secret 1.2.3.4",
     "GETCONF SocksPort __OwningControllerProcess (unknown)"},
    {"SETCONF DisableNetwork=1 usebridges=\"0\"", "SETCONF DisableNetwork=1 UseBridges=0"},
    {"SETCONF NumCPUs=12 Bridge=\"obfs4 10.0.0.1:443 cert=secret\"", "SETCONF NumCPUs=(number) Bridge=(value)"},
    {"SETCONF Bridge=10.0.0.1:443", "SETCONF Bridge=(value)"},
    {"SETCONF Bridge=a Bridge=b UseBridges", "SETCONF Bridge=(value) UseBridges"},
    {"SETCONF ContactInfo= Nickname=\"\"", "SETCONF ContactInfo= Nickname="},
    {"SETCONF A=\"0\"B=1", "SETCONF (unknown)=0 (unknown)=1"},
    {"SETCONF ContactInfo=\"a\\\"b\"SocksPort=9050", "SETCONF ContactInfo=(value) SocksPort=(number)"},
    {"SETCONF HashedControlPassword=\"open", "SETCONF (unknown)"},
    {"SETCONF DisableNetwork=\"\\x31\"", "SETCONF DisableNetwork=1"},
    {"SETCONF secret", "SETCONF (unknown)"},
    {"SETCONF", "SETCONF"},
    {"RESETCONF Bridge __owningControllerProcess", "RESETCONF Bridge __OwningControllerProcess"},
    /* onion services */
    {"ADD_ONION NEW:BEST Port=80", "ADD_ONION NEW:BEST Port=80"},
    {"add_onion new:ed25519-v3 port=80,5000", "ADD_ONION NEW:ED25519-V3 Port=80,5000"},
    {"ADD_ONION " KEY_BLOB " Port=80,127.0.0.1:5000 Flags=Detach,discardpk",
     "ADD_ONION ED25519-V3:(key) Port=80,127.0.0.1:5000 Flags=Detach,DiscardPK"},
    {"ADD_ONION secret:key Port=80,10.1.2.3:99 Port=81,[fe80::7]:99",
     "ADD_ONION (key) Port=80,(address):99 Port=81,(address):99"},
    {"ADD_ONION NEW:BEST Port=1,0.0.0.0:2 Port=1,[::]:2 Port=1,[::1]:2 Port=1,10.0.0.1",
     "ADD_ONION NEW:BEST Port=1,0.0.0.0:2 Port=1,[::]:2 Port=1,[::1]:2 Port=1,(address):1"},
    {"ADD_ONION NEW:BEST Port=80,unix:/home/alice/s Port=80,localhost:22",
     "ADD_ONION NEW:BEST Port=80,unix:(path) Port=80,(name)"},
    {"ADD_ONION NEW:BEST Port=secret Port=123456", "ADD_ONION NEW:BEST Port=(number)"},
    {"ADD_ONION NEW:BEST Port=80 Flags=Secret,V3Auth ClientAuthV3=ABCDEF ClientAuthV3=GHI",
     "ADD_ONION NEW:BEST Port=80 Flags=(unknown),V3Auth ClientAuthV3=(key)"},
    {"ADD_ONION NEW:BEST MaxStreams=12 PoWDefensesEnabled=1 PoWQueueRate=250 Port=80 Secret=x",
     "ADD_ONION NEW:BEST MaxStreams=(number) PoWDefensesEnabled=1 PoWQueueRate=(number) Port=80 (name)=(name)"},
    {"DEL_ONION " ONION, "DEL_ONION (onion)"},
    {"DEL_ONION secret", "DEL_ONION (name)"},
    {"HSFETCH " ONION " SERVER=$" FINGERPRINT, "HSFETCH (onion) SERVER=(fingerprint)"},
    {"ONION_CLIENT_AUTH_ADD " ONION " x25519:c2VjcmV0 Flags=permanent ClientName=alice",
     "ONION_CLIENT_AUTH_ADD (onion) x25519:(key) Flags=Permanent ClientName=(name)"},
    {"ONION_CLIENT_AUTH_VIEW", "ONION_CLIENT_AUTH_VIEW"},
    {"ONION_CLIENT_AUTH_REMOVE " ONION, "ONION_CLIENT_AUTH_REMOVE (onion)"},
    /* the others */
    {"SETEVENTS hs_desc SIGNAL secret extended", "SETEVENTS HS_DESC SIGNAL (unknown) EXTENDED"},
    {"SETEVENTS AUTHDIR_NEWDESCS ", "SETEVENTS AUTHDIR_NEWDESCS"},
    {"signal newnym", "SIGNAL newnym"},
    {"SIGNAL secret", "SIGNAL (unknown)"},
    {"CLOSECIRCUIT 230 ", "CLOSECIRCUIT (number)"},
    {"CLOSECIRCUIT 230 IfUnused", "CLOSECIRCUIT (number) IfUnused"},
    {"CLOSESTREAM 42 1", "CLOSESTREAM (number) 1"},
    {"EXTENDCIRCUIT 0 purpose=general", "EXTENDCIRCUIT 0 purpose=general"},
    {"EXTENDCIRCUIT 0 " FINGERPRINT ",secret purpose=secret", "EXTENDCIRCUIT 0 (name) purpose=(name)"},
    {"ATTACHSTREAM 7 8 HOP=2", "ATTACHSTREAM (number) (number) HOP=(number)"},
    {"REDIRECTSTREAM 7 secret.example 80", "REDIRECTSTREAM (number) (name) (number)"},
    {"MAPADDRESS 1.2.3.4=secret.example", "MAPADDRESS (address)=(name)"},
    {"RESOLVE mode=reverse secret.example", "RESOLVE mode=reverse (name)"},
    {"USEFEATURE EXTENDED_EVENTS secret", "USEFEATURE EXTENDED_EVENTS (unknown)"},
    {"SAVECONF force", "SAVECONF FORCE"},
    {"TAKEOWNERSHIP", "TAKEOWNERSHIP"},
    {"TAKEOWNERSHIP secret", "TAKEOWNERSHIP (unknown)"},
    {"DROPGUARDS", "DROPGUARDS"},
    {"AUTHENTICATE \"secret\"", "AUTHENTICATE (unknown)"},
    /* no sound commands */
    {"SECRET x", "(unknown)"},
    {" GETINFO version", "(unknown)"},
    {"", "(unknown)"},
    {"GETINFO version\x01", "(unknown)"},
};

static char *shape_line(const char *line)
{
    struct command command;
    struct buf out;

    buf_init(&out, 64 * 1024);
    command_parse_line(span_from_string(line), &command);
    describe_shape(&out, &command);
    cr_expect(!out.overflow);
    char *text = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    return text;
}

Test(describe_shape, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *shape = shape_line(rows[i].line);
        cr_expect_str_eq(shape, rows[i].shape, "row %zu: %s\n for %s", i, shape, rows[i].shape);
        free(shape);
    }
}

/* A shape is read like a command, and has itself for its shape. */
Test(describe_shape, is_its_own_shape)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *again = shape_line(rows[i].shape);
        cr_expect_str_eq(again, rows[i].shape, "row %zu: %s\n for %s", i, again, rows[i].shape);
        free(again);
    }
}

Test(describe_shape, blocks)
{
    const struct {
        const char *name, *arguments, *shape;
    } blocks[] = {
        {"LOADCONF", "", "+LOADCONF"},
        {"HSPOST", "SERVER=" FINGERPRINT " SERVER=" FINGERPRINT " HSADDRESS=" ONION,
         "+HSPOST SERVER=(fingerprint) HSADDRESS=(onion)"},
        {"POSTDESCRIPTOR", "purpose=general cache=no", "+POSTDESCRIPTOR purpose=general cache=no"},
    };

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct command command = {
            .keyword = keyword_find(span_from_string(blocks[i].name), true),
            .is_block = true,
            .name = span_from_string(blocks[i].name),
            .arguments = span_from_string(blocks[i].arguments),
            .data = SPAN("SECRET secret\r\n"),
        };
        struct buf out;
        buf_init(&out, 4096);
        describe_shape(&out, &command);
        cr_expect(span_equals(buf_span(&out), span_from_string(blocks[i].shape)), "row %zu: %.*s",
                  i, (int)out.len, buf_span(&out).data);
        buf_clear(&out);
    }
}

/* For each command, whatever stands in its arguments: bounded, printable, and nothing of it comes
 * out but what tor's own tables have. */
Test(describe_shape, hides_what_it_does_not_know)
{
    static const char *const patterns[] = {
        "Sekret", "Sekret=Sekret", "\"Sekret\"", "x=\"Sekret", "Sekret:Sekret", "Port=Sekret,Sekret",
        "Port=80,Sekret:1", "Port=80,unix:/Sekret", "Flags=Sekret", "ns/id/Sekret", "Log=Sekret",
        "Log=\"Sek\\162et\"", "Sekret,Sekret", "$Sekret", "NEW:Sekret", "ED25519-V3:Sekret",
        "(Sekret)", "(key)Sekret", "12345678901234567890123Sekret", "purpose=Sekret",
    };

    for (size_t k = 0; keyword_at(k); k++)
        for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
            struct buf arguments, out;
            buf_init(&arguments, COMMAND_MAX_LINE);
            buf_init(&out, 64 * 1024);
            for (int n = 0; n < 200; n++)
                buf_printf(&arguments, "%s%s %d", n ? " " : "", patterns[p], n);
            struct command command = {.keyword = keyword_at(k),
                                      .is_block = (keyword_at(k)->flags & KEYWORD_IS_BLOCK) != 0,
                                      .arguments = buf_span(&arguments)};
            describe_shape(&out, &command);
            struct span text = buf_span(&out);
            cr_expect(text.len > 0 && text.len < DESCRIBE_SHAPE_MAX + 64, "%s: %zu bytes",
                      keyword_at(k)->name, text.len);
            for (size_t i = 0; i < text.len; i++) {
                cr_expect(ascii_is_printable(text.data[i]));
                cr_expect(!span_starts_with(span_from(text, i), SPAN("ekret")), "%s %s: %.*s",
                          keyword_at(k)->name, patterns[p], (int)text.len, text.data);
            }
            buf_clear(&arguments);
            buf_clear(&out);
        }
}

Test(describe_shape, says_that_there_is_more)
{
    struct buf line;

    buf_init(&line, COMMAND_MAX_LINE);
    buf_append_string(&line, "GETINFO");
    for (int i = 0; i < 500; i++)
        buf_append_string(&line, i % 2 ? " version" : " uptime");
    buf_append_char(&line, '\0');
    char *shape = shape_line(buf_span(&line).data);
    struct span text = span_from_string(shape);
    cr_expect(text.len > 1000 && text.len < DESCRIBE_SHAPE_MAX + 64);
    cr_expect(span_equals(span_from(text, text.len - 7), SPAN(" (more)")));
    free(shape);
    buf_clear(&line);
}
