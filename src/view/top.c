/* A screen of 80 columns holds it all; a wider one shows more of the names. */
#include "top.h"

#include <stdlib.h>

#include "mem.h"
#include "session_cells.h"
#include "table.h"
#include "units.h"

#define CELL_MAX_BYTES 65536

/* --- orders --- */

static const struct {
    const char *name;
    char key; /* its first letter */
} orders[] = {
    [TOP_BY_NUMBER] = {"number", 'n'},   [TOP_BY_PROFILE] = {"profile", 'p'},
    [TOP_BY_USER] = {"user", 'u'},       [TOP_BY_COMMANDS] = {"commands", 'c'},
    [TOP_BY_REFUSED] = {"refused", 'r'}, [TOP_BY_EVENTS] = {"events", 'e'},
    [TOP_BY_BYTES] = {"bytes", 'b'},
};

#define ORDER_COUNT (sizeof orders / sizeof *orders)

bool top_sort_of_key(int key, enum top_sort *sort_out)
{
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        if (orders[i].key != key)
            continue;
        *sort_out = (enum top_sort)i;
        return true;
    }
    return false;
}

bool top_sort_of_name(const char *name, enum top_sort *sort_out)
{
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        if (strcmp(orders[i].name, name) != 0)
            continue;
        *sort_out = (enum top_sort)i;
        return true;
    }
    return false;
}

/* One session and what it is sorted by: the text, or the number, or both are the same. */
struct entry {
    struct span session;
    struct rate rate;
    char *text; /* owned */
    uint64_t amount;
};

static char *text_of(struct span session, enum top_sort sort, const struct user_names *names)
{
    struct buf text;

    buf_init(&text, CELL_MAX_BYTES);
    if (sort == TOP_BY_PROFILE)
        session_append_profiles(&text, session);
    else if (sort == TOP_BY_USER)
        session_append_user(&text, session, names);
    char *copy = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return copy;
}

static uint64_t amount_of(const struct rate *rate, enum top_sort sort)
{
    switch (sort) {
    case TOP_BY_COMMANDS:
        return rate->commands;
    case TOP_BY_REFUSED:
        return rate->refused;
    case TOP_BY_EVENTS:
        return rate->events;
    case TOP_BY_BYTES:
        return rate->bytes_in + rate->bytes_out;
    case TOP_BY_NUMBER:
    case TOP_BY_PROFILE:
    case TOP_BY_USER:
        break;
    }
    return 0;
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->text, b->text);

    if (order == 0)
        order = (a->amount < b->amount) - (a->amount > b->amount);
    if (order == 0)
        order = (a->rate.number > b->rate.number) - (a->rate.number < b->rate.number);
    return order;
}

static size_t list_entries(const struct answer *answer, const struct rates *rates,
                           const struct top_setup *setup, struct entry **entries_out)
{
    struct entry *entries = mem_zalloc(answer->count + 1, sizeof *entries);
    struct span session;
    size_t count = 0, at = 0;

    while (answer_next(answer, "session", &at, &session)) {
        struct entry *entry = &entries[count++];
        unsigned long number = record_count(session, "number");
        const struct rate *rate = rates_find(rates, number);
        entry->session = session;
        entry->rate = rate ? *rate : (struct rate){.number = number};
        entry->text = text_of(session, setup->sort, setup->names);
        entry->amount = amount_of(&entry->rate, setup->sort);
    }
    if (count > 0)
        qsort(entries, count, sizeof *entries, compare_entries);
    *entries_out = entries;
    return count;
}

/* --- the table --- */

static const struct table_column columns[] = {
    {"NO", true, 0},      {"PROFILE", false, 8}, {"USER", false, 5}, {"PID", true, 0},
    {"CLIENT", false, 8}, {"AGE", true, 0},      {"CMDS", true, 0},  {"REF", true, 0},
    {"CMD/s", true, 0},   {"EV/s", true, 0},     {"IN/s", true, 0},  {"OUT/s", true, 0},
};

static void end_cell(struct table *table, struct buf *cell)
{
    table_add(table, buf_span(cell));
    buf_reset(cell);
}

/* "0", "0.3", "12": of thousandths. */
static void append_rate(struct buf *out, uint64_t rate)
{
    if (rate > 0 && rate < 9950)
        buf_printf(out, "%lu.%lu", (unsigned long)((rate + 50) / 1000),
                   (unsigned long)((rate + 50) % 1000 / 100));
    else
        units_append_count(out, (unsigned long)((rate + 500) / 1000));
}

static void add_rates(struct table *table, struct buf *cell, const struct rate *rate)
{
    if (!rate->is_known)
        return;
    append_rate(cell, rate->commands);
    end_cell(table, cell);
    append_rate(cell, rate->events);
    end_cell(table, cell);
    units_append_bytes(cell, (unsigned long)(rate->bytes_in / 1000));
    end_cell(table, cell);
    units_append_bytes(cell, (unsigned long)(rate->bytes_out / 1000));
    end_cell(table, cell);
}

