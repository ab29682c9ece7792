/* Sessions for people: a table, and below it, in words, what is unusual about some of them. */
#include "status.h"

#include <stdlib.h>

#include "mem.h"
#include "record.h"
#include "session_cells.h"
#include "status_parts.h"
#include "table.h"
#include "units.h"

#define REMARKS_MAX 20
#define CELL_MAX_BYTES 65536

static const struct table_column session_columns[] = {
    {"NO", true, 0},      {"PROFILE", false, 8}, {"USER", false, 5}, {"PID", true, 0},
    {"CLIENT", false, 8}, {"BY", false, 0},      {"AGE", true, 0},   {"ALLOW", true, 0},
    {"REWR", true, 0},    {"REF", true, 0},      {"EVENT", true, 0}, {"BYTES", true, 0},
};

static void end_cell(struct table *table, struct buf *cell)
{
    table_add(table, buf_span(cell));
    buf_reset(cell);
}

static void add_number(struct table *table, struct buf *cell, struct span session, const char *name)
{
    unsigned long number;

    if (record_number(session, name, &number))
        buf_printf(cell, "%lu", number);
    end_cell(table, cell);
}

static void add_count(struct table *table, struct buf *cell, struct span session, const char *name)
{
    units_append_count(cell, record_count(session, name));
    end_cell(table, cell);
}

static void add_session(struct table *table, struct buf *cell, struct span session,
                        const struct user_names *names)
{
    table_begin_row(table, session_tone(session));
    add_number(table, cell, session, "number");
    session_append_profiles(cell, session);
    end_cell(table, cell);
    session_append_user(cell, session, names);
    end_cell(table, cell);
    add_number(table, cell, session, "pid");
    session_append_client(cell, session);
    end_cell(table, cell);
    session_append_evidence(cell, session);
    end_cell(table, cell);
    units_append_age(cell, record_count(session, "age_ms"));
    end_cell(table, cell);
    add_count(table, cell, session, "allowed");
    add_count(table, cell, session, "rewritten");
    add_count(table, cell, session, "rejected");
    add_count(table, cell, session, "events_passed");
    units_append_bytes(cell, record_count(session, "bytes_to_client"));
    end_cell(table, cell);
}

static size_t write_sessions(const struct answer *answer, const struct status_setup *setup,
                             struct page *page)
{
    struct table table;
    struct span session;
    struct buf cell;
    size_t at = 0;

    buf_init(&cell, CELL_MAX_BYTES);
    table_init(&table, session_columns, sizeof session_columns / sizeof *session_columns);
    while (answer_next(answer, "session", &at, &session))
        add_session(&table, &cell, session, setup->names);
    size_t count = table.row_count;
    unsigned long left_out = record_count(answer_find(answer, "left-out"), "count");
    page_add(page, PAGE_PLAIN, SPAN(""));
    if (count > 0)
        table_write(&table, setup->width, page);
    else
        page_add(page, PAGE_PLAIN, SPAN("no sessions"));
    if (left_out > 0)
        page_printf(page, PAGE_PLAIN, "and %lu more sessions", left_out);
    table_clear(&table);
    buf_clear(&cell);
    return count;
}

/* --- remarks --- */

static void append_remark(struct buf *out, struct span session, const char *name, const char *what)
{
    if (!record_has(session, name))
        return;
    buf_append_string(out, out->len > 0 ? "; " : "");
    buf_append_string(out, what);
    record_said(session, name, out);
}

/* Appends what the table has no column for. */
static void append_remarks(struct buf *out, struct span session)
{
    append_remark(out, session, "no_match", "no profile matches: ");
    /* A client that is served may have an unknown label because nobody asks for it. */
    if (record_has(session, "no_match"))
        append_remark(out, session, "label_doubt", "its label is not known: ");
    if (record_flag(session, "complain")) {
        buf_append_string(out, out->len > 0 ? "; " : "");
        buf_append_string(out, "in complain mode, ");
        units_append_count(out, record_count(session, "complained"));
        buf_append_string(out, " commands passed that no profile allows");
    }
    if (record_count(session, "problems") > 0) {
        buf_append_string(out, out->len > 0 ? "; " : "");
        units_append_count(out, record_count(session, "problems"));
        buf_append_string(out, " problems, see the log");
    }
}

static void write_remarks(const struct answer *answer, const struct status_setup *setup,
                          struct page *page)
{
    struct span session;
    struct buf text;
    size_t at = 0, count = 0;

    buf_init(&text, CELL_MAX_BYTES);
    while (answer_next(answer, "session", &at, &session)) {
        buf_reset(&text);
        append_remarks(&text, session);
        if (text.len == 0 || ++count > REMARKS_MAX)
            continue;
        if (count == 1)
            page_add(page, PAGE_PLAIN, SPAN(""));
        char *name = mem_printf("session %lu", record_count(session, "number"));
        page_add_named(page, session_tone(session), setup->width, name, buf_span(&text));
        free(name);
    }
    if (count > REMARKS_MAX)
        page_printf(page, PAGE_PLAIN, "and %zu more sessions of which something is to be said",
                    count - REMARKS_MAX);
    buf_clear(&text);
}

void status_write_text(const struct answer *answer, const struct status_setup *setup,
                       struct page *page)
{
    status_write_summary(answer, setup, page);
    if (write_sessions(answer, setup, page) > 0)
        write_remarks(answer, setup, page);
}
