/* onion-graterctl status: one question to the daemon, for people or for programs. */
#include "ctl_status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl_admin.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_terminal.h"
#include "ctl_users.h"
#include "status.h"

#define VERB "status"

/* False: wrong usage, reported. */
static bool read_options(struct ctl_admin *admin, bool *is_json, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_status, argc, argv, ":", rows, &row)) != -1) {
        if (option == 'j')
            *is_json = true;
        else if (option != CTL_ADMIN_OPTION || !ctl_admin_set(admin, rows[row].name, optarg))
            return false;
    }
    return ctl_no_more_words(&ctl_status, argc, argv);
}

static void print_text(const struct answer *answer, const struct user_names *names)
{
    const struct status_setup setup = {
        .names = names, .version = PACKAGE_VERSION, .width = ctl_terminal_width()};
    struct page page;

    page_init(&page);
    status_write_text(answer, &setup, &page);
    ctl_terminal_print(&page);
    page_clear(&page);
}

static void print_json(const struct answer *answer, const struct user_names *names)
{
    struct buf out;

    buf_init(&out, SIZE_MAX / 2);
    status_write_json(answer, names, &out);
    fwrite(buf_span(&out).data, 1, out.len, stdout);
    buf_clear(&out);
}

static int ask(struct ctl_admin *admin, bool is_json)
{
    struct ctl_users users;
    struct answer answer;
    int status = EXIT_SUCCESS;

    ctl_users_init(&users);
    answer_init(&answer);
    const struct user_names names = ctl_users_names(&users);
    ctl_admin_begin(admin, "status");
    if (!ctl_admin_ask_once(admin, &answer))
        status = admin->status;
    else if (is_json)
        print_json(&answer, &names);
    else
        print_text(&answer, &names);
    answer_clear(&answer);
    ctl_users_clear(&users);
    return ctl_finish_output(VERB, status);
}

static int status_run(int argc, char **argv)
{
    struct ctl_admin admin;
    bool is_json = false;
    int status = CTL_USAGE;

    ctl_admin_init(&admin, VERB);
    if (read_options(&admin, &is_json, argc, argv))
        status = ask(&admin, is_json);
    ctl_admin_clear(&admin);
    return status;
}

const struct ctl_verb ctl_status = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "what the daemon is doing, and for whom",
    .options = CTL_ADMIN_HELP "  --json               one JSON object\n",
    .run = status_run,
};
