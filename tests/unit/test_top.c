/* Rates from one answer to the next, and the lines of top. */
#include "top.h"

#include "view_fixture.h"

#define HEAD(started)                                                                              \
    "{\"type\":\"daemon\",\"version\":\"0.1.0\",\"started_ms\":" started ",\"age_ms\":6000,"       \
    "\"complain\":\"off\"}",                                                                       \
        "{\"type\":\"tor\",\"state\":\"reachable\"}", "{\"type\":\"policy\",\"profiles\":3}",      \
        "{\"type\":\"limit\",\"name\":\"sessions\",\"used\":2,\"max\":1024}"
#define SESSION(number, profile, uid, allowed, rejected, events, in, out)                          \
    "{\"type\":\"session\",\"number\":" number ",\"profiles\":[\"" profile "\"],\"uid\":" uid      \
    ",\"pid\":42,\"label\":\"app\",\"age_ms\":1000,\"allowed\":" allowed                           \
    ",\"rewritten\":1,\"answered\":2,\"rejected\":" rejected ",\"events_passed\":" events          \
    ",\"bytes_from_client\":" in ",\"bytes_to_client\":" out "}"

static const char *const first[] = {
    HEAD("1000"),
    SESSION("7", "web", "1000", "10", "0", "0", "100", "1000"),
    SESSION("9", "mail", "0", "50", "5", "7", "0", "0"),
    NULL,
};

/* 2.5 seconds later: 7 has done much, 9 nothing, 12 is new. */
static const char *const second[] = {
    HEAD("1000"),
    SESSION("7", "web", "1000", "35", "1", "10", "2660", "51200"),
    SESSION("9", "mail", "0", "50", "5", "7", "0", "0"),
    SESSION("12", "a", "33", "1", "1", "1", "1", "1"),
    NULL,
};

static void take(struct rates *rates, const char *const *lines, uint64_t now_ms)
{
    struct answer answer = fixture_answer(lines);

    rates_take(rates, &answer, now_ms);
    answer_clear(&answer);
}

Test(rates, between_two_answers)
{
    struct rates rates;

    rates_init(&rates);
    cr_expect_null(rates_find(&rates, 7));
    take(&rates, first, 10000);
    cr_expect_not(rates_find(&rates, 7)->is_known);
    cr_expect_not(rates.total.is_known);
    take(&rates, second, 12500);
    const struct rate *rate = rates_find(&rates, 7);
    cr_expect(rate->is_known);
    cr_expect_eq(rate->commands, 10400, "25 allowed and 1 rejected in 2.5 seconds");
    cr_expect_eq(rate->refused, 400);
    cr_expect_eq(rate->events, 4000);
    cr_expect_eq(rate->bytes_in, 1024000);
    cr_expect_eq(rate->bytes_out, 20080000);
    cr_expect(rates_find(&rates, 9)->is_known);
    cr_expect_eq(rates_find(&rates, 9)->commands, 0);
    cr_expect_not(rates_find(&rates, 12)->is_known);
    cr_expect_null(rates_find(&rates, 8));
    cr_expect_eq(rates.total.commands, 10400);
    rates_clear(&rates);
}

Test(rates, none_is_made_up)
{
    static const char *const back[] = {
        HEAD("1000"),
        SESSION("7", "web", "1000", "9", "0", "0", "100", "1000"),
        NULL,
    };
    static const char *const other[] = {
        HEAD("2000"),
        SESSION("7", "web", "1000", "90", "0", "0", "100", "1000"),
        NULL,
    };
    struct rates rates;

    rates_init(&rates);
    take(&rates, first, 1000);
    take(&rates, back, 2000);
    cr_expect_not(rates_find(&rates, 7)->is_known, "a counter went back");
    take(&rates, other, 3000);
    cr_expect_not(rates_find(&rates, 7)->is_known, "another daemon");
    cr_expect_not(rates.total.is_known);
    take(&rates, other, 3000);
    cr_expect_not(rates_find(&rates, 7)->is_known, "no time has passed");
    rates_clear(&rates);
}

/* --- the screen --- */

