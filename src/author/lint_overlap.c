/* Profiles that can serve one client together (design 3.2).
 *
 * The client may then do what any of them allows, so what one hides another may show. Rules are
 * tried in the order of the policy and the first that matches decides; of an event the first
 * profile that lists it decides. */
#include <stdlib.h>
#include <string.h>

#include "lint_parts.h"
#include "mem.h"

#define MAX_COMPARISONS 20000
#define MAX_DIFFERENCES 6

/* --- can they? --- */

static bool ids_meet(const struct id_qualifier *a, const struct id_qualifier *b)
{
    if (!a->is_present || !b->is_present || a->is_any || b->is_any)
        return true;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (a->ids[i] == b->ids[j])
                return true;
    return false;
}

static bool has_glob(const struct qualifier *qualifier)
{
    for (size_t i = 0; i < qualifier->count; i++)
        if (strchr(qualifier->names[i], '*'))
            return true;
    return false;
}

static bool names_meet(const struct qualifier *a, const struct qualifier *b)
{
    if (!a->is_present || !b->is_present || a->is_any || b->is_any)
        return true;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (strcmp(a->names[i], b->names[j]) == 0)
                return true;
    return false;
}

static bool units_meet(const struct qualifier *a, const struct qualifier *b)
{
    return names_meet(a, b) || has_glob(a) || has_glob(b);
}

static bool is_inside(const struct host_network *small, const struct host_network *large)
{
    size_t bytes = large->prefix / 8;
    unsigned bits = large->prefix % 8;

    if (small->is_ipv6 != large->is_ipv6 || small->prefix < large->prefix ||
        memcmp(small->address, large->address, bytes) != 0)
        return false;
    unsigned difference = bits ? small->address[bytes] ^ large->address[bytes] : 0u;
    return difference >> (8 - bits) == 0;
}

static bool hosts_meet(const struct host_qualifier *a, const struct host_qualifier *b)
{
    if (a->is_any || b->is_any)
        return true;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (is_inside(&a->networks[i], &b->networks[j]) ||
                is_inside(&b->networks[j], &a->networks[i]))
                return true;
    return false;
}

static bool is_shared(const struct profile *profile)
{
    return !profile->socket.is_wanted && profile->users.is_present &&
           profile->apparmor_profiles.is_present;
}

static bool is_remote(const struct profile *profile)
{
    return !profile->socket.is_wanted && profile->hosts.is_present;
}

static bool profiles_meet(const struct profile *a, const struct profile *b)
{
    if (is_remote(a) && is_remote(b) && hosts_meet(&a->hosts, &b->hosts))
        return true;
    bool is_same_socket =
        a->socket.is_wanted && b->socket.is_wanted && strcmp(a->name, b->name) == 0;
    return (is_same_socket || (is_shared(a) && is_shared(b))) && ids_meet(&a->users, &b->users) &&
           ids_meet(&a->groups, &b->groups) &&
           names_meet(&a->apparmor_profiles, &b->apparmor_profiles) &&
           names_meet(&a->executables, &b->executables) && units_meet(&a->units, &b->units);
}

/* --- what differs --- */

/* Two profiles that meet; `first` is tried first. */
struct meeting {
    struct lint *lint;
    const struct profile *first;
    const struct profile *second;
    struct buf conflicts; /* what the second hides and the first shows */
    size_t conflict_count;
    struct buf differences; /* the reverse */
};

/* Whether the rule does more than to let its texts through. */
static bool is_restricting(const struct rule *rule)
{
    return rule->response.count > 0 || rule->replacement || rule->reply;
}

static bool rules_meet(const struct rule *a, const struct rule *b)
{
    struct language *language = language_new(pattern_text(a->pattern), AUTOMATON_COMMAND);
    bool is_met = language && language_meets(language, pattern_text(b->pattern), NULL);

    language_free(language);
    return is_met;
}

static void begin_conflict(struct meeting *meeting)
{
    buf_append_string(&meeting->conflicts, meeting->conflict_count++ ? "; " : "");
}

static void compare_rule(struct meeting *meeting, const struct command_rules *first,
                         const struct command_rules *second, const struct rule *rule)
{
    for (size_t i = 0; i < first->count && meeting->conflict_count < MAX_DIFFERENCES; i++) {
        if (is_restricting(&first->rules[i]) || meeting->lint->comparisons++ > MAX_COMPARISONS ||
            !rules_meet(&first->rules[i], rule))
            continue;
        begin_conflict(meeting);
        buf_printf(&meeting->conflicts,
                   "what the rule in line %u changes of %s passes unchanged by line %u of '%s'",
                   rule->where.line, keyword_label(second->keyword), first->rules[i].where.line,
                   meeting->first->name);
        return;
    }
}

static void compare_commands(struct meeting *meeting)
{
    for (size_t i = 0; i < meeting->second->command_count; i++) {
        const struct command_rules *second = &meeting->second->commands[i];
        const struct command_rules *first =
            profile_find_command(meeting->first, second->keyword->id);
        for (size_t j = 0; first && j < second->count; j++)
            if (is_restricting(&second->rules[j]))
                compare_rule(meeting, first, second, &second->rules[j]);
    }
}

