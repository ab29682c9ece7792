/* Names follow Prometheus' conventions: a prefix, a unit, "_total" for what only grows. */
#include "metrics.h"

#include <inttypes.h>

/* --- limits --- */

static unsigned long long most_sessions(const struct quota *quota, bool of_address)
{
    unsigned most = 0;

    for (size_t i = 0; i < QUOTA_BUCKETS; i++)
        for (const struct quota_user *user = quota->buckets[i]; user; user = user->next)
            if ((user->kind == QUOTA_ADDRESS) == of_address && user->sessions > most)
                most = user->sessions;
    return most;
}

void metrics_each_limit(const struct metrics_source *source,
                        void (*visit)(void *context, const struct metrics_limit *limit),
                        void *context)
{
    const struct options *options = source->options;
    const struct session_limits *each = &options->session_limits;
    const struct counters *counters = source->counters;
    const struct quota *quota = source->quota;
    const unsigned long long *at = counters->at;
    const struct metrics_limit limits[] = {
        {"sessions", true, quota->sessions, quota->max_sessions, counters->at_sessions},
        {"sessions-per-uid", true, most_sessions(quota, false), quota->max_sessions_per_uid,
         counters->at_user},
        {"sessions-per-address", true, most_sessions(quota, true), quota->max_sessions_per_address,
         counters->at_address},
        {"all-buffers", true, source->held, options->all_buffers, counters->at_all_buffers},
        {"reply-buffer", false, 0, each->reply_buffer, at[SESSION_LIMIT_REPLY_BUFFER]},
        {"command-buffer", false, 0, each->command_buffer, at[SESSION_LIMIT_COMMAND_BUFFER]},
        {"commands-in-flight", false, 0, each->commands, at[SESSION_LIMIT_COMMANDS]},
        {"line-length", false, 0, each->line, at[SESSION_LIMIT_LINE]},
        {"block-length", false, 0, each->block, at[SESSION_LIMIT_BLOCK]},
        {"keys-per-command", false, 0, each->keys, at[SESSION_LIMIT_KEYS]},
        {"reply-timeout", false, 0, options->reply_timeout, counters->reply_timeouts},
        {"write-timeout", false, 0, options->write_timeout, counters->write_timeouts},
        {"log-lines-per-minute", false, 0, options->log_lines, counters->log_lines_left_out},
    };

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        visit(context, &limits[i]);
}

/* --- counters --- */

void metrics_each_counter(const struct metrics_source *source,
                          void (*visit)(void *context, const char *name, unsigned long long value),
                          void *context)
{
    const struct counters *counters = source->counters;

    visit(context, "sessions", counters->sessions);
    for (int kind = 0; kind < TALLY_COUNT; kind++)
        visit(context, tally_name((enum tally_kind)kind), counters->tally.count[kind]);
    visit(context, "no_descriptor", counters->no_descriptor);
    visit(context, "accept_pauses", counters->pauses);
    visit(context, "closed_for_memory", counters->closed_for_memory);
    visit(context, "reloads", counters->reloads);
    visit(context, "reload_failures", counters->reload_failures);
}

/* --- Prometheus --- */

static void begin(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP onion_grater_%s %s\n# TYPE onion_grater_%s %s\n", name, help, name,
               type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help,
                unsigned long long value)
{
    begin(out, name, type, help);
    buf_printf(out, "onion_grater_%s %llu\n", name, value);
}

static void time_of(struct buf *out, const char *name, const char *help, uint64_t ms)
{
    begin(out, name, "gauge", help);
    buf_printf(out, "onion_grater_%s %" PRIu64 ".%03u\n", name, ms / 1000, (unsigned)(ms % 1000));
}

