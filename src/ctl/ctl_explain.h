/* The verb explain: what would become of a client's commands. */
#ifndef OG_CTL_EXPLAIN_H
#define OG_CTL_EXPLAIN_H

#include "ctl.h"

extern const struct ctl_verb ctl_explain;

#endif
