/* Standard output is asked each time: a terminal may change its size. */
#include "ctl_terminal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* These make macros of common words: behind all others, and in no other file. */
#include <curses.h>
#include <term.h>

#define USUAL_WIDTH 80 /* of a terminal that does not say */

unsigned ctl_terminal_width(void)
{
    struct winsize size = {.ws_col = 0};

    if (!isatty(STDOUT_FILENO))
        return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return USUAL_WIDTH;
    return size.ws_col;
}

bool ctl_terminal_has_colours(void)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]) && terminal && terminal[0] &&
           strcmp(terminal, "dumb") != 0;
}

bool ctl_terminal_is_known(void)
{
    int error;

    if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
        return false;
    del_curterm(cur_term);
    return true;
}

void ctl_terminal_print(const struct page *page)
{
    struct buf text;

    buf_init(&text, SIZE_MAX / 2);
    page_write(page, ctl_terminal_has_colours(), &text);
    struct span all = buf_span(&text);
    if (all.len > 0)
        fwrite(all.data, 1, all.len, stdout);
    buf_wipe(&text);
}
