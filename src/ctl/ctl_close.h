/* onion-graterctl close */
#ifndef OG_CTL_CLOSE_H
#define OG_CTL_CLOSE_H

#include "ctl.h"

extern const struct ctl_verb ctl_close;

#endif
