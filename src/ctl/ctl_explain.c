/* explain: profiles, a client and its commands in, what becomes of them out. Needs no daemon, no
 * tor and no rights but to read the profiles. With --last, what the daemon that runs has refused.
 */
#include "ctl_explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_explain_last.h"
#include "ctl_identity.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_setup.h"
#include "explain.h"
#include "explain_units.h"
#include "mem.h"

#define VERB "explain"

struct request {
    struct ctl_setup setup;
    struct ctl_admin admin; /* for --last */
    struct ctl_identity client;
    const char **files; /* of profiles; owned array */
    size_t file_count;
    bool is_json;
    bool is_last;
    const char *not_for_last; /* an option that makes no sense with it, or NULL */
};

static void add_file(struct request *request, const char *path)
{
    request->files = mem_resize(request->files, request->file_count + 1, sizeof *request->files);
    request->files[request->file_count++] = path;
}

/* False: reported. */
static bool take_option(struct request *request, int option, const char *name)
{
    if (option == 'f' || (option != CTL_ADMIN_OPTION && option != 'j' && option != 'l' &&
                          strcmp(name, "profile") != 0))
        request->not_for_last = name;
    switch (option) {
    case 'f':
        add_file(request, optarg);
        return true;
    case 'j':
        request->is_json = true;
        return true;
    case 'l':
        request->is_last = true;
        return true;
    case CTL_ADMIN_OPTION:
        return ctl_setup_set(&request->setup, VERB, name, optarg) &&
               ctl_admin_set(&request->admin, name, optarg);
    case CTL_IDENTITY_OPTION:
        return ctl_identity_set(&request->client, VERB, name, optarg);
    default:
        return ctl_setup_set(&request->setup, VERB, name, optarg);
    }
}

/* False: reported. */
static bool check_last(const struct request *request, int argc, char **argv)
{
    if (!request->is_last || (!request->not_for_last && optind == argc))
        return true;
    ctl_usage_error(VERB, "--last does not go together with '%s%s'",
                    request->not_for_last ? "--" : "",
                    request->not_for_last ? request->not_for_last : argv[optind]);
    return false;
}

/* False: wrong usage, reported. */
static bool read_options(struct request *request, int argc, char **argv)
{
    static const struct option rows[] = {
        {"config", required_argument, NULL, CTL_ADMIN_OPTION},
        {"runtime-dir", required_argument, NULL, CTL_ADMIN_OPTION},
        {"profiles", required_argument, NULL, 's'},
        {"profile-file", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"last", no_argument, NULL, 'l'},
        CTL_IDENTITY_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(&ctl_explain, argc, argv, ":", rows, &row)) != -1)
        if (option == CTL_OPTION_BAD || !take_option(request, option, rows[row].name))
            return false;
    return check_last(request, argc, argv) && ctl_identity_complete(&request->client, VERB);
}

/* The profile that is to serve the client whatever its qualifiers say. Without a word about the
 * client, and with one profile to look at, it is that one. False: reported. */
static bool find_forced(const struct request *request, const struct profile **profile_out)
{
    const struct policy_index *index = &request->setup.policy->index;
    const char *name = request->client.profile;

    *profile_out = NULL;
    if (name)
        *profile_out = ctl_setup_find(&request->setup, VERB, name);
    else if (!request->client.is_given && request->file_count > 0 && index->profile_count == 1)
        *profile_out = index->profiles[0];
    return *profile_out || !name;
}

/* A socket that nobody has would only look as if no profile matched. */
static bool check_socket(const struct request *request)
{
    const char *name = request->client.socket;

    return !name || ctl_setup_find(&request->setup, VERB, name);
}

static void write_out(void *context, struct span text)
{
    (void)context;
    if (text.len > 0)
        fwrite(text.data, 1, text.len, stdout);
}

/* False: reported. */
static bool read_input(struct buf *text)
{
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "Type commands and replies, a line each; end with Ctrl-D.\n");
    return ctl_read_input(VERB, NULL, EXPLAIN_MAX_TEXT, text);
}

static int status_of(const struct explain_counts *counts)
{
    bool is_bad = counts->refused > 0 || counts->is_cut;

    return ctl_finish_output(VERB, is_bad ? CTL_FAILED : EXIT_SUCCESS);
}

/* `dialogue`: where no commands are given. */
static int explain_all(const struct explain_setup *setup, char **commands, struct span dialogue)
{
    struct explain *explain = explain_new(setup);

    for (size_t i = 0; commands[i]; i++)
        explain_command(explain, span_from_string(commands[i]));
    if (!commands[0])
        explain_dialogue(explain, dialogue);
    struct explain_counts counts = explain_finish(explain);
    return status_of(&counts);
}

static int explain_client(const struct request *request, char **commands, struct span dialogue)
{
    char *shown = ctl_identity_text(&request->client);
    struct explain_client client = {
        .identity = &request->client.identity,
        .shown = shown,
        .socket_profile = request->client.socket,
        .variables = ctl_identity_variables(&request->client, &request->setup.options),
    };
    const struct explain_setup setup = {
        .policy = request->setup.policy,
        .client = &client,
        .is_json = request->is_json,
        .write = write_out,
    };
    int status = CTL_USAGE;

    if (find_forced(request, &client.forced) && check_socket(request))
        status = explain_all(&setup, commands, dialogue);
    free(shown);
    return status;
}

static int with_input(struct request *request, char **commands)
{
    struct buf text;
    int status = CTL_USAGE;

    if (!ctl_setup_load_files(&request->setup, VERB, request->files, request->file_count))
        return CTL_USAGE;
    if (commands[0])
        return explain_client(request, commands, span_make("", 0));
    if (read_input(&text))
        status = explain_client(request, commands, buf_span(&text));
    buf_wipe(&text);
    return status;
}

static int explain_run(int argc, char **argv)
{
    struct request request = {.files = NULL};
    int status;

    ctl_setup_init(&request.setup);
    ctl_admin_init(&request.admin, VERB);
    ctl_identity_init(&request.client);
    if (!read_options(&request, argc, argv))
        status = CTL_USAGE;
    else if (request.is_last)
        status = ctl_explain_last(&request.admin, request.client.profile, request.is_json);
    else
        status = with_input(&request, argv + optind);
    ctl_identity_clear(&request.client);
    ctl_admin_clear(&request.admin);
    ctl_setup_clear(&request.setup);
    free(request.files);
    return status;
}

const struct ctl_verb ctl_explain = {
    .name = VERB,
    .arguments = "[OPTION...] [COMMAND...]",
    .summary = "say what becomes of a client's commands, and why",
    .options =
        "  --profiles DIR        a directory in place of the default ones; may be repeated\n"
        "  --profile-file FILE   a file of profiles in place of directories; may be repeated\n"
        "  --config FILE         the daemon's configuration\n"
        "  --json                one JSON object\n"
        "the client:\n"
        "  --user USER, --uid USER, --group GROUP, --label NAME, --executable PATH,\n"
        "  --unit UNIT           what the kernel would say of it\n"
        "  --socket NAME         it came in by the socket of that profile\n"
        "  --host ADDRESS        it is in another machine\n"
        "  --server ADDRESS      with --host: the address that it connected to\n"
        "  --profile NAME        that profile serves it, whatever its qualifiers say\n"
        "the daemon:\n"
        "  --last                in place of all that, what it has refused last, and what would\n"
        "                        allow it; with --profile, to clients of that one\n"
        "  --runtime-dir DIR     its directory of sockets\n",
    .run = explain_run,
};
