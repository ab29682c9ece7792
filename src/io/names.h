/* Users and groups by name, from the system's data bases. */
#ifndef OG_NAMES_H
#define OG_NAMES_H

#include "profile_load.h"

/* The resolver for profile_load; static, needs no context. */
extern const struct name_resolver names_of_system;

#endif
