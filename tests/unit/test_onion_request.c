/* ADD_ONION's arguments as a set, and its canonical text; the other commands about services. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "onion_commands.h"
#include "onion_request.h"
#include "onion_text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* 86 characters, to be padded; and 52 of a client's key in both cases. */
#define BASE64_86 \
    "QOsB0RfoIhMLpcDVPDrTVxXJW8pZawDg4d36LcG2pKQ0KnhGl3tgVHXA2RcwxEAPbSgcPfZjLsBR71WUg1p+/w"
#define STORED "ED25519-V3:" BASE64_86 "=="
#define CLIENT "E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"
#define CLIENT_LOWER "e2got5ltutp3oamrcrxo4gsh6vkjeuoxzquc336srkahttt5ovsa"
#define CLIENT_2 "A2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"
#define ADDRESS "fcmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad"
#define ADDRESS_UPPER "FCMH5O5FT7AEDEECFE7C5WTBVR54EBLTTZ7BWV7BLV3CB7EYFROGX3AD"

/* Reasons that many rows have. */
#define NO_KEY "a key that is not NEW:BEST, NEW:ED25519-V3 or ED25519-V3:..."
#define NO_KEYWORD "a keyword that ADD_ONION does not have"
#define NO_FLAG "a flag that ADD_ONION does not have"
#define NO_PAIR "a keyword argument that tor cannot parse"
#define NO_PORT "an onion service without Port="
#define NOT_LITERAL "a target that is no literal address"
#define BAD_PORT "a port that is not 1 to 65535 in plain digits"
#define BAD_PATH "a socket path that is not absolute and plain"
#define KERNEL_PATH "a socket path below /proc, /sys or /dev"
#define TWICE "a keyword twice that can have one value only"
#define NO_CLIENT "ClientAuthV3= is not 52 characters of base32"
#define NO_STREAMS "MaxStreams= is not 0 to 65535 in plain digits"
#define NO_POW "PoWDefensesEnabled= is not 0 or 1"
#define NO_RATE "PoWQueueRate= is not a number of 32 bits in plain digits"
#define NO_BURST "PoWQueueBurst= is not a number of 32 bits in plain digits"
#define TOO_FEW "too few arguments for this command"
#define TOO_MANY "too many arguments for this command"

struct text_row {
    const char *arguments;
    const char *canonical; /* or why not */
    bool is_refused;
};

#define OK(arguments, canonical) {arguments, canonical, false}
#define NO(arguments, reason) {arguments, reason, true}

typedef const char *(*canonical_fn)(struct span arguments, struct buf *out);

static const char *add_canonical(struct span arguments, struct buf *out)
{
    struct onion_request request;
    const char *why = onion_request_parse(arguments, &request);

    if (!why)
        cr_expect(onion_request_write(&request, out));
    return why;
}

/* The result, and that what comes out comes out of itself. */
static void expect_text(canonical_fn canonical, const struct text_row *row, size_t number)
{
    struct buf out, again;

    buf_init(&out, COMMAND_MAX_LINE);
    buf_init(&again, COMMAND_MAX_LINE);
    const char *why = canonical(span_from_string(row->arguments), &out);
    struct span expected = span_from_string(row->canonical);

    if (row->is_refused) {
        cr_expect(why && strcmp(why, row->canonical) == 0, "row %zu '%.200s': '%s' for '%s'",
                  number, row->arguments, why ? why : "allowed", row->canonical);
        cr_expect_eq(out.len, 0, "row %zu: a refusal leaves text", number);
    } else {
        cr_expect(!why && span_equals(buf_span(&out), expected),
                  "row %zu '%.200s':\n got '%.*s' (%s)\n for '%s'", number, row->arguments,
                  (int)out.len, buf_span(&out).data, why ? why : "allowed", row->canonical);
        cr_expect_null(canonical(buf_span(&out), &again), "row %zu: its text is refused", number);
        cr_expect(span_equals(buf_span(&out), buf_span(&again)), "row %zu: not canonical", number);
    }
    buf_clear(&out);
    buf_clear(&again);
}

static void expect_texts(canonical_fn canonical, const struct text_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_text(canonical, &rows[i], i);
}

