/* The file of metrics, written anew every few seconds, for the textfile collector of Prometheus'
 * node exporter (metrics-file). */
#ifndef OG_METRICS_FILE_H
#define OG_METRICS_FILE_H

#include <event2/event_struct.h>
#include <stdbool.h>

#include "buf.h"

struct event_base;

struct metrics_file {
    const char *path; /* NULL: there is none; borrowed */
    void (*fill)(void *context, struct buf *out);
    void *context;
    bool has_failed; /* the log has heard of it */
    struct event timer;
};

/* Writes it now and from now on. `path` may be NULL. `fill` appends the text. */
void metrics_file_start(struct metrics_file *file, struct event_base *base, const char *path,
                        void (*fill)(void *context, struct buf *out), void *context);

/* Removes it: what it says would be wrong from now on. Does nothing if it was not started. */
void metrics_file_stop(struct metrics_file *file);

#endif
