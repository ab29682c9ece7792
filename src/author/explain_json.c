/* An explanation for programs: the document that onion-graterctl(8) describes. Names of members and
 * of verdicts are never changed, only added to. */
#include "explain_parts.h"

static const char *verdict_name(const struct explain_item *item)
{
    switch (item->verdict) {
    case EXPLAIN_REFUSED:
        return item->is_event ? "withheld" : "refused";
    case EXPLAIN_ALLOWED:
        return item->is_event ? "delivered" : "allowed";
    case EXPLAIN_REWRITTEN:
        return "rewritten";
    case EXPLAIN_ANSWERED:
        return "answered";
    case EXPLAIN_SUBSCRIBED:
        return "subscribed";
    case EXPLAIN_LOCAL:
        return "local";
    case EXPLAIN_NOT_READ:
        return "not-read";
    }
    return "refused";
}

static const char *fate_name(enum explain_fate fate)
{
    switch (fate) {
    case EXPLAIN_PASSED:
        return "passed";
    case EXPLAIN_CHANGED:
        return "rewritten";
    case EXPLAIN_WITHHELD:
        return "withheld";
    case EXPLAIN_UNFIT:
        return "unfit";
    }
    return "withheld";
}

/* --- places --- */

static void write_place(struct json *json, struct source where)
{
    json_member_text(json, "file", where.file);
    json_member_number(json, "line", where.line);
    json_member_number(json, "column", where.column);
}

static void write_rule(struct json *json, const char *key, const struct explain_rule *rule)
{
    json_key(json, key);
    if (!rule) {
        json_null(json);
        return;
    }
    json_open_object(json);
    json_member_text(json, "profile", rule->profile);
    json_member_text(json, "section", rule->section);
    json_member_text(json, "name", rule->name);
    write_place(json, rule->where);
    json_member_text(json, "text", rule->text);
    json_member_text(json, "action", rule->action);
    json_close_object(json);
}

/* --- the client --- */

static void write_qualifiers(struct json *json, const struct explain_setup *setup,
                             const struct profile *profile)
{
    struct explain_qualifier list[EXPLAIN_MAX_QUALIFIERS];
    size_t count = setup->client->forced ? 0 : explain_qualifiers_of(setup, profile, list);

    json_key(json, "by");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        json_member_text(json, "qualifier", list[i].key);
        json_member_bool(json, "any", list[i].is_any);
        json_member_string(json, "value", buf_span(&list[i].value));
        write_place(json, list[i].where);
        json_close_object(json);
        buf_clear(&list[i].value);
    }
    json_close_array(json);
}

static void write_profile(struct json *json, const struct profile *profile)
{
    json_open_object(json);
    json_member_text(json, "name", profile->name);
    write_place(json, profile->where);
}

static void write_lack(struct json *json, const struct explain_setup *setup,
                       const struct profile *profile)
{
    struct buf lack;

    buf_init(&lack, 8192);
    explain_append_lack(&lack, setup, profile);
    json_member_text(json, "lacks", explain_lack_key(setup, profile));
    json_member_string(json, "reason", buf_span(&lack));
    buf_clear(&lack);
}

static void write_unserved(struct json *json, const struct explain_setup *setup)
{
    const struct profile *near[EXPLAIN_MAX_PROFILES];
    size_t count = explain_nearest_profiles(setup, near);

    for (size_t i = 0; i < count; i++) {
        write_profile(json, near[i]);
        write_lack(json, setup, near[i]);
        json_close_object(json);
    }
}

void explain_json_client(struct json *json, const struct explain_setup *setup,
                         const struct policy_view *view)
{
    json_open_object(json);
    json_member_number(json, "version", 1);
    json_member_text(json, "client", setup->client->shown);
    json_member_bool(json, "forced", setup->client->forced != NULL);
    json_key(json, "profiles");
    json_open_array(json);
    for (size_t i = 0; i < view->count; i++) {
        write_profile(json, view->profiles[i]);
        write_qualifiers(json, setup, view->profiles[i]);
        json_close_object(json);
    }
    json_close_array(json);
    json_key(json, "near-profiles");
    json_open_array(json);
    if (view->count == 0)
        write_unserved(json, setup);
    json_close_array(json);
    json_key(json, "items");
    json_open_array(json);
}

/* --- an item --- */