#define EXPECT_TEXTS(canonical, rows) expect_texts(canonical, rows, COUNT(rows))

/* --- ADD_ONION --- */

Test(onion_request, keys)
{
    static const struct text_row rows[] = {
        OK("NEW:BEST Port=80", "NEW:BEST Port=80,127.0.0.1:80"),
        OK("NEW:ED25519-V3 Port=80", "NEW:ED25519-V3 Port=80,127.0.0.1:80"),
        OK("new:best Port=80", "NEW:BEST Port=80,127.0.0.1:80"),
        OK("New:Ed25519-v3 Port=80", "NEW:ED25519-V3 Port=80,127.0.0.1:80"),
        OK(STORED " Port=80", STORED " Port=80,127.0.0.1:80"),
        OK("ed25519-v3:" BASE64_86 "== Port=80", STORED " Port=80,127.0.0.1:80"),
        OK("  NEW:BEST   Port=80  ", "NEW:BEST Port=80,127.0.0.1:80"),
        /* tor ignores empty parts */
        NO(":NEW:BEST: Port=80", NO_KEY),
        NO("NEW::BEST Port=80", NO_KEY),
        NO("NEW:BEST: Port=80", NO_KEY),
        NO(":" STORED " Port=80", NO_KEY),
        NO(STORED ": Port=80", NO_KEY),
        NO("ED25519-V3::" BASE64_86 "== Port=80", NO_KEY),
        NO("NEW Port=80", NO_KEY),
        NO("NEW: Port=80", NO_KEY),
        NO("NEW:RSA1024 Port=80", NO_KEY),
        NO("RSA1024:" BASE64_86 "== Port=80", NO_KEY),
        NO("NEW:BEST:x Port=80", NO_KEY),
        NO("NEW:BESTX Port=80", NO_KEY),
        NO("ED25519-V3 Port=80", NO_KEY),
        NO("ED25519-V3: Port=80", NO_KEY),
        /* base64 of another length, without padding, or of another alphabet */
        NO("ED25519-V3:" BASE64_86 " Port=80", NO_KEY),
        NO("ED25519-V3:" BASE64_86 "= Port=80", NO_KEY),
        NO("ED25519-V3:" BASE64_86 "=== Port=80", NO_KEY),
        NO("ED25519-V3:" BASE64_86 "A= Port=80", NO_KEY),
        NO("ED25519-V3:" BASE64_86 "AA Port=80", NO_KEY),
        NO("ED25519-V3:A" BASE64_86 "== Port=80", NO_KEY),
        NO("ED25519-V3:-sB0RfoIhMLpcDVPDrTVxXJW8pZawDg4d36LcG2pKQ0KnhGl3tgVHXA2RcwxEAPbSgcPfZjLs"
           "BR71WUg1p_ww== Port=80",
           NO_KEY),
        NO("ED25519-V3:=" BASE64_86 "= Port=80", NO_KEY),
        NO("", TOO_FEW),
        NO("   ", TOO_FEW),
        NO("NEW:BEST", NO_PORT),
        NO("NEW:BEST Flags=Detach", NO_PORT),
        NO("Port=80 NEW:BEST", NO_KEY),
        NO("Port=80", NO_KEY),
    };

    EXPECT_TEXTS(add_canonical, rows);
}

