/* Columns are as wide as their widest cell. If that is too much, they move together, and then the
 * widest of those that may be shortened gives way, one character after the other, so that short
 * ones stay whole as long as possible. */
#include "table.h"

#include <stdlib.h>

#include "mem.h"

#define TABLE_GAP 2
#define TABLE_CELL_MAX 256 /* labels and paths are as long as clients like */
#define TABLE_CUT '~'

void table_init(struct table *table, const struct table_column *columns, size_t count)
{
    *table = (struct table){.columns = columns, .column_count = count};
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->tones);
    table_init(table, table->columns, table->column_count);
}

/* The cell as it is kept: never empty, and cut where it is too long. */
static char *make_cell(struct span text)
{
    if (text.len == 0)
        return mem_copy_string(SPAN("-"));
    char *cell = mem_copy_string(span_first(text, TABLE_CELL_MAX));
    if (text.len > TABLE_CELL_MAX)
        cell[TABLE_CELL_MAX - 1] = TABLE_CUT;
    return cell;
}

void table_begin_row(struct table *table, enum page_tone tone)
{
    while (table->cell_count < table->row_count * table->column_count)
        table_add(table, SPAN(""));
    table->tones = mem_resize(table->tones, table->row_count + 1, sizeof *table->tones);
    table->tones[table->row_count++] = tone;
}

void table_add(struct table *table, struct span cell)
{
    if (table->cell_count == table->row_count * table->column_count)
        return;
    table->cells = mem_resize(table->cells, table->cell_count + 1, sizeof *table->cells);
    table->cells[table->cell_count++] = make_cell(cell);
}

/* The text of a cell; a last row that was not filled has none at its end. */
static struct span cell_at(const struct table *table, size_t row, size_t column)
{
    size_t at = row * table->column_count + column;

    return at < table->cell_count ? span_from_string(table->cells[at]) : SPAN("-");
}

/* --- widths --- */

struct layout {
    size_t widths[TABLE_MAX_COLUMNS];
    size_t gap;
};

static size_t layout_total(const struct table *table, const struct layout *layout)
{
    size_t total = (table->column_count - 1) * layout->gap;

    for (size_t i = 0; i < table->column_count; i++)
        total += layout->widths[i];
    return total;
}

/* The widest of those that may still give way, or column_count. */
static size_t find_widest(const struct table *table, const struct layout *layout)
{
    size_t found = table->column_count;

    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].min == 0 || layout->widths[i] <= table->columns[i].min)
            continue;
        if (found == table->column_count || layout->widths[i] > layout->widths[found])
            found = i;
    }
    return found;
}

static void layout_make(const struct table *table, unsigned width, struct layout *layout)
{
    size_t widest;

    *layout = (struct layout){.gap = TABLE_GAP};
    for (size_t i = 0; i < table->column_count; i++) {
        layout->widths[i] = strlen(table->columns[i].heading);
        for (size_t row = 0; row < table->row_count; row++)
            if (cell_at(table, row, i).len > layout->widths[i])
                layout->widths[i] = cell_at(table, row, i).len;
    }
    if (width == 0 || layout_total(table, layout) <= width)
        return;
    layout->gap = 1;
    while (layout_total(table, layout) > width &&
           (widest = find_widest(table, layout)) < table->column_count)
        layout->widths[widest]--;
}

/* --- lines --- */

static void append_cell(const struct table *table, const struct layout *layout, size_t column,
                        struct span cell, struct buf *line)
{
    size_t width = layout->widths[column];
    bool is_cut = cell.len > width;
    size_t len = is_cut ? width - 1 : cell.len;
    int padding = (int)(width - len - (is_cut ? 1 : 0));

    if (column > 0)
        buf_printf(line, "%*s", (int)layout->gap, "");
    if (table->columns[column].is_right)
        buf_printf(line, "%*s", padding, "");
    buf_append(line, span_first(cell, len));
    if (is_cut)
        buf_append_char(line, TABLE_CUT);
    if (!table->columns[column].is_right)
        buf_printf(line, "%*s", padding, "");
}

void table_write(const struct table *table, unsigned width, struct page *page)
{
    struct layout layout;
    struct buf line;

    layout_make(table, width, &layout);
    buf_init(&line, layout_total(table, &layout) + 1);
    for (size_t i = 0; i < table->column_count; i++)
        append_cell(table, &layout, i, span_from_string(table->columns[i].heading), &line);
    page_add(page, PAGE_HEADING, buf_span(&line));
    for (size_t row = 0; row < table->row_count; row++) {
        buf_reset(&line);
        for (size_t i = 0; i < table->column_count; i++)
            append_cell(table, &layout, i, cell_at(table, row, i), &line);
        page_add(page, table->tones[row], buf_span(&line));
    }
    buf_clear(&line);
}
