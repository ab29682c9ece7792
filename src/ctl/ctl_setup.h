/* What verbs need to know of this machine's set-up: configuration and profiles, as the daemon reads
 * them. */
#ifndef OG_CTL_SETUP_H
#define OG_CTL_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "policy.h"

struct ctl_setup {
    struct options options;
    struct policy *policy; /* NULL until loaded */
};

void ctl_setup_init(struct ctl_setup *setup);
void ctl_setup_clear(struct ctl_setup *setup);

/* Sets an option of the daemon by its long name; false: reported to standard error. */
bool ctl_setup_set(struct ctl_setup *setup, const char *verb, const char *name, const char *value);

/* Reads the configuration file alone. Messages go to standard error. False: there was an error;
 * what the file does not say, or cannot say, has its default. */
bool ctl_setup_load_config(struct ctl_setup *setup);

/* Reads the configuration file, then the profiles. Messages go to standard error. False: there is
 * no policy to work with. */
bool ctl_setup_load(struct ctl_setup *setup, const char *verb);

/* The same, with the messages in `diags`, and no word to standard error. */
bool ctl_setup_load_quietly(struct ctl_setup *setup, struct diag_list *diags);

/* The same with these files of profiles, behind those of the directories; without --profiles, in
 * place of them. A file that cannot be used is a failure. */
bool ctl_setup_load_files(struct ctl_setup *setup, const char *verb, const char *const *paths,
                          size_t count);

/* The profile of that name; NULL and a message, which names those that there are, if none. */
const struct profile *ctl_setup_find(const struct ctl_setup *setup, const char *verb,
                                     const char *name);

#endif
