/* onion-graterctl merge */
#ifndef OG_CTL_MERGE_H
#define OG_CTL_MERGE_H

#include "ctl.h"

extern const struct ctl_verb ctl_merge;

#endif