static void write_keys(struct json *json, const struct explain_keys *keys)
{
    json_key(json, "keys");
    json_open_array(json);
    for (size_t i = 0; i < keys->count; i++) {
        const struct explain_key *key = &keys->items[i];
        json_open_object(json);
        json_member_string(json, "key", key->text);
        json_member_text(json, "verdict", key->is_allowed ? "allowed" : "refused");
        write_rule(json, "rule", key->has_rule ? &key->rule : NULL);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_lines(struct json *json, const struct explain_item *item)
{
    json_key(json, "lines");
    json_open_array(json);
    for (size_t i = 0; i < item->line_count; i++) {
        const struct explain_line *line = &item->lines[i];
        json_open_object(json);
        json_member_string(json, "line", buf_span(&line->wire));
        json_member_text(json, "fate", fate_name(line->fate));
        json_member_string(json, "becomes", buf_span(&line->becomes));
        json_member_text(json, "reason", line->reason);
        write_rule(json, "rule", line->has_rule ? &line->rule : NULL);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_near(struct json *json, const struct explain_hints *hints)
{
    json_key(json, "near");
    json_open_array(json);
    for (size_t i = 0; hints && i < hints->near_count; i++) {
        const struct explain_near *near = &hints->near[i];
        json_open_object(json);
        json_member_string(json, "subject", near->subject);
        json_member_number(json, "agreed", near->agreed);
        json_member_bool(json, "ends-there", near->is_over);
        write_rule(json, "rule", &near->rule);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_others(struct json *json, const struct explain_hints *hints)
{
    json_key(json, "other-profiles");
    json_open_array(json);
    for (size_t i = 0; hints && i < hints->other_count; i++) {
        const struct explain_other *other = &hints->others[i];
        write_profile(json, other->profile);
        json_member_text(json, "reason", other->lacks);
        write_rule(json, "rule", other->has_rule ? &other->rule : NULL);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_optional(struct json *json, const char *key, const struct buf *text,
                           bool is_there)
{
    json_key(json, key);
    if (is_there)
        json_string(json, buf_span(text));
    else
        json_null(json);
}

static void write_notes(struct json *json, const struct explain_item *item)
{
    json_key(json, "notes");
    json_open_array(json);
    for (size_t i = 0; i < item->note_count; i++)
        json_text(json, item->notes[i]);
    json_close_array(json);
}

static void write_verdict(struct json *json, const struct explain_report *report)
{
    const struct explain_item *item = report->item;
    struct explain_rule rule;
    bool has_rule = explain_find_rule(report->view, item->rule, &rule);

    json_member_text(json, "verdict", verdict_name(item));
    json_member_text(json, "reason", item->reason);
    json_member_text(json, "condition", item->condition);
    write_rule(json, "rule", has_rule ? &rule : NULL);
}

void explain_json_item(struct json *json, const struct explain_report *report)
{
    const struct explain_item *item = report->item;
    const struct explain_hints *hints = report->hints;

    json_open_object(json);
    json_member_text(json, "type", item->is_event ? "event" : "command");
    json_member_number(json, "connection", report->connection);
    json_member_number(json, "input-line", item->unit->at);
    json_member_string(json, "text", buf_span(&item->unit->lines));
    write_verdict(json, report);
    write_keys(json, report->keys);
    write_optional(json, "to-tor", &item->to_tor, item->to_tor.len > 0);
    write_lines(json, item);
    write_optional(json, "client-gets", &item->client,
                   item->is_event || (item->is_answered && !item->is_supplied));
    write_notes(json, item);
    write_near(json, hints);
    write_others(json, hints);
    json_member_number(json, "more-other-profiles", hints ? hints->more_others : 0);
    write_optional(json, "suggestion", hints ? &hints->suggestion : NULL,
                   hints && hints->suggestion.len > 0);
    json_member_text(json, "advice", hints ? hints->advice : NULL);
    json_close_object(json);
}

void explain_json_end(struct json *json, const struct explain_counts *counts)
{
    json_close_array(json);
    json_member_number(json, "commands", counts->commands);
    json_member_number(json, "refused", counts->refused);
    json_member_number(json, "unread-lines", counts->unread);
    json_member_bool(json, "cut", counts->is_cut);
    json_close_object(json);
    buf_append_char(json->out, '\n');
}
