/* onion-graterctl reload */
#ifndef OG_CTL_RELOAD_H
#define OG_CTL_RELOAD_H

#include "ctl.h"

extern const struct ctl_verb ctl_reload;

#endif
