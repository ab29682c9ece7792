/* An explanation for people.
 *
 * What was typed and what tor says is printed as it is where it is printable, and escaped where it
 * is not, so that nothing in it can play tricks with a terminal. */
#include "explain_parts.h"

#include <string.h>

#define COMMAND_SHOWN 4096 /* bytes of a command, of a line, that are worth showing */

static void append_limited(struct buf *out, struct span text)
{
    explain_append_shown(out, span_first(text, COMMAND_SHOWN));
    if (text.len > COMMAND_SHOWN)
        buf_printf(out, "... (%zu bytes)", text.len);
}

static void append_string(struct buf *out, const char *text)
{
    explain_append_shown(out, span_from_string(text));
}

/* --- rules --- */

static void append_where(struct buf *out, const struct explain_rule *rule)
{
    source_format(out, rule->where);
    if (!rule->profile)
        return;
    buf_append_string(out, " (");
    append_string(out, rule->profile);
    buf_printf(out, ", %s%s", rule->section, rule->name[0] ? ": " : "");
    append_string(out, rule->name);
    buf_append_char(out, ')');
}

/* The rule's place, and in the next line its text where that says more than its name. */
static void append_rule(struct buf *out, const struct explain_rule *rule)
{
    append_where(out, rule);
    if (rule->action)
        buf_printf(out, ", %s", rule->action);
    buf_append_char(out, '\n');
    if (strcmp(rule->text, rule->name) == 0)
        return;
    buf_append_string(out, "        ");
    append_string(out, rule->text[0] ? rule->text : "'' (no arguments)");
    buf_append_char(out, '\n');
}

/* --- the client --- */

static void append_qualifiers(struct buf *out, const struct explain_setup *setup,
                              const struct profile *profile)
{
    struct explain_qualifier list[EXPLAIN_MAX_QUALIFIERS];
    size_t count = explain_qualifiers_of(setup, profile, list);

    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "    by %s: ", list[i].key);
        buf_append(out, buf_span(&list[i].value));
        buf_printf(out, " (line %u)\n", list[i].where.line);
        buf_clear(&list[i].value);
    }
}

static void append_profile(struct buf *out, const struct profile *profile)
{
    append_string(out, profile->name);
    buf_append_string(out, ", ");
    source_format(out, profile->where);
    buf_append_char(out, '\n');
}

static void append_unserved(struct buf *out, const struct explain_setup *setup)
{
    const struct profile *near[EXPLAIN_MAX_PROFILES];
    size_t count = explain_nearest_profiles(setup, near);
    const char *reason = policy_no_match_reason(setup->policy, setup->client->identity,
                                                setup->client->socket_profile);

    buf_printf(out, "served by no profile: %s\n", reason ? reason : "there is none");
    for (size_t i = 0; i < count; i++) {
        buf_append_string(out, "  not by ");
        append_profile(out, near[i]);
        buf_append_string(out, "    ");
        explain_append_lack(out, setup, near[i]);
        buf_append_char(out, '\n');
    }
    if (setup->policy->index.profile_count > count)
        buf_printf(out, "  nor by %zu others\n", setup->policy->index.profile_count - count);
}

void explain_text_client(struct buf *out, const struct explain_setup *setup,
                         const struct policy_view *view)
{
    buf_append_string(out, "client: ");
    append_string(out, setup->client->shown);
    buf_append_char(out, '\n');
    for (size_t i = 0; i < view->count; i++) {
        buf_append_string(out, "served by ");
        append_profile(out, view->profiles[i]);
        if (setup->client->forced)
            buf_append_string(out, "    its qualifiers were not asked: by --profile, or as nothing "
                                   "was said of the client\n");
        else
            append_qualifiers(out, setup, view->profiles[i]);
    }
    if (view->count == 0)
        append_unserved(out, setup);
}

/* --- a command --- */

