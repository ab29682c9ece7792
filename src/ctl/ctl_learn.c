/* onion-graterctl learn: the log of complain mode, or a recording, to the draft of a profile on
 * standard output. */
#include "ctl_learn.h"

#include <stdio.h>
#include <string.h>

#include "ascii.h"
#include "ctl_input.h"
#include "ctl_options.h"
#include "learn.h"

#define NAME_MAX_LENGTH 56

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && !strchr("._-", name[i]))
            return false;
    return len > 0 && len <= NAME_MAX_LENGTH;
}

static bool take_input(struct learn *learn, const char *path)
{
    struct buf text;
    bool is_read = ctl_read_input("learn", path, LEARN_MAX_TEXT, &text);

    if (is_read)
        learn_take(learn, buf_span(&text));
    buf_wipe(&text);
    return is_read;
}

static int write_draft(const struct learn *learn, const char *name)
{
    struct learn_counts counts = learn_counts(learn);
    struct buf draft;
    int status = CTL_FAILED;

    if (counts.commands == 0) {
        fprintf(stderr,
                "onion-graterctl learn: there is no command to learn from; give it the log of "
                "onion-grater --complain, or a recording of the control port\n");
        return CTL_FAILED;
    }
    buf_init(&draft, LEARN_MAX_DRAFT);
    if (!learn_write(learn, name, &draft))
        fprintf(stderr, "onion-graterctl learn: the draft is too large\n");
    else if (ctl_write_output("learn", NULL, &draft))
        status = 0;
    buf_clear(&draft);
    if (status == 0)
        fprintf(stderr,
                "onion-graterctl learn: %lu command%s of %zu client%s; read the draft, then "
                "onion-graterctl check it\n",
                counts.commands, counts.commands == 1 ? "" : "s", counts.clients,
                counts.clients == 1 ? "" : "s");
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'}, {0}};
    const char *name = NULL;
    int found;

    optind = 1;
    while ((found = ctl_next_option(&ctl_learn, argc, argv, ":", options, NULL)) != -1) {
        if (found != 'n')
            return CTL_USAGE;
        name = optarg;
    }
    if (name && !is_name(name))
        return ctl_usage_error("learn",
                               "'--name' is no name for a profile; use up to %d letters, digits, "
                               "'.', '_' and '-'",
                               NAME_MAX_LENGTH);
    struct learn *learn = learn_new();
    bool is_read = optind < argc || take_input(learn, NULL);
    for (int i = optind; i < argc && is_read; i++)
        is_read = take_input(learn, argv[i]);
    int status = is_read ? write_draft(learn, name) : CTL_USAGE;
    learn_free(learn);
    return status;
}

const struct ctl_verb ctl_learn = {
    .name = "learn",
    .arguments = "[OPTION...] [FILE...]",
    .summary = "a draft of a profile from a complain-mode log or a recording",
    .options = "  --name NAME    the name of the profile\n",
    .run = run,
};
