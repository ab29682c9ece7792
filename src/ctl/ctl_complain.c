/* onion-graterctl complain: complain mode for one profile, until it is switched off or the daemon
 * ends. */
#include "ctl_complain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_admin.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_terminal.h"
#include "shell_word.h"

#define VERB "complain"

struct wish {
    const char *profile;
    bool is_on;
};

static bool read_wish(struct wish *wish, int argc, char **argv)
{
    if (optind + 2 == argc) {
        wish->profile = argv[optind];
        wish->is_on = strcmp(argv[optind + 1], "on") == 0;
        if (wish->is_on || strcmp(argv[optind + 1], "off") == 0)
            return true;
    }
    ctl_usage_error(VERB, "give the name of one profile, and on or off");
    return false;
}

/* False: wrong usage, reported. */
static bool read_options(struct ctl_admin *admin, struct wish *wish, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_complain, argc, argv, ":", rows, &row)) != -1)
        if (option != CTL_ADMIN_OPTION || !ctl_admin_set(admin, rows[row].name, optarg))
            return false;
    return read_wish(wish, argc, argv);
}

static void print_answer(const struct answer *answer, const struct wish *wish)
{
    unsigned long closed = record_count(answer_find(answer, VERB), "sessions_closed");
    struct page page;

    page_init(&page);
    if (wish->is_on) {
        page_printf(&page, PAGE_PLAIN, "complain mode is on for sessions of profile %s from now on",
                    wish->profile);
        page_add(&page, PAGE_PLAIN,
                 SPAN("What it refuses is forwarded, and logged for onion-graterctl learn:"));
        page_add(&page, PAGE_PLAIN, SPAN("  journalctl -u onion-grater | onion-graterctl learn"));
        page_add(&page, PAGE_PLAIN, SPAN("It protects from nothing meanwhile. To end it:"));
        char *word = shell_word(wish->profile);
        page_printf(&page, PAGE_PLAIN, "  onion-graterctl complain %s off", word);
        free(word);
    } else {
        page_printf(&page, PAGE_PLAIN,
                    "complain mode is off for profile %s; %lu session%s that had it closed",
                    wish->profile, closed, closed == 1 ? "" : "s");
    }
    ctl_terminal_print(&page);
    page_clear(&page);
}

static int ask(struct ctl_admin *admin, const struct wish *wish)
{
    struct answer answer;
    int status = EXIT_SUCCESS;

    answer_init(&answer);
    ctl_admin_begin(admin, VERB);
    ctl_admin_add(admin, "profile", wish->profile);
    ctl_admin_add(admin, "on", wish->is_on ? "yes" : "no");
    if (ctl_admin_ask_once(admin, &answer))
        print_answer(&answer, wish);
    else
        status = admin->status;
    answer_clear(&answer);
    return ctl_finish_output(VERB, status);
}

static int complain_run(int argc, char **argv)
{
    struct ctl_admin admin;
    struct wish wish;
    int status = CTL_USAGE;

    ctl_admin_init(&admin, VERB);
    if (read_options(&admin, &wish, argc, argv))
        status = ask(&admin, &wish);
    ctl_admin_clear(&admin);
    return status;
}

const struct ctl_verb ctl_complain = {
    .name = VERB,
    .arguments = "[OPTION...] NAME on|off",
    .summary = "have a profile refuse nothing, and log what it would",
    .options = CTL_ADMIN_HELP,
    .run = complain_run,
};
