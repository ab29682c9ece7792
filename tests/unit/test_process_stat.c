/* State and start of a process, and its pid namespace, from texts of /proc/PID. */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "process_stat.h"

/* Fields 4 to 21, and those behind the start. */
#define MIDDLE " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
#define REST " 1000 200 18446744073709551615 1 1 0 0 0 0 0\n"

struct row {
    const char *text;
    bool good;
    char state;
    uint64_t start;
};

Test(process_stat, state_and_start)
{
    static const struct row rows[] = {
        {"42 (bash) S" MIDDLE "123456" REST, true, 'S', 123456},
        {"42 (bash) Z" MIDDLE "0" REST, true, 'Z', 0},
        {"42 () R" MIDDLE "1" REST, true, 'R', 1},
        {"42 (a b) R" MIDDLE "7" REST, true, 'R', 7},
        {"42 (x) R 1 2 3) Z" MIDDLE "8" REST, true, 'Z', 8},
        {"42 (x) Z" MIDDLE "9 (y) S" MIDDLE "10" REST, true, 'S', 10},
        {"42 (a\nb) R" MIDDLE "11" REST, true, 'R', 11},
        {"42 ()))) R" MIDDLE "12" REST, true, 'R', 12},
        {"42 (x) S" MIDDLE "9999999999999999999" REST, true, 'S', UINT64_C(9999999999999999999)},
        {"42 (x) S" MIDDLE "5", true, 'S', 5},
        {"", false, 0, 0},
        {"42", false, 0, 0},
        {"42 (x", false, 0, 0},
        {"42 (x)", false, 0, 0},
        {"42 (x) ", false, 0, 0},
        {"42 (x) S", false, 0, 0},
        {"42 (x)S" MIDDLE "5" REST, false, 0, 0},
        {"42 (x) SS" MIDDLE "5" REST, false, 0, 0},
        {"42 (x)  " MIDDLE "5" REST, false, 0, 0},
        {"42 (x) S" MIDDLE " 5" REST, false, 0, 0},
        {"42 (x) S" MIDDLE "-5" REST, false, 0, 0},
        {"42 (x) S" MIDDLE "5x" REST, false, 0, 0},
        {"42 (x) S" MIDDLE "12345678901234567890" REST, false, 0, 0},
        {"42 (x) S 1 2 3 4 5\n", false, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct process_stat stat;
        bool good = process_stat_parse(span_from_string(rows[i].text), &stat);
        cr_expect_eq(good, rows[i].good, "row %zu", i);
        if (!good || !rows[i].good)
            continue;
        cr_expect_eq(stat.state, rows[i].state, "row %zu: %c", i, stat.state);
        cr_expect_eq(stat.start, rows[i].start, "row %zu: %" PRIu64, i, stat.start);
    }
}

/* No cut in front of the start's end gives a start. */
Test(process_stat, cuts)
{
    static const char text[] = "42 (x) S" MIDDLE;

    for (size_t len = 0; len < sizeof text; len++) {
        struct process_stat stat;
        cr_expect(!process_stat_parse(span_make(text, len), &stat), "cut at %zu", len);
    }
}

Test(process_stat, namespaces)
{
    static const struct {
        const char *text;
        bool nested;
    } rows[] = {
        {"Name:\tx\nNSpid:\t42\nNSpgid:\t42\n", false},
        {"Name:\tx\nNSpid:\t42\t2\nNSpgid:\t42\t2\n", true},
        {"NSpid:\t42\t17\t1", true},
        {"NSpid:\t42", false},
        {"Name:\tx\nNStgid:\t42\t2\nNSpid:\t42\n", false},
        {"Name:\tNSpid:\t1\t2\nNSpid:\t42\n", false},
        {"Name:\tx\n", false},
        {"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(process_status_is_nested(span_from_string(rows[i].text)), rows[i].nested,
                     "row %zu", i);
}
