/* A `response` list by itself: replacements that cannot stand where the line stood, and patterns
 * for lines that tor never writes.
 *
 * A new line keeps code and separator of the old one, or it is withheld (policy/rewrite). What a
 * pattern is for is asked of all lines that tor may write for this command or event: one that
 * matches none of them was written for another tor, or for a line of the wrong form. */
#include <stdlib.h>

#include "lint_parts.h"
#include "mem.h"
#include "rewrite.h"

#define A_LINE "[2-6][0-9]{2}[-+ ].*"

static bool is_for_lines(const struct language *pattern)
{
    return language_is_within(pattern, A_LINE);
}

/* Whether the language has a line with this code, as a pattern, and separator. */
static bool has_line(const struct language *language, const char *code, char separator)
{
    struct buf probe;

    buf_init(&probe, 64);
    buf_printf(&probe, "%s\\%c.*", code, separator);
    buf_append_char(&probe, '\0');
    bool is_met = language_meets(language, buf_span(&probe).data, NULL);
    buf_clear(&probe);
    return is_met;
}

/* The code that all lines have, as a pattern; ANY_CODE if it is not the same. */
#define ANY_CODE "[2-6][0-9]{2}"

static void read_code(const struct language *language, struct buf *code)
{
    struct buf prefix;

    buf_init(&prefix, REPLY_MAX_LINE);
    language_append_prefix(language, &prefix);
    if (prefix.len >= 3)
        buf_append(code, span_first(buf_span(&prefix), 3));
    else
        buf_append_string(code, ANY_CODE);
    buf_append_char(code, '\0');
    buf_clear(&prefix);
}

/* The first separator of lines that match and whose replacement has another one, or 0. */
static char lost_separator(const struct language *pattern, const struct language *made)
{
    static const char separators[] = "-+ ";
    struct buf code;
    char lost = '\0';

    buf_init(&code, 64);
    read_code(pattern, &code);
    for (const char *c = separators; *c && !lost; c++)
        if (has_line(pattern, buf_span(&code).data, *c) &&
            !has_line(made, buf_span(&code).data, *c))
            lost = *c;
    buf_clear(&code);
    return lost;
}

static void lint_framing(struct lint *lint, const struct line_rule *rule,
                         const struct language *pattern)
{
    const struct template_variables variables = lint_variables(lint->profile);

    if (template_is_empty(rule->replacement) || !is_for_lines(pattern))
        return;
    struct language *made = language_of_template(pattern, rule->replacement, &variables);
    char lost = made ? lost_separator(pattern, made) : '\0';
    if (lost)
        lint_warning(lint, rule->where, "broken-framing",
                     "the replacement of a line that '%s' matches must begin with the same code "
                     "and the same '%c' behind it; such a line is withheld now: write "
                     "replacement: '' if it is meant to be left out",
                     lint_quote(lint, span_from_string(language_text(pattern))), lost);
    language_free(made);
}

static void lint_line_rule(struct lint *lint, const struct line_rule *rule,
                           const struct language *pattern, const char *grammar, const char *what)
{
    lint_alternation(lint, pattern, rule->where);
    lint_glob(lint, pattern, rule->where);
    lint_framing(lint, rule, pattern);
    if (language_avoids(pattern, ".*"))
        lint_warning(lint, rule->where, "never-matches", "'%s' can match nothing",
                     lint_quote(lint, span_from_string(language_text(pattern))));
    else if (grammar && is_for_lines(pattern) && language_avoids(pattern, grammar))
        lint_warning(lint, rule->where, "stale-pattern",
                     "'%s' matches no line that tor 0.4.9 writes for %s: look at the fields, their "
                     "number, and the character behind the code",
                     lint_quote(lint, span_from_string(language_text(pattern))), what);
}

void lint_line_rules(struct lint *lint, const struct line_rules *rules, const char *grammar,
                     const char *what)
{
    struct language **patterns = mem_zalloc(rules->count + 1, sizeof *patterns);
    struct lint_entry *entries = mem_zalloc(rules->count + 1, sizeof *entries);

    for (size_t i = 0; i < rules->count; i++) {
        const struct line_rule *rule = &rules->items[i];
        patterns[i] = lint_language(lint, pattern_text(rule->pattern), AUTOMATON_LINE);
        entries[i] = (struct lint_entry){rule->where, patterns[i]};
        if (patterns[i])
            lint_line_rule(lint, rule, patterns[i], grammar, what);
    }
    lint_order(lint, entries, rules->count, "pattern");
    for (size_t i = 0; i < rules->count; i++)
        language_free(patterns[i]);
    free(entries);
    free(patterns);
}

bool lint_line_slips(const struct line_rules *rules, struct span wire)
{
    const struct template_variables variables = {SPAN("127.0.0.1"), SPAN("0"), SPAN("127.0.0.1"),
                                                 SPAN("0")};
    struct reply_line line;
    struct buf out;
    bool slips = false;

    if (rules->drop_unmatched || !reply_parse_line(wire, &line))
        return false;
    buf_init(&out, REPLY_MAX_LINE);
    slips = rewrite_line(rules, &line, &variables, &out) == REWRITE_UNMATCHED;
    buf_clear(&out);
    return slips;
}
