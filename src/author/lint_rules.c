/* What the rules of commands let through.
 *
 * Where tor reads several arguments, a part of a pattern that may hold a space may hold further
 * arguments (control-protocol 7.9, 7.10). What is granted by its name is the author's intent, and
 * only noted. */
#include "describe.h"
#include "lint_facts.h"
#include "lint_parts.h"
#include "option.h"
#include "words.h"

/* Whether a part of any length may hold the separator of arguments and whatever they are made of.
 */
static bool is_wide(const struct lint_rule *rule)
{
    const struct language *sent = rule->sent;

    if (language_is_free(sent, " aZ0=/"))
        return true;
    /* Behind a closing quote tor takes the next option without a separator (7.3). */
    return rule->command->keyword->grammar == GRAMMAR_QUOTED && language_is_free(sent, "\"aZ0=/");
}

static const char *better_rule(const struct lint_rule *rule, const struct command_fact *fact)
{
    struct buf prefix;
    const char *better = NULL;

    buf_init(&prefix, 256);
    language_append_prefix(rule->sent, &prefix);
    if (rule->command->keyword->id == KEYWORD_GETINFO)
        better = info_better_rule(buf_span(&prefix));
    buf_clear(&prefix);
    return better ? better : fact->better;
}

static bool lint_wide(struct lint *lint, const struct lint_rule *rule)
{
    const struct command_fact *fact = command_fact_find(rule->command->keyword->id);

    if (!fact || !fact->more || !is_wide(rule))
        return false;
    const char *better = better_rule(rule, fact);
    bool is_rule = better && better != fact->better;
    lint_warning(lint, rule->rule->where, "wide-pattern",
                 "'%s' also lets through %s, because a part of it may hold spaces%s%s%s%s",
                 lint_quote(lint, span_from_string(language_text(rule->asked))), fact->more,
                 better ? "; " : "", is_rule ? "write '" : "", better ? better : "",
                 is_rule ? "'" : "");
    return true;
}

static void lint_command_grant(struct lint *lint, const struct lint_rule *rule)
{
    const struct command_fact *fact = command_fact_find(rule->command->keyword->id);

    if (!fact || !fact->does)
        return;
    lint_note(lint, rule->rule->where, "grants-command", "%s %s%s",
              keyword_label(rule->command->keyword), fact->does,
              rule->command->keyword->id == KEYWORD_TAKEOWNERSHIP
                  ? "; answer it with reply: ['250 OK'] instead"
                  : "");
}

/* --- SIGNAL --- */

static void lint_signal_name(struct lint *lint, const struct lint_rule *rule, const char *name)
{
    struct span text = span_from_string(name);
    const char *fact = signal_fact(text);

    if (!describe_signal(text))
        lint_warning(lint, rule->rule->where, "unknown-name", "tor 0.4.9 knows no signal '%s'",
                     lint_quote(lint, text));
    else if (fact)
        lint_note(lint, rule->rule->where, "grants-signal", "SIGNAL %s %s", lint_quote(lint, text),
                  fact);
}

static void lint_signal(struct lint *lint, const struct lint_rule *rule)
{
    struct text_list names;

    if (language_enumerate(rule->sent, LINT_MAX_TEXTS, &names)) {
        for (size_t i = 0; i < names.count; i++)
            lint_signal_name(lint, rule, names.items[i]);
        text_list_clear(&names);
        return;
    }
    if (language_matches(rule->sent, SPAN("HALT")))
        lint_warning(
            lint, rule->rule->where, "hidden-grant",
            "'%s' also lets through HALT, which stops tor for everybody; name the signals, "
            "such as 'NEWNYM'",
            lint_quote(lint, span_from_string(language_text(rule->asked))));
}

/* --- GETCONF --- */

static void lint_option_name(struct lint *lint, const struct lint_rule *rule, const char *name)
{
    const struct option_fact *fact = option_fact_find(name);
    struct span text = span_from_string(name);

    if (fact && fact->tells && rule->rule->response.count == 0)
        lint_note(lint, rule->rule->where, "grants-option", "GETCONF %s tells %s",
                  lint_quote(lint, text), fact->tells);
    /* Of a plain name the loader has said so. */
    if (!pattern_is_literal(rule->rule->pattern) && !option_find(text))
        lint_warning(lint, rule->rule->where, "unknown-name", "tor 0.4.9 has no option '%s'",
                     lint_quote(lint, text));
}

static void lint_getconf(struct lint *lint, const struct lint_rule *rule, bool is_wide_rule)
{
    struct text_list names;

    if (language_enumerate(rule->sent, LINT_MAX_TEXTS, &names)) {
        for (size_t i = 0; i < names.count; i++)
            if (words_count(span_from_string(names.items[i])) == 1)
                lint_option_name(lint, rule, names.items[i]);
        text_list_clear(&names);
        return;
    }
    if (!is_wide_rule && rule->rule->response.count == 0 &&
        language_matches(rule->sent, SPAN("HashedControlPassword")))
        lint_warning(lint, rule->rule->where, "hidden-grant",
                     "'%s' also lets through 'HashedControlPassword' and 'Bridge'; list the "
                     "options under 'confs'",
                     lint_quote(lint, span_from_string(language_text(rule->asked))));
}

/* --- SETCONF, RESETCONF --- */

/* The option that all texts of the rule begin with. */
static void lint_first_option(struct lint *lint, const struct lint_rule *rule)
{
    struct buf prefix;

    buf_init(&prefix, 256);
    language_append_prefix(rule->sent, &prefix);
    struct span text = buf_span(&prefix);
    size_t len = span_find(text, '=');
    struct span name = span_first(text, len);
    if (len < text.len && len > 0 && !option_find(name))
        lint_warning(
            lint, rule->rule->where, "unknown-name", "tor 0.4.9 has no option '%s'%s",
            lint_quote(lint, name),
            option_is_abbreviation(name) ? " and would take it as an abbreviation of another" : "");
    buf_clear(&prefix);
}

static void lint_by_command(struct lint *lint, const struct lint_rule *rule, bool is_wide_rule)
{
    enum keyword_id id = rule->command->keyword->id;

    if (id == KEYWORD_GETINFO)
        lint_info(lint, rule, is_wide_rule);
    else if (id == KEYWORD_GETCONF)
        lint_getconf(lint, rule, is_wide_rule);
    else if (id == KEYWORD_SIGNAL)
        lint_signal(lint, rule);
    else if (id == KEYWORD_SETCONF || id == KEYWORD_RESETCONF)
        lint_first_option(lint, rule);
    else if (id == KEYWORD_ADD_ONION)
        lint_add_onion(lint, rule);
    else if (id == KEYWORD_DEL_ONION)
        lint_del_onion(lint, rule);
}

void lint_rule(struct lint *lint, const struct lint_rule *rule)
{
    lint_pattern(lint, rule->asked, rule->rule->where, "arguments");
    lint_trailing_space(lint, rule->asked, rule->rule->where);
    lint_response(lint, rule);
    if (!rule->sent)
        return;
    /* An onion service has a better message than "wide". */
    bool is_onion = rule->command->keyword->id == KEYWORD_ADD_ONION;
    bool is_wide_rule = !is_onion && lint_wide(lint, rule);
    lint_sendable(lint, rule);
    lint_command_grant(lint, rule);
    lint_by_command(lint, rule, is_wide_rule);
}
