/* A session that is new, a counter that went back, or a daemon that is another one: no rate can be
 * told of them, and none is made up. */
#include "rates.h"

#include <stdlib.h>

#include "mem.h"

/* The counters of one session, and those of them that make one number. */
struct rate_sample {
    unsigned long number;
    uint64_t commands;
    uint64_t refused;
    uint64_t events;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

void rates_init(struct rates *rates)
{
    *rates = (struct rates){.samples = NULL};
}

void rates_clear(struct rates *rates)
{
    free(rates->samples);
    free(rates->rates);
    rates_init(rates);
}

static int compare_samples(const void *left, const void *right)
{
    const struct rate_sample *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

static struct rate_sample sample_of(struct span session)
{
    return (struct rate_sample){
        .number = record_count(session, "number"),
        .commands = record_count(session, "allowed") + record_count(session, "rewritten") +
                    record_count(session, "rejected") + record_count(session, "answered"),
        .refused = record_count(session, "rejected"),
        .events = record_count(session, "events_passed"),
        .bytes_in = record_count(session, "bytes_from_client"),
        .bytes_out = record_count(session, "bytes_to_client"),
    };
}

static size_t take_samples(const struct answer *answer, struct rate_sample **samples_out)
{
    struct rate_sample *samples = mem_zalloc(answer->count + 1, sizeof *samples);
    struct span session;
    size_t count = 0, at = 0;

    while (answer_next(answer, "session", &at, &session))
        samples[count++] = sample_of(session);
    if (count > 0)
        qsort(samples, count, sizeof *samples, compare_samples);
    *samples_out = samples;
    return count;
}

static bool has_gone_back(const struct rate_sample *now, const struct rate_sample *then)
{
    return now->commands < then->commands || now->refused < then->refused ||
           now->events < then->events || now->bytes_in < then->bytes_in ||
           now->bytes_out < then->bytes_out;
}

/* `then`: NULL if there is none. */
static struct rate rate_between(const struct rate_sample *now, const struct rate_sample *then,
                                uint64_t elapsed_ms)
{
    struct rate rate = {.number = now->number};

    if (!then || elapsed_ms == 0 || has_gone_back(now, then))
        return rate;
    rate.is_known = true;
    rate.commands = (now->commands - then->commands) * 1000000 / elapsed_ms;
    rate.refused = (now->refused - then->refused) * 1000000 / elapsed_ms;
    rate.events = (now->events - then->events) * 1000000 / elapsed_ms;
    rate.bytes_in = (now->bytes_in - then->bytes_in) * 1000000 / elapsed_ms;
    rate.bytes_out = (now->bytes_out - then->bytes_out) * 1000000 / elapsed_ms;
    return rate;
}

static void add_to_total(struct rate *total, const struct rate *rate)
{
    total->commands += rate->commands;
    total->refused += rate->refused;
    total->events += rate->events;
    total->bytes_in += rate->bytes_in;
    total->bytes_out += rate->bytes_out;
}

void rates_take(struct rates *rates, const struct answer *answer, uint64_t now_ms)
{
    unsigned long daemon = record_count(answer_find(answer, "daemon"), "started_ms");
    bool is_first = !rates->samples || daemon != rates->daemon;
    uint64_t elapsed_ms = now_ms - rates->at_ms;
    struct rate_sample *samples;
    size_t count = take_samples(answer, &samples);

    free(rates->rates);
    rates->rates = mem_zalloc(count + 1, sizeof *rates->rates);
    rates->total = (struct rate){.is_known = !is_first};
    for (size_t i = 0; i < count; i++) {
        const struct rate_sample *then = is_first
                                             ? NULL
                                             : bsearch(&samples[i], rates->samples, rates->count,
                                                       sizeof *samples, compare_samples);
        rates->rates[i] = rate_between(&samples[i], then, elapsed_ms);
        add_to_total(&rates->total, &rates->rates[i]);
    }
    free(rates->samples);
    rates->samples = samples;
    rates->count = count;
    rates->at_ms = now_ms;
    rates->daemon = daemon;
}

static int compare_rate(const void *key, const void *item)
{
    unsigned long number = *(const unsigned long *)key;
    const struct rate *rate = item;

    return (number > rate->number) - (number < rate->number);
}

const struct rate *rates_find(const struct rates *rates, unsigned long number)
{
    return rates->count > 0
               ? bsearch(&number, rates->rates, rates->count, sizeof *rates->rates, compare_rate)
               : NULL;
}
