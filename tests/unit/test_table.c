/* Numbers, lines and tables for people. */
#include "table.h"

#include <limits.h>

#include "units.h"
#include "view_fixture.h"

static void expect_unit(void (*append)(struct buf *out, unsigned long number), unsigned long number,
                        const char *expected)
{
    struct buf out;

    buf_init(&out, 64);
    append(&out, number);
    cr_expect(span_equals(buf_span(&out), span_from_string(expected)), "%lu: %.*s", number,
              (int)out.len, buf_span(&out).data);
    buf_clear(&out);
}

Test(units, ages)
{
    static const struct {
        unsigned long seconds;
        const char *text;
    } rows[] = {
        {0, "0s"},      {99, "99s"},      {100, "1m"},     {5999, "99m"},
        {6000, "1h"},   {172799, "47h"},  {172800, "2d"},  {86400 * 999UL, "999d"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_unit(units_append_age, rows[i].seconds * 1000 + 999, rows[i].text);
}

Test(units, counts)
{
    static const struct {
        unsigned long number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {9999, "9999"},
        {10000, "10k"},
        {999999, "999k"},
        {1000000, "1.0M"},
        {1999999, "1.9M"},
        {9999999, "9.9M"},
        {10000000, "10M"},
        {1234567890UL, "1.2G"},
        {1000000000000UL, "1.0T"},
        {ULONG_MAX, "18446744T"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_unit(units_append_count, rows[i].number, rows[i].text);
}

Test(units, bytes)
{
    static const struct {
        unsigned long number;
        const char *text;
    } rows[] = {
        {1023, "1023"},          {1024, "1.0K"},   {2047, "1.9K"},
        {10240, "10K"},          {1023999, "999K"}, {1048575, "0.9M"},
        {1048576, "1.0M"},       {67108864, "64M"}, {1UL << 40, "1.0T"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_unit(units_append_bytes, rows[i].number, rows[i].text);
}

/* --- pages --- */

Test(page, nothing_but_printable_ascii)
{
    struct page page;

    page_init(&page);
    page_add(&page, PAGE_PLAIN, SPAN("a\x1b[31m\r\n\x9b\xc3\xa9\0b  "));
    page_printf(&page, PAGE_PLAIN, "%s", "\a");
    fixture_expect_page(&page, "a\\x1B[31m\\x0D\\x0A\\x9B\\xC3\\xA9\\x00b\n\\x07\n", "escapes");
}

Test(page, folds_at_spaces)
{
    static const struct {
        const char *text;
        unsigned width;
        const char *expected;
    } rows[] = {
        {"", 40, "name\n"},
        {"one two", 0, "name           one two\n"},
        {"a b c d e f g h i j k l m n o p q r s t u v w x y z", 40,
         "name           a b c d e f g h i j k l m\n"
         "               n o p q r s t u v w x y z\n"},
        /* 25 columns exactly, and one more */
        {"123456789012345678901 3456 8", 41,
         "name           123456789012345678901 3456\n               8\n"},
        /* without a space it is cut */
        {"1234567890123456789012345678901234567890", 40,
         "name           1234567890123456789012345\n               678901234567890\n"},
        /* a terminal that is too narrow */
        {"123456789012345678 90 1234", 10,
         "name           123456789012345678\n               90 1234\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct page page;
        page_init(&page);
        page_add_named(&page, PAGE_PLAIN, rows[i].width, "name", span_from_string(rows[i].text));
        fixture_expect_page(&page, rows[i].expected, rows[i].text);
    }
}

Test(page, colours)
{
    struct page page;
    struct buf out;

    page_init(&page);
    page_add(&page, PAGE_PLAIN, SPAN("plain"));
    page_add(&page, PAGE_PROBLEM, SPAN("bad"));
    page_add(&page, PAGE_PROBLEM, SPAN(""));
    buf_init(&out, 1024);
    page_write(&page, true, &out);
    cr_expect(span_equals(buf_span(&out), SPAN("plain\n\033[31mbad\033[0m\n\n")));
    buf_clear(&out);
    page_clear(&page);
}

/* --- tables --- */

static const struct table_column columns[] = {
    {"NO", true, 0},
    {"NAME", false, 4},
    {"PLACE", false, 6},
    {"N", true, 0},
};

static struct table make_table(void)
{
    struct table table;

    table_init(&table, columns, 4);
    table_begin_row(&table, PAGE_PLAIN);
    table_add(&table, SPAN("1"));
    table_add(&table, SPAN("alice"));
    table_add(&table, SPAN("a place with a long name"));
    table_add(&table, SPAN("1000"));
    table_add(&table, SPAN("one too many"));
    table_begin_row(&table, PAGE_PROBLEM);
    table_add(&table, SPAN("22"));
    table_add(&table, SPAN(""));
    table_begin_row(&table, PAGE_PLAIN);
    table_add(&table, SPAN("3"));
    return table;
}

static void expect_table(unsigned width, const char *expected)
{
    struct table table = make_table();
    struct page page;

    page_init(&page);
    table_write(&table, width, &page);
    cr_expect_eq(page.lines[0].tone, PAGE_HEADING);
    cr_expect_eq(page.lines[2].tone, PAGE_PROBLEM);
    fixture_expect_page(&page, expected, "table");
    table_clear(&table);
}

Test(table, widths)
{
    expect_table(0, "NO  NAME   PLACE                        N\n"
                    " 1  alice  a place with a long name  1000\n"
                    "22  -      -                            -\n"
                    " 3  -      -                            -\n");
    expect_table(41, "NO  NAME   PLACE                        N\n"
                     " 1  alice  a place with a long name  1000\n"
                     "22  -      -                            -\n"
                     " 3  -      -                            -\n");
    expect_table(40, "NO NAME  PLACE                       N\n"
                     " 1 alice a place with a long name 1000\n"
                     "22 -     -                           -\n"
                     " 3 -     -                           -\n");
    expect_table(24, "NO NAME  PLACE         N\n"
                     " 1 alice a place w~ 1000\n"
                     "22 -     -             -\n"
                     " 3 -     -             -\n");
    /* as narrow as it gets */
    expect_table(1, "NO NAME PLACE     N\n"
                    " 1 ali~ a pla~ 1000\n"
                    "22 -    -         -\n"
                    " 3 -    -         -\n");
}

/* A client may have a name of any length: what others see stays short. */
Test(table, long_cells_are_cut)
{
    char name[1000];
    struct table table;
    struct page page;

    memset(name, 'x', sizeof name);
    table_init(&table, columns, 4);
    table_begin_row(&table, PAGE_PLAIN);
    table_add(&table, SPAN("1"));
    table_add(&table, span_make(name, sizeof name));
    page_init(&page);
    table_write(&table, 0, &page);
    cr_expect_leq(strlen(page.lines[1].text), 300);
    cr_expect(strstr(page.lines[1].text, "xx~ "));
    page_clear(&page);
    table_clear(&table);
}

Test(table, empty)
{
    struct table table;
    struct page page;

    table_init(&table, columns, 4);
    page_init(&page);
    table_write(&table, 80, &page);
    fixture_expect_page(&page, "NO  NAME  PLACE  N\n", "headings alone");
    table_clear(&table);
}
