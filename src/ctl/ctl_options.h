/* The options of a verb, read in one way for all of them. */
#ifndef OG_CTL_OPTIONS_H
#define OG_CTL_OPTIONS_H

#include <getopt.h>

#include "ctl.h"

#define CTL_OPTION_BAD '?'

/* getopt_long for a verb: the `val` of the next option, -1 behind the last one, CTL_OPTION_BAD for
 * one that there is not or that lacks its value, which has been told to standard error. With
 * --help it prints the verb's usage and exits. `form`: the one-letter options with a colon in
 * front, and before it a + where options end at the first other word. */
int ctl_next_option(const struct ctl_verb *verb, int argc, char **argv, const char *form,
                    const struct option *rows, int *row);

#endif
