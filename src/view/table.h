/* Rows of cells, aligned in columns, shortened to a width where they have to be. */
#ifndef OG_TABLE_H
#define OG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "page.h"
#include "span.h"

#define TABLE_MAX_COLUMNS 16

struct table_column {
    const char *heading;
    bool is_right; /* numbers */
    unsigned min;  /* columns to which it may be shortened; 0: it may not */
};

struct table {
    const struct table_column *columns; /* borrowed */
    size_t column_count;
    char **cells; /* owned, row by row; shown as they are, so escaped before */
    size_t cell_count;
    enum page_tone *tones; /* owned; of each row */
    size_t row_count;
};

void table_init(struct table *table, const struct table_column *columns, size_t count);
void table_clear(struct table *table);

/* Begins a row, whose cells table_add then fills from the left. */
void table_begin_row(struct table *table, enum page_tone tone);
void table_add(struct table *table, struct span cell);

/* Adds the headings and the rows to the page, `width` columns wide at most (0: as wide as they
 * are), as far as the columns that may not be shortened allow. A shortened cell ends in "~". */
void table_write(const struct table *table, unsigned width, struct page *page);

#endif
