/* onion-graterctl reload: has the daemon read its profiles again, and says what came of it. */
#include "ctl_reload.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl_admin.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_terminal.h"
#include "reload.h"

#define VERB "reload"
#define RELOAD_TIMEOUT 120 /* seconds: thousands of profiles take some */

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
    while ((option = ctl_next_option(&ctl_reload, argc, argv, ":", rows, &row)) != -1) {
        if (option == 'j')
            *is_json = true;
        else if (option != CTL_ADMIN_OPTION || !ctl_admin_set(admin, rows[row].name, optarg))
            return false;
    }
    return ctl_no_more_words(&ctl_reload, argc, argv);
}

static void print_answer(const struct answer *answer, bool is_json)
{
    struct page page;
    struct buf out;

    page_init(&page);
    buf_init(&out, SIZE_MAX / 2);
    if (is_json) {
        reload_write_json(answer, &out);
        fwrite(buf_span(&out).data, 1, out.len, stdout);
    } else {
        reload_write_text(answer, ctl_terminal_width(), &page);
        ctl_terminal_print(&page);
    }
    buf_clear(&out);
    page_clear(&page);
}

static int ask(struct ctl_admin *admin, bool is_json)
{
    struct answer answer;
    int status = CTL_FAILED;

    answer_init(&answer);
    ctl_admin_begin(admin, VERB);
    if (ctl_admin_ask_once(admin, &answer)) {
        print_answer(&answer, is_json);
        status = reload_is_good(&answer) ? EXIT_SUCCESS : CTL_FAILED;
    } else {
        status = admin->status;
    }
    answer_clear(&answer);
    return ctl_finish_output(VERB, status);
}

static int reload_run(int argc, char **argv)
{
    struct ctl_admin admin;
    bool is_json = false;
    int status = CTL_USAGE;

    ctl_admin_init(&admin, VERB);
    admin.timeout = RELOAD_TIMEOUT;
    if (read_options(&admin, &is_json, argc, argv))
        status = ask(&admin, is_json);
    ctl_admin_clear(&admin);
    return status;
}

const struct ctl_verb ctl_reload = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "have the daemon read its profiles again",
    .options = CTL_ADMIN_HELP "  --json               one JSON object\n",
    .run = reload_run,
};
