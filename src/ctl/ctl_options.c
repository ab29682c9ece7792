/* getopt_long's own messages differ from ours in form and cannot name the verb, so it is kept
 * silent and asked what was wrong. */
#include "ctl_options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "span.h"

static void print_usage(const struct ctl_verb *verb)
{
    printf("usage: onion-graterctl %s %s\n%s\n\n%s\nSee onion-graterctl(8).\n", verb->name,
           verb->arguments, verb->summary, verb->options);
}

static void complain(const struct ctl_verb *verb, const char *word, const char *problem)
{
    ctl_usage_error(verb->name, "%s '%s'; see onion-graterctl %s --help", problem, word,
                    verb->name);
}

int ctl_next_option(const struct ctl_verb *verb, int argc, char **argv, const char *form,
                    const struct option *rows, int *row)
{
    opterr = 0;
    int option = getopt_long(argc, argv, form, rows, row);
    if (option != '?' && option != ':')
        return option;

    char letter[] = {'-', (char)optopt, '\0'};
    const char *word = argv[optind - 1];
    bool is_letter = strncmp(word, "--", 2) != 0;
    if (is_letter)
        word = letter;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_usage(verb);
        exit(EXIT_SUCCESS);
    }
    complain(verb, word, option == ':' ? "a value is missing behind" : "there is no option");
    return CTL_OPTION_BAD;
}

bool ctl_no_more_words(const struct ctl_verb *verb, int argc, char **argv)
{
    if (optind == argc)
        return true;
    complain(verb, argv[optind], "this is one word too many:");
    return false;
}

bool ctl_is_session(const char *verb, const char *word)
{
    unsigned long number;

    if (span_to_number(span_from_string(word), ULONG_MAX, &number))
        return true;
    ctl_usage_error(verb, "'%s' is no number of a session; status shows them", word);
    return false;
}
