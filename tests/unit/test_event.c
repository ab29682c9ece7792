/* Event names: tor's list, any case, and what is no event. */
#include <criterion/criterion.h>
#include <string.h>

#include "event.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* What tor 0.4.9.11 answers to GETINFO events/names. */
static const char listed[] =
    "CIRC CIRC_MINOR STREAM ORCONN BW DEBUG INFO NOTICE WARN ERR NEWDESC ADDRMAP DESCCHANGED NS "
    "STATUS_GENERAL STATUS_CLIENT STATUS_SERVER GUARD STREAM_BW CLIENTS_SEEN NEWCONSENSUS "
    "BUILDTIMEOUT_SET SIGNAL CONF_CHANGED CONN_BW CELL_STATS CIRC_BW TRANSPORT_LAUNCHED HS_DESC "
    "HS_DESC_CONTENT NETWORK_LIVENESS";

Test(event, the_table_is_what_tor_lists)
{
    struct span rest = SPAN("");
    size_t words = 0, rows = 0;

    rest = span_make(listed, sizeof(listed) - 1);
    while (rest.len) {
        struct span word = span_first(rest, span_find(rest, ' '));
        rest = span_from(rest, word.len + 1);
        const char *found = event_find(word);
        cr_assert_not_null(found, "word %zu", words);
        cr_expect(span_equals(span_from_string(found), word), "word %zu: %s", words, found);
        words++;
    }
    for (; event_at(rows); rows++)
        if (rows > 0)
            cr_expect_lt(strcmp(event_at(rows - 1), event_at(rows)), 0, "row %zu is out of order",
                         rows);
    cr_expect_eq(rows, words);
    cr_expect_null(event_at(rows));
    cr_expect_null(event_at((size_t)-1));
}

Test(event, names_are_whole_and_in_any_case)
{
    static const struct {
        struct span name;
        const char *found;
    } rows[] = {
        {SPAN("hs_desc"), "HS_DESC"},     {SPAN("Hs_Desc_Content"), "HS_DESC_CONTENT"},
        {SPAN("bw"), "BW"},               {SPAN("B"), NULL},
        {SPAN(""), NULL},                 {SPAN("BWX"), NULL},
        {SPAN("BW "), NULL},              {SPAN("BW\0"), NULL},
        {SPAN("HS_DES"), NULL},           {SPAN("PT_LOG"), NULL},
        {SPAN("PT_STATUS"), NULL},        {SPAN("EXTENDED"), NULL},
        {SPAN("AUTHDIR_NEWDESCS"), NULL}, {SPAN("\xc5\xbfIGNAL"), NULL},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *found = event_find(rows[i].name);
        if (rows[i].found)
            cr_expect(found && strcmp(found, rows[i].found) == 0, "row %zu: %s", i,
                      found ? found : "nothing");
        else
            cr_expect_null(found, "row %zu", i);
    }
}

Test(event, ignored_names)
{
    cr_expect(event_is_ignored(SPAN("EXTENDED")));
    cr_expect(event_is_ignored(SPAN("extended")));
    cr_expect(event_is_ignored(SPAN("AuthDir_NewDescs")));
    cr_expect_not(event_is_ignored(SPAN("")));
    cr_expect_not(event_is_ignored(SPAN("EXTENDE")));
    cr_expect_not(event_is_ignored(SPAN("BW")));
}

Test(event, the_name_is_the_first_word)
{
    static const struct {
        struct span wire;
        struct span name;
    } rows[] = {
        {SPAN("650 BW 1 2"), SPAN("BW")},
        {SPAN("650+NS"), SPAN("NS")},
        {SPAN("650-CONF_CHANGED"), SPAN("CONF_CHANGED")},
        {SPAN("650 STREAM 1 NEW 0 a:80 SOCKS_USERNAME=\"650 BW\""), SPAN("STREAM")},
        {SPAN("650 "), SPAN("")},
        {SPAN("650  BW"), SPAN("")},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct reply_line line;
        cr_assert(reply_parse_line(rows[i].wire, &line), "row %zu", i);
        cr_expect(span_equals(event_name(&line), rows[i].name), "row %zu", i);
    }
}
