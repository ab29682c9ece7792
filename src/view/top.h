/* onion-graterctl top: the lines of its screen. */
#ifndef OG_TOP_H
#define OG_TOP_H

#include <stdbool.h>

#include "answer.h"
#include "page.h"
#include "rates.h"
#include "user_names.h"

enum top_sort {
    TOP_BY_NUMBER,
    TOP_BY_PROFILE,
    TOP_BY_USER,
    TOP_BY_COMMANDS, /* a second, as all of these: the most comes first */
    TOP_BY_REFUSED,
    TOP_BY_EVENTS,
    TOP_BY_BYTES,
};

struct top_setup {
    const struct user_names *names;
    unsigned width;
    enum top_sort sort;
};

/* The order that a key stands for. False: none. */
bool top_sort_of_key(int key, enum top_sort *sort_out);

/* The order of that name ("number", "profile", ...). False: there is none. */
bool top_sort_of_name(const char *name, enum top_sort *sort_out);

/* What stands above the table, always as many lines. */
#define TOP_HEAD_LINES 4
void top_write_head(const struct answer *answer, const struct rates *rates,
                    const struct top_setup *setup, struct page *page);

/* The table: a line of headings, then the sessions in order. */
void top_write_sessions(const struct answer *answer, const struct rates *rates,
                        const struct top_setup *setup, struct page *page);

#endif
