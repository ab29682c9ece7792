/* Which events an HSFETCH is good for. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "onion_fetches.h"

static struct onion_address address_of(const char *text)
{
    struct onion_address address;

    cr_assert(onion_address_read(span_from_string(text), &address), "%s", text);
    return address;
}

/* A dialogue in letters, upper case for what is shown and lower case for what is not:
 *   Q REQUESTED   V RECEIVED   F FAILED   N FAILED, the last   O another action
 *   B an empty HS_DESC_CONTENT   D one with a descriptor
 * and, for the fetch itself:
 *   1 with both events   2 with HS_DESC   3 with HS_DESC_CONTENT   4 with none
 *   5 with three SERVER= and both   - the client leaves HS_DESC   = HS_DESC_CONTENT */
static const char *const dialogues[] = {
    "qvfbd",
    "1QVDqvfbd",
    "1QFBQFBQVDqfvbd",
    "1DQVvd",
    "1QFBQFBQFBQFBQFBQFBqvfbd",
    "1QQQQQQqVDv",
    "1QNqvfbd",
    "2QVqvfbd",
    "2Qbd",
    "3Dqvfbd",
    "3BBBBBBd",
    "3BDbd",
    "4qvfbd",
    /* Three that were named: each ends once, and tor asks others only where none had it. */
    "5QQQVDVDFBqvfbd",
    "5QQQFBVDFBqvfbd",
    "5QQQFBFBFBQVDqvfbd",
    "5QQQFBFBFBQFBQFBQVDqvfbd",
    "5QQQVDVDVDqvfbd",
    "5QVDFB5QFBQFBQFBQVDqvfbd",
    "11QVDQVDqvfbd",
    "1-qvfBDd",
    "1=QVbd",
    "1-=qvfbd",
    "1oQoVoD",
    "12QVQVvDd",
};

static bool take_letter(struct onion_fetches *fetches, const struct onion_address *address,
                        char letter)
{
    static const struct {
        char letter;
        const char *action;
        const char *rest;
    } events[] = {
        {'Q', "REQUESTED", "NO_AUTH $A~n d HSDIR_INDEX=0"},
        {'V', "RECEIVED", "NO_AUTH $A~n d"},
        {'F', "FAILED", "NO_AUTH $A~n d REASON=NOT_FOUND X=REASON=QUERY_NO_HSDIR"},
        {'N', "FAILED", "NO_AUTH UNKNOWN d REASON=QUERY_NO_HSDIR MORE=1"},
        {'O', "CREATED", ""},
    };

    if (letter == 'B' || letter == 'D') {
        bool is_shown = onion_fetches_shows_content(fetches, address);
        if (is_shown)
            onion_fetches_end_content(fetches, address, letter == 'B');
        return is_shown;
    }
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].letter == letter)
            return onion_fetches_take_event(fetches, span_from_string(events[i].action), address,
                                            span_from_string(events[i].rest));
    cr_expect(false, "letter %c", letter);
    return false;
}

static void take_fetch(struct onion_fetches *fetches, const struct onion_address *address,
                       char letter)
{
    switch (letter) {
    case '-':
        onion_fetches_forget(fetches, false, true);
        break;
    case '=':
        onion_fetches_forget(fetches, true, false);
        break;
    default:
        onion_fetches_add(fetches, address, letter == '5' ? 3 : 0, letter != '3' && letter != '4',
                          letter != '2' && letter != '4');
    }
}

Test(onion_fetches, each_is_good_for_its_own_events)
{
    struct onion_address address = address_of("abc"), other = address_of("abd");

    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        struct onion_fetches fetches = {0};
        for (const char *c = dialogues[i]; *c; c++) {
            bool is_lower = *c >= 'a' && *c <= 'z';
            char upper = is_lower ? (char)(*c - 'a' + 'A') : *c;
            if (upper < 'A' || upper > 'Z') {
                take_fetch(&fetches, &address, *c);
                continue;
            }
            cr_expect_not(take_letter(&fetches, &other, upper), "row %zu: another's", i);
            cr_expect_eq(take_letter(&fetches, &address, upper), !is_lower, "row %zu (%s): at %s", i,
                         dialogues[i], c);
        }
        onion_fetches_clear(&fetches);
    }
}

Test(onion_fetches, the_oldest_is_forgotten_first)
{
    struct onion_fetches fetches = {0};
    struct onion_address address;
    char text[16];

    for (unsigned i = 0; i < 10 * ONION_FETCHES_MAX; i++) {
        snprintf(text, sizeof text, "a%u", i);
        address = address_of(text);
        onion_fetches_add(&fetches, &address, 0, true, true);
    }
    cr_expect_eq(fetches.count, ONION_FETCHES_MAX);
    cr_expect(take_letter(&fetches, &address, 'Q'), "the last");
    snprintf(text, sizeof text, "a%u", 9 * ONION_FETCHES_MAX - 1);
    address = address_of(text);
    cr_expect_not(take_letter(&fetches, &address, 'Q'), "one too many");
    onion_fetches_clear(&fetches);
}

Test(onion_fetches, counts_do_not_wrap)
{
    struct onion_fetches fetches = {0};
    struct onion_address address = address_of("a");

    for (unsigned i = 0; i < 100000; i++)
        onion_fetches_add(&fetches, &address, 127, true, true);
    cr_expect_eq(fetches.count, 1);
    cr_expect_leq(fetches.items[0].answers, 1024u);
    onion_fetches_clear(&fetches);
}
