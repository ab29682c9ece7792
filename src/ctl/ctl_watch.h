/* onion-graterctl watch */
#ifndef OG_CTL_WATCH_H
#define OG_CTL_WATCH_H

#include "ctl.h"

extern const struct ctl_verb ctl_watch;

#endif
