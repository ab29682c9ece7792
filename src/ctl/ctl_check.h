#ifndef OG_CTL_CHECK_H
#define OG_CTL_CHECK_H

#include "ctl.h"

/* "check": errors and doubtful rules of profiles. */
extern const struct ctl_verb ctl_check;

#endif