Test(onion_request, ports)
{
    static const struct text_row rows[] = {
        OK("NEW:BEST Port=80,8080", "NEW:BEST Port=80,127.0.0.1:8080"),
        OK("NEW:BEST port=80", "NEW:BEST Port=80,127.0.0.1:80"),
        OK("NEW:BEST PORT=80,10.0.0.1", "NEW:BEST Port=80,10.0.0.1:80"),
        OK("NEW:BEST Port=80,0.0.0.0:1", "NEW:BEST Port=80,0.0.0.0:1"),
        OK("NEW:BEST Port=80,[::]:1", "NEW:BEST Port=80,[::]:1"),
        OK("NEW:BEST Port=80,[::ffff:10.0.0.1]:1", "NEW:BEST Port=80,10.0.0.1:1"),
        OK("NEW:BEST Port=80,unix:/run/a", "NEW:BEST Port=80,unix:/run/a"),
        /* order is kept, equal ones are kept: tor chooses among them */
        OK("NEW:BEST Port=443,1 Port=80,2 Port=443,1",
           "NEW:BEST Port=443,127.0.0.1:1 Port=80,127.0.0.1:2 Port=443,127.0.0.1:1"),
        /* empty parts, signs, zeros */
        NO("NEW:BEST Port=,80", BAD_PORT),
        NO("NEW:BEST Port=80,", NOT_LITERAL),
        NO("NEW:BEST Port=80,,81", NOT_LITERAL),
        NO("NEW:BEST Port=,80,unix:/run/tor/control", BAD_PORT),
        NO("NEW:BEST Port=", BAD_PORT),
        NO("NEW:BEST Port=+80", BAD_PORT),
        NO("NEW:BEST Port=080", BAD_PORT),
        NO("NEW:BEST Port=0x50", BAD_PORT),
        NO("NEW:BEST Port=0", BAD_PORT),
        NO("NEW:BEST Port=65536", BAD_PORT),
        NO("NEW:BEST Port=-80", BAD_PORT),
        NO("NEW:BEST Port=80,+81", BAD_PORT),
        NO("NEW:BEST Port=80,081", BAD_PORT),
        NO("NEW:BEST Port=80-90", BAD_PORT),
        NO("NEW:BEST Port=80,1,2", BAD_PORT),
        /* what a resolver would be asked for */
        NO("NEW:BEST Port=80,localhost:9051", NOT_LITERAL),
        NO("NEW:BEST Port=80,127.1:9051", NOT_LITERAL),
        NO("NEW:BEST Port=80,0x7f.1:9051", NOT_LITERAL),
        NO("NEW:BEST Port=80,2130706433:9051", NOT_LITERAL),
        NO("NEW:BEST Port=80,0:9051", NOT_LITERAL),
        NO("NEW:BEST Port=80,any.host.name:80", NOT_LITERAL),
        NO("NEW:BEST Port=80,0177.0.0.1:80", NOT_LITERAL),
        NO("NEW:BEST Port=80,UNIX:/run/a", NOT_LITERAL),
        NO("NEW:BEST Port=80,unix:run/a", BAD_PATH),
        NO("NEW:BEST Port=80,unix:/run/../tor", BAD_PATH),
        NO("NEW:BEST Port=80,unix:/run//a", BAD_PATH),
        NO("NEW:BEST Port=80,unix:\"/run/a\"", NO_PAIR),
        NO("NEW:BEST Port=80,unix:/proc/1/root/run/tor/control", KERNEL_PATH),
        NO("NEW:BEST Port=80,unix:/sys/a", KERNEL_PATH),
        NO("NEW:BEST Port=80,unix:/dev/a", KERNEL_PATH),
        NO("NEW:BEST Port=80 Port=81,localhost:1", NOT_LITERAL),
        NO("NEW:BEST Port", NO_PAIR),
        NO("NEW:BEST Port=80 x", NO_PAIR),
        NO("NEW:BEST Port=80 =x", NO_PAIR),
        NO("NEW:BEST Port=\"80\"", NO_PAIR),
        NO("NEW:BEST Port=80 Port='81'", NO_PAIR),
    };

    EXPECT_TEXTS(add_canonical, rows);
}

Test(onion_request, flags)
{
    static const struct text_row rows[] = {
        OK("NEW:BEST Flags=Detach Port=1", "NEW:BEST Flags=Detach Port=1,127.0.0.1:1"),
        OK("NEW:BEST FLAGS=dETACH,DISCARDpk Port=1",
           "NEW:BEST Flags=DiscardPK,Detach Port=1,127.0.0.1:1"),
        OK("NEW:BEST Port=1 Flags=NonAnonymous,MaxStreamsCloseCircuit,V3Auth,Detach,DiscardPK",
           "NEW:BEST Flags=DiscardPK,Detach,V3Auth,MaxStreamsCloseCircuit,NonAnonymous "
           "Port=1,127.0.0.1:1"),
        /* they add up, wherever they stand */
        OK("NEW:BEST Flags=DiscardPK Port=1 Flags=Detach",
           "NEW:BEST Flags=DiscardPK,Detach Port=1,127.0.0.1:1"),
        OK("NEW:BEST Flags=Detach Flags=Detach,Detach Port=1",
           "NEW:BEST Flags=Detach Port=1,127.0.0.1:1"),
        NO("NEW:BEST Port=1 Flags=", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=,", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=Detach,", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=,Detach", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=Detach,,DiscardPK", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=BasicAuth", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=Detac", NO_FLAG),
        NO("NEW:BEST Port=1 Flags=DiscardPK Flags=Detachx", NO_FLAG),
        NO("NEW:BEST Port=1 Flags", NO_PAIR),
        NO("NEW:BEST Port=1 Flag=Detach", NO_KEYWORD),
    };

    EXPECT_TEXTS(add_canonical, rows);
}

