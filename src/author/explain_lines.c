/* What becomes of tor's lines, one by one.
 *
 * The session tells only what the client gets of a whole message. So the reply's plan and the rules
 * of the event are asked once more here, line by line, to name the rule; where the session did
 * something else with the message (`onions`, tor-browser-mode, a limit), its word counts and the
 * lines are told apart by whether the client got them. */
#include "explain_parts.h"

#include "rewrite.h"

/* The longest line that a rule can make of one. */
#define BECOMES_MAX (2 * REPLY_MAX_LINE)

static const char no_match[] = "no pattern of response matches it";
static const char made_empty[] = "the rule's replacement is empty";
static const char uncertain[] = "a pattern hit its limit, or the new line would break the framing";

static void set_rule(struct explain_line *line, const struct line_rule *rule)
{
    line->has_rule = rule != NULL;
    if (rule)
        line->rule = (struct explain_rule){.section = "response",
                                           .name = "",
                                           .where = rule->where,
                                           .text = pattern_text(rule->pattern)};
}

static bool ends_with_line(struct span text, struct span wire)
{
    if (text.len < wire.len + 2)
        return false;
    struct span end = span_from(text, text.len - wire.len - 2);
    return span_starts_with(end, wire) && span_equals(span_from(end, wire.len), SPAN("\r\n"));
}

/* Sorts out what the rules made of the line; in front of it stand lines of the profile's own. */
static void set_outcome(struct explain_line *line, struct span made)
{
    struct span wire = buf_span(&line->wire);

    if (ends_with_line(made, wire)) {
        buf_append(&line->becomes, span_first(made, made.len - wire.len - 2));
    } else if (made.len == 0) {
        line->fate = EXPLAIN_WITHHELD;
        line->reason =
            line->has_rule ? "the rule takes it out, or would break the framing" : no_match;
    } else {
        line->fate = EXPLAIN_CHANGED;
        buf_append(&line->becomes, made);
    }
}

void explain_reply_line(struct explain_item *item, const struct reply_line *line,
                        const struct template_variables *variables)
{
    struct explain_line *out = explain_item_add_line(item, line->wire);
    struct buf made;

    if (!item->plan)
        return;
    buf_init(&made, EXPLAIN_MAX_OUT);
    if (reply_plan_feed(item->plan, line, variables, &made, NULL) == REPLY_PLAN_MISFIT) {
        out->fate = EXPLAIN_UNFIT;
        out->reason = "it does not fit the command, so the session ends";
    } else {
        set_rule(out, reply_plan_last_rule(item->plan));
        set_outcome(out, buf_span(&made));
    }
    buf_wipe(&made);
}

void explain_unfit_line(struct explain_item *item, struct span wire)
{
    struct explain_line *out = explain_item_add_line(item, wire);

    out->fate = EXPLAIN_UNFIT;
    out->reason = "it is not the control protocol, so the session ends";
}

/* --- events --- */

/* Whether an event's line passes without a pattern. */
static bool passes_unmatched(const struct line_rules *rules, const struct reply_line *line,
                             bool is_first)
{
    if (rules->count == 0 && !rules->drop_unmatched)
        return true;
    if (is_first)
        return !rules->drop_unmatched;
    return line->kind == REPLY_DATA_END ||
           (line->kind == REPLY_END && span_equals(line->text, SPAN("OK")));
}

static void withhold(struct explain_line *line, const char *reason)
{
    line->fate = EXPLAIN_WITHHELD;
    line->reason = reason;
}

void explain_event_line(struct explain_item *item, const struct event_rule *rule,
                        const struct reply_line *line, const struct template_variables *variables)
{
    bool is_first = item->line_count == 0;
    struct explain_line *out = explain_item_add_line(item, line->wire);
    const struct line_rule *decided;
    struct buf made;

    if (!rule)
        return;
    if (!reply_line_is_clean(line)) {
        withhold(out, "it holds a control character");
        return;
    }
    buf_init(&made, BECOMES_MAX);
    enum rewrite_result result = rewrite_line_by(&rule->response, line, variables, &made, &decided);
    set_rule(out, decided);
    switch (result) {
    case REWRITE_UNMATCHED:
        if (!passes_unmatched(&rule->response, line, is_first))
            withhold(out, no_match);
        break;
    case REWRITE_LINE:
        reply_write(&made, span_make(NULL, 0));
        set_outcome(out, buf_span(&made));
        break;
    case REWRITE_EMPTY:
        withhold(out, made_empty);
        break;
    case REWRITE_WITHHOLD:
        withhold(out, uncertain);
        break;
    }
    buf_wipe(&made);
}

/* --- what the client got --- */

static void append_expected(struct buf *out, const struct explain_line *line)
{
    buf_append(out, buf_span(&line->becomes));
    if (line->fate == EXPLAIN_PASSED)
        reply_write(out, buf_span(&line->wire));
}

static bool is_as_expected(const struct explain_item *item)
{
    struct buf all;

    buf_init(&all, EXPLAIN_MAX_OUT);
    for (size_t i = 0; i < item->line_count; i++)
        append_expected(&all, &item->lines[i]);
    bool is_same = span_equals(buf_span(&all), buf_span(&item->client));
    buf_wipe(&all);
    return is_same;
}

/* Whether the client's next line is this one; takes it if so. */
static bool take_same(struct span *got, struct span wire)
{
    if (!span_starts_with(*got, wire) || !span_starts_with(span_from(*got, wire.len), SPAN("\r\n")))
        return false;
    *got = span_from(*got, wire.len + 2);
    return true;
}

static void forget(struct explain_line *line)
{
    buf_reset(&line->becomes);
    line->has_rule = false;
}

void explain_lines_settle(struct explain_item *item)
{
    struct span got = buf_span(&item->client);

    for (size_t i = 0; i < item->line_count; i++)
        if (item->lines[i].fate == EXPLAIN_UNFIT)
            return;
    if (item->line_count == 0 || item->is_cut || is_as_expected(item))
        return;
    item->is_remade = item->client.len > 0;
    for (size_t i = 0; i < item->line_count; i++) {
        struct explain_line *line = &item->lines[i];
        bool is_same = take_same(&got, buf_span(&line->wire));
        if (is_same || line->fate != EXPLAIN_WITHHELD)
            forget(line);
        if (is_same)
            line->fate = EXPLAIN_PASSED;
        else if (line->fate != EXPLAIN_WITHHELD)
            withhold(line,
                     item->client.len == 0 ? NULL : "the client gets it changed, or not at all");
    }
}
