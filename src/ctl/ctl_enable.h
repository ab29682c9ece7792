/* The verbs enable and disable: shipped profiles on and off (design 3.1). */
#ifndef OG_CTL_ENABLE_H
#define OG_CTL_ENABLE_H

#include "ctl.h"

extern const struct ctl_verb ctl_enable;
extern const struct ctl_verb ctl_disable;

#endif