static void expect_order(enum top_sort sort, const char *expected)
{
    const struct top_setup setup = {.names = &fixture_names, .width = 80, .sort = sort};
    struct answer answer = fixture_answer(second);
    struct rates rates;
    struct page page;
    char order[64] = "";

    rates_init(&rates);
    take(&rates, first, 10000);
    rates_take(&rates, &answer, 12500);
    page_init(&page);
    top_write_sessions(&answer, &rates, &setup, &page);
    for (size_t i = 1; i < page.count; i++) {
        strncat(order, page.lines[i].text, 2);
        strcat(order, " ");
    }
    cr_expect_str_eq(order, expected, "by %d", (int)sort);
    page_clear(&page);
    rates_clear(&rates);
    answer_clear(&answer);
}

Test(top, orders)
{
    expect_order(TOP_BY_NUMBER, " 7  9 12 ");
    expect_order(TOP_BY_PROFILE, "12  9  7 ");
    expect_order(TOP_BY_USER, "12  7  9 ");
    expect_order(TOP_BY_COMMANDS, " 7  9 12 ");
    expect_order(TOP_BY_REFUSED, " 7  9 12 ");
    expect_order(TOP_BY_EVENTS, " 7  9 12 ");
    expect_order(TOP_BY_BYTES, " 7  9 12 ");
}

Test(top, keys_and_names)
{
    static const char *const names[] = {"number",  "profile", "user", "commands",
                                        "refused", "events",  "bytes"};
    enum top_sort by_name, by_key;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cr_assert(top_sort_of_name(names[i], &by_name));
        cr_assert(top_sort_of_key(names[i][0], &by_key));
        cr_expect_eq(by_name, by_key, "%s", names[i]);
    }
    cr_expect_not(top_sort_of_name("num", &by_name));
    cr_expect_not(top_sort_of_key('x', &by_key));
    cr_expect_not(top_sort_of_key(0, &by_key));
}

Test(top, table)
{
    const struct top_setup setup = {.names = &fixture_names, .width = 80, .sort = TOP_BY_COMMANDS};
    struct answer answer = fixture_answer(second);
    struct rates rates;
    struct page page;

    rates_init(&rates);
    take(&rates, first, 10000);
    rates_take(&rates, &answer, 12500);
    page_init(&page);
    top_write_sessions(&answer, &rates, &setup, &page);
    fixture_expect_page(&page,
                        "NO  PROFILE  USER   PID  CLIENT  AGE  CMDS  REF  CMD/s  EV/s  IN/s  OUT/s\n"
                        " 7  web      alice   42  app      1s    36    1     10   4.0  1.0K    19K\n"
                        " 9  mail     root    42  app      1s    51    5      0     0     0      0\n"
                        "12  a        33      42  app      1s     2    1      -     -     -      -\n",
                        "table");
    rates_clear(&rates);
    answer_clear(&answer);
}

Test(top, head)
{
    static const char *const bad[] = {
        "{\"type\":\"daemon\",\"version\":\"0.1.0\",\"age_ms\":8640000000,\"complain\":\"some\"}",
        "{\"type\":\"tor\",\"state\":\"unreachable\"}",
        "{\"type\":\"policy\",\"profiles\":4096,\"errors\":200}",
        "{\"type\":\"limit\",\"name\":\"sessions\",\"used\":1024,\"max\":1024}",
        NULL,
    };
    const struct top_setup setup = {.names = &fixture_names, .width = 80, .sort = TOP_BY_COMMANDS};
    struct answer answer = fixture_answer(bad);
    struct rates rates = {
        .total = {.is_known = true, .commands = 9999000, .refused = 9999000, .events = 9999000,
                  .bytes_in = 999UL << 40, .bytes_out = 999UL << 40},
    };
    struct page page;

    page_init(&page);
    top_write_head(&answer, &rates, &setup, &page);
    cr_expect_eq(page.count, TOP_HEAD_LINES);
    cr_expect_eq(page.lines[0].tone, PAGE_PROBLEM);
    for (size_t i = 0; i < page.count; i++)
        cr_expect_leq(strlen(page.lines[i].text), 80, "%s", page.lines[i].text);
    char *text = fixture_text(&page);
    cr_expect_str_eq(
        text,
        "onion-grater 0.1.0  up 100d  tor unreachable  profiles 4096 (200 bad)  COMPLAIN\n"
        "sessions 1024/1024  cmd/s 9999 (refused 9999)  ev/s 9999  in/s 0.9T  out/s 0.9T\n"
        "[n]umber [p]rofile [u]ser <c>ommands [r]efused [e]vents [b]ytes [q]uit\n"
        "\n");
    free(text);
    answer_clear(&answer);
}
