/* Which targets an onion service may never have (control-protocol 6.2). */
#include <criterion/criterion.h>

#include "tor_facts.h"

struct row {
    const char *control; /* as tor lists its control listeners */
    const char *target;
    bool forbidden;
};

Test(tor_facts, targets)
{
    static const struct row rows[] = {
        {"\"127.0.0.1:9051\"", "127.0.0.1:9051", true},
        {"\"127.0.0.1:9051\"", "127.0.0.1:9052", false},
        {"\"127.0.0.1:9051\"", "127.1.2.3:9051", true},
        {"\"127.0.0.1:9051\"", "[::1]:9051", true},
        {"\"127.0.0.1:9051\"", "0.0.0.0:9051", true},
        {"\"127.0.0.1:9051\"", "[::]:9051", true},
        {"\"127.0.0.1:9051\"", "[::ffff:127.0.0.1]:9051", true},
        {"\"127.0.0.1:9051\"", "9051", true},
        {"\"127.0.0.1:9051\"", "192.0.2.1:9051", false},
        {"\"192.0.2.1:9051\"", "192.0.2.1:9051", true},
        {"\"192.0.2.1:9051\"", "192.0.2.2:9051", false},
        {"\"0.0.0.0:9051\"", "192.0.2.77:9051", true},
        {"\"[::]:9051\"", "127.0.0.1:9051", true},
        {"\"[2001:db8::1]:9051\"", "[2001:db8::1]:9051", true},
        {"\"[2001:db8::1]:9051\"", "[2001:db8::2]:9051", false},
        {"\"unix:/run/tor/control\"", "unix:/run/tor/control", true},
        {"\"unix:/run/tor/control\"", "unix:/var/run/tor/control", true},
        {"\"unix:/var/run/tor/control\"", "unix:/run/tor/control", true},
        {"\"unix:/run/tor/control\"", "unix:/run/tor/controls", false},
        {"\"unix:/run/tor/control\"", "127.0.0.1:80", false},
        {"\"127.0.0.1:1\" \"unix:/run/tor/control\"", "unix:/run/tor/control", true},
        {"\"127.0.0.1:1\" \"unix:/run/tor/control\"", "127.0.0.1:1", true},
        {"", "127.0.0.1:9051", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tor_facts facts;
        struct target target;
        tor_facts_init(&facts);
        cr_expect(tor_facts_set_control(&facts, span_from_string(rows[i].control)),
                  "row %zu: the list does not parse", i);
        cr_assert_eq(target_parse(span_from_string(rows[i].target), 0, &target), TARGET_OK,
                     "row %zu: the target does not parse", i);
        cr_expect_eq(tor_facts_forbid(&facts, &target), rows[i].forbidden, "row %zu: %s with %s", i,
                     rows[i].target, rows[i].control);
        tor_facts_clear(&facts);
    }
}

Test(tor_facts, a_list_that_does_not_parse_changes_nothing)
{
    static const char *const bad[] = {"127.0.0.1:9051", "\"127.0.0.1:9051", "\"somewhere:9051\"",
                                      "\"127.0.0.1:1\" x"};
    struct tor_facts facts;
    struct target target;

    tor_facts_init(&facts);
    cr_assert(tor_facts_set_control(&facts, SPAN("\"127.0.0.1:9051\"")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(tor_facts_set_control(&facts, span_from_string(bad[i])), "row %zu", i);
    target_parse(SPAN("127.0.0.1:9051"), 0, &target);
    cr_expect(tor_facts_forbid(&facts, &target));
    tor_facts_clear(&facts);
}

Test(tor_facts, own_sockets_are_forbidden_too)
{
    struct tor_facts facts;
    struct target own;

    tor_facts_init(&facts);
    cr_assert_eq(target_parse(SPAN("unix:/run/onion-grater/app.sock"), 0, &own), TARGET_OK);
    cr_expect_not(tor_facts_forbid(&facts, &own));
    tor_facts_set_own(&facts, &own, 1);
    cr_expect(tor_facts_forbid(&facts, &own));
    tor_facts_set_own(&facts, NULL, 0);
    cr_expect_not(tor_facts_forbid(&facts, &own));
    tor_facts_clear(&facts);
}

Test(tor_facts, version)
{
    static const struct {
        const char *text;
        bool taken;
    } rows[] = {
        {"0.4.9.11", true},
        {"0.5.0.1-alpha-dev (git-0123456789abcdef)", true},
        {"", false},
        {"0.4\"x", false},
        {"0.4\\x", false},
        {"0.4\r\n250 OK", false},
        {"0123456789012345678901234567890123456789012345678901234567890123", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tor_facts facts;
        tor_facts_init(&facts);
        tor_facts_set_version(&facts, span_from_string(rows[i].text));
        cr_expect_str_eq(facts.version, rows[i].taken ? rows[i].text : "", "row %zu", i);
        tor_facts_clear(&facts);
    }
}