static void append_heading(struct buf *out, const struct explain_report *report)
{
    const struct explain_unit *unit = report->item->unit;
    struct span lines = buf_span(&unit->lines);
    struct span first = span_first(lines, span_find(lines, '\r'));

    buf_append_char(out, '\n');
    if (report->has_place)
        buf_printf(out, "line %lu", unit->at);
    if (report->has_connections)
        buf_printf(out, ", connection %lu", report->connection);
    if (report->has_place)
        buf_append_string(out, report->item->is_event ? ": event " : ": ");
    append_limited(out, first.len ? first : SPAN("(an empty line)"));
    if (!report->item->is_event && report->item->data.len > 0)
        buf_printf(out, "  (and %zu bytes of data)", report->item->data.len);
    buf_append_char(out, '\n');
}

static const char *verdict_text(const struct explain_item *item)
{
    switch (item->verdict) {
    case EXPLAIN_REFUSED:
        return item->is_event ? "withheld" : "refused";
    case EXPLAIN_ALLOWED:
        return item->is_event ? "delivered" : "allowed";
    case EXPLAIN_REWRITTEN:
        return "allowed, and rewritten";
    case EXPLAIN_ANSWERED:
        return "answered by the profile, tor is not asked";
    case EXPLAIN_SUBSCRIBED:
        return "allowed, the events are delivered from now on";
    case EXPLAIN_LOCAL:
        return "answered by onion-grater itself, tor is not asked";
    case EXPLAIN_NOT_READ:
        return "not read, the session has ended";
    }
    return "refused";
}

static void append_verdict(struct buf *out, const struct explain_report *report)
{
    const struct explain_item *item = report->item;
    struct explain_rule rule;

    buf_printf(out, "    %s", verdict_text(item));
    if (item->reason) {
        buf_append_string(out, ": ");
        append_string(out, item->reason);
    }
    if (item->condition)
        buf_printf(out, ",\n      %s", item->condition);
    buf_append_char(out, '\n');
    if (report->keys->count > 0 || !explain_find_rule(report->view, item->rule, &rule))
        return;
    buf_append_string(out, item->verdict == EXPLAIN_REFUSED && !item->is_event ? "      at "
                                                                               : "      by ");
    append_rule(out, &rule);
}

static void append_keys(struct buf *out, const struct explain_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct explain_key *key = &keys->items[i];
        buf_append_string(out, "      ");
        append_limited(out, key->text);
        buf_append_string(out, key->is_allowed ? ": allowed" : ": refused");
        buf_append_string(out, key->has_rule ? " by " : "\n");
        if (key->has_rule)
            append_rule(out, &key->rule);
    }
}

/* Lines of the protocol, each behind the mark. */
static void append_lines(struct buf *out, const char *mark, struct span text)
{
    while (text.len > 0) {
        size_t len = span_find(text, '\n');
        struct span line = span_first(text, len);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        buf_append_string(out, mark);
        append_limited(out, line);
        buf_append_char(out, '\n');
        text = span_from(text, len + 1);
    }
}

/* --- what becomes of tor's lines --- */

static void append_fate(struct buf *out, const struct explain_line *line)
{
    switch (line->fate) {
    case EXPLAIN_PASSED:
        append_lines(out, "      client gets: ", buf_span(&line->becomes));
        buf_append_string(out, "      passed:      ");
        break;
    case EXPLAIN_CHANGED:
        buf_append_string(out, "      rewritten:   ");
        break;
    case EXPLAIN_WITHHELD:
        buf_append_string(out, "      withheld:    ");
        break;
    case EXPLAIN_UNFIT:
        buf_append_string(out, "      no reply:    ");
        break;
    }
}

