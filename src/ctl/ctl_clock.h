/* When something was, by the clock on the wall. */
#ifndef OG_CTL_CLOCK_H
#define OG_CTL_CLOCK_H

#include <stddef.h>

#include "span.h"

#define CTL_CLOCK_SIZE 40 /* bytes of a text */

/* The time of a record's "time_ms"; empty, if it has none. */
void ctl_clock_time(struct span record, char *text, size_t size);

/* The same with the date. */
void ctl_clock_date(struct span record, char *text, size_t size);

#endif
