/* The options of a verb, read in one way for all of them. */
#ifndef OG_CTL_OPTIONS_H
#define OG_CTL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "ctl.h"

#define CTL_OPTION_BAD '?'

/* getopt_long for a verb: the `val` of the next option, -1 behind the last one, CTL_OPTION_BAD for
 * one that there is not or that lacks its value, which has been told to standard error. With
 * --help it prints the verb's usage and exits. `form`: the one-letter options with a colon in
 * front, and before it a + where options end at the first other word. */
int ctl_next_option(const struct ctl_verb *verb, int argc, char **argv, const char *form,
                    const struct option *rows, int *row);

/* Whether the options were all there is; false: a word is left, which is told to standard error. */
bool ctl_no_more_words(const struct ctl_verb *verb, int argc, char **argv);

/* Whether the word is the number of a session; false: told to standard error. */
bool ctl_is_session(const char *verb, const char *word);

#endif
