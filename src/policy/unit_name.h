/* The systemd unit that a process belongs to, from the text of /proc/PID/cgroup. */
#ifndef OG_UNIT_NAME_H
#define OG_UNIT_NAME_H

#include "span.h"

/* The unit of the system's service manager, borrowed from `cgroups`; empty: none, or not certain.
 */
struct span unit_name_find(struct span cgroups);

#endif