static void add_entry(struct table *table, struct buf *cell, const struct entry *entry,
                      const struct user_names *names)
{
    struct span session = entry->session;
    unsigned long pid;

    table_begin_row(table, session_tone(session));
    buf_printf(cell, "%lu", entry->rate.number);
    end_cell(table, cell);
    session_append_profiles(cell, session);
    end_cell(table, cell);
    session_append_user(cell, session, names);
    end_cell(table, cell);
    if (record_number(session, "pid", &pid))
        buf_printf(cell, "%lu", pid);
    end_cell(table, cell);
    session_append_client(cell, session);
    end_cell(table, cell);
    units_append_age(cell, record_count(session, "age_ms"));
    end_cell(table, cell);
    units_append_count(cell, record_count(session, "allowed") + record_count(session, "rewritten"));
    end_cell(table, cell);
    units_append_count(cell, record_count(session, "rejected"));
    end_cell(table, cell);
    add_rates(table, cell, &entry->rate);
}

void top_write_sessions(const struct answer *answer, const struct rates *rates,
                        const struct top_setup *setup, struct page *page)
{
    struct entry *entries;
    struct table table;
    struct buf cell;
    size_t count = list_entries(answer, rates, setup, &entries);

    buf_init(&cell, CELL_MAX_BYTES);
    table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        add_entry(&table, &cell, &entries[i], setup->names);
        free(entries[i].text);
    }
    table_write(&table, setup->width, page);
    table_clear(&table);
    buf_clear(&cell);
    free(entries);
}

/* --- what stands above it --- */

static void write_daemon(const struct answer *answer, struct buf *line, struct page *page)
{
    struct span daemon = answer_find(answer, "daemon");
    struct span tor = answer_find(answer, "tor");
    struct span policy = answer_find(answer, "policy");
    unsigned long errors = record_count(policy, "errors");
    bool is_well =
        record_equals(tor, "state", "reachable") || record_equals(tor, "state", "unknown");
    bool is_complaining = !record_equals(daemon, "complain", "off");

    buf_append_string(line, "onion-grater ");
    record_shown(daemon, "version", line);
    buf_append_string(line, "  up ");
    units_append_age(line, record_count(daemon, "age_ms"));
    buf_append_string(line, "  tor ");
    record_shown(tor, "state", line);
    buf_printf(line, "  profiles %lu", record_count(policy, "profiles"));
    if (errors > 0)
        buf_printf(line, " (%lu bad)", errors);
    buf_append_string(line, is_complaining ? "  COMPLAIN" : "");
    page_add(page,
             errors > 0 || !is_well ? PAGE_PROBLEM
             : is_complaining       ? PAGE_WARNING
                                    : PAGE_PLAIN,
             buf_span(line));
    buf_reset(line);
}

static void append_sessions(const struct answer *answer, struct buf *line)
{
    struct span limit;
    size_t at = 0;

    buf_append_string(line, "sessions ");
    while (answer_next(answer, "limit", &at, &limit)) {
        if (!record_equals(limit, "name", "sessions"))
            continue;
        buf_printf(line, "%lu/%lu", record_count(limit, "used"), record_count(limit, "max"));
        return;
    }
}

static void write_totals(const struct answer *answer, const struct rate *total, struct buf *line,
                         struct page *page)
{
    append_sessions(answer, line);
    if (total->is_known) {
        buf_append_string(line, "  cmd/s ");
        append_rate(line, total->commands);
        buf_append_string(line, " (refused ");
        append_rate(line, total->refused);
        buf_append_string(line, ")  ev/s ");
        append_rate(line, total->events);
        buf_append_string(line, "  in/s ");
        units_append_bytes(line, (unsigned long)(total->bytes_in / 1000));
        buf_append_string(line, "  out/s ");
        units_append_bytes(line, (unsigned long)(total->bytes_out / 1000));
    }
    page_add(page, PAGE_PLAIN, buf_span(line));
    buf_reset(line);
}

/* "[n]umber <p>rofile ...": the keys, and which of them was the last. */
static void write_orders(enum top_sort sort, struct buf *line, struct page *page)
{
    for (size_t i = 0; i < ORDER_COUNT; i++)
        buf_printf(line, i == (size_t)sort ? "<%c>%s " : "[%c]%s ", orders[i].key,
                   orders[i].name + 1);
    buf_append_string(line, "[q]uit");
    page_add(page, PAGE_PLAIN, buf_span(line));
    buf_reset(line);
}

void top_write_head(const struct answer *answer, const struct rates *rates,
                    const struct top_setup *setup, struct page *page)
{
    struct buf line;

    buf_init(&line, CELL_MAX_BYTES);
    write_daemon(answer, &line, page);
    write_totals(answer, &rates->total, &line, page);
    write_orders(setup->sort, &line, page);
    page_add(page, PAGE_PLAIN, SPAN(""));
    buf_clear(&line);
}
