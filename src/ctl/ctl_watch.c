/* onion-graterctl watch: what the daemon decides, while it does so.
 *
 * Each line is out before the next one is waited for, and a reader that has gone away ends it even
 * if nothing happens: standard output interrupts the wait. */
#include "ctl_watch.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_admin.h"
#include "ctl_clock.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_signals.h"
#include "ctl_terminal.h"
#include "ctl_users.h"
#include "mem.h"
#include "watch_line.h"

#define VERB "watch"

struct watch {
    struct ctl_admin admin;
    struct ctl_users users;
    bool is_json;
};

/* --- options --- */

/* A user by number, or by name; false: there is none, reported. */
static bool add_user(struct watch *watch, const char *value)
{
    unsigned long uid;

    if (!span_to_number(span_from_string(value), (uid_t)-2, &uid)) {
        const struct passwd *user = getpwnam(value);
        if (!user) {
            ctl_usage_error(VERB, "there is no user of this name, and it is no number: --user "
                                  "takes either");
            return false;
        }
        uid = user->pw_uid;
    }
    char *number = mem_printf("%lu", uid);
    ctl_admin_add(&watch->admin, "uid", number);
    free(number);
    return true;
}

static bool add_verdict(struct watch *watch, const char *value)
{
    static const char *const verdicts[] = {"allowed",  "rewritten",  "rejected",
                                           "answered", "complained", NULL};

    for (size_t i = 0; verdicts[i]; i++) {
        if (strcmp(verdicts[i], value) != 0)
            continue;
        ctl_admin_add(&watch->admin, "verdict", value);
        return true;
    }
    ctl_usage_error(VERB, "--verdict takes allowed, rewritten, rejected, answered or complained");
    return false;
}

static bool add_session(struct watch *watch, const char *value)
{
    if (!ctl_is_session(VERB, value))
        return false;
    ctl_admin_add(&watch->admin, "session", value);
    return true;
}

static bool take_option(struct watch *watch, int option, const char *name)
{
    switch (option) {
    case CTL_ADMIN_OPTION:
        return ctl_admin_set(&watch->admin, name, optarg);
    case 'j':
        watch->is_json = true;
        return true;
    case 'p':
        ctl_admin_add(&watch->admin, "profile", optarg);
        return true;
    case 'u':
        return add_user(watch, optarg);
    case 'd':
        return add_verdict(watch, optarg);
    case 's':
        return add_session(watch, optarg);
    case 'y':
        ctl_admin_add(&watch->admin, name, "yes");
        return true;
    default:
        return false;
    }
}

/* False: wrong usage, reported. */
static bool read_options(struct watch *watch, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {"profile", required_argument, NULL, 'p'},
        {"user", required_argument, NULL, 'u'},
        {"uid", required_argument, NULL, 'u'},
        {"verdict", required_argument, NULL, 'd'},
        {"session", required_argument, NULL, 's'},
        {"events", no_argument, NULL, 'y'},
        {"values", no_argument, NULL, 'y'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_watch, argc, argv, ":", rows, &row)) != -1)
        if (!take_option(watch, option, option == CTL_OPTION_BAD ? NULL : rows[row].name))
            return false;
    return ctl_no_more_words(&ctl_watch, argc, argv);
}

/* --- lines --- */

static void print_text(struct watch *watch, struct span record)
{
    const struct user_names names = ctl_users_names(&watch->users);
    struct page page;
    char when[CTL_CLOCK_SIZE];

    page_init(&page);
    ctl_clock_time(record, when, sizeof when);
    if (watch_line_write(record, when, &names, &page))
        ctl_terminal_print(&page);
    page_clear(&page);
}

/* False: nobody reads any more. */
static bool print_record(struct watch *watch, struct span record)
{
    if (watch->is_json)
        printf("%.*s\n", (int)record.len, record.data);
    else
        print_text(watch, record);
    return fflush(stdout) == 0;
}

static int watch_answer(struct watch *watch)
{
    struct ctl_admin *admin = &watch->admin;
    enum ctl_admin_result result;
    struct span record;

    while ((result = ctl_admin_next(admin, &record)) == CTL_ADMIN_RECORD) {
        /* From the first line on it is quiet as long as nothing happens. */
        admin->timeout = -1;
        if (!print_record(watch, record))
            return errno == EPIPE || ctl_signals_caught() ? EXIT_SUCCESS
                                                          : ctl_finish_output(VERB, EXIT_SUCCESS);
    }
    if (result == CTL_ADMIN_FAILED)
        return ctl_admin_complain(admin);
    if (result == CTL_ADMIN_END)
        fprintf(stderr, "onion-graterctl " VERB ": the daemon has stopped\n");
    return EXIT_SUCCESS;
}

static int watch_run(int argc, char **argv)
{
    struct watch watch = {.is_json = false};
    int status = CTL_USAGE;

    ctl_admin_init(&watch.admin, VERB);
    ctl_users_init(&watch.users);
    ctl_admin_begin(&watch.admin, VERB);
    if (read_options(&watch, argc, argv)) {
        ctl_signals_catch();
        /* No event but an error: its reader has gone away. */
        watch.admin.interrupter = STDOUT_FILENO;
        status =
            ctl_admin_send(&watch.admin) ? watch_answer(&watch) : ctl_admin_complain(&watch.admin);
    }
    ctl_users_clear(&watch.users);
    ctl_admin_clear(&watch.admin);
    return status;
}

const struct ctl_verb ctl_watch = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "what the daemon decides, as it does so",
    .options = "  --profile NAME       sessions of that profile only\n"
               "  --user USER, --uid USER\n"
               "                       sessions of that user only\n"
               "  --session NUMBER     that session only\n"
               "  --verdict VERDICT    allowed, rewritten, rejected, answered or complained\n"
               "  --events             events, too\n"
               "  --values             values as they are, for root only; masked without it\n"
               "  --json               one JSON object a line\n" CTL_ADMIN_HELP,
    .run = watch_run,
};