Test(onion_request, numbers_and_clients)
{
    static const struct text_row rows[] = {
        OK("NEW:BEST MaxStreams=0 Port=1", "NEW:BEST MaxStreams=0 Port=1,127.0.0.1:1"),
        OK("NEW:BEST Port=1 maxstreams=65535", "NEW:BEST MaxStreams=65535 Port=1,127.0.0.1:1"),
        OK("NEW:BEST PoWQueueBurst=4294967295 Port=1 PoWQueueRate=0 powdefensesenabled=1",
           "NEW:BEST PoWDefensesEnabled=1 PoWQueueRate=0 PoWQueueBurst=4294967295 "
           "Port=1,127.0.0.1:1"),
        OK("NEW:BEST ClientAuthV3=" CLIENT " Port=1 Flags=V3Auth",
           "NEW:BEST Flags=V3Auth Port=1,127.0.0.1:1 ClientAuthV3=" CLIENT),
        OK("NEW:BEST Port=1 clientauthv3=" CLIENT_LOWER " ClientAuthV3=" CLIENT_2,
           "NEW:BEST Port=1,127.0.0.1:1 ClientAuthV3=" CLIENT " ClientAuthV3=" CLIENT_2),
        NO("NEW:BEST Port=1 MaxStreams=65536", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=-1", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=+1", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=01", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=00", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=0x1", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=", NO_STREAMS),
        NO("NEW:BEST Port=1 MaxStreams=99999999999999999999999", NO_STREAMS),
        NO("NEW:BEST Port=1 PoWDefensesEnabled=2", NO_POW),
        NO("NEW:BEST Port=1 PoWDefensesEnabled=yes", NO_POW),
        NO("NEW:BEST Port=1 PoWQueueRate=4294967296", NO_RATE),
        NO("NEW:BEST Port=1 PoWQueueBurst=1.5", NO_BURST),
        /* of two values tor takes the last; of two equal ones, too */
        NO("NEW:BEST Port=1 MaxStreams=1 MaxStreams=0", TWICE),
        NO("NEW:BEST Port=1 MaxStreams=1 MAXSTREAMS=1", TWICE),
        NO("NEW:BEST Port=1 PoWDefensesEnabled=1 powdefensesenabled=0", TWICE),
        NO("NEW:BEST Port=1 PoWQueueRate=1 PoWQueueRate=2", TWICE),
        NO("NEW:BEST Port=1 PoWQueueBurst=1 PoWQueueBurst=2", TWICE),
        NO("NEW:BEST Port=1 ClientAuthV3=" CLIENT "A", NO_CLIENT),
        NO("NEW:BEST Port=1 ClientAuthV3=2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA",
           NO_CLIENT),
        NO("NEW:BEST Port=1 ClientAuthV3=12GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA",
           NO_CLIENT),
        NO("NEW:BEST Port=1 ClientAuthV3=", NO_CLIENT),
        NO("NEW:BEST Port=1 ClientAuth=alice", "ClientAuth=, which tor never answers"),
        NO("NEW:BEST Port=1 clientauth=alice:x", "ClientAuth=, which tor never answers"),
        NO("NEW:BEST Port=1 Foo=1", NO_KEYWORD),
        NO("NEW:BEST Port=1 Ports=1", NO_KEYWORD),
        NO("NEW:BEST Port=1 NEW:BEST", NO_PAIR),
    };

    EXPECT_TEXTS(add_canonical, rows);
}

