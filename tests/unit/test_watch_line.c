/* Lines of watch. */
#include "watch_line.h"

#include "view_fixture.h"

static const struct {
    const char *record;
    const char *line; /* NULL: nothing for people */
    enum page_tone tone;
} rows[] = {
    {"{\"type\":\"decision\",\"session\":7,\"profiles\":[\"web\"],\"uid\":1000,\"verdict\":"
     "\"allowed\",\"command\":\"GETINFO version\",\"sent\":null,\"rule\":{\"file\":\"/etc/w.yml\","
     "\"line\":3,\"column\":5},\"reason\":null}",
     "12:00:00 session 7 (web, alice) allowed GETINFO version (/etc/w.yml:3:5)\n", PAGE_PLAIN},
    {"{\"type\":\"decision\",\"session\":7,\"profiles\":[\"web\",\"b\"],\"uid\":4711,\"verdict\":"
     "\"rejected\",\"command\":\"GETINFO address\",\"sent\":null,\"rule\":null,\"reason\":"
     "\"no rule allows these arguments\"}",
     "12:00:00 session 7 (web,b, 4711) rejected GETINFO address: no rule allows these arguments\n",
     PAGE_PROBLEM},
    {"{\"type\":\"decision\",\"session\":7,\"profiles\":[],\"uid\":null,\"verdict\":\"rewritten\","
     "\"command\":\"SIGNAL \\u001b[0m\",\"sent\":\"SIGNAL X\\r\\n\",\"rule\":null,\"reason\":null}",
     "12:00:00 session 7 (no profile) rewritten SIGNAL \\x1B[0m -> SIGNAL X\\x0D\\x0A\n", PAGE_PLAIN},
    {"{\"type\":\"decision\",\"session\":1,\"profiles\":[\"a\"],\"uid\":0,\"verdict\":"
     "\"complained\",\"command\":\"X\"}",
     "12:00:00 session 1 (a, root) complained X\n", PAGE_WARNING},
    {"{\"type\":\"event\",\"session\":1,\"profiles\":[\"a\"],\"uid\":0,\"name\":\"CIRC\","
     "\"passed\":true}",
     "12:00:00 session 1 (a, root) gets event CIRC\n", PAGE_PLAIN},
    {"{\"type\":\"event\",\"session\":1,\"profiles\":[\"a\"],\"uid\":0,\"name\":\"CIRC\","
     "\"passed\":false}",
     "12:00:00 session 1 (a, root) event withheld: CIRC\n", PAGE_PLAIN},
    {"{\"type\":\"session-began\",\"session\":1,\"profiles\":[\"a\"],\"uid\":0,\"pid\":9,\"label\":"
     "\"x y\",\"evidence\":\"proc\",\"no_match\":null}",
     "12:00:00 session 1 (a, root) began: pid 9, label x y by evidence: proc\n", PAGE_PLAIN},
    {"{\"type\":\"session-began\",\"session\":1,\"profiles\":[],\"uid\":0,\"pid\":null,\"label\":"
     "null,\"evidence\":\"no\",\"no_match\":\"nobody lists it\"}",
     "12:00:00 session 1 (no profile, root) began: no label; no profile matches: nobody lists it\n",
     PAGE_PROBLEM},
    {"{\"type\":\"session-ended\",\"session\":1,\"profiles\":[\"a\"],\"uid\":0,\"reason\":"
     "\"closed by the client\"}",
     "12:00:00 session 1 (a, root) ended: closed by the client\n", PAGE_PLAIN},
    {"{\"type\":\"left-out\",\"count\":12}",
     "12:00:00 12 lines left out: they were not read fast enough\n", PAGE_WARNING},
    {"{\"type\":\"watching\",\"version\":\"0.1.0\"}", NULL, PAGE_PLAIN},
    {"{\"type\":\"something new\"}", NULL, PAGE_PLAIN},
};

Test(watch_line, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page page;
        page_init(&page);
        cr_assert(record_is_sound(span_from_string(rows[i].record)), "row %zu", i);
        bool is_shown = watch_line_write(span_from_string(rows[i].record), "12:00:00",
                                         &fixture_names, &page);
        cr_expect_eq(is_shown, rows[i].line != NULL, "row %zu", i);
        if (is_shown)
            cr_expect_eq(page.lines[0].tone, rows[i].tone, "row %zu", i);
        fixture_expect_page(&page, rows[i].line ? rows[i].line : "", rows[i].record);
    }
}
