/* explain --last: the last refusal of the daemon that runs. */
#ifndef OG_CTL_EXPLAIN_LAST_H
#define OG_CTL_EXPLAIN_LAST_H

#include <stdbool.h>

#include "ctl_admin.h"

/* Asks the daemon, tells what it says, and returns the exit status. `profile`: of clients of that
 * one only; NULL: of anybody. */
int ctl_explain_last(struct ctl_admin *admin, const char *profile, bool is_json);

#endif
