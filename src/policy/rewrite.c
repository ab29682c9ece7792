/* One line of tor's through a `response` list.
 *
 * The first pattern that matches decides. Whatever keeps the result from being certain (a limit,
 * a full buffer, a new line that a client would frame in another way than the old one) withholds
 * the line: a rule that was to hide something must never let the original through
 * (control-protocol 7.17). */
#include "rewrite.h"

static bool rewrite_has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

/* A line of a data block: "." ends the block, and any other dot in front must be doubled. */
static bool rewrite_is_data(struct span wire)
{
    bool has_dot = wire.len > 0 && wire.data[0] == '.';

    return !rewrite_has_control(wire) && (!has_dot || span_starts_with(wire, SPAN("..")));
}

static bool rewrite_keeps_framing(const struct reply_line *old, struct span wire)
{
    struct reply_line new;

    if (old->kind == REPLY_DATA_LINE)
        return rewrite_is_data(wire);
    return reply_parse_line(wire, &new) && new.kind == old->kind &&new.code == old->code;
}

static enum rewrite_result rewrite_expand(const struct line_rule *rule,
                                          const struct captures *captures,
                                          const struct reply_line *line,
                                          const struct template_variables *variables,
                                          struct buf *out)
{
    if (!rule->replacement || !template_expand(rule->replacement, captures, variables, out))
        return REWRITE_WITHHOLD;
    /* An empty data line is a line like any other; only '' as the replacement takes it out. */
    if (template_is_empty(rule->replacement) || (out->len == 0 && line->kind != REPLY_DATA_LINE))
        return REWRITE_EMPTY;
    return rewrite_keeps_framing(line, buf_span(out)) ? REWRITE_LINE : REWRITE_WITHHOLD;
}

/* The first pattern that matches, or hits a limit. */
static enum rewrite_result rewrite_by_first(const struct line_rules *rules,
                                            const struct reply_line *line,
                                            const struct template_variables *variables,
                                            struct buf *out, const struct line_rule **rule_out)
{
    struct captures captures;

    for (size_t i = 0; i < rules->count; i++) {
        enum pattern_result match = pattern_match(rules->items[i].pattern, line->wire, &captures);
        if (match == PATTERN_NO_MATCH)
            continue;
        *rule_out = &rules->items[i];
        enum rewrite_result result = REWRITE_WITHHOLD;
        if (match == PATTERN_MATCH)
            result = rewrite_expand(&rules->items[i], &captures, line, variables, out);
        if (result != REWRITE_LINE)
            buf_reset(out);
        return result;
    }
    return REWRITE_UNMATCHED;
}

enum rewrite_result rewrite_line_by(const struct line_rules *rules, const struct reply_line *line,
                                    const struct template_variables *variables, struct buf *out,
                                    const struct line_rule **rule_out)
{
    *rule_out = NULL;
    buf_reset(out);
    /* Most replies meet no rule at all, and some have thousands of lines. */
    if (rules->count == 0 || line->kind == REPLY_DATA_END)
        return REWRITE_UNMATCHED;
    return rewrite_by_first(rules, line, variables, out, rule_out);
}

enum rewrite_result rewrite_line(const struct line_rules *rules, const struct reply_line *line,
                                 const struct template_variables *variables, struct buf *out)
{
    const struct line_rule *rule;

    return rewrite_line_by(rules, line, variables, out, &rule);
}
