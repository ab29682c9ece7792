/* ncurses. It catches SIGWINCH and SIGTSTP itself, and turns the former into a key; what else ends
 * the process comes through here by ctl_screen_close, or by exit(3). */
#include "ctl_screen.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_terminal.h"

#define ESCAPE_DELAY 25 /* milliseconds in which the rest of a key's sequence comes */
#define REDRAW_KEY ('L' & 0x1f)

static SCREEN *screen;
static bool has_tones;

void ctl_screen_close(void)
{
    if (!screen)
        return;
    endwin();
    delscreen(screen);
    screen = NULL;
}

static void set_up_tones(void)
{
    has_tones = ctl_terminal_has_colours() && has_colors();
    if (!has_tones)
        return;
    start_color();
    use_default_colors();
    init_pair(PAGE_GOOD, COLOR_GREEN, -1);
    init_pair(PAGE_WARNING, COLOR_YELLOW, -1);
    init_pair(PAGE_PROBLEM, COLOR_RED, -1);
}

bool ctl_screen_open(const char *verb)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        ctl_usage_error(verb, "this needs a terminal; onion-graterctl status does without");
        return false;
    }
    /* initscr would end the process by itself; newterm leaves memory behind where it fails. */
    screen = ctl_terminal_is_known() ? newterm(NULL, stdout, stdin) : NULL;
    if (!screen) {
        ctl_usage_error(verb, "TERM names no terminal that is known here");
        return false;
    }
    atexit(ctl_screen_close);
    set_term(screen);
    set_escdelay(ESCAPE_DELAY);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    set_up_tones();
    return true;
}

unsigned ctl_screen_width(void)
{
    return (unsigned)getmaxx(stdscr);
}

unsigned ctl_screen_height(void)
{
    return (unsigned)getmaxy(stdscr);
}

void ctl_screen_begin(void)
{
    erase();
}

static attr_t attributes_of(enum page_tone tone)
{
    switch (tone) {
    case PAGE_PLAIN:
        return A_NORMAL;
    case PAGE_HEADING:
        return A_REVERSE;
    case PAGE_GOOD:
    case PAGE_WARNING:
    case PAGE_PROBLEM:
        break;
    }
    if (has_tones)
        return COLOR_PAIR((int)tone);
    return tone == PAGE_PROBLEM ? A_BOLD : A_NORMAL;
}

void ctl_screen_put(unsigned row, const struct page_line *lines, size_t count)
{
    int width = getmaxx(stdscr);

    for (size_t i = 0; i < count && row < ctl_screen_height(); i++, row++) {
        attrset((int)attributes_of(lines[i].tone));
        if (lines[i].tone == PAGE_HEADING)
            mvprintw((int)row, 0, "%-*.*s", width, width, lines[i].text);
        else
            mvaddnstr((int)row, 0, lines[i].text, width);
    }
    attrset((int)A_NORMAL);
}

void ctl_screen_show(void)
{
    refresh();
}

int ctl_screen_key(void)
{
    int key = getch();

    switch (key) {
    case ERR:
        return CTL_KEY_NONE;
    case KEY_UP:
        return CTL_KEY_UP;
    case KEY_DOWN:
        return CTL_KEY_DOWN;
    case KEY_PPAGE:
        return CTL_KEY_PAGE_UP;
    case KEY_NPAGE:
        return CTL_KEY_PAGE_DOWN;
    case KEY_HOME:
        return CTL_KEY_HOME;
    case KEY_END:
        return CTL_KEY_END;
    case REDRAW_KEY:
        clearok(curscr, TRUE);
        return CTL_KEY_OTHER;
    default:
        return key > 0 && key < 256 ? key : CTL_KEY_OTHER;
    }
}
