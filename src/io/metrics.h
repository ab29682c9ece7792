/* Numbers about the daemon: limits and counters for status, and all of it in Prometheus' text
 * format (Prometheus' "Exposition formats", version 0.0.4). No name in it is anybody's. */
#ifndef OG_METRICS_H
#define OG_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "counters.h"
#include "options.h"
#include "quota.h"

struct metrics_source {
    const char *version;
    const struct options *options;
    const struct counters *counters;
    const struct quota *quota;
    uint64_t started_ms; /* since 1970, as the others */
    uint64_t loaded_ms;
    size_t held; /* bytes in the buffers of all sessions */
    size_t profiles;
    size_t profile_errors;
    bool has_failed; /* the last reload */
    bool complains;
    bool tor_is_reachable;
};

/* One limit of the configuration. */
struct metrics_limit {
    const char *name;
    bool has_used;
    unsigned long long used; /* now; of a limit of each user or machine: the most of one */
    unsigned long long max;
    unsigned long long reached; /* times */
};

void metrics_each_limit(const struct metrics_source *source,
                        void (*visit)(void *context, const struct metrics_limit *limit),
                        void *context);

/* Counters since the start, by the names that the admin socket gives them. */
void metrics_each_counter(const struct metrics_source *source,
                          void (*visit)(void *context, const char *name, unsigned long long value),
                          void *context);

/* Appends all as metrics. */
void metrics_write(const struct metrics_source *source, struct buf *out);

#endif
