/* onion-graterctl learn */
#ifndef OG_CTL_LEARN_H
#define OG_CTL_LEARN_H

#include "ctl.h"

extern const struct ctl_verb ctl_learn;

#endif
