/* The log: stderr, one write(2) a line, bytes outside printable ASCII escaped here and nowhere else
 * needed. It never waits for a reader: lines for which there is no room are counted, and the count
 * is written before the next line for which there is.
 *
 * Under systemd (JOURNAL_STREAM names stderr) a line begins with "<N>", or goes to the journal
 * itself if it has fields; otherwise it begins with "onion-grater: LEVEL: ". */
#ifndef OG_LOG_H
#define OG_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "diag.h"
#include "journal.h"

enum log_level {
    LOG_LEVEL_ERROR,   /* something cannot be served */
    LOG_LEVEL_WARNING, /* a refused command, a peer that broke the rules */
    LOG_LEVEL_NOTICE,  /* start, reload, stop, tor found or lost */
    LOG_LEVEL_INFO,    /* a session began or ended */
    LOG_LEVEL_DEBUG,
};

/* Finds out where stderr leads to. */
void log_open(enum log_level level);

void log_set_level(enum log_level level);
bool log_is_enabled(enum log_level level);

/* "error", "warning", "notice", "info", "debug"; and back. */
const char *log_level_name(enum log_level level);
bool log_level_find(const char *name, enum log_level *level_out);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_at_v(enum log_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The same, with what a program may look for: under systemd the journal gets an entry of that kind
 * (journal.h) with these fields, whose values may be any bytes; elsewhere it is a line like the
 * others. `id` may be NULL. */
void log_entry(enum log_level level, const char *id, const struct journal_field *fields,
               size_t count, const char *text);

/* A line without prefix, escaped like the others: what --check prints. This one does wait. */
void log_plain(const char *text);

/* Every message of the list, each at its level with its place. */
void log_diags(const struct diag_list *diags);

/* How many lines one client may cause: a bucket of LOG_LIMIT_BURST, or of a minute's lines if these
 * are fewer, that fills again with so many in a minute; and a larger one for the lines that only
 * --debug shows. */
#define LOG_LIMIT_BURST 20
#define LOG_LIMIT_PER_MINUTE 120 /* unless configured */
#define LOG_LIMIT_DEBUG_BURST 2000
#define LOG_LIMIT_DEBUG_PER_MINUTE 30000

struct log_limit {
    unsigned per_minute;
    uint64_t filled_ms; /* when the buckets were last topped up */
    unsigned filled;    /* what is in them; a line is LOG_LIMIT_LINE of it */
    unsigned filled_debug;
    unsigned long left_out; /* lines since the last report */
};

#define LOG_LIMIT_LINE 60000 /* milliseconds of a minute: one per millisecond and line a minute */

void log_limit_init(struct log_limit *limit, unsigned per_minute, uint64_t now_ms);

/* Whether a line may be written now. False: it is counted as left out. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms);

/* The same for a line at LOG_LEVEL_DEBUG. */
bool log_limit_pass_debug(struct log_limit *limit, uint64_t now_ms);

/* The count of lines left out; it starts again at 0. */
unsigned long log_limit_take_left_out(struct log_limit *limit);

/* Whether forgetting the limit would change nothing: the buckets are full and there is nothing to
 * report. */
bool log_limit_is_idle(struct log_limit *limit, uint64_t now_ms);

#endif
