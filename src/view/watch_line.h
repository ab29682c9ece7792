/* onion-graterctl watch: what just happened, in one line. */
#ifndef OG_WATCH_LINE_H
#define OG_WATCH_LINE_H

#include <stdbool.h>

#include "page.h"
#include "span.h"
#include "user_names.h"

/* Adds a line about the record to the page. `clock`: when it was, for people. False: it is of a
 * type that says nothing to them. */
bool watch_line_write(struct span record, const char *clock, const struct user_names *names,
                      struct page *page);

#endif