/* What is no printable ASCII never comes this far; if it did, it would be refused. */
Test(onion_request, other_bytes)
{
    static const struct span rows[] = {
        SPAN("NEW:BEST Port=80,unix:/run/tor/control\0,x"),
        SPAN("NEW:BEST Port=80\0"),
        SPAN("NEW:BEST\0 Port=80"),
        SPAN("NEW:BEST\tPort=80"),
        SPAN("NEW:BEST Port=80\rFlags=Detach"),
        SPAN("NEW:BEST Port=80 Flags=Detach\x0b"),
        SPAN("NEW:BEST Port=80\xc2\xa0"),
        SPAN("NEW:BEST Port=1 Flags=Detach\0,x"),
        SPAN("NEW:BEST Port=1 MaxStreams=1\0"),
    };
    struct onion_request request;

    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect(onion_request_parse(rows[i], &request), "row %zu is allowed", i);
}

static struct span many(struct buf *out, const char *pair, size_t count)
{
    buf_init(out, 1 << 20);
    buf_append_string(out, "NEW:BEST");
    for (size_t i = 0; i < count; i++)
        buf_append_string(out, pair);
    return buf_span(out);
}

Test(onion_request, bounds)
{
    static const struct {
        const char *pair;
        size_t count;
        bool is_allowed;
    } rows[] = {
        {" Port=80", 127, true},
        {" Port=80", 128, false},
        {" Port=80", 20000, false},
        {" ClientAuthV3=" CLIENT, 200, false},
        {" Flags=Detach", 128, false},
        {" Port=80,localhost", 1000, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct onion_request request;
        struct buf text;
        const char *why = onion_request_parse(many(&text, rows[i].pair, rows[i].count), &request);
        cr_expect_eq(!why, rows[i].is_allowed, "row %zu: %s", i, why ? why : "allowed");
        buf_clear(&text);
    }
}

/* Every cut of a command is refused or means what it says. */
Test(onion_request, cuts)
{
    static const char whole[] = STORED " Flags=DiscardPK,V3Auth Port=80,[fd00::1]:8080 "
                                       "MaxStreams=10 PoWQueueRate=20 ClientAuthV3=" CLIENT;

    for (size_t len = 0; len < sizeof whole; len++) {
        /* A copy of its own, so that a read behind the end is seen. */
        char *cut = malloc(len ? len : 1);
        struct onion_request request;
        struct buf out;
        memcpy(cut, whole, len);
        buf_init(&out, COMMAND_MAX_LINE);
        bool is_read = !onion_request_parse(span_make(cut, len), &request);
        cr_expect(!is_read || len > sizeof STORED, "cut at %zu", len);
        if (is_read)
            cr_expect(onion_request_write(&request, &out));
        buf_clear(&out);
        free(cut);
    }
}

Test(onion_request, what_is_in_it)
{
    struct onion_request request;

    cr_assert_null(onion_request_parse(
        SPAN("new:ed25519-v3 Port=80,unix:/run/a Flags=V3Auth PoWQueueRate=7 Port=1 "
             "ClientAuthV3=" CLIENT_LOWER " flags=Detach MaxStreams=3"),
        &request));
    cr_expect_eq(request.key, ONION_KEY_NEW_ED25519);
    cr_expect_eq(request.flags, (unsigned)(ADD_ONION_V3_AUTH | ADD_ONION_DETACH));
    cr_assert_eq(request.port_count, 2);
    cr_expect_eq(request.ports[0].virtual_port, 80);
    cr_expect_eq(request.ports[0].target.kind, TARGET_UNIX);
    cr_expect(span_equals(request.ports[0].target.path, SPAN("/run/a")));
    cr_expect_eq(request.ports[1].target.port, 1);
    cr_expect_eq(request.client_key_count, 1);
    cr_expect(request.has_number[ONION_NUMBER_MAX_STREAMS]);
    cr_expect_eq(request.numbers[ONION_NUMBER_MAX_STREAMS], 3);
    cr_expect(request.has_number[ONION_NUMBER_POW_RATE] && onion_request_has_pow(&request));
    cr_expect_not(request.has_number[ONION_NUMBER_POW_ENABLED]);
    onion_request_drop_pow(&request);
    cr_expect_not(onion_request_has_pow(&request));
    cr_expect(request.has_number[ONION_NUMBER_MAX_STREAMS]);

    cr_assert_null(onion_request_parse(SPAN(STORED " Port=1"), &request));
    cr_expect_eq(request.key, ONION_KEY_STORED);
    cr_expect(span_equals(request.stored_key, SPAN(BASE64_86 "==")));
    cr_expect_not(onion_request_has_pow(&request));
}

Test(onion_request, a_full_buffer_is_noticed)
{
    struct onion_request request;
    struct buf out;

    cr_assert_null(onion_request_parse(SPAN("NEW:BEST Port=80,127.0.0.1:80"), &request));
    for (size_t max = 0; max < 29; max++) {
        buf_init(&out, max);
        cr_expect_not(onion_request_write(&request, &out), "%zu bytes are enough", max);
        buf_clear(&out);
    }
    buf_init(&out, 29);
    cr_expect(onion_request_write(&request, &out));
    buf_clear(&out);
}

Test(onion_request, flag_names)
{
    for (size_t i = 0; onion_flag_at(i); i++)
        cr_expect_eq(onion_flag_find(span_from_string(onion_flag_at(i))), 1u << i);
    cr_expect_eq(onion_flag_find(SPAN("discardpk")), (unsigned)ADD_ONION_DISCARD_PK);
    cr_expect_eq(onion_flag_find(SPAN("DETACH")), (unsigned)ADD_ONION_DETACH);
    cr_expect_eq(onion_flag_find(SPAN("V3Auth")), (unsigned)ADD_ONION_V3_AUTH);
    cr_expect_eq(onion_flag_find(SPAN("MaxStreamsCloseCircuit")),
                 (unsigned)ADD_ONION_MAX_STREAMS_CLOSE_CIRCUIT);
    cr_expect_eq(onion_flag_find(SPAN("NonAnonymous")), (unsigned)ADD_ONION_NON_ANONYMOUS);
    cr_expect_eq(onion_flag_find(SPAN("")), 0u);
    cr_expect_eq(onion_flag_find(SPAN("Detach ")), 0u);
    cr_expect_null(onion_flag_at(5));
}

/* --- the other commands --- */

#define NO_ADDRESS "an address that is not 56 characters of base32"
#define NO_LOWER "an address that is not 56 characters of base32 in lower case"

Test(onion_commands, delete)
{
    static const struct text_row rows[] = {
        OK(ADDRESS, ADDRESS),
        OK("  " ADDRESS "  ", ADDRESS),
        NO("", TOO_FEW),
        NO(ADDRESS_UPPER, NO_LOWER),
        NO("Fcmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad", NO_LOWER),
        NO(ADDRESS ".onion", NO_LOWER),
        NO(ADDRESS "a", NO_LOWER),
        NO("cmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad", NO_LOWER),
        NO("1cmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad", NO_LOWER),
        NO("8cmh5o5ft7aedeecfe7c5wtbvr54eblttz7bwv7blv3cb7eyfrogx3ad", NO_LOWER),
        NO("\"" ADDRESS "\"", NO_LOWER),
        NO(ADDRESS " " ADDRESS, TOO_MANY),
        NO(ADDRESS " x=1", TOO_MANY),
    };

    EXPECT_TEXTS(onion_delete_canonical, rows);
}

#define FINGERPRINT "0123456789ABCDEFabcdef0123456789ABCDEF01"
#define NO_RELAY "SERVER= is no relay's fingerprint"

Test(onion_commands, fetch)
{
    static const struct text_row rows[] = {
        OK(ADDRESS, ADDRESS),
        OK(ADDRESS_UPPER " ", ADDRESS),
        OK(ADDRESS " SERVER=" FINGERPRINT, ADDRESS " SERVER=" FINGERPRINT),
        OK(ADDRESS " server=$" FINGERPRINT " SERVER=" FINGERPRINT "~nick",
           ADDRESS " SERVER=$" FINGERPRINT " SERVER=" FINGERPRINT "~nick"),
        OK(ADDRESS " SERVER=$" FINGERPRINT "=Nick9", ADDRESS " SERVER=$" FINGERPRINT "=Nick9"),
        OK(ADDRESS " SERVER=" FINGERPRINT "~nineteencharacters1",
           ADDRESS " SERVER=" FINGERPRINT "~nineteencharacters1"),
        NO("", TOO_FEW),
        NO(ADDRESS ".onion", NO_ADDRESS),
        NO("v2-abcdefghijklmnopqrstuvwxyz234567", NO_ADDRESS),
        NO("abcdefghijklmnop", NO_ADDRESS),
        NO("SERVER=" FINGERPRINT " " ADDRESS, NO_ADDRESS),
        NO(ADDRESS " SERVER=", NO_RELAY),
        NO(ADDRESS " SERVER=nick", NO_RELAY),
        NO(ADDRESS " SERVER=$", NO_RELAY),
        NO(ADDRESS " SERVER=$$" FINGERPRINT, NO_RELAY),
        NO(ADDRESS " SERVER=" FINGERPRINT "0", NO_RELAY),
        NO(ADDRESS " SERVER=" FINGERPRINT "~", NO_RELAY),
        NO(ADDRESS " SERVER=" FINGERPRINT "~a~b", NO_RELAY),
        NO(ADDRESS " SERVER=" FINGERPRINT "~twentycharacterslong", NO_RELAY),
        NO(ADDRESS " SERVER=G123456789ABCDEFabcdef0123456789ABCDEF01", NO_RELAY),
        NO(ADDRESS " SERVER", NO_PAIR),
        NO(ADDRESS " " ADDRESS, NO_PAIR),
        NO(ADDRESS " x=1", "a keyword that HSFETCH does not have"),
    };

    EXPECT_TEXTS(onion_fetch_canonical, rows);
}

#define X25519_43 "PCgKJcbEKfwkXuzkkzs1QkLuGh5TfXhzZ3KTbmTVb+/"
#define X25519 "x25519:" X25519_43 "="
#define NO_X25519 "a key that is not x25519: and base64 of 32 bytes"
#define NO_ADD_KEYWORD "a keyword that ONION_CLIENT_AUTH_ADD does not have"
#define NO_ADD_FLAG "a flag that ONION_CLIENT_AUTH_ADD does not have"
#define NO_NAME "ClientName= is not 1 to 16 characters"

Test(onion_commands, key_add)
{
    static const struct text_row rows[] = {
        OK(ADDRESS " " X25519, ADDRESS " " X25519),
        OK(ADDRESS_UPPER "  X25519:" X25519_43 "= ", ADDRESS " " X25519),
        OK(ADDRESS " " X25519 " Flags=Permanent ClientName=bob",
           ADDRESS " " X25519 " ClientName=bob Flags=Permanent"),
        OK(ADDRESS " " X25519 " clientname=a,b:c flags=PERMANENT FLAGS=permanent",
           ADDRESS " " X25519 " ClientName=a,b:c Flags=Permanent"),
        OK(ADDRESS " " X25519 " ClientName=0123456789abcdef",
           ADDRESS " " X25519 " ClientName=0123456789abcdef"),
        NO("", TOO_FEW),
        NO(ADDRESS, TOO_FEW),
        NO(ADDRESS ".onion " X25519, NO_ADDRESS),
        NO(X25519 " " ADDRESS, NO_ADDRESS),
        NO(ADDRESS " x25519:" X25519_43, NO_X25519),
        NO(ADDRESS " x25519:" X25519_43 "==", NO_X25519),
        NO(ADDRESS " x25519:" X25519_43 "A", NO_X25519),
        NO(ADDRESS " x25519:", NO_X25519),
        NO(ADDRESS " :x25519:" X25519_43 "=", NO_X25519),
        NO(ADDRESS " ed25519:" X25519_43 "=", NO_X25519),
        NO(ADDRESS " " X25519_43 "=", NO_X25519),
        NO(ADDRESS " " X25519 " ClientName=0123456789abcdefg", NO_NAME),
        NO(ADDRESS " " X25519 " ClientName=", NO_NAME),
        NO(ADDRESS " " X25519 " ClientName=a ClientName=b", TWICE),
        NO(ADDRESS " " X25519 " ClientName=a clientname=0123456789abcdefg", TWICE),
        NO(ADDRESS " " X25519 " ClientName=\"a\"", NO_PAIR),
        NO(ADDRESS " " X25519 " Flags=", NO_ADD_FLAG),
        NO(ADDRESS " " X25519 " Flags=Permanent,", NO_ADD_FLAG),
        NO(ADDRESS " " X25519 " Flags=Permanent,Permanent", NO_ADD_FLAG),
        NO(ADDRESS " " X25519 " Flags=Temporary", NO_ADD_FLAG),
        NO(ADDRESS " " X25519 " Foo=1", NO_ADD_KEYWORD),
        NO(ADDRESS " " X25519 " x", NO_PAIR),
    };

    EXPECT_TEXTS(onion_key_add_canonical, rows);
}

Test(onion_commands, key_remove_and_view)
{
    static const struct text_row both[] = {
        OK(ADDRESS, ADDRESS),
        OK(ADDRESS_UPPER " ", ADDRESS),
        NO(ADDRESS ".onion", NO_ADDRESS),
        NO(ADDRESS " " ADDRESS, TOO_MANY),
        NO(ADDRESS " Flags=Permanent", TOO_MANY),
        NO("x", NO_ADDRESS),
        NO("*", NO_ADDRESS),
    };
    static const struct text_row remove[] = {NO("", TOO_FEW), NO("  ", TOO_FEW)};
    static const struct text_row view[] = {OK("", ""), OK("  ", "")};

    EXPECT_TEXTS(onion_key_remove_canonical, both);
    EXPECT_TEXTS(onion_key_view_canonical, both);
    EXPECT_TEXTS(onion_key_remove_canonical, remove);
    EXPECT_TEXTS(onion_key_view_canonical, view);
}

Test(onion_commands, a_full_buffer_is_noticed)
{
    static const struct {
        canonical_fn canonical;
        const char *arguments;
    } rows[] = {
        {onion_delete_canonical, ADDRESS},
        {onion_fetch_canonical, ADDRESS " SERVER=" FINGERPRINT},
        {onion_key_add_canonical, ADDRESS " " X25519 " ClientName=a Flags=Permanent"},
        {onion_key_remove_canonical, ADDRESS},
        {onion_key_view_canonical, ADDRESS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span arguments = span_from_string(rows[i].arguments);
        for (size_t max = 0; max <= arguments.len; max++) {
            struct buf out;
            buf_init(&out, max);
            const char *why = rows[i].canonical(arguments, &out);
            cr_expect_eq(!why, max == arguments.len, "row %zu with %zu bytes", i, max);
            cr_expect(!why || out.len == 0, "row %zu with %zu bytes leaves text", i, max);
            buf_clear(&out);
        }
    }
}

/* --- forms --- */

Test(onion_text, forms)
{
    unsigned long number;

    cr_expect(onion_text_is_address(SPAN(ADDRESS), false));
    cr_expect(onion_text_is_address(SPAN(ADDRESS_UPPER), true));
    cr_expect_not(onion_text_is_address(SPAN(ADDRESS_UPPER), false));
    cr_expect_not(onion_text_is_address(SPAN(""), true));
    cr_expect(onion_text_is_base64(SPAN("QUJD"), 3));
    cr_expect(onion_text_is_base64(SPAN("QUI="), 2));
    cr_expect(onion_text_is_base64(SPAN("QQ=="), 1));
    cr_expect(onion_text_is_base64(SPAN(""), 0));
    cr_expect_not(onion_text_is_base64(SPAN("QQ=="), 2));
    cr_expect_not(onion_text_is_base64(SPAN("QUJ="), 3));
    cr_expect_not(onion_text_is_base64(SPAN("Q=J="), 2));
    cr_expect(onion_text_to_number(SPAN("0"), 10, &number) && number == 0);
    cr_expect(onion_text_to_number(SPAN("10"), 10, &number) && number == 10);
    cr_expect_not(onion_text_to_number(SPAN("11"), 10, &number));
    cr_expect_not(onion_text_to_number(SPAN("01"), 10, &number));
    cr_expect_not(onion_text_to_number(SPAN(""), 10, &number));
    cr_expect_not(onion_text_to_number(SPAN(" 1"), 10, &number));
}