static void write_tally(struct buf *out, const struct tally *tally)
{
    const unsigned long long *count = tally->count;

    begin(out, "commands_total", "counter", "Commands of clients, by what became of them.");
    for (int kind = 0; kind < TALLY_OUTCOMES; kind++)
        buf_printf(out, "onion_grater_commands_total{outcome=\"%s\"} %llu\n",
                   tally_name((enum tally_kind)kind), count[kind]);
    begin(out, "events_total", "counter", "Events from tor, by what became of them.");
    buf_printf(out, "onion_grater_events_total{outcome=\"passed\"} %llu\n",
               count[TALLY_EVENTS_PASSED]);
    buf_printf(out, "onion_grater_events_total{outcome=\"withheld\"} %llu\n",
               count[TALLY_EVENTS_WITHHELD]);
    one(out, "problems_total", "counter", "Answers of tor that were not as they should be.",
        count[TALLY_PROBLEMS]);
    one(out, "client_receive_bytes_total", "counter", "Bytes from clients.",
        count[TALLY_BYTES_FROM_CLIENT]);
    one(out, "client_transmit_bytes_total", "counter", "Bytes to clients.",
        count[TALLY_BYTES_TO_CLIENT]);
    one(out, "tor_receive_bytes_total", "counter", "Bytes from tor.", count[TALLY_BYTES_FROM_TOR]);
    one(out, "tor_transmit_bytes_total", "counter", "Bytes to tor.", count[TALLY_BYTES_TO_TOR]);
}

static void write_limit_max(void *context, const struct metrics_limit *limit)
{
    buf_printf(context, "onion_grater_limit{limit=\"%s\"} %llu\n", limit->name, limit->max);
}

static void write_limit_used(void *context, const struct metrics_limit *limit)
{
    if (limit->has_used)
        buf_printf(context, "onion_grater_limit_used{limit=\"%s\"} %llu\n", limit->name,
                   limit->used);
}

static void write_limit_reached(void *context, const struct metrics_limit *limit)
{
    buf_printf(context, "onion_grater_limit_reached_total{limit=\"%s\"} %llu\n", limit->name,
               limit->reached);
}

static void write_limits(const struct metrics_source *source, struct buf *out)
{
    begin(out, "limit", "gauge", "Limits as configured.");
    metrics_each_limit(source, write_limit_max, out);
    begin(out, "limit_used", "gauge",
          "What is used of a limit now; of those of each user or machine, the most of one.");
    metrics_each_limit(source, write_limit_used, out);
    begin(out, "limit_reached_total", "counter", "Times that a limit was reached.");
    metrics_each_limit(source, write_limit_reached, out);
}

static void write_policy(const struct metrics_source *source, struct buf *out)
{
    const struct counters *counters = source->counters;

    one(out, "profiles", "gauge", "Profiles in use.", source->profiles);
    one(out, "profile_errors", "gauge", "Errors when the profiles were last read.",
        source->profile_errors);
    one(out, "complain_mode", "gauge", "1 while some profile is in complain mode.",
        source->complains);
    time_of(out, "profiles_loaded_timestamp_seconds", "When the profiles in use were read.",
            source->loaded_ms);
    one(out, "last_reload_successful", "gauge", "0 if the last reload did not take.",
        !source->has_failed);
    begin(out, "reloads_total", "counter", "Reloads of the profiles.");
    buf_printf(out, "onion_grater_reloads_total{result=\"success\"} %llu\n", counters->reloads);
    buf_printf(out, "onion_grater_reloads_total{result=\"failure\"} %llu\n",
               counters->reload_failures);
}

void metrics_write(const struct metrics_source *source, struct buf *out)
{
    const struct counters *counters = source->counters;

    begin(out, "build_info", "gauge", "The version.");
    buf_printf(out, "onion_grater_build_info{version=\"%s\"} 1\n", source->version);
    time_of(out, "start_time_seconds", "When the daemon started.", source->started_ms);
    one(out, "tor_up", "gauge", "1 if the last login to tor succeeded.", source->tor_is_reachable);
    one(out, "sessions", "gauge", "Open sessions.", source->quota->sessions);
    one(out, "sessions_total", "counter", "Sessions that were begun.", counters->sessions);
    one(out, "buffered_bytes", "gauge", "Memory in the buffers of all sessions.", source->held);
    write_tally(out, &counters->tally);
    write_limits(source, out);
    write_policy(source, out);
    one(out, "no_descriptor_total", "counter", "Clients turned away for want of a descriptor.",
        counters->no_descriptor);
    one(out, "accept_pauses_total", "counter", "Times that accepting clients was paused.",
        counters->pauses);
    one(out, "closed_for_memory_total", "counter", "Sessions closed as memory was short.",
        counters->closed_for_memory);
}
