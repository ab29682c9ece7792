/* Counts that only go down.
 *
 * Without SERVER= tor asks the responsible directories one by one, with it the named ones at once
 * and others where these fail; each attempt is a REQUESTED and a RECEIVED or FAILED, and the latter
 * two are followed by an HS_DESC_CONTENT, which is empty after a failure. tor does not say which
 * failure was the last but in two cases, so what a client may see is limited by number: a directory
 * that was named answers once, and others are asked only while none has had the descriptor. */
#include "onion_fetches.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "words.h"

/* Of one address: more than a command has arguments. */
#define ONION_FETCH_MOST 1024

void onion_fetches_clear(struct onion_fetches *fetches)
{
    free(fetches->items);
    *fetches = (struct onion_fetches){0};
}

static struct onion_fetch *find_fetch(const struct onion_fetches *fetches,
                                      const struct onion_address *address)
{
    for (size_t i = 0; i < fetches->count; i++)
        if (onion_address_compare(&fetches->items[i].address, address) == 0)
            return &fetches->items[i];
    return NULL;
}

static void delete_fetch(struct onion_fetches *fetches, struct onion_fetch *fetch)
{
    size_t place = (size_t)(fetch - fetches->items);

    fetches->count--;
    memmove(fetch, fetch + 1, (fetches->count - place) * sizeof *fetch);
}

static void delete_if_done(struct onion_fetches *fetches, struct onion_fetch *fetch)
{
    if (fetch->failures == 0)
        fetch->answers = 0;
    if (fetch->blanks == 0)
        fetch->contents = 0;
    if (fetch->answers == 0 && fetch->contents == 0)
        delete_fetch(fetches, fetch);
}

static struct onion_fetch *get_fetch(struct onion_fetches *fetches,
                                     const struct onion_address *address)
{
    struct onion_fetch *fetch = find_fetch(fetches, address);

    if (fetch)
        return fetch;
    if (fetches->count == ONION_FETCHES_MAX)
        delete_fetch(fetches, &fetches->items[0]);
    fetches->items = mem_resize(fetches->items, fetches->count + 1, sizeof *fetches->items);
    fetch = &fetches->items[fetches->count++];
    *fetch = (struct onion_fetch){.address = *address};
    return fetch;
}

static void raise_count(unsigned *count, unsigned by)
{
    *count = *count + by < ONION_FETCH_MOST ? *count + by : ONION_FETCH_MOST;
}

void onion_fetches_add(struct onion_fetches *fetches, const struct onion_address *address,
                       unsigned servers, bool shows_events, bool shows_content)
{
    if (!shows_events && !shows_content)
        return;
    struct onion_fetch *fetch = get_fetch(fetches, address);
    unsigned answers = servers > 0 ? servers : 1;
    fetch->has_received = false;
    fetch->has_content = false;
    if (shows_events) {
        raise_count(&fetch->tries, servers + ONION_FETCH_TRIES);
        raise_count(&fetch->failures, servers + ONION_FETCH_TRIES);
        raise_count(&fetch->answers, answers);
    }
    if (shows_content) {
        raise_count(&fetch->blanks, servers + ONION_FETCH_TRIES);
        raise_count(&fetch->contents, answers);
    }
}

void onion_fetches_forget(struct onion_fetches *fetches, bool shows_events, bool shows_content)
{
    for (size_t i = fetches->count; i-- > 0;) {
        struct onion_fetch *fetch = &fetches->items[i];
        if (!shows_events)
            fetch->tries = fetch->failures = fetch->answers = 0;
        if (!shows_content)
            fetch->blanks = fetch->contents = 0;
        delete_if_done(fetches, fetch);
    }
}

/* Whether tor says by it that it gives up. */
static bool is_last_failure(struct span rest)
{
    struct span word;

    while (words_next(&rest, &word))
        if (span_equals(word, SPAN("REASON=QUERY_NO_HSDIR")) ||
            span_equals(word, SPAN("REASON=QUERY_RATE_LIMITED")))
            return true;
    return false;
}

static bool take_one(unsigned *count)
{
    if (*count == 0)
        return false;
    (*count)--;
    return true;
}

/* After a failure tor asks elsewhere, unless another directory that was named has answered or still
 * may. */
static void take_ended(unsigned *left, bool has_answer)
{
    if (has_answer || *left > 1)
        take_one(left);
}

static bool take_failure(struct onion_fetch *fetch, struct span rest)
{
    if (!take_one(&fetch->failures))
        return false;
    if (is_last_failure(rest)) {
        take_one(&fetch->answers);
        take_one(&fetch->contents);
    } else {
        take_ended(&fetch->answers, fetch->has_received);
    }
    return true;
}

bool onion_fetches_take_event(struct onion_fetches *fetches, struct span action,
                              const struct onion_address *address, struct span rest)
{
    struct onion_fetch *fetch = find_fetch(fetches, address);
    bool is_shown = false;

    if (!fetch || fetch->answers == 0)
        return false;
    if (span_equals(action, SPAN("REQUESTED")))
        is_shown = take_one(&fetch->tries);
    else if (span_equals(action, SPAN("RECEIVED")))
        is_shown = fetch->has_received = take_one(&fetch->answers);
    else if (span_equals(action, SPAN("FAILED")))
        is_shown = take_failure(fetch, rest);
    delete_if_done(fetches, fetch);
    return is_shown;
}

bool onion_fetches_shows_content(const struct onion_fetches *fetches,
                                 const struct onion_address *address)
{
    const struct onion_fetch *fetch = find_fetch(fetches, address);

    return fetch && fetch->contents > 0;
}

void onion_fetches_end_content(struct onion_fetches *fetches, const struct onion_address *address,
                               bool is_blank)
{
    struct onion_fetch *fetch = find_fetch(fetches, address);

    if (!fetch)
        return;
    if (!is_blank)
        fetch->has_content = take_one(&fetch->contents);
    else if (take_one(&fetch->blanks))
        take_ended(&fetch->contents, fetch->has_content);
    delete_if_done(fetches, fetch);
}
