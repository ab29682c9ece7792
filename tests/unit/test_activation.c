/* The environment by which a service manager announces sockets. */
#include "activation.h"

#include <criterion/criterion.h>

Test(activation, count)
{
    static const struct {
        const char *pid, *fds;
        size_t count;
    } rows[] = {
        {"77", "1", 1},   {"77", "3", 3},    {"77", "0", 0},    {NULL, "1", 0},
        {"77", NULL, 0},  {NULL, NULL, 0},   {"78", "1", 0},    {"7", "1", 0},
        {"", "1", 0},     {"77", "", 0},     {"77 ", "1", 0},   {"+77", "1", 0},
        {"77", "-1", 0},  {"77", "x", 0},    {"77", "1x", 0},   {"77", "512", 512},
        {"77", "513", 0}, {"-77", "1", 0},   {"0", "1", 0},     {"77", "99999999999999999999", 0},
        {"4294967373", "1", 0}, /* 77 and 2^32 */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(activation_count(rows[i].pid, rows[i].fds, 77) == rows[i].count,
                  "row %zu: \"%s\" \"%s\"", i, rows[i].pid ? rows[i].pid : "(none)",
                  rows[i].fds ? rows[i].fds : "(none)");
}

Test(activation, names)
{
    static const struct {
        const char *names;
        size_t index;
        const char *name;
    } rows[] = {
        {NULL, 0, "unknown"},    {NULL, 5, "unknown"},  {"", 0, "unknown"},   {"a", 0, "a"},
        {"a", 1, "unknown"},     {"a:b", 0, "a"},       {"a:b", 1, "b"},      {"a:b", 2, "unknown"},
        {"a::c", 1, "unknown"},  {"a::c", 2, "c"},      {":b", 0, "unknown"}, {":b", 1, "b"},
        {"a:", 1, "unknown"},    {"a:b:c", 2, "c"},     {":::", 3, "unknown"},
        {"onion-grater.socket:web", 1, "web"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span name = activation_name(rows[i].names, rows[i].index);
        cr_expect(span_equals(name, span_from_string(rows[i].name)), "row %zu: \"%.*s\"", i,
                  (int)name.len, name.data);
    }
}

Test(activation, shared)
{
    static const struct {
        const char *name;
        bool is_shared;
    } rows[] = {
        {"control.sock", true}, {"onion-grater.socket", true}, {"unknown", true},
        {"control", false},     {"Control.sock", false},       {"web", false},
        {"web.socket", false},  {"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(activation_is_shared(span_from_string(rows[i].name)) == rows[i].is_shared,
                  "row %zu: %s", i, rows[i].name);
}
