/* onion-graterctl: finds the verb and lets it run.
 *
 * Exit status: 0, 1 for a failure, 2 for wrong usage. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ctl_check.h"
#include "ctl_close.h"
#include "ctl_complain.h"
#include "ctl_doctor.h"
#include "ctl_enable.h"
#include "ctl_env.h"
#include "ctl_explain.h"
#include "ctl_input.h"
#include "ctl_learn.h"
#include "ctl_merge.h"
#include "ctl_metrics.h"
#include "ctl_reload.h"
#include "ctl_status.h"
#include "ctl_top.h"
#include "ctl_watch.h"

/* Those that ask the daemon, those about profiles, those about applications. */
static const struct ctl_verb *const verbs[] = {
    &ctl_status,  &ctl_top,     &ctl_watch, &ctl_reload,  &ctl_close, &ctl_complain,
    &ctl_metrics, &ctl_doctor,  &ctl_check, &ctl_explain, &ctl_learn, &ctl_merge,
    &ctl_enable,  &ctl_disable, &ctl_env,   &ctl_run,     NULL,
};

int ctl_usage_error(const char *verb, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "onion-graterctl %s: ", verb);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return CTL_USAGE;
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: onion-graterctl VERB [ARGUMENT...]\n\n");
    for (size_t i = 0; verbs[i]; i++)
        fprintf(out, "  %-8s %-30s %s\n", verbs[i]->name, verbs[i]->arguments, verbs[i]->summary);
    fprintf(out,
            "\n  VERB --help tells the options of a verb; --version\n\nSee onion-graterctl(8).\n");
}

static const struct ctl_verb *find_verb(const char *name)
{
    for (size_t i = 0; verbs[i]; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct ctl_verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;

    if (verb)
        return verb->run(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("onion-graterctl %s\n", PACKAGE_VERSION);
        return ctl_finish_output(argv[1], EXIT_SUCCESS);
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return ctl_finish_output(argv[1], EXIT_SUCCESS);
    }
    if (argc > 1)
        fprintf(stderr, "onion-graterctl: there is no verb '%s'\n\n", argv[1]);
    print_help(stderr);
    return CTL_USAGE;
}
