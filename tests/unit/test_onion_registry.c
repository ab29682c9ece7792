/* Addresses and sets of them; which profile has which detached service and which key. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "onion_registry.h"

static struct onion_address address_of(const char *text)
{
    struct onion_address address;

    cr_assert(onion_address_read(span_from_string(text), &address), "%s", text);
    return address;
}

static struct onion_address numbered(unsigned number)
{
    char text[16];

    snprintf(text, sizeof text, "n%06u", number);
    return address_of(text);
}

Test(onion_set, addresses)
{
    static const struct {
        struct span text;
        const char *read; /* NULL: it is none */
    } rows[] = {
        {SPAN("abc"), "abc"},
        {SPAN("ABC234xyz"), "abc234xyz"},
        {SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), NULL},
        {SPAN(""), NULL},
        {SPAN("abc.onion"), NULL},
        {SPAN("abc "), NULL},
        {SPAN("a\0b"), NULL},
        {SPAN("\xc3\xa4"), NULL},
        {SPAN("$A~b"), NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct onion_address address;
        bool is_one = onion_address_read(rows[i].text, &address);
        cr_expect_eq(is_one, rows[i].read != NULL, "row %zu", i);
        cr_expect_str_eq(address.text, rows[i].read ? rows[i].read : "", "row %zu", i);
    }
}

Test(onion_set, holds_each_once_up_to_its_maximum)
{
    struct onion_set set;
    struct onion_address address;

    onion_set_init(&set, 100);
    for (unsigned i = 0; i < 100; i++) {
        address = numbered(i * 37 % 101);
        cr_expect_not(onion_set_has(&set, &address), "%u before", i);
        cr_expect(onion_set_add(&set, &address) && onion_set_add(&set, &address), "%u", i);
    }
    cr_expect_eq(set.count, 100);
    address = address_of("other");
    cr_expect_not(onion_set_add(&set, &address), "it is full");
    for (size_t i = 1; i < set.count; i++)
        cr_expect_lt(onion_address_compare(&set.items[i - 1], &set.items[i]), 0, "sorted %zu", i);
    for (unsigned i = 0; i < 100; i += 2) {
        address = numbered(i * 37 % 101);
        cr_expect(onion_set_remove(&set, &address) && !onion_set_remove(&set, &address), "%u", i);
    }
    for (unsigned i = 0; i < 100; i++) {
        address = numbered(i * 37 % 101);
        cr_expect_eq(onion_set_has(&set, &address), i % 2 == 1, "%u after", i);
    }
    onion_set_clear(&set);
    cr_expect(set.count == 0 && set.max == 100);
}

/* One step each: a letter, a profile, an address.
 *   d detached   x removed   h has it   n has it not   c count (in `number`)
 *   r takes a place   f finds none   u gives a place back
 *   k begins a key   t begins and is told that another has it   e ends it, added   a ends, not added
 *   q has the key    m has it not    y the key is gone */
struct step {
    char what;
    const char *profile;
    const char *address;
    size_t number;
};

static bool take_key_step(struct onion_registry *registry, const struct step *step,
                          const struct onion_address *address)
{
    switch (step->what) {
    case 'k':
        return onion_registry_key_begin(registry, step->profile, address) == ONION_KEY_GRANTED;
    case 't':
        return onion_registry_key_begin(registry, step->profile, address) == ONION_KEY_TAKEN;
    case 'e':
        onion_registry_key_end(registry, address, true);
        return true;
    case 'a':
        onion_registry_key_end(registry, address, false);
        return true;
    case 'q':
        return onion_registry_key_has(registry, step->profile, address);
    case 'm':
        return !onion_registry_key_has(registry, step->profile, address);
    case 'y':
        onion_registry_key_remove(registry, address);
        return true;
    default:
        return false;
    }
}

static bool take_step(struct onion_registry *registry, const struct step *step)
{
    struct onion_address address = address_of(step->address ? step->address : "none");

    switch (step->what) {
    case 'd':
        onion_registry_add(registry, step->profile, &address);
        return true;
    case 'x':
        onion_registry_remove(registry, &address);
        return true;
    case 'h':
        return onion_registry_has(registry, step->profile, &address);
    case 'n':
        return !onion_registry_has(registry, step->profile, &address);
    case 'c':
        return onion_registry_count(registry, step->profile) == step->number;
    case 'r':
        return onion_registry_reserve(registry, step->profile);
    case 'f':
        return !onion_registry_reserve(registry, step->profile);
    case 'u':
        onion_registry_release(registry, step->profile);
        return true;
    default:
        return take_key_step(registry, step, &address);
    }
}

