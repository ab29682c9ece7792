/* onion-graterctl top */
#ifndef OG_CTL_TOP_H
#define OG_CTL_TOP_H

#include "ctl.h"

extern const struct ctl_verb ctl_top;

#endif