/* How much of an event a client gets. */
enum treatment {
    TREATMENT_NOTHING,
    TREATMENT_PART,
    TREATMENT_ALL,
};

static enum treatment treatment_of(const struct event_rule *event)
{
    if (event->suppress)
        return TREATMENT_NOTHING;
    return event->response.count > 0 || event->own_onions_only ? TREATMENT_PART : TREATMENT_ALL;
}

static const char *treatment_text(enum treatment treatment)
{
    switch (treatment) {
    case TREATMENT_NOTHING:
        return "suppressed";
    case TREATMENT_PART:
        return "cut down";
    case TREATMENT_ALL:
        break;
    }
    return "passed as it is";
}

static void compare_event(struct meeting *meeting, const struct event_rule *first,
                          const struct event_rule *second)
{
    enum treatment here = treatment_of(second), there = treatment_of(first);

    if (here == there || meeting->conflict_count >= MAX_DIFFERENCES)
        return;
    bool is_conflict = there == TREATMENT_ALL;
    if (is_conflict)
        begin_conflict(meeting);
    buf_printf(is_conflict ? &meeting->conflicts : &meeting->differences,
               "%s%s is %s here and %s by '%s', which decides", is_conflict ? "" : "; ",
               second->name, treatment_text(here), treatment_text(there), meeting->first->name);
}

static void compare_events(struct meeting *meeting)
{
    for (size_t i = 0; i < meeting->second->event_count; i++) {
        const struct event_rule *second = &meeting->second->events[i];
        const struct event_rule *first =
            profile_find_event(meeting->first, span_from_string(second->name));
        if (first)
            compare_event(meeting, first, second);
    }
}

static void compare_modes(struct meeting *meeting)
{
    if (meeting->first->tor_browser_mode != meeting->second->tor_browser_mode)
        buf_printf(&meeting->differences, "; tor-browser-mode of '%s' is for both",
                   meeting->first->tor_browser_mode ? meeting->first->name : meeting->second->name);
}

/* Names of commands that one has and the other has not. */
static void append_alone(struct buf *out, const struct profile *profile,
                         const struct profile *other)
{
    size_t count = 0;

    for (size_t i = 0; i < profile->command_count; i++) {
        const struct keyword *keyword = profile->commands[i].keyword;
        if (profile_find_command(other, keyword->id) || profile->commands[i].count == 0 ||
            count >= MAX_DIFFERENCES)
            continue;
        buf_printf(out, "%s%s", count++ ? ", " : "", keyword_label(keyword));
    }
    buf_append_string(out, count ? "" : "none");
    buf_append_char(out, '\0');
}

static void report_plain(struct meeting *meeting)
{
    struct buf first, second;

    buf_init(&first, 512);
    buf_init(&second, 512);
    append_alone(&first, meeting->first, meeting->second);
    append_alone(&second, meeting->second, meeting->first);
    buf_append_char(&meeting->differences, '\0');
    lint_note(meeting->lint, meeting->second->where, "overlap",
              "a client of '%s' may also be one of '%s' (%s:%u), and may then do what either "
              "allows; commands of the first only: %s; of the other only: %s%s",
              meeting->second->name, meeting->first->name, meeting->first->where.file,
              meeting->first->where.line, buf_span(&second).data, buf_span(&first).data,
              meeting->differences.overflow ? "" : buf_span(&meeting->differences).data);
    buf_clear(&second);
    buf_clear(&first);
}

static void report(struct meeting *meeting)
{
    if (meeting->conflict_count == 0) {
        report_plain(meeting);
        return;
    }
    buf_append_char(&meeting->conflicts, '\0');
    lint_warning(meeting->lint, meeting->second->where, "overlap",
                 "a client of '%s' may also be one of '%s' (%s:%u), which comes first: %s",
                 meeting->second->name, meeting->first->name, meeting->first->where.file,
                 meeting->first->where.line, buf_span(&meeting->conflicts).data);
}

static void compare(struct lint *lint, const struct profile *first, const struct profile *second)
{
    struct meeting meeting = {.lint = lint, .first = first, .second = second};

    buf_init(&meeting.conflicts, 4096);
    buf_init(&meeting.differences, 4096);
    compare_commands(&meeting);
    compare_events(&meeting);
    compare_modes(&meeting);
    report(&meeting);
    buf_clear(&meeting.differences);
    buf_clear(&meeting.conflicts);
}

static size_t count_profiles(const struct policy *policy)
{
    size_t count = 0;

    for (size_t i = 0; i < policy->count; i++)
        count += policy->files[i]->count;
    return count;
}

void lint_overlaps(struct lint *lint, const struct policy *policy)
{
    size_t count = count_profiles(policy), index = 0;
    const struct profile **all = mem_zalloc(count + 1, sizeof(const struct profile *));

    for (size_t i = 0; i < policy->count; i++)
        for (size_t j = 0; j < policy->files[i]->count; j++)
            all[index++] = &policy->files[i]->profiles[j];
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (profiles_meet(all[j], all[i]))
                compare(lint, all[j], all[i]);
    free(all);
}
