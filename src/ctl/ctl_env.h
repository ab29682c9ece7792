/* The verbs env and run: the environment of an application (design 5, 6). */
#ifndef OG_CTL_ENV_H
#define OG_CTL_ENV_H

#include "ctl.h"

extern const struct ctl_verb ctl_env;
extern const struct ctl_verb ctl_run;

#endif
