/* onion-graterctl status */
#ifndef OG_CTL_STATUS_H
#define OG_CTL_STATUS_H

#include "ctl.h"

extern const struct ctl_verb ctl_status;

#endif
