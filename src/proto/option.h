/* The names of tor's options (control-protocol 7.7). */
#ifndef OG_OPTION_H
#define OG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

/* tor's spelling of the option with this whole name, in any case; NULL if tor 0.4.9 has none. */
const char *option_find(struct span name);

/* Whether tor would take the text, which is no option's name, as the beginning of one. */
bool option_is_abbreviation(struct span name);

/* The options in their order; NULL behind the last one. */
const char *option_at(size_t index);

#endif