Test(onion_registry, whose_is_what)
{
    static const struct step rows[] = {
        {'n', "a", "x", 0}, {'d', "a", "x", 0}, {'h', "a", "x", 0}, {'h', "a", "X", 0},
        {'n', "b", "x", 0}, {'c', "a", NULL, 1}, {'c', "b", NULL, 0},
        /* again, and by another profile */
        {'d', "a", "x", 0}, {'c', "a", NULL, 1}, {'d', "b", "x", 0}, {'n', "a", "x", 0},
        {'h', "b", "x", 0}, {'c', "a", NULL, 0}, {'x', NULL, "y", 0}, {'c', "b", NULL, 1},
        {'x', NULL, "x", 0}, {'n', "b", "x", 0}, {'x', NULL, "x", 0}, {'c', "b", NULL, 0},
        /* places */
        {'r', "a", NULL, 0}, {'r', "a", NULL, 0}, {'c', "a", NULL, 2}, {'c', "b", NULL, 0},
        {'u', "a", NULL, 0}, {'d', "a", "z", 0}, {'c', "a", NULL, 2}, {'u', "a", NULL, 0},
        {'u', "a", NULL, 0}, {'u', "b", NULL, 0}, {'c', "a", NULL, 1}, {'h', "a", "z", 0},
        /* keys: on its way, refused to others, and only tor's yes counts */
        {'k', "a", "k", 0}, {'m', "a", "k", 0}, {'t', "b", "k", 0}, {'a', NULL, "k", 0},
        {'m', "a", "k", 0}, {'k', "b", "k", 0}, {'e', NULL, "k", 0}, {'q', "b", "k", 0},
        {'t', "a", "k", 0}, {'m', "a", "k", 0}, {'k', "b", "K", 0}, {'a', NULL, "k", 0},
        {'q', "b", "k", 0}, {'y', NULL, "k", 0}, {'m', "b", "k", 0}, {'k', "a", "k", 0},
        {'k', "a", "k", 0}, {'e', NULL, "k", 0}, {'y', NULL, "k", 0}, {'m', "a", "k", 0},
        {'t', "b", "k", 0}, {'a', NULL, "k", 0}, {'k', "b", "k", 0}, {'a', NULL, "k", 0},
        {'a', NULL, "k", 0}, {'y', NULL, "k", 0},
        /* a service is no key */
        {'h', "a", "z", 0}, {'m', "a", "z", 0}, {'c', "a", NULL, 1},
    };
    struct onion_registry registry;

    onion_registry_init(&registry);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(take_step(&registry, &rows[i]), "row %zu: %c %s %s", i, rows[i].what,
                  rows[i].profile ? rows[i].profile : "-", rows[i].address ? rows[i].address : "-");
    onion_registry_clear(&registry);
}

Test(onion_registry, nobody_is_remembered_without_reason)
{
    struct onion_registry registry;
    struct onion_address address = address_of("x");

    onion_registry_init(&registry);
    onion_registry_reserve(&registry, "a");
    onion_registry_add(&registry, "b", &address);
    onion_registry_key_begin(&registry, "c", &address);
    onion_registry_release(&registry, "a");
    onion_registry_remove(&registry, &address);
    onion_registry_key_end(&registry, &address, false);
    cr_expect_null(registry.owners);
    cr_expect_eq(registry.services.count + registry.services.on_way + registry.keys.count, 0);
    onion_registry_clear(&registry);
}

Test(onion_registry, has_bounds)
{
    struct onion_registry registry;
    struct onion_address address;
    char profile[16];
    unsigned added = 0, keys = 0;

    onion_registry_init(&registry);
    for (unsigned i = 0; i < ONION_REGISTRY_PER_PROFILE; i++) {
        address = numbered(i);
        onion_registry_add(&registry, "a", &address);
        cr_expect_eq(onion_registry_key_begin(&registry, "a", &address), ONION_KEY_GRANTED);
    }
    address = address_of("more");
    cr_expect_not(onion_registry_has_room(&registry, "a"));
    cr_expect_not(onion_registry_reserve(&registry, "a"));
    onion_registry_add(&registry, "a", &address);
    cr_expect_not(onion_registry_has(&registry, "a", &address));
    cr_expect_eq(onion_registry_key_begin(&registry, "a", &address), ONION_KEY_NO_ROOM);
    address = numbered(1);
    cr_expect_eq(onion_registry_key_begin(&registry, "a", &address), ONION_KEY_GRANTED,
                 "one that it has");
    cr_expect(onion_registry_has_room(&registry, "b"));
    for (unsigned i = 0; i < ONION_REGISTRY_MAX; i++) {
        snprintf(profile, sizeof profile, "p%u", i % 64);
        added += onion_registry_reserve(&registry, profile);
        address = numbered(100000 + i);
        keys += onion_registry_key_begin(&registry, profile, &address) == ONION_KEY_GRANTED;
    }
    cr_expect_eq(added, ONION_REGISTRY_MAX - ONION_REGISTRY_PER_PROFILE);
    cr_expect_eq(keys, ONION_REGISTRY_MAX - ONION_REGISTRY_PER_PROFILE);
    cr_expect_not(onion_registry_has_room(&registry, "new"));
    onion_registry_clear(&registry);
}

