/* onion-graterctl metrics: counters in the text format of Prometheus, for people or for the
 * textfile collector of its node exporter, which reads whole files only. */
#include "ctl_metrics.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "ctl_admin.h"
#include "ctl_input.h"
#include "ctl_options.h"

#define VERB "metrics"

/* False: wrong usage, reported. */
static bool read_options(struct ctl_admin *admin, const char **output, int argc, char **argv)
{
    static const struct option rows[] = {
        CTL_ADMIN_OPTIONS,
        {"output", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_metrics, argc, argv, ":o:", rows, &row)) != -1) {
        if (option == 'o')
            *output = optarg;
        else if (option != CTL_ADMIN_OPTION || !ctl_admin_set(admin, rows[row].name, optarg))
            return false;
    }
    return ctl_no_more_words(&ctl_metrics, argc, argv);
}

static int write_metrics(const struct answer *answer, const char *output)
{
    struct buf text;
    int status = CTL_FAILED;

    buf_init(&text, SIZE_MAX / 2);
    if (!record_bytes(answer_find(answer, VERB), "text", &text))
        ctl_usage_error(VERB, "the daemon's answer has no metrics in it");
    else if (ctl_write_output(VERB, output, &text))
        status = EXIT_SUCCESS;
    buf_clear(&text);
    return status;
}

static int ask(struct ctl_admin *admin, const char *output)
{
    struct answer answer;

    answer_init(&answer);
    ctl_admin_begin(admin, VERB);
    int status =
        ctl_admin_ask_once(admin, &answer) ? write_metrics(&answer, output) : admin->status;
    answer_clear(&answer);
    return status;
}

static int metrics_run(int argc, char **argv)
{
    struct ctl_admin admin;
    const char *output = NULL;
    int status = CTL_USAGE;

    ctl_admin_init(&admin, VERB);
    if (read_options(&admin, &output, argc, argv))
        status = ask(&admin, output);
    ctl_admin_clear(&admin);
    return status;
}

const struct ctl_verb ctl_metrics = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "counters for Prometheus",
    .options =
        "  -o FILE, --output FILE\n"
        "                       the file to write, in place of standard output\n" CTL_ADMIN_HELP,
    .run = metrics_run,
};
