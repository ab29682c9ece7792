/* onion-graterctl metrics */
#ifndef OG_CTL_METRICS_H
#define OG_CTL_METRICS_H

#include "ctl.h"

extern const struct ctl_verb ctl_metrics;

#endif