static void append_line(struct buf *out, const struct explain_line *line)
{
    append_fate(out, line);
    append_limited(out, buf_span(&line->wire));
    buf_append_char(out, '\n');
    if (line->fate == EXPLAIN_CHANGED)
        append_lines(out, "        to:        ", buf_span(&line->becomes));
    if (line->reason)
        buf_printf(out, "        because:   %s\n", line->reason);
    if (!line->has_rule)
        return;
    buf_append_string(out, "        by:        ");
    source_format(out, line->rule.where);
    buf_append_string(out, "  ");
    append_string(out, line->rule.text);
    buf_append_char(out, '\n');
}

static void append_dialogue(struct buf *out, const struct explain_item *item)
{
    append_lines(out, "    to tor: ", buf_span(&item->to_tor));
    if (item->line_count > 0)
        buf_append_string(out, item->is_event ? "    the event:\n" : "    tor's reply:\n");
    for (size_t i = 0; i < item->line_count; i++)
        append_line(out, &item->lines[i]);
    if ((item->line_count == 0 && !item->is_supplied) || item->is_remade)
        append_lines(out, "    client gets: ", buf_span(&item->client));
    for (size_t i = 0; i < item->note_count; i++) {
        buf_append_string(out, "    note: ");
        append_string(out, item->notes[i]);
        buf_append_char(out, '\n');
    }
}

/* --- what was near --- */

static void append_near(struct buf *out, const struct explain_near *near)
{
    struct span rest = span_from(near->subject, near->agreed);

    buf_append_string(out, "    near: ");
    append_where(out, &near->rule);
    buf_append_string(out, "\n        ");
    append_string(out, near->rule.text);
    buf_append_string(out, "\n      agrees with \"");
    append_limited(out, span_first(near->subject, near->agreed));
    if (rest.len == 0) {
        buf_append_string(out, "\" and expects more\n");
        return;
    }
    buf_append_string(out, near->is_over ? "\" and ends there; not with \"" : "\", not with \"");
    append_limited(out, rest);
    buf_append_string(out, "\"\n");
}

static void append_other(struct buf *out, const struct explain_other *other)
{
    buf_append_string(out, "    profile ");
    append_string(out, other->profile->name);
    buf_append_string(out, " would allow it");
    if (other->has_rule) {
        buf_append_string(out, ", ");
        append_where(out, &other->rule);
    }
    buf_append_string(out, ",\n      but does not serve this client: ");
    buf_append_string(out, other->lacks);
    buf_append_char(out, '\n');
}

static void append_suggestion(struct buf *out, const struct explain_hints *hints)
{
    if (hints->suggestion.len > 0) {
        buf_append_string(out, "    what would allow it, if the application needs it:\n");
        append_lines(out, "      ", buf_span(&hints->suggestion));
    }
    if (hints->advice)
        buf_printf(out, "    %s\n", hints->advice);
    if (hints->is_cut)
        buf_append_string(out, "    (not all rules and profiles were searched for near ones)\n");
}

static void append_hints(struct buf *out, const struct explain_hints *hints)
{
    for (size_t i = 0; i < hints->near_count; i++)
        append_near(out, &hints->near[i]);
    for (size_t i = 0; i < hints->other_count; i++)
        append_other(out, &hints->others[i]);
    if (hints->more_others > 0)
        buf_printf(out, "    %zu more profiles would allow it, but do not serve this client\n",
                   hints->more_others);
    append_suggestion(out, hints);
}

void explain_text_item(struct buf *out, const struct explain_report *report)
{
    append_heading(out, report);
    append_verdict(out, report);
    append_keys(out, report->keys);
    append_dialogue(out, report->item);
    if (report->hints)
        append_hints(out, report->hints);
}

void explain_text_end(struct buf *out, const struct explain_counts *counts)
{
    if (counts->commands > 1)
        buf_printf(out, "\n%lu commands, %lu refused\n", counts->commands, counts->refused);
    if (counts->unread > 0)
        buf_printf(out, "lines of the dialogue that could not be read or shown: %lu\n",
                   counts->unread);
    if (counts->is_cut)
        buf_append_string(out, "The dialogue is too long: the end of it was not looked at.\n");
}
