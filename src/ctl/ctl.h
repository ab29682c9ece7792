/* onion-graterctl: one verb a file (design 5). */
#ifndef OG_CTL_H
#define OG_CTL_H

/* Exit statuses: what was asked for did not succeed, or a check found errors; and wrong usage, or a
 * file that cannot be read. */
#define CTL_FAILED 1
#define CTL_USAGE 2

struct ctl_verb {
    const char *name;
    const char *arguments; /* for --help: "[FILE...]" */
    const char *summary;   /* for --help: one line */
    const char *options;   /* for VERB --help: a line each */
    /* argv[0] is the verb. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

/* Prints "onion-graterctl VERB: TEXT" to standard error and returns CTL_USAGE. */
int ctl_usage_error(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
