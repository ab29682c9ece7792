/* Whose turn it is among the sessions of one user. */
#include "relay_parts.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define SESSIONS 4

static struct quota_user user;
static struct relay_host host;
static struct relay relays[SESSIONS];

static void begin(void)
{
    memset(&user, 0, sizeof user);
    memset(&host, 0, sizeof host);
    memset(relays, 0, sizeof relays);
    for (size_t i = 0; i < SESSIONS; i++) {
        relays[i].host = &host;
        relays[i].user = &user;
    }
}

TestSuite(relay_turn, .init = begin);

Test(relay_turn, nobody_waits_without_a_rest)
{
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < SESSIONS; i++)
            cr_expect(relay_take_turn(&relays[i]), "session %zu", i);
    cr_expect_null(user.first_queued);
}

/* In the order in which they first asked, however often and in whatever order they ask again. */
Test(relay_turn, the_queue_is_in_order)
{
    static const struct {
        size_t asks[SESSIONS]; /* while the user rests */
        size_t again[SESSIONS * 2];
        bool expected[SESSIONS * 2];
    } rows[] = {
        {{0, 1, 2, 3}, {0, 1, 2, 3, 0, 1, 2, 3}, {1, 1, 1, 1, 1, 1, 1, 1}},
        {{0, 1, 2, 3}, {3, 2, 1, 0, 3, 2, 1, 2}, {0, 0, 0, 1, 0, 0, 1, 1}},
        {{2, 0, 2, 2}, {0, 2, 0, 2, 3, 1, 0, 2}, {0, 1, 1, 1, 1, 1, 1, 1}},
        {{3, 3, 3, 1}, {1, 1, 1, 3, 3, 1, 3, 3}, {0, 0, 0, 1, 0, 1, 1, 1}},
        {{1, 1, 1, 1}, {0, 2, 3, 1, 0, 2, 3, 1}, {0, 0, 0, 1, 1, 1, 1, 1}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        user.rest_until_us = UINT64_MAX;
        for (size_t j = 0; j < SESSIONS; j++)
            cr_expect_not(relay_take_turn(&relays[rows[i].asks[j]]), "row %zu: it rests", i);
        user.rest_until_us = 1;
        for (size_t j = 0; j < SESSIONS * 2; j++)
            cr_expect_eq(relay_take_turn(&relays[rows[i].again[j]]), rows[i].expected[j],
                         "row %zu: asked %zu times", i, j);
    }
}

/* Whoever leaves stops nobody. */
Test(relay_turn, leaving)
{
    for (size_t gone = 0; gone < SESSIONS; gone++) {
        begin();
        user.rest_until_us = UINT64_MAX;
        for (size_t i = 0; i < SESSIONS; i++)
            relay_take_turn(&relays[i]);
        user.rest_until_us = 0;
        relay_leave_queue(&relays[gone]);
        relay_leave_queue(&relays[gone]);
        for (size_t i = 0; i < SESSIONS; i++)
            if (i != gone)
                cr_expect(relay_take_turn(&relays[i]), "session %zu without %zu", i, gone);
        cr_expect_null(user.first_queued);
        cr_expect_null(user.last_queued);
    }
}

/* One that makes its user rest again and again comes last each time. */
Test(relay_turn, nobody_starves)
{
    unsigned turns[SESSIONS] = {0};

    user.rest_until_us = UINT64_MAX;
    for (size_t i = 0; i < SESSIONS; i++)
        relay_take_turn(&relays[i]);
    for (int round = 0; round < 100; round++) {
        bool somebody = false;
        user.rest_until_us = 0;
        for (size_t i = 0; i < SESSIONS; i++) { /* the first ones always ask first */
            bool taken = relay_take_turn(&relays[i]);
            turns[i] += taken;
            somebody |= taken;
            if (taken)
                user.rest_until_us = UINT64_MAX; /* what it did took long */
            if (taken)
                relay_take_turn(&relays[i]); /* and it has more */
        }
        cr_assert(somebody, "round %d", round);
    }
    for (size_t i = 0; i < SESSIONS; i++)
        cr_expect_eq(turns[i], 100 / SESSIONS, "session %zu had %u turns", i, turns[i]);
}

/* Until the processor's time, or the clock, has gone on by that. */
static void work(uint64_t us)
{
    uint64_t end = clock_processor_us() + us;

    while (clock_processor_us() < end)
        continue;
}

static void sleep_for(uint64_t us)
{
    struct timespec pause = {.tv_nsec = (long)us * 1000};

    nanosleep(&pause, NULL);
}

Test(relay_turn, whoever_works_long_rests)
{
    uint64_t began = relay_begin_turn(&relays[0]);

    work(3000);
    relay_charge(&relays[0], began, UINT64_MAX);
    cr_expect_eq(user.rest_until_us, 0, "as long as that may be");
    relay_charge(&relays[0], began, 1000);
    cr_expect_geq(user.rest_until_us, clock_monotonic_us() + 1000, "longer than it worked");
    cr_expect_leq(relay_rest(&relays[1]), RELAY_REST_MAX_US, "his other sessions rest too");
    cr_expect_not(relay_take_turn(&relays[1]));
}

Test(relay_turn, the_longest_rest)
{
    /* As if it had worked for a minute. */
    host.marked_processor_us = clock_processor_us() - 60000000;
    relay_charge(&relays[0], clock_monotonic_us() - 60000000, 1000);
    cr_expect_leq(relay_rest(&relays[0]), RELAY_REST_MAX_US);
    cr_expect_gt(relay_rest(&relays[0]), RELAY_REST_MAX_US / 2);
}

/* As if the machine had been busy with something else. */
Test(relay_turn, nobody_rests_for_being_interrupted)
{
    for (int turn = 0; turn < 10; turn++) {
        uint64_t began = relay_begin_turn(&relays[0]);
        sleep_for(20000);
        relay_charge(&relays[0], began, 10000);
        cr_expect_eq(user.rest_until_us, 0, "turn %d", turn);
    }
}

/* What was worked before the turn is not counted, but for a little. */
Test(relay_turn, only_the_turn_counts)
{
    relay_begin_turn(&relays[0]);
    work(20000);
    uint64_t began = relay_begin_turn(&relays[0]);
    sleep_for(20000);
    relay_charge(&relays[0], began, 10000);
    cr_expect_eq(user.rest_until_us, 0);
}