Test(onion_registry, what_tor_does_not_list_is_gone_unless_it_came_later)
{
    struct onion_registry registry;
    struct onion_set listed;
    struct onion_address kept = address_of("kept"), gone = address_of("gone"),
                         later = address_of("later"), again = address_of("again");

    onion_registry_init(&registry);
    onion_set_init(&listed, 8);
    onion_registry_add(&registry, "a", &kept);
    onion_registry_add(&registry, "a", &gone);
    onion_registry_add(&registry, "b", &again);
    uint64_t mark = onion_registry_mark(&registry);
    onion_registry_add(&registry, "a", &later);
    onion_registry_add(&registry, "c", &again);
    onion_set_add(&listed, &kept);
    onion_registry_keep(&registry, mark, &listed);
    cr_expect(onion_registry_has(&registry, "a", &kept));
    cr_expect_not(onion_registry_has(&registry, "a", &gone));
    cr_expect(onion_registry_has(&registry, "a", &later));
    cr_expect(onion_registry_has(&registry, "c", &again));
    cr_expect_eq(onion_registry_count(&registry, "a"), 2);
    cr_expect_eq(onion_registry_count(&registry, "b"), 0);
    onion_set_clear(&listed);
    onion_registry_keep(&registry, onion_registry_mark(&registry), &listed);
    cr_expect_null(registry.owners, "all gone");
    onion_registry_clear(&registry);
}

Test(onion_registry, lost_places_stay_until_tor_lists_nothing_unknown)
{
    struct onion_registry registry;

    onion_registry_init(&registry);
    onion_registry_lose(&registry, "a");
    cr_expect_null(registry.owners, "nothing was on its way");
    for (int i = 0; i < 3; i++)
        onion_registry_reserve(&registry, "a");
    onion_registry_reserve(&registry, "b");
    onion_registry_lose(&registry, "a");
    onion_registry_lose(&registry, "a");
    uint64_t mark = onion_registry_mark(&registry);
    onion_registry_lose(&registry, "b");
    onion_registry_lose(&registry, "b");
    onion_registry_release(&registry, "b");
    cr_expect_eq(onion_registry_count(&registry, "b"), 1, "a lost place is not given back");
    onion_registry_settle(&registry, mark);
    cr_expect_eq(onion_registry_count(&registry, "a"), 1, "one is still on its way");
    cr_expect_eq(onion_registry_count(&registry, "b"), 1, "lost since");
    onion_registry_release(&registry, "a");
    onion_registry_settle(&registry, onion_registry_mark(&registry));
    cr_expect_null(registry.owners);
    cr_expect_eq(registry.services.on_way, 0);
    onion_registry_clear(&registry);
}

Test(onion_registry, a_key_that_was_not_asked_for_replaces_ones_own)
{
    static const struct {
        bool is_on_way, is_added; /* another command of the first profile's */
        const char *by;
        bool first_has, second_has;
    } rows[] = {
        {false, false, "b", false, true},  {false, false, NULL, false, false},
        {false, false, "a", true, false},  {true, true, "b", false, false},
        {true, false, "b", false, false},  {true, true, NULL, false, false},
    };
    struct onion_address address = address_of("x");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct onion_registry registry;
        onion_registry_init(&registry);
        onion_registry_key_begin(&registry, "a", &address);
        onion_registry_key_end(&registry, &address, true);
        if (rows[i].is_on_way)
            onion_registry_key_begin(&registry, "a", &address);
        onion_registry_key_replace(&registry, rows[i].by, &address);
        cr_expect(!rows[i].by || strcmp(rows[i].by, "a") == 0 ||
                      !onion_registry_key_has(&registry, "a", &address),
                  "row %zu: at once", i);
        if (rows[i].is_on_way)
            onion_registry_key_end(&registry, &address, rows[i].is_added);
        cr_expect_eq(onion_registry_key_has(&registry, "a", &address), rows[i].first_has, "row %zu",
                     i);
        cr_expect_eq(onion_registry_key_has(&registry, "b", &address), rows[i].second_has,
                     "row %zu", i);
        onion_registry_key_remove(&registry, &address);
        cr_expect_null(registry.owners, "row %zu", i);
        onion_registry_clear(&registry);
    }
}
