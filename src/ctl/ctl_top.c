/* onion-graterctl top: asks for the status again and again, and shows what happened in between.
 *
 * A daemon that goes away is waited for; its answer is never waited for so long that a key would
 * not be heard. */
#include "ctl_top.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_admin.h"
#include "ctl_options.h"
#include "ctl_screen.h"
#include "ctl_signals.h"
#include "ctl_users.h"
#include "top.h"

#define VERB "top"
#define ANSWER_TIMEOUT 5
#define INTERVAL 2
#define INTERVAL_MAX 3600

struct top {
    struct ctl_admin admin;
    struct ctl_users users;
    struct answer answer; /* the last one; empty while the daemon is away */
    struct rates rates;
    enum top_sort sort;
    unsigned long interval; /* seconds */
    size_t offset;          /* sessions above the screen */
    size_t sessions;        /* on it and around it */
    bool is_left;
};

/* --- options --- */

static bool take_option(struct top *top, int option, const char *name)
{
    if (option == CTL_ADMIN_OPTION)
        return ctl_admin_set(&top->admin, name, optarg);
    if (option == 'i') {
        if (span_to_number(span_from_string(optarg), INTERVAL_MAX, &top->interval) &&
            top->interval > 0)
            return true;
        ctl_usage_error(VERB, "--interval takes seconds, from 1 to %d", INTERVAL_MAX);
    } else if (option == 's') {
        if (top_sort_of_name(optarg, &top->sort))
            return true;
        ctl_usage_error(VERB, "--sort takes number, profile, user, commands, refused, events or "
                              "bytes");
    }
    return false;
}

/* False: wrong usage, reported. */
static bool read_options(struct top *top, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {"interval", required_argument, NULL, 'i'},
        {"sort", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_top, argc, argv, ":", rows, &row)) != -1)
        if (!take_option(top, option, option == CTL_OPTION_BAD ? NULL : rows[row].name))
            return false;
    return ctl_no_more_words(&ctl_top, argc, argv);
}

/* --- the daemon --- */

/* False: there is no answer, see top->admin. A key that interrupts it leaves everything as it was.
 */
static bool take_answer(struct top *top)
{
    struct answer answer;

    answer_init(&answer);
    ctl_admin_begin(&top->admin, "status");
    enum ctl_admin_result result = ctl_admin_ask(&top->admin, &answer);
    if (result == CTL_ADMIN_INTERRUPTED) {
        answer_clear(&answer);
        return true;
    }
    answer_clear(&top->answer);
    if (result == CTL_ADMIN_END) {
        top->answer = answer;
        rates_take(&top->rates, &top->answer, clock_monotonic_ms());
        return true;
    }
    answer_clear(&answer);
    return false;
}

/* --- the screen --- */

static void draw_answer(struct top *top, unsigned height)
{
    const struct user_names names = ctl_users_names(&top->users);
    const struct top_setup setup = {
        .names = &names, .width = ctl_screen_width(), .sort = top->sort};
    unsigned rows = height > TOP_HEAD_LINES + 1 ? height - TOP_HEAD_LINES - 1 : 0;
    struct page head, table;

    page_init(&head);
    page_init(&table);
    top_write_head(&top->answer, &top->rates, &setup, &head);
    top_write_sessions(&top->answer, &top->rates, &setup, &table);
    top->sessions = table.count - 1;
    if (top->offset > 0 && top->offset + rows > top->sessions)
        top->offset = top->sessions > rows ? top->sessions - rows : 0;
    ctl_screen_put(0, head.lines, head.count);
    ctl_screen_put(TOP_HEAD_LINES, table.lines, 1);
    ctl_screen_put(TOP_HEAD_LINES + 1, table.lines + 1 + top->offset, top->sessions - top->offset);
    page_clear(&head);
    page_clear(&table);
}

