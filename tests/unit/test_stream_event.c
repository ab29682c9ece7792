/* STREAM events: what is read of them, and what is none (control-protocol 4.1, 7.16). */
#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#include "buf.h"
#include "stream_event.h"

#define TAIL " CLIENT_PROTOCOL=SOCKS5 NYM_EPOCH=0 SESSION_GROUP=-2 ISO_FIELDS=CLIENTADDR,NYM_EPOCH"

struct row {
    const char *text;
    bool is_sound;
    const char *source; /* NULL: none; an address with a port otherwise */
    unsigned long id;   /* ULONG_MAX: none was read */
    const char *status;
    unsigned long circuit;
};

static const struct row rows[] = {
    /* as tor 0.4.9.11 writes them */
    {"STREAM 27 NEW 0 www.test:80 SOURCE_ADDR=10.0.0.5:39060 PURPOSE=USER" TAIL, true,
     "10.0.0.5:1", 27, "NEW", 0},
    {"STREAM 27 NEW 0 www.test:80 SOURCE_ADDR=10.0.0.5:39060 PURPOSE=USER SOCKS_USERNAME=\"u\" "
     "SOCKS_PASSWORD=\"p\"" TAIL, true, "10.0.0.5:1", 27, "NEW", 0},
    {"STREAM 28 NEWRESOLVE 0 www.test:0 SOURCE_ADDR=10.0.0.5:39060 PURPOSE=DNS_REQUEST" TAIL, true,
     "10.0.0.5:1", 28, "NEWRESOLVE", 0},
    {"STREAM 27 SENTCONNECT 12 www.test:80" TAIL, true, NULL, 27, "SENTCONNECT", 12},
    {"STREAM 27 REMAP 12 192.0.2.7:80 SOURCE=EXIT" TAIL, true, NULL, 27, "REMAP", 12},
    {"STREAM 27 SUCCEEDED 4294967295 192.0.2.7:80" TAIL, true, NULL, 27, "SUCCEEDED", 4294967295},
    {"STREAM 27 CLOSED 12 192.0.2.7:80 REASON=END REMOTE_REASON=DONE" TAIL, true, NULL, 27,
     "CLOSED", 12},
    {"STREAM 5 NEW 0 $F399.exit:53 PURPOSE=DIR_FETCH", true, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=fe80::1:9050", true, "fe80::1:5", 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=2001:db8::5:0", true, "2001:db8::5:7", 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=::ffff:10.0.0.5:9", true, "10.0.0.5:3", 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=/run/tor/socks:0 PURPOSE=USER", true, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1", true, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 [2001:db8::5]:80 A= B=\"\"", true, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1  SOURCE_ADDR=10.0.0.5:9  ", true, "10.0.0.5:9", 5, "NEW", 0},
    {"STREAM 5 XON_SENT 0 odd\"target:1", true, NULL, 5, "XON_SENT", 0},
    {"STREAM 9223372036854775807 A_NEW_STATUS 1 x:1", true, NULL, 9223372036854775807,
     "A_NEW_STATUS", 1},

    /* text that others chose, inside quotes: never a field */
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"a SOURCE_ADDR=10.0.0.5:1 x\"" TAIL, true, NULL, 5, "NEW",
     0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=10.0.0.9:1 SOCKS_USERNAME=\"a SOURCE_ADDR=10.0.0.5:1 x\"", true,
     "10.0.0.9:1", 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"\\\" SOURCE_ADDR=10.0.0.5:1 \\\"\" A=b", true, NULL, 5,
     "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"\\\\\" SOURCE_ADDR=10.0.0.9:1 SOCKS_PASSWORD=\"\"", true,
     "10.0.0.9:1", 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"\\000\\377\\n\" SOURCE_ADDR=10.0.0.9:1", true,
     "10.0.0.9:1", 5, "NEW", 0},
    {"STREAM 5 NEW 0 SOURCE_ADDR=10.0.0.5:1 A=b", true, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 NOT_SOURCE_ADDR=10.0.0.5:1 SOURCE_ADDR_=10.0.0.5:1", true, NULL, 5, "NEW",
     0},

    /* a target with spaces pretends fields: tor's own SOURCE_ADDR follows it */
    {"STREAM 5 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.5:1 a=.test:0 SOURCE_ADDR=10.0.0.9:2", false, NULL,
     5, "NEWRESOLVE", 0},
    {"STREAM 5 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.5:0 source_addr=10.0.0.5:1", false, NULL, 5,
     "NEWRESOLVE", 0},
    {"STREAM 5 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.5:1 A=\":0 SOURCE_ADDR=10.0.0.9:2 PURPOSE=USER",
     false, NULL, 5, "NEWRESOLVE", 0},
    {"STREAM 5 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.5:1 .test:0 PURPOSE=USER", false, NULL, 5,
     "NEWRESOLVE", 0},
    {"STREAM 5 NEW 0 x SOURCE_ADDR=10.0.0.5:1 A=\":1 SOURCE_ADDR=10.0.0.9:2 SOCKS_USERNAME=\"u\"",
     false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=\"10.0.0.5:1\"", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOURCE_ADDR=10.0.0.9:1 SOURCE_ADDR=", false, NULL, 5, "NEW", 0},

    /* malformed */
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"a", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"a\\\"", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"a\\", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 SOCKS_USERNAME=\"a\"SOURCE_ADDR=10.0.0.5:1", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 A=b\"c\"", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 =b", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 FLAG", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 A-B=c", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1 A=\tb", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1\tSOURCE_ADDR=10.0.0.5:1", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x:1\rSOURCE_ADDR=10.0.0.5:1", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0 x\xc3\xa4:1 A=b", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW 0", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW x y", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW -1 y", false, NULL, 5, "NEW", 0},
    {"STREAM 5 NEW", false, NULL, 5, "NEW", 0},
    {"STREAM 5", false, NULL, 5, "", 0},
    {"STREAM five NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
    {"STREAM +5 NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
    {"STREAM 5x NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
    {"STREAM 99999999999999999999 NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
    {"STREAM ", false, NULL, ULONG_MAX, "", 0},
    {"STREAM", false, NULL, ULONG_MAX, "", 0},
    {"", false, NULL, ULONG_MAX, "", 0},
    {"STREAMS 5 NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
    {"CIRC 5 NEW 0 x:1", false, NULL, ULONG_MAX, "", 0},
};

Test(stream_event, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stream_event event;
        struct stream_source source = {0};
        const struct row *row = &rows[i];
        bool is_sound = stream_event_parse(span_from_string(row->text), &event);

        cr_expect_eq(is_sound, row->is_sound, "row %zu: %s", i, row->text);
        cr_expect_eq(event.has_id, row->id != ULONG_MAX, "row %zu", i);
        cr_expect(!event.has_id || event.id == row->id, "row %zu: id %lu", i, event.id);
        cr_expect(span_equals(event.status, span_from_string(row->status)), "row %zu: status", i);
        if (!is_sound)
            continue;
        cr_expect_eq(event.circuit, row->circuit, "row %zu: circuit %lu", i, event.circuit);
        cr_expect_eq(event.source.is_known, row->source != NULL, "row %zu: source", i);
        if (row->source) {
            cr_assert(stream_source_parse(span_from_string(row->source), &source), "row %zu", i);
            cr_expect(stream_source_equals(&event.source, &source), "row %zu: its source", i);
        }
    }
}

/* However the line is cut off, it never has a source that is not its own. */
Test(stream_event, cuts)
{
    static const char text[] = "STREAM 5 NEW 0 x:1 SOURCE_ADDR=10.0.0.9:1 SOCKS_USERNAME=\"a "
                               "SOURCE_ADDR=10.0.0.5:1 \\\" \\\\\" A=b";
    struct stream_source other, own;

    cr_assert(stream_source_parse(SPAN("10.0.0.5:0"), &other));
    cr_assert(stream_source_parse(SPAN("10.0.0.9:0"), &own));
    for (size_t len = 0; len < sizeof text; len++) {
        struct stream_event event;
        bool is_sound = stream_event_parse(span_make(text, len), &event);
        cr_expect_not(stream_source_equals(&event.source, &other), "%zu bytes", len);
        if (len == sizeof text - 1) {
            cr_expect(is_sound);
            cr_expect(stream_source_equals(&event.source, &own));
        }
    }
}

Test(stream_event, statuses)
{
    static const struct {
        const char *status;
        bool begins, ends;
    } rows_of_status[] = {
        {"NEW", true, false},        {"NEWRESOLVE", true, false}, {"CLOSED", false, true},
        {"FAILED", false, true},     {"DETACHED", false, false},  {"SENTCONNECT", false, false},
        {"new", false, false},       {"NEWER", false, false},     {"CLOSE", false, false},
        {"SUCCEEDED", false, false}, {"", false, false},
    };

    for (size_t i = 0; i < sizeof rows_of_status / sizeof *rows_of_status; i++) {
        const struct stream_event event = {.status = span_from_string(rows_of_status[i].status)};
        cr_expect_eq(stream_event_begins(&event), rows_of_status[i].begins, "row %zu", i);
        cr_expect_eq(stream_event_ends(&event), rows_of_status[i].ends, "row %zu", i);
    }
}

Test(stream_event, sources)
{
    static const struct {
        const char *text;
        const char *same; /* NULL: it is no source */
    } pairs[] = {
        {"10.0.0.5:1", "10.0.0.5:65535"},
        {"::ffff:10.0.0.5:1", "10.0.0.5:0"},
        {"::ffff:a00:5:1", "10.0.0.5:0"},
        {"2001:db8::5:1", "2001:0db8:0:0::0:5:2"},
        {"::1:1", "0:0:0:0:0:0:0:1:1"},
        {"0.0.0.0:1", "0.0.0.0:0"},
        {"10.0.0.5", NULL},
        {"10.0.0.5:", NULL},
        {"10.0.0.5:x", NULL},
        {"10.0.0.5:65536", NULL},
        {"10.0.0.5: 1", NULL},
        {":1", NULL},
        {"", NULL},
        {"10.0.0.05:1", NULL},
        {"10.5:1", NULL},
        {"010.0.0.5.1:1", NULL},
        {"[::1]:1", NULL},
        {"fe80::1%eth0:1", NULL},
        {"/run/socks:0", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:1", NULL},
        {"10.0.0.5\xff:1", NULL},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct stream_source a, b;
        bool is_source = stream_source_parse(span_from_string(pairs[i].text), &a);
        cr_expect_eq(is_source, pairs[i].same != NULL, "row %zu", i);
        cr_expect_eq(a.is_known, is_source, "row %zu", i);
        if (!pairs[i].same)
            continue;
        cr_assert(stream_source_parse(span_from_string(pairs[i].same), &b), "row %zu", i);
        cr_expect(stream_source_equals(&a, &b), "row %zu", i);
        b.address[3]++;
        cr_expect_not(stream_source_equals(&a, &b), "row %zu", i);
    }
    const struct stream_source none = {0}, v4 = {.is_known = true},
                               v6 = {.is_known = true, .is_ipv6 = true};
    cr_expect_not(stream_source_equals(&none, &none));
    cr_expect_not(stream_source_equals(&none, &v4));
    cr_expect_not(stream_source_equals(&v4, &v6));
    cr_expect_not(stream_source_parse(span_make("10.0.0.5\0:1", 11), &(struct stream_source){0}));
}
