/* Sets are small (a client names a dozen events at most), so they are plain arrays; what an event
 * is delivered by is the rule of the first profile that lists it. */
#include "subscription.h"

#include <stdlib.h>

#include "command.h"
#include "event.h"
#include "mem.h"
#include "words.h"

/* Adds the event's rule if the client may really get it and the set has it not yet. */
static void event_set_add(struct event_set *set, const struct policy_view *view, struct span name)
{
    const struct event_rule *rule = policy_find_event(view, name);

    if (!rule && view->complain)
        rule = profile_find_event(view->complain, name);
    if (!rule || rule->suppress || event_is_ignored(name))
        return;
    if (event_set_find(set, name))
        return;
    set->rules = mem_resize(set->rules, set->count + 1, sizeof(const struct event_rule *));
    set->rules[set->count++] = rule;
}

struct event_set *event_set_from_arguments(const struct policy_view *view, struct span arguments)
{
    struct event_set *set = mem_zalloc(1, sizeof *set);
    struct span word;

    while (words_next(&arguments, &word))
        event_set_add(set, view, word);
    return set;
}

void event_set_remove_withheld(struct event_set *set, const struct policy_view *view)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++)
        if (!policy_withholds_event(view, span_from_string(set->rules[i]->name)))
            set->rules[kept++] = set->rules[i];
    set->count = kept;
}

size_t event_set_held(const struct event_set *set)
{
    return set ? sizeof *set + set->count * sizeof(const struct event_rule *) : 0;
}

void event_set_free(struct event_set *set)
{
    if (!set)
        return;
    free(set->rules);
    free(set);
}

const struct event_rule *event_set_find(const struct event_set *set, struct span name)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (span_equals_nocase(span_from_string(set->rules[i]->name), name))
            return set->rules[i];
    return NULL;
}

bool event_set_equals(const struct event_set *a, const struct event_set *b)
{
    size_t a_count = a ? a->count : 0, b_count = b ? b->count : 0;

    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!event_set_find(b, span_from_string(a->rules[i]->name)))
            return false;
    return true;
}

bool event_set_write(const struct event_set *set, struct buf *out)
{
    for (size_t i = 0; set && i < set->count; i++) {
        if (i > 0)
            buf_append_char(out, ' ');
        buf_append_string(out, set->rules[i]->name);
    }
    return !out->overflow;
}
