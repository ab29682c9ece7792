/* What a log says of commands and replies: names, never values. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* A command as the reader would give it. */
static struct command make_command(bool is_block, const char *name, const char *arguments)
{
    return (struct command){
        .keyword = keyword_find(span_from_string(name), is_block),
        .is_block = is_block,
        .name = span_from_string(name),
        .arguments = span_from_string(arguments),
    };
}

static void expect_text(struct buf *out, const char *expected, size_t row)
{
    cr_expect(span_equals(buf_span(out), span_from_string(expected)), "row %zu: %.*s is not %s",
              row, (int)out->len, buf_span(out).data, expected);
}

Test(describe, commands)
{
    static const struct {
        const char *name, *arguments, *expected;
    } rows[] = {
        {"getinfo", "version address", "GETINFO version address"},
        {"GETINFO", "", "GETINFO"},
        {"GETINFO", "  ", "GETINFO"},
        {"GETINFO", "version ", "GETINFO version"},
        {"GETINFO", "ns/id/AAAA secret", "GETINFO ns/id/... (unknown key)"},
        {"GETINFO", "Version", "GETINFO (unknown key)"},
        {"GETINFO", "versions", "GETINFO (unknown key)"},
        {"GETINFO", "net/listeners/socks net/listeners/x",
         "GETINFO net/listeners/socks net/listeners/..."},
        {"GETINFO", "hs/client/desc/id/abc.onion onions/current",
         "GETINFO hs/client/desc/id/... onions/current"},
        {"GETINFO", "address-mappings/all ip-to-country/1.2.3.4",
         "GETINFO address-mappings/all ip-to-country/..."},
        {"GETCONF", "bridge UseBridges __owningControllerProcess",
         "GETCONF Bridge UseBridges __OwningControllerProcess"},
        {"GETCONF", "1.2.3.4:443 a=b", "GETCONF ..."},
        {"GETCONF", "12345 _ sandbox", "GETCONF ... Sandbox"},
        {"GETCONF", "hunter2secret", "GETCONF ..."},
        {"GETCONF", "UseBridge SocksPort=secret", "GETCONF ..."},
        {"GETCONF", "+Bridge", "GETCONF ..."},
        {"SETCONF", "Bridge=\"obfs4 1.2.3.4:443\" UseBridges=1", "SETCONF Bridge= UseBridges="},
        {"SETCONF", "Log=\"x\"nickname=y SocksPort", "SETCONF Log= Nickname= SocksPort"},
        {"SETCONF", "Log=x\" Nickname=y\"", "SETCONF Log= Nickname="},
        {"SETCONF", "secret=x Log=y hunter2", "SETCONF ... Log= ..."},
        {"SETCONF", "hunter2secret", "SETCONF ..."},
        {"SETCONF", "HashedControlPassword=\"open secret", "SETCONF ..."},
        {"SETCONF", "1.2.3.4=x", "SETCONF ..."},
        {"SETCONF", "", "SETCONF"},
        {"RESETCONF", "bridge", "RESETCONF Bridge"},
        {"RESETCONF", "secret Bridge", "RESETCONF ... Bridge"},
        {"ADD_ONION", "NEW:ED25519-V3 Port=80,1.2.3.4:5 Flags=Detach",
         "ADD_ONION Port= Flags="},
        {"add_onion", "ED25519-V3:c2VjcmV0== port=80", "ADD_ONION Port="},
        {"ADD_ONION", "ED25519-V3:c2VjcmV0==", "ADD_ONION"},
        {"ADD_ONION", "Port=80 ClientAuthV3=SECRET", "ADD_ONION ClientAuthV3="},
        {"ADD_ONION", "NEW:BEST secret=1 Port=80", "ADD_ONION ... Port="},
        {"ADD_ONION", "NEW:BEST secret", "ADD_ONION ..."},
        {"ONION_CLIENT_AUTH_ADD", "abc x25519:secret Flags=Permanent",
         "ONION_CLIENT_AUTH_ADD Flags="},
        {"ONION_CLIENT_AUTH_VIEW", "abc", "ONION_CLIENT_AUTH_VIEW ..."},
        {"DEL_ONION", "abc", "DEL_ONION ..."},
        {"MAPADDRESS", "1.2.3.4=secret.onion 0.0.0.0=a.b", "MAPADDRESS ..."},
        {"RESOLVE", "mode=reverse secret.example", "RESOLVE mode= ..."},
        {"SAVECONF", "force", "SAVECONF FORCE"},
        {"SIGNAL", "newnym", "SIGNAL NEWNYM"},
        {"SIGNAL", "secret", "SIGNAL ..."},
        {"SETEVENTS", "hs_desc extended AUTHDIR_NEWDESCS x y BW",
         "SETEVENTS HS_DESC EXTENDED AUTHDIR_NEWDESCS ... BW"},
        {"SETEVENTS", "", "SETEVENTS"},
        {"AUTHENTICATE", "\"secret\"", "AUTHENTICATE ..."},
        {"AUTHENTICATE", "", "AUTHENTICATE"},
        {"AUTHCHALLENGE", "SAFECOOKIE 00", "AUTHCHALLENGE ..."},
        {"PROTOCOLINFO", "1", "PROTOCOLINFO ..."},
        {"QUIT", "secret", "QUIT ..."},
        {"TAKEOWNERSHIP", "", "TAKEOWNERSHIP"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf out;
        buf_init(&out, 4096);
        struct command command = make_command(false, rows[i].name, rows[i].arguments);
        cr_assert_not_null(command.keyword, "row %zu", i);
        describe_command(&out, &command);
        expect_text(&out, rows[i].expected, i);
        buf_clear(&out);
    }
}

Test(describe, blocks)
{
    static const struct {
        const char *name, *arguments, *expected;
    } rows[] = {
        {"loadconf", "", "+LOADCONF"},
        {"HSPOST", "SERVER=abc HSADDRESS=def", "+HSPOST SERVER= HSADDRESS="},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf out;
        buf_init(&out, 4096);
        struct command command = make_command(true, rows[i].name, rows[i].arguments);
        command.data = SPAN("HashedControlPassword secret\r\n");
        describe_command(&out, &command);
        expect_text(&out, rows[i].expected, i);
        buf_clear(&out);
    }
}

Test(describe, defects)
{
    static const struct {
        enum command_defect defect;
        bool is_block;
        struct span name;
        const char *expected;
    } rows[] = {
        {COMMAND_BAD_BYTES, false, SPAN("GETINFO\0x"), "GETINFO (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN("AUTHENTICATE\t\"hunter2secret\""),
         "AUTHENTICATE (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN("add_onion\tED25519-V3:SECRETKEY"),
         "ADD_ONION (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN("GETINFOsecret\t"),
         "(unknown command) (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN("\tGETINFO"),
         "(unknown command) (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, true, SPAN("hunter2"),
         "(unknown command) (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN("LOADCONF\tsecret"),
         "LOADCONF (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, true, SPAN("LOADCONF"), "+LOADCONF (bytes outside printable ASCII)"},
        {COMMAND_BAD_BYTES, false, SPAN(""), "(unknown command) (bytes outside printable ASCII)"},
        {COMMAND_NO_KEYWORD, false, SPAN(""), "(no command name)"},
        {COMMAND_UNKNOWN, false, SPAN("FOO"), "(unknown command)"},
        {COMMAND_UNKNOWN, false, SPAN("hunter2secret"), "(unknown command)"},
        {COMMAND_UNKNOWN, false, SPAN("GETINFO:secret"), "GETINFO (unknown command)"},
        {COMMAND_UNKNOWN, true, SPAN(""), "(unknown command)"},
        {COMMAND_UNKNOWN, true, SPAN("GETINFO"), "+GETINFO (unknown command)"},
        {COMMAND_UNKNOWN, false, SPAN("abcdefghijabcdefghijabcdefghijabcdefghijX"),
         "(unknown command)"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf out;
        buf_init(&out, 4096);
        struct command command = {
            .defect = rows[i].defect,
            .is_block = rows[i].is_block,
            .name = rows[i].name,
            .arguments = SPAN("secret"),
        };
        describe_command(&out, &command);
        expect_text(&out, rows[i].expected, i);
        buf_clear(&out);
    }
}

/* No command, however long its arguments, makes a long description or shows a marked value. */
Test(describe, length_is_bounded_and_values_are_hidden)
{
    static const char *const pieces[] = {
        "secret.value ", "Key=secret.value ", "Port=secret.value ", "Key=\"secret.value\" ",
        "circuit-status ", "HS_DESC ", "secretvalue ", "secret=value ", "Log=\"secret\"secret ",
        "abcdefghijabcdefghijabcdefghijabcdefghijabcdefgh ",
    };
    char arguments[16000];

    for (size_t i = 0; i < LENGTH(pieces); i++) {
        size_t size = strlen(pieces[i]);
        for (size_t at = 0; at + size < sizeof(arguments); at += size)
            memcpy(arguments + at, pieces[i], size + 1);
        for (size_t row = 0; keyword_at(row); row++) {
            struct buf out;
            buf_init(&out, 4096);
            struct command command = {
                .keyword = keyword_at(row),
                .name = span_from_string(keyword_at(row)->name),
                .arguments = span_from_string(arguments),
            };
            describe_command(&out, &command);
            cr_expect_leq(out.len, 200, "%s with %s", keyword_at(row)->name, pieces[i]);
            buf_append_char(&out, '\0');
            cr_expect_null(strstr(out.data, "secret"), "%s with %s: %s", keyword_at(row)->name,
                           pieces[i], out.data);
            buf_clear(&out);
        }
    }
}

Test(describe, an_unknown_name_of_any_bytes_is_bounded)
{
    char name[3000];
    struct buf out;

    memset(name, '\x01', sizeof(name));
    buf_init(&out, 4096);
    struct command command = {
        .defect = COMMAND_BAD_BYTES,
        .is_block = true,
        .name = span_make(name, sizeof(name)),
    };
    describe_command(&out, &command);
    cr_expect_leq(out.len, 200);
    for (size_t i = 0; i < out.len; i++)
        cr_expect(out.data[i] >= 0x20 && out.data[i] < 0x7f, "byte %zu", i);
    buf_clear(&out);
}

Test(describe, replies)
{
    static const struct {
        struct span wire;
        const char *expected;
    } rows[] = {
        {SPAN("250 OK"), "250 OK"},
        {SPAN("650 OK"), "650 OK"},
        {SPAN("."), "."},
        {SPAN("250-PrivateKey=ED25519-V3:secret"), "250-PrivateKey=..."},
        {SPAN("250-ServiceID=secret"), "250-ServiceID=..."},
        {SPAN("250+ns/all="), "250+ns/all=..."},
        {SPAN("250-ns/id/secret=x"), "250-ns/id/...=..."},
        {SPAN("250-version=0.4.9"), "250-version=..."},
        {SPAN("250 Bridge=secret"), "250 Bridge=..."},
        {SPAN("250 bridge=secret"), "250 Bridge=..."},
        {SPAN("250-secret=x"), "250-..."},
        {SPAN("250 Bridge"), "250 ..."},
        {SPAN("250-10.0.0.1=secret.onion"), "250-..."},
        {SPAN("250-secret.onion=1.2.3.4"), "250-..."},
        {SPAN("250-CLIENT secret x25519:secret="), "250-..."},
        {SPAN("250 EXTENDED 5"), "250 ..."},
        {SPAN("250-(null)"), "250-..."},
        {SPAN("552 Unrecognized key \"secret\""), "552 Unrecognized ..."},
        {SPAN("552 secret.example is bad"), "552 ..."},
        {SPAN("551 SECRETtor 192.0.2.77"), "551 ..."},
        {SPAN("551 hunter is bad"), "551 ..."},
        {SPAN("513-Invalid secret"), "513-Invalid ..."},
        {SPAN("552 secret"), "552 ..."},
        {SPAN("551 "), "551 ..."},
        {SPAN("650 HS_DESC CREATED secret"), "650 HS_DESC CREATED ..."},
        {SPAN("650 HS_DESC secret"), "650 HS_DESC ..."},
        {SPAN("650+HS_DESC_CONTENT secret"), "650+HS_DESC_CONTENT ..."},
        {SPAN("650+NS"), "650+NS"},
        {SPAN("650 STATUS_CLIENT NOTICE BOOTSTRAP secret"), "650 STATUS_CLIENT NOTICE ..."},
        {SPAN("650 SIGNAL NEWNYM"), "650 SIGNAL NEWNYM"},
        {SPAN("650 ADDRMAP SECRET x"), "650 ADDRMAP ..."},
        {SPAN("650 WARN SECRET x"), "650 WARN ..."},
        {SPAN("650 INFO SECRET"), "650 INFO ..."},
        {SPAN("650 CIRC 1 BUILT $secret"), "650 CIRC ..."},
        {SPAN("650 NOEVENT secret"), "650 ..."},
        {SPAN("650-Bridge=secret"), "650-Bridge=..."},
        {SPAN("r nick secret"), "..."},
        {SPAN(""), "..."},
        {SPAN("250 a\rb"), "..."},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf out;
        buf_init(&out, 4096);
        describe_reply_line(&out, rows[i].wire);
        expect_text(&out, rows[i].expected, i);
        buf_clear(&out);
    }
}

Test(describe, info_keys)
{
    static const struct {
        const char *key, *known;
    } rows[] = {
        {"version", "version"},           {"ns/id/$A", "ns/id/"},
        {"ns/purpose/bridge", "ns/purpose/bridge"}, {"ns/purpose/x", "ns/purpose/"},
        {"dir/server/authority", "dir/server/authority"}, {"dir/server/authority/x", "dir/server/"},
        {"downloads/bridge/x", "downloads/bridge/"}, {"downloads/x", "downloads/"},
        {"", NULL},                       {"ns", NULL},
        {"ns/", NULL},                    {"VERSION", NULL},
        {"status/bootstrap-phase ", NULL}, {"config/HiddenServiceDir", "config/"},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *known = describe_info_key(span_from_string(rows[i].key));
        if (rows[i].known)
            cr_expect(known && strcmp(known, rows[i].known) == 0, "row %zu: %s", i,
                      known ? known : "nothing");
        else
            cr_expect_null(known, "row %zu: %s", i, known ? known : "");
    }
}
