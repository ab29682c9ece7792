/* onion-graterctl complain */
#ifndef OG_CTL_COMPLAIN_H
#define OG_CTL_COMPLAIN_H

#include "ctl.h"

extern const struct ctl_verb ctl_complain;

#endif
