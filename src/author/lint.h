/* What a profile lets through that its author may not have meant (design 5, `check`).
 *
 * Errors are the loader's matter; here are profiles that load. A warning is a mistake, or a rule
 * that is wider than it looks. A note says what a rule grants that has a name of its own, and who
 * learns what by it: nothing to mend, but to know. Each message has one of the codes that
 * onion-graterctl(8) lists. */
#ifndef OG_LINT_H
#define OG_LINT_H

#include "diag.h"
#include "policy.h"
#include "profile.h"

struct language_probes;

/* Each profile of the file by itself. */
void lint_file(const struct profile_file *file, struct diag_list *diags);

/* The same, for one of many files: what it has built, it leaves in `probes` for the next one. */
void lint_next_file(const struct profile_file *file, struct language_probes *probes,
                    struct diag_list *diags);

/* What comes of several profiles for one client. */
void lint_policy(const struct policy *policy, struct diag_list *diags);

#endif
