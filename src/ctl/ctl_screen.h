/* The whole terminal as a screen of lines. Of those who include this, none sees ncurses. */
#ifndef OG_CTL_SCREEN_H
#define OG_CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "page.h"

/* Takes the terminal over; it is given back with ctl_screen_close, and whatever way the process
 * exits. False: it is none, or one that is not known; reported in the verb's name. */
bool ctl_screen_open(const char *verb);
void ctl_screen_close(void);

unsigned ctl_screen_width(void);
unsigned ctl_screen_height(void);

/* Begins to draw on an empty screen, puts lines of a page from row `row` on, as many as `count` and
 * the screen allow, and shows it all. */
void ctl_screen_begin(void);
void ctl_screen_put(unsigned row, const struct page_line *lines, size_t count);
void ctl_screen_show(void);

enum ctl_key {
    CTL_KEY_NONE = 0, /* none was pressed */
    CTL_KEY_UP = 256, /* below that, a key is its character */
    CTL_KEY_DOWN,
    CTL_KEY_PAGE_UP,
    CTL_KEY_PAGE_DOWN,
    CTL_KEY_HOME,
    CTL_KEY_END,
    CTL_KEY_OTHER, /* and whatever wants the screen to be drawn again, such as another size of it */
};

/* The next key that was pressed, without waiting. */
int ctl_screen_key(void);

#endif
