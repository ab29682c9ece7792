/* onion-graterctl close: ends one session. */
#include "ctl_close.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl_admin.h"
#include "ctl_input.h"
#include "ctl_options.h"

#define VERB "close"

/* False: wrong usage, reported. */
static bool read_options(struct ctl_admin *admin, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_close, argc, argv, ":", rows, &row)) != -1)
        if (option != CTL_ADMIN_OPTION || !ctl_admin_set(admin, rows[row].name, optarg))
            return false;
    if (optind + 1 == argc)
        return ctl_is_session(VERB, argv[optind]);
    ctl_usage_error(VERB, "give the number of one session, as status shows it");
    return false;
}

static int ask(struct ctl_admin *admin, const char *session)
{
    struct answer answer;
    int status = EXIT_SUCCESS;

    answer_init(&answer);
    ctl_admin_begin(admin, VERB);
    ctl_admin_add(admin, "session", session);
    if (ctl_admin_ask_once(admin, &answer))
        printf("session %s closed\n", session);
    else
        status = admin->status;
    answer_clear(&answer);
    return ctl_finish_output(VERB, status);
}

static int close_run(int argc, char **argv)
{
    struct ctl_admin admin;
    int status = CTL_USAGE;

    ctl_admin_init(&admin, VERB);
    if (read_options(&admin, argc, argv))
        status = ask(&admin, argv[optind]);
    ctl_admin_clear(&admin);
    return status;
}

const struct ctl_verb ctl_close = {
    .name = VERB,
    .arguments = "[OPTION...] SESSION",
    .summary = "end a session",
    .options = CTL_ADMIN_HELP,
    .run = close_run,
};
