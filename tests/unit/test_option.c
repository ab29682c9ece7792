/* The names of tor's options. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ascii.h"
#include "mem.h"
#include "option.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

Test(option, find)
{
    static const struct {
        struct span name;
        const char *found;
    } rows[] = {
        {SPAN("SocksPort"), "SocksPort"},
        {SPAN("socksport"), "SocksPort"},
        {SPAN("BRIDGE"), "Bridge"},
        {SPAN("HTTPSPROXY"), "HTTPSProxy"},
        {SPAN("__owningcontrollerprocess"), "__OwningControllerProcess"},
        {SPAN("__ControlPort"), "__ControlPort"},
        {SPAN("DisableNetwork"), "DisableNetwork"},
        {SPAN(""), NULL},
        {SPAN("_"), NULL},
        {SPAN("D"), NULL},
        {SPAN("SocksPor"), NULL},
        {SPAN("SocksPorts"), NULL},
        {SPAN("SocksPort\0"), NULL},
        {SPAN("Socks\0Port"), NULL},
        {SPAN("SocksPort="), NULL},
        {SPAN("OwningControllerProcess"), NULL},
        {SPAN("~"), NULL},
        {SPAN("\xff"), NULL},
        {SPAN("hunter2"), NULL},
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *found = option_find(rows[i].name);
        if (rows[i].found)
            cr_expect(found && strcmp(found, rows[i].found) == 0, "row %zu: %s", i,
                      found ? found : "nothing");
        else
            cr_expect_null(found, "row %zu: %s", i, found ? found : "");
    }
}

/* Each is found in any case, and nothing that is one letter longer or shorter is it. */
Test(option, each_is_found)
{
    size_t count = 0;

    for (const char *name; (name = option_at(count)) != NULL; count++) {
        char *lower = mem_copy_string(span_from_string(name));
        char *longer = mem_printf("%sx", name);
        for (char *c = lower; *c; c++)
            *c = ascii_to_lower(*c);
        cr_expect_eq(option_find(span_from_string(name)), name, "%s", name);
        cr_expect_eq(option_find(span_from_string(lower)), name, "%s", lower);
        cr_expect_neq(option_find(span_from_string(longer)), name, "%s", longer);
        cr_expect_neq(option_find(span_first(span_from_string(name), strlen(name) - 1)), name,
                      "%s", name);
        free(lower);
        free(longer);
    }
    cr_expect_eq(count, 383, "%zu", count);
}

Test(option, abbreviations)
{
    static const struct {
        const char *name;
        bool is_abbreviation;
    } rows[] = {
        {"D", true},         {"UseBridge", true}, {"usebri", true}, {"__Owning", true},
        {"", false},         {"x", false},        {"Owning", false}, {"SocksPortx", false},
        {"hunter2", false},
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        cr_expect_eq(option_is_abbreviation(span_from_string(rows[i].name)),
                     rows[i].is_abbreviation, "row %zu: %s", i, rows[i].name);
}