static void draw_absence(const struct top *top)
{
    struct page page;

    page_init(&page);
    page_add(&page, PAGE_PROBLEM, SPAN("no answer from the daemon; asking again. [q]uit"));
    page_add(&page, PAGE_PLAIN, SPAN(""));
    page_add_named(&page, PAGE_PLAIN, ctl_screen_width(), "",
                   span_from_string(top->admin.error ? top->admin.error : ""));
    ctl_screen_put(0, page.lines, page.count);
    page_clear(&page);
}

static void draw(struct top *top)
{
    ctl_screen_begin();
    if (top->answer.count > 0)
        draw_answer(top, ctl_screen_height());
    else
        draw_absence(top);
    ctl_screen_show();
}

/* --- keys --- */

static void scroll_by(struct top *top, long lines)
{
    long offset = (long)top->offset + lines;
    long last = top->sessions > 0 ? (long)top->sessions - 1 : 0;

    if (offset > last)
        offset = last;
    top->offset = offset > 0 ? (size_t)offset : 0;
}

static void take_key(struct top *top, int key)
{
    long page = (long)ctl_screen_height() - TOP_HEAD_LINES - 1;

    if (key == 'q')
        top->is_left = true;
    else if (key == CTL_KEY_UP)
        scroll_by(top, -1);
    else if (key == CTL_KEY_DOWN)
        scroll_by(top, 1);
    else if (key == CTL_KEY_PAGE_UP)
        scroll_by(top, -page);
    else if (key == CTL_KEY_PAGE_DOWN)
        scroll_by(top, page);
    else if (key == CTL_KEY_HOME)
        scroll_by(top, -(long)top->sessions);
    else if (key == CTL_KEY_END)
        scroll_by(top, (long)top->sessions);
    else
        top_sort_of_key(key, &top->sort);
}

/* Waits for a key, for a signal, or until the time has come; takes all keys. */
static void wait_for_keys(struct top *top, uint64_t until_ms)
{
    struct pollfd polled[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = ctl_signals_fd(), .events = POLLIN},
    };
    uint64_t now_ms = clock_monotonic_ms();
    int key;

    poll(polled, 2, until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
    if (polled[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        top->is_left = true;
    while ((key = ctl_screen_key()) != CTL_KEY_NONE)
        take_key(top, key);
    if (ctl_signals_caught())
        top->is_left = true;
}

static int run_screen(struct top *top)
{
    uint64_t next_ms = clock_monotonic_ms() + top->interval * 1000;

    if (!ctl_screen_open(VERB))
        return CTL_USAGE;
    while (!top->is_left) {
        if (clock_monotonic_ms() >= next_ms) {
            take_answer(top);
            next_ms = clock_monotonic_ms() + top->interval * 1000;
        }
        draw(top);
        wait_for_keys(top, next_ms);
    }
    ctl_screen_close();
    return EXIT_SUCCESS;
}

/* What is wrong from the beginning is told without a screen. */
static int start(struct top *top)
{
    if (!take_answer(top))
        return ctl_admin_complain(&top->admin);
    top->admin.interrupter = STDIN_FILENO;
    top->admin.interruption = POLLIN;
    ctl_signals_catch();
    return run_screen(top);
}

static int top_run(int argc, char **argv)
{
    struct top top = {.interval = INTERVAL, .sort = TOP_BY_NUMBER};
    int status = CTL_USAGE;

    ctl_admin_init(&top.admin, VERB);
    ctl_users_init(&top.users);
    answer_init(&top.answer);
    rates_init(&top.rates);
    top.admin.timeout = ANSWER_TIMEOUT;
    if (read_options(&top, argc, argv))
        status = start(&top);
    rates_clear(&top.rates);
    answer_clear(&top.answer);
    ctl_users_clear(&top.users);
    ctl_admin_clear(&top.admin);
    return status;
}

const struct ctl_verb ctl_top = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "a live screen of sessions and what they do",
    .options = CTL_ADMIN_HELP
    "  --interval SECONDS   how long it takes to ask again: 2 unless given\n"
    "  --sort NAME          number, profile, user, commands, refused, events or bytes\n",
    .run = top_run,
};
