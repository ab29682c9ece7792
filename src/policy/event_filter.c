/* One event on its way to a client, held until its last line is known.
 *
 * Events of several lines are where a pattern written for one line lets the rest through
 * (control-protocol 7.17), so every further line must match or the event is not delivered; only
 * its framing, "650 OK" and ".", passes without a rule (design 3.7). A withheld event costs no
 * memory: what was held is freed at once. */
#include "event_filter.h"

#include "rewrite.h"

void event_filter_init(struct event_filter *filter)
{
    *filter = (struct event_filter){0};
    buf_init(&filter->held, EVENT_FILTER_MAX);
    buf_init(&filter->scratch, EVENT_FILTER_MAX);
}

void event_filter_clear(struct event_filter *filter)
{
    buf_clear(&filter->held);
    buf_clear(&filter->scratch);
    event_filter_init(filter);
}

void event_filter_begin(struct event_filter *filter, const struct event_rule *rule)
{
    event_filter_clear(filter);
    filter->rule = rule;
    filter->is_first = true;
}

static void event_filter_withhold(struct event_filter *filter)
{
    filter->withhold = true;
    buf_clear(&filter->held);
    buf_clear(&filter->scratch);
}

static void event_filter_keep(struct event_filter *filter, struct span wire)
{
    if (!reply_write(&filter->held, wire))
        event_filter_withhold(filter);
}

static bool event_filter_is_ok(const struct reply_line *line)
{
    return line->kind == REPLY_END && span_equals(line->text, SPAN("OK"));
}

/* What becomes of a line that no pattern matched. */
static void event_filter_unmatched(struct event_filter *filter, const struct reply_line *line)
{
    const struct line_rules *rules = &filter->rule->response;
    bool is_kept = filter->is_first ? !rules->drop_unmatched : event_filter_is_ok(line);

    if (rules->count == 0 && !rules->drop_unmatched)
        is_kept = true;
    if (is_kept)
        event_filter_keep(filter, line->wire);
    else
        event_filter_withhold(filter);
}

/* A further line is taken out; the framing around it stays whole. */
static void event_filter_take_out(struct event_filter *filter, const struct reply_line *line)
{
    if (line->kind == REPLY_DATA)
        filter->drops_block = true;
    else if (line->kind == REPLY_END)
        event_filter_keep(filter, SPAN("650 OK"));
}

static void event_filter_rewrite(struct event_filter *filter, const struct reply_line *line,
                                 const struct template_variables *variables)
{
    enum rewrite_result result =
        rewrite_line(&filter->rule->response, line, variables, &filter->scratch);

    if (result == REWRITE_UNMATCHED)
        event_filter_unmatched(filter, line);
    else if (result == REWRITE_LINE)
        event_filter_keep(filter, buf_span(&filter->scratch));
    else if (result == REWRITE_EMPTY && !filter->is_first)
        event_filter_take_out(filter, line);
    else
        event_filter_withhold(filter);
}

static void event_filter_take(struct event_filter *filter, const struct reply_line *line,
                              const struct template_variables *variables)
{
    if (!reply_line_is_clean(line)) {
        event_filter_withhold(filter);
    } else if (line->kind == REPLY_DATA_END) {
        if (!filter->drops_block)
            event_filter_keep(filter, line->wire);
        filter->drops_block = false;
    } else if (!filter->drops_block) {
        event_filter_rewrite(filter, line, variables);
    }
    filter->is_first = false;
}

bool event_filter_feed(struct event_filter *filter, const struct reply_line *line,
                       const struct template_variables *variables, struct buf *out)
{
    bool is_last = line->kind == REPLY_END;

    if (filter->rule && !filter->withhold)
        event_filter_take(filter, line, variables);
    if (!is_last)
        return false;
    if (filter->rule && !filter->withhold)
        buf_append(out, buf_span(&filter->held));
    event_filter_clear(filter);
    return true;
}
