/* `confs`: which values an option may get, and what reading it tells.
 *
 * A pattern here never leaves its own value, so ".*" is not as wide as it looks in a command; but
 * it is any value: any file, any program, any address. */
#include <stdlib.h>
#include <string.h>

#include "lint_facts.h"
#include "lint_parts.h"
#include "mem.h"

static const struct option_fact nothing_known = {"", OPTION_PLAIN, NULL, NULL};

static bool is_any_value(const struct language *value)
{
    return language_spans(value, "[ -~]+");
}

/* A part that may hold any path, where the value is one. */
static bool is_any_path(const struct language *value, enum option_kind kind)
{
    return (kind == OPTION_PATH || kind == OPTION_PROGRAM) && language_is_free(value, "/.a");
}

static void lint_wide_value(struct lint *lint, const struct conf_rule *conf, struct source where,
                            const struct language *value, const struct option_fact *fact)
{
    const char *better = option_better_value(fact->kind);
    bool is_path = is_any_path(value, fact->kind);

    if (fact->kind == OPTION_TEXT || (!is_path && !is_any_value(value)))
        return;
    lint_warning(lint, where, "wide-value", "'%s' is any %s of %s%s%s; write %s%s%s",
                 lint_quote(lint, span_from_string(language_text(value))),
                 is_path ? "path, in a value" : "value", conf->name, fact->does ? ", and " : "",
                 fact->does ? fact->does : "",
                 better ? "'" : "the values that the application sets", better ? better : "",
                 better ? "'" : "");
}

static void lint_value(struct lint *lint, const struct conf_rule *conf, size_t index,
                       const struct language *value, const struct option_fact *fact)
{
    struct source where = conf->places[index];

    if (pattern_text(conf->values[index])[0] == '\0')
        return;
    lint_pattern(lint, value, where, "values");
    lint_wide_value(lint, conf, where, value, fact);
}

static void lint_values(struct lint *lint, const struct conf_rule *conf,
                        const struct option_fact *fact)
{
    struct language **values = mem_zalloc(conf->count + 1, sizeof *values);
    struct lint_entry *entries = mem_zalloc(conf->count + 1, sizeof *entries);

    for (size_t i = 0; i < conf->count; i++) {
        const char *text = pattern_text(conf->values[i]);
        values[i] = lint_language(lint, text, AUTOMATON_COMMAND);
        /* '' stands for more than the empty value. */
        entries[i] = (struct lint_entry){conf->places[i], text[0] ? values[i] : NULL};
        if (values[i])
            lint_value(lint, conf, i, values[i], fact);
    }
    lint_order(lint, entries, conf->count, "value");
    for (size_t i = 0; i < conf->count; i++)
        language_free(values[i]);
    free(entries);
    free(values);
}

static void lint_conf(struct lint *lint, const struct conf_rule *conf)
{
    const struct option_fact *fact = option_fact_find(conf->name);

    fact = fact ? fact : &nothing_known;
    lint_values(lint, conf, fact);
    if (conf->count > 0 && fact->does)
        lint_note(lint, conf->where, "grants-option", "SETCONF %s %s", conf->name, fact->does);
    if (fact->tells)
        lint_note(lint, conf->where, "grants-option", "GETCONF %s tells %s", conf->name,
                  fact->tells);
}

void lint_confs(struct lint *lint, const struct profile *profile)
{
    for (size_t i = 0; i < profile->conf_count; i++)
        lint_conf(lint, &profile->confs[i]);
}
