/* onion-graterctl doctor: looks at the set-up, says what is not well with it, and what mends it. */
#include "ctl_doctor.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl_admin.h"
#include "ctl_facts.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_terminal.h"

#define VERB "doctor"
#define ANSWER_TIMEOUT 10

struct request {
    struct ctl_admin admin;
    struct ctl_setup setup;
    bool is_json;
};

/* The daemon is looked for where the configuration says, which is a fact as well. */
static bool take_option(struct request *request, int option, const char *name)
{
    switch (option) {
    case 'j':
        request->is_json = true;
        return true;
    case 's':
        return ctl_setup_set(&request->setup, VERB, name, optarg);
    case CTL_ADMIN_OPTION:
        return ctl_admin_set(&request->admin, name, optarg);
    default:
        return false;
    }
}

/* False: wrong usage, reported. */
static bool read_options(struct request *request, int argc, char **argv)
{
    static const struct option rows[] = {
        {"socket", required_argument, NULL, CTL_ADMIN_OPTION},
        {"runtime-dir", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 's'},
        {"profiles", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_doctor, argc, argv, ":", rows, &row)) != -1)
        if (!take_option(request, option, option == CTL_OPTION_BAD ? NULL : rows[row].name))
            return false;
    return ctl_no_more_words(&ctl_doctor, argc, argv);
}

static void gather(struct request *request, struct doctor_facts *facts)
{
    struct ctl_facts gathered;

    ctl_facts_init(&gathered, facts, &request->setup);
    ctl_facts_policy(&gathered);
    if (!request->admin.setup.options.runtime_dir)
        ctl_admin_set(&request->admin, "runtime-dir", request->setup.options.runtime_dir);
    ctl_facts_daemon(&gathered, &request->admin);
    ctl_facts_unit(&gathered);
    ctl_facts_account(&gathered);
    ctl_facts_tor(&gathered);
    ctl_facts_apparmor(&gathered);
    ctl_facts_sockets(&gathered);
    ctl_facts_processes(&gathered);
    ctl_facts_ports(&gathered);
    ctl_facts_leftovers(&gathered);
    ctl_facts_clear(&gathered);
}

static void print_findings(const struct doctor_findings *findings, bool is_json)
{
    struct page page;
    struct buf out;

    page_init(&page);
    buf_init(&out, SIZE_MAX / 2);
    if (is_json) {
        doctor_write_json(findings, &out);
        fwrite(buf_span(&out).data, 1, out.len, stdout);
    } else {
        doctor_write_text(findings, ctl_terminal_width(), &page);
        ctl_terminal_print(&page);
    }
    buf_clear(&out);
    page_clear(&page);
}

static int examine(struct request *request)
{
    struct doctor_findings findings;
    struct doctor_facts facts;

    doctor_facts_init(&facts);
    gather(request, &facts);
    doctor_judge(&facts, &findings);
    print_findings(&findings, request->is_json);
    int status = findings.levels[DOCTOR_PROBLEM] > 0 ? CTL_FAILED : EXIT_SUCCESS;
    doctor_findings_clear(&findings);
    doctor_facts_clear(&facts);
    return ctl_finish_output(VERB, status);
}

static int doctor_run(int argc, char **argv)
{
    struct request request = {.is_json = false};
    int status = CTL_USAGE;

    ctl_admin_init(&request.admin, VERB);
    ctl_setup_init(&request.setup);
    request.admin.timeout = ANSWER_TIMEOUT;
    if (read_options(&request, argc, argv))
        status = examine(&request);
    ctl_setup_clear(&request.setup);
    ctl_admin_clear(&request.admin);
    return status;
}

const struct ctl_verb ctl_doctor = {
    .name = VERB,
    .arguments = "[OPTION...]",
    .summary = "look for what is wrong with the set-up, and what mends it",
    .options = CTL_ADMIN_HELP
    "  --profiles DIR       a directory of profiles in place of the configured ones; may\n"
    "                       be repeated\n"
    "  --json               one JSON object\n",
    .run = doctor_run,
};
