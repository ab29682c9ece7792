/* onion-graterctl doctor */
#ifndef OG_CTL_DOCTOR_H
#define OG_CTL_DOCTOR_H

#include "ctl.h"

extern const struct ctl_verb ctl_doctor;

#endif
