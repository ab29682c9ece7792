/* What standard output is, and how a page gets there. */
#ifndef OG_CTL_TERMINAL_H
#define OG_CTL_TERMINAL_H

#include <stdbool.h>

#include "page.h"

/* The columns of the terminal; 0: it is none, lines are as long as they are. */
unsigned ctl_terminal_width(void);

/* Whether it is a terminal that knows colours, and nobody wants none (NO_COLOR). */
bool ctl_terminal_has_colours(void);

/* Whether TERM names a terminal that ncurses has a description of. */
bool ctl_terminal_is_known(void);

/* Writes the page to standard output. */
void ctl_terminal_print(const struct page *page);

#endif
